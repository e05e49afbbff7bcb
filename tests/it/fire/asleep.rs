//! A process sleeps between its claim and its call: it does not call on a claim that might run out meanwhile.

use std::{sync::Arc, time::Duration};

use patchbay::{
    ids::Slot,
    providers::TOKEN_CALL_TIMEOUT,
    store::DatabaseUrl,
    system::{Clock as _, Timestamp},
};

use super::{TOKEN, change_grant};
use crate::harness::{
    app::{Setup, local_user},
    clock::ManualClock,
    flaky_store::{Call, FlakyStore},
};

/// What a caller has to be sure of besides the call: that the outcome can be written.
const WRITE_BUDGET: Duration = Duration::from_secs(5);

#[tokio::test]
async fn no_call_begins_that_its_lease_does_not_cover() {
    for asleep_s in [0, 14, 16, 29, 31, 3_600] {
        let clock = Arc::new(ManualClock::default());
        let store = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database"));
        let setup = Setup::default().store(store.clone()).clock(clock.clone());
        let app = setup.start().await;
        app.connected("ana").await;
        change_grant(&*store, &local_user("ana"), |grant| {
            grant.expires_at = Timestamp::default();
        })
        .await;
        app.sandbox.world().hold(TOKEN);
        store.answer_late(Call::WriteUser, clock.clone(), Duration::from_secs(asleep_s));
        let grants = app.app.grants().clone();
        let renewing = tokio::spawn(async move {
            grants
                .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
                .await
        });
        app.sandbox.arrived(TOKEN).await;
        let lease = app.grant("ana").await.lease.expect("a claim");
        let covered = lease.until.since(clock.now());
        assert!(
            covered >= TOKEN_CALL_TIMEOUT + WRITE_BUDGET,
            "asleep for {asleep_s} s: {covered:?} are left"
        );
        app.sandbox.world().release(TOKEN);
        renewing.await.expect("no panic").expect("a token");
        assert_eq!(app.renewals(), 1, "asleep for {asleep_s} s");
    }
}

//! Every way in which a renewal can fail: what the caller gets, what is kept, and when it is tried again.

mod answers;
mod spent;
mod table;

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{GrantError, Reason},
    store::DatabaseUrl,
};
use sandbox::{DEMO_APP, Fault, FaultKind, Rotation};

use super::{HOUR, TOKEN, live, live_in_a_task, text};
use crate::harness::{
    app::{Setup, TestApp},
    clock::until,
    flaky_store::{Call, FlakyStore, When},
};

#[tokio::test]
async fn pauses_grow_to_five_minutes_and_end_with_the_first_success() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox
        .world()
        .fault(Fault::on("POST", TOKEN, FaultKind::html(503)));
    let mut longest = Duration::ZERO;
    for _ in 0..14 {
        let Err(GrantError::ProviderUnavailable {
            retry_after: Some(pause),
        }) = live(&app).await
        else {
            panic!("a pause");
        };
        longest = longest.max(pause);
        app.advance(pause);
    }
    assert_eq!(app.renewals(), 14);
    assert!((150..=300).contains(&longest.as_secs()), "{longest:?}");
    app.sandbox.world().clear_faults();
    live(&app).await.expect("a token");
    assert_eq!(app.grant("ana").await.failures, 0);
}

#[tokio::test]
async fn six_months_after_the_consent_the_grant_is_expired_rather_than_revoked() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance((180 * 24 - 1) * HOUR);
    live(&app).await.expect("the last day still works");
    app.advance(HOUR);
    let over = live(&app).await.expect_err("over");
    assert!(
        matches!(over, GrantError::NeedsReauth(Reason::GrantExpired)),
        "{over:?}"
    );
}

#[tokio::test]
async fn a_mended_app_revives_its_grants() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let before = app.grant("ana").await.generation;
    app.advance(HOUR);
    let secret = app
        .sandbox
        .world()
        .rotate_secret(DEMO_APP.client_id)
        .expect("an app");
    assert!(matches!(live(&app).await, Err(GrantError::AppError(_))));
    app.advance(HOUR);
    assert!(
        matches!(live(&app).await, Err(GrantError::AppError(_))),
        "it is tried again, and still wrong"
    );
    assert_eq!(app.renewals(), 2);
    let mended = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .variable("SPOTIFY_CLIENT_SECRET", secret);
    let mended = mended.start().await;
    app.advance(HOUR);
    assert_eq!(
        live(&mended)
            .await
            .expect("nobody had to consent again")
            .generation,
        before + 1
    );
}

#[tokio::test]
async fn a_process_without_the_operators_app_says_so_and_leaves_the_others_in_peace() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let without = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .variable("SPOTIFY_CLIENT_ID", "")
        .variable("SPOTIFY_CLIENT_SECRET", "");
    let without = without.start().await;
    live(&without).await.expect("a token that lives needs no app");
    app.advance(HOUR);
    for _ in 0..3 {
        assert!(matches!(live(&without).await, Err(GrantError::NoOperatorApp)));
        let mut ana = without.signed_in("ana").await;
        let status = ana.get("/api/spotify/status").await.expect(200);
        assert_eq!(status["tokenHealth"], "app_error", "{status}");
    }
    let grant = app.grant("ana").await;
    assert_eq!(
        (grant.lease, grant.failures, grant.next_attempt_at),
        (None, 0, None)
    );
    live(&app).await.expect("who has the app is not kept waiting");
}

/// An app over a store that can be told to fail, with Ana's token run out and its renewal held at the provider.
async fn held_over_a_flaky_store() -> (TestApp, Arc<FlakyStore>) {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    (app, flaky)
}

#[tokio::test]
async fn a_renewal_that_cannot_be_written_is_handed_out_and_written_later() {
    for when in [When::Before, When::After] {
        let (app, flaky) = held_over_a_flaky_store().await;
        let caller = live_in_a_task(&app);
        app.sandbox.arrived(TOKEN).await;
        flaky.fail_next(3, Call::WriteUser, when);
        app.sandbox.world().release(TOKEN);
        let token = caller.await.expect("no panic").expect("the token, all the same");
        until("it is written", || async {
            app.grant("ana").await.generation == token.generation
        })
        .await;
        flaky.heal();
        // The rotated refresh token was not lost either.
        app.advance(HOUR);
        assert_eq!(
            live(&app).await.expect("a token").generation,
            token.generation + 1,
            "{when:?}"
        );
    }
}

#[tokio::test]
async fn a_claim_that_was_written_although_the_database_failed_is_given_back() {
    let (app, flaky) = held_over_a_flaky_store().await;
    app.sandbox.world().release(TOKEN);
    flaky.fail_next(1, Call::WriteUser, When::After);
    assert!(matches!(live(&app).await, Err(GrantError::Store(_))));
    assert!(
        app.grant("ana").await.lease.is_some(),
        "it stands, and nobody knows that it is theirs"
    );
    app.app.idle().await;
    assert_eq!(app.grant("ana").await.lease, None);
    assert_eq!(app.renewals(), 0);
    live(&app)
        .await
        .expect("a token, and no waiting for a lease to be over");
}

#[tokio::test]
async fn a_token_that_waits_to_be_written_is_handed_out_while_the_database_cannot_be_read() {
    let (app, flaky) = held_over_a_flaky_store().await;
    let caller = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    flaky.fail_next(100, Call::WriteUser, When::Before);
    app.sandbox.world().release(TOKEN);
    let token = caller.await.expect("no panic").expect("the token, all the same");
    flaky.fail_next(100, Call::FindUser, When::Before);
    assert_eq!(text(&live(&app).await.expect("the same one")), text(&token));
    flaky.heal();
    app.app.idle().await;
    assert_eq!(app.grant("ana").await.generation, token.generation);
}

#[tokio::test]
async fn a_claim_that_cannot_be_written_asks_nobody() {
    let (app, flaky) = held_over_a_flaky_store().await;
    app.sandbox.world().release(TOKEN);
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert!(matches!(live(&app).await, Err(GrantError::Store(_))));
    assert_eq!(app.renewals(), 0);
    live(&app).await.expect("a token");
}

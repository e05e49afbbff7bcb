//! Each way in which a renewal can end is counted where it ends, once for everybody who wanted it.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{GrantError, LiveToken},
    ids::Slot,
    store::DatabaseUrl,
};
use tokio::task::JoinHandle;

use super::{METRICS, counted, has, operator, setup, text};
use crate::harness::{
    app::{TestApp, local_user},
    clock::{ManualClock, until},
    flaky_store::{Call, FlakyStore, When},
};

const TOKEN: &str = "/api/token";
const HOUR: Duration = Duration::from_hours(1);

/// Somebody who wants Ana's token.
fn caller(app: &TestApp) -> JoinHandle<Result<LiveToken, GrantError>> {
    let grants = app.app.grants().clone();
    tokio::spawn(async move {
        grants
            .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
            .await
    })
}

async fn token(waiting: JoinHandle<Result<LiveToken, GrantError>>) -> LiveToken {
    waiting.await.expect("no panic").expect("a token")
}

/// A process over a database that can be taken away, with Ana's token run out.
async fn ana_with_a_dead_token() -> (TestApp, Arc<FlakyStore>) {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = setup()
        .store(Arc::clone(&flaky) as _)
        .clock(ManualClock::patient())
        .start()
        .await;
    app.connected("ana").await;
    app.advance(HOUR);
    (app, flaky)
}

/// Another process, and how often it has looked into the database.
async fn another(app: &TestApp) -> (TestApp, Arc<FlakyStore>) {
    let flaky = FlakyStore::over(Arc::clone(&app.store));
    let other = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .store(Arc::clone(&flaky) as _)
        .variable("ADMIN_TOKEN", super::ADMIN_TOKEN)
        .start()
        .await;
    (other, flaky)
}

#[tokio::test]
async fn one_renews_and_who_waits_for_it_joins_here_and_elsewhere() {
    let (one, _) = ana_with_a_dead_token().await;
    let (other, others_store) = another(&one).await;
    one.sandbox.world().hold(TOKEN);
    let first = caller(&one);
    one.sandbox.arrived(TOKEN).await;
    let (second, elsewhere) = (caller(&one), caller(&other));
    until("it is watched", async || others_store.calls(Call::FindUser) > 3).await;
    one.sandbox.world().release(TOKEN);
    let renewed = token(first).await;
    token(second).await;
    token(elsewhere).await;
    assert_eq!(counted(&one).await, ["joined 1", "renewed 1"]);
    assert_eq!(counted(&other).await, ["joined 1"]);
    let told = operator(&one).get(METRICS).await;
    has(text(&told), "patchbay_token_call_seconds_count 1");
    has(text(&told), "patchbay_renewal_wait_seconds_count 2");
    let told = operator(&other).get(METRICS).await;
    has(text(&told), "patchbay_token_call_seconds_count 0");

    // A living token is nothing to renew, and one that was replaced meanwhile is fresh already.
    token(caller(&one)).await;
    assert_eq!(counted(&one).await, ["joined 1", "renewed 1"]);
    let again = one
        .app
        .grants()
        .replaced_token(&local_user("ana"), Slot::Spotify, renewed.generation - 1)
        .await;
    assert_eq!(again.expect("a token").generation, renewed.generation);
    assert_eq!(counted(&one).await, ["already_fresh 1", "joined 1", "renewed 1"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_written_is_told_until_it_is() {
    let (app, flaky) = ana_with_a_dead_token().await;
    app.sandbox.world().hold(TOKEN);
    let waiting = caller(&app);
    app.sandbox.arrived(TOKEN).await;
    flaky.fail_next(usize::MAX, Call::WriteUser, When::Before);
    app.sandbox.world().release(TOKEN);
    let unwritten = token(waiting).await;
    assert_eq!(counted(&app).await, ["persist_failed 1"]);
    let told = operator(&app).get(METRICS).await;
    has(text(&told), "patchbay_unwritten_tokens 1");
    let health = app.browser().get("/health").await.expect(200);
    assert_eq!(health["unwritten"], 1);

    flaky.heal();
    until("it is written", async || {
        app.grant("ana").await.generation == unwritten.generation
    })
    .await;
    until("it is told", async || {
        app.browser().get("/health").await.expect(200)["unwritten"] == 0
    })
    .await;
    assert_eq!(counted(&app).await, ["persist_failed 1"]);
}

#[tokio::test]
async fn who_was_overtaken_while_it_asked_has_lost_its_lease() {
    let (app, _) = ana_with_a_dead_token().await;
    app.sandbox.world().hold(TOKEN);
    let slow = caller(&app);
    app.sandbox.arrived(TOKEN).await;
    // Through another process, whose provider is not held up.
    let other = app.another_process().start().await;
    other.connected("ana").await;
    app.sandbox.world().release(TOKEN);
    token(slow).await;
    assert_eq!(counted(&app).await, ["lease_lost 1"]);
}

#[tokio::test]
async fn a_wave_counts_those_who_are_doubted_apart_from_those_who_were_believed() {
    let app = setup().start().await;
    let people = ["ana", "ben", "cem", "dora", "eli"];
    for name in people {
        app.connected(name).await;
    }
    app.advance(HOUR);
    app.sandbox.world().settings.spurious_invalid_grant = true;
    for name in people {
        let asked = app
            .app
            .grants()
            .live_token(&local_user(name), Slot::Spotify, Duration::ZERO)
            .await;
        asked.expect_err("refused");
    }
    assert_eq!(counted(&app).await, ["quarantined 1", "revoked 4"]);
}

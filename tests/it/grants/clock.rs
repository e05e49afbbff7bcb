//! The grant's own clock: people are told before their consent runs out, once each time, and the truth when it has.

use std::{sync::Arc, time::Duration};

use patchbay::{grants::SweepLimits, store::DatabaseUrl};
use sandbox::DEMO_APP;

use super::{HOUR, events, live};
use crate::harness::{
    app::{Setup, TestApp},
    browser::Browser,
    clock::ManualClock,
    flaky_store::{Call, FlakyStore, When},
};

const DAY: Duration = Duration::from_hours(24);

async fn sweep(app: &TestApp) {
    let limits = SweepLimits {
        time: Duration::from_hours(1),
        concurrency: 4,
    };
    app.app.grants().sweep(limits).await.expect("the store works");
}

/// What Ana is told, who signs in for it: sessions do not last as long as grants.
async fn status(person: &mut Browser) -> serde_json::Value {
    let name = serde_json::json!({"name": "ana"});
    person.post("/api/session", name).await.expect(200);
    person.get("/api/spotify/status?token=false").await.expect(200)
}

#[tokio::test]
async fn six_months_are_counted_down_and_told_of_once_each() {
    let app = TestApp::start().await;
    let other = app.another_process().sandbox(app.sandbox.clone()).start().await;
    let mut ana = app.connected("ana").await;
    for day in 0..180 {
        let status = status(&mut ana).await;
        assert_eq!(status["daysLeft"], 180 - day);
        // As they come: the daily cron, a server's timer, several servers at once.
        tokio::join!(sweep(&app), sweep(&other));
        sweep(&app).await;
        app.advance(DAY);
    }
    assert_eq!(
        events(&mut ana).await,
        ["ending 30", "ending 14", "ending 7", "ending 1"]
    );
    assert_eq!(app.renewals(), 7, "the first week's; nobody used it after that");
    app.sandbox.world().revoke_user("ana");
    sweep(&app).await;
    let status = status(&mut ana).await;
    assert_eq!(
        (
            &status["tokenHealth"],
            &status["errorReason"],
            &status["daysLeft"]
        ),
        (&"needs_reauth".into(), &"grant_expired".into(), &0.into())
    );
    assert_eq!(events(&mut ana).await.split_off(4), ["ended grant_expired"]);
}

#[tokio::test]
async fn who_consents_again_in_time_has_six_months_again() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.advance(DAY * 170);
    sweep(&app).await;
    app.connected("ana").await;
    sweep(&app).await;
    assert_eq!(status(&mut ana).await["daysLeft"], 180);
    assert_eq!(
        events(&mut ana).await,
        ["ending 10"],
        "of what was missed, only what is true"
    );
    app.advance(DAY * 150);
    sweep(&app).await;
    status(&mut ana).await;
    assert_eq!(events(&mut ana).await, ["ending 30"]);
}

#[tokio::test]
async fn an_event_is_told_once_although_whoever_told_it_died_over_it() {
    for when in [When::Before, When::After] {
        let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
        let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
        let mut ana = app.connected("ana").await;
        app.sandbox
            .world()
            .rotate_secret(DEMO_APP.client_id)
            .expect("an app");
        app.advance(HOUR);
        flaky.fail_next(1, Call::WriteRecord, when);
        assert!(live(&app).await.is_err());
        assert_eq!(app.document("ana").await.outbox.len(), 1, "{when:?}");
        sweep(&app).await;
        sweep(&app).await;
        assert_eq!(events(&mut ana).await, ["app_error client_refused"], "{when:?}");
        assert!(app.document("ana").await.outbox.is_empty(), "{when:?}");
    }
}

#[tokio::test]
async fn who_is_erased_leaves_no_events() {
    let app = Setup::default().clock(ManualClock::patient()).start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().revoke_user("ana");
    app.advance(HOUR);
    assert!(live(&app).await.is_err());
    assert_eq!(events(&mut ana).await.len(), 1);
    ana.delete("/api/me").await.expect(200);
    let mut ana = app.signed_in("ana").await;
    assert!(events(&mut ana).await.is_empty());
}

#[tokio::test]
async fn events_are_forgotten_after_a_quarter() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().revoke_user("ana");
    app.advance(HOUR);
    assert!(live(&app).await.is_err());
    app.advance(DAY * 89);
    sweep(&app).await;
    status(&mut ana).await;
    assert_eq!(events(&mut ana).await.len(), 1);
    app.advance(DAY);
    sweep(&app).await;
    assert!(events(&mut ana).await.is_empty());
}

//! `/health`: alive is one thing, able to work another.

use std::{sync::Arc, time::Duration};

use patchbay::store::DatabaseUrl;
use serde_json::{Value, json};

use crate::harness::{
    app::{Setup, TestApp},
    clock::until,
    flaky_store::{Call, FlakyStore, When},
};

async fn over_a_flaky_store() -> (TestApp, Arc<FlakyStore>) {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    (app, flaky)
}

fn ready_since(ms: i64) -> Value {
    json!({"status": "ok", "live": true, "ready": true, "store": "ok", "since": ms, "unwritten": 0})
}

#[tokio::test]
async fn it_is_ready_while_the_database_answers() {
    for path in ["/health", "/health/ready"] {
        let (app, flaky) = over_a_flaky_store().await;
        let mut anybody = app.browser();
        let start = app.clock.now_ms();
        assert_eq!(anybody.get(path).await.expect(200), ready_since(start), "{path}");
        flaky.fail_next(1, Call::Ping, When::Before);
        let down = anybody.get(path).await.expect(503);
        let expected = json!({
            "status": "unavailable", "live": true, "ready": false, "store": "unavailable",
            "since": start, "unwritten": 0,
        });
        assert_eq!(down, expected, "{path}");
        assert_eq!(anybody.get(path).await.expect(200), ready_since(start), "{path}");
        assert_eq!(
            flaky.calls(Call::Ping),
            3,
            "{path}: each answer is a question asked now"
        );
    }
}

#[tokio::test]
async fn since_moves_only_when_the_answer_changes() {
    let (app, flaky) = over_a_flaky_store().await;
    let mut anybody = app.browser();
    let mut since = async |status| anybody.get("/health").await.expect(status)["since"].as_i64();
    let start = app.clock.now_ms();
    let hour = Duration::from_hours(1);
    assert_eq!(since(200).await, Some(start));
    app.advance(hour);
    assert_eq!(since(200).await, Some(start));
    flaky.fail_next(usize::MAX, Call::Ping, When::Before);
    let fell = app.clock.now_ms();
    assert_eq!(since(503).await, Some(fell));
    app.advance(hour);
    assert_eq!(since(503).await, Some(fell));
    flaky.heal();
    assert_eq!(since(200).await, Some(app.clock.now_ms()));
}

#[tokio::test]
async fn it_is_alive_whatever_the_database_does_and_does_not_ask_it() {
    let (app, flaky) = over_a_flaky_store().await;
    flaky.fail_next(usize::MAX, Call::Ping, When::Before);
    let alive = app.browser().get("/health/live").await.expect(200);
    assert_eq!(alive, json!({"status": "ok", "live": true}));
    assert_eq!(flaky.calls(Call::Ping), 0);
}

#[tokio::test]
async fn a_database_that_hangs_is_given_up_in_time() {
    let (app, flaky) = over_a_flaky_store().await;
    flaky.fail_next(1, Call::Ping, When::Never);
    let mut anybody = app.browser();
    let asked = tokio::spawn(async move { anybody.get("/health").await });
    until("the database is asked", async || flaky.calls(Call::Ping) == 1).await;
    app.advance(Duration::from_secs(8));
    assert_eq!(asked.await.expect("no panic").expect(503)["ready"], false);
}

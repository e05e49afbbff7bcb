//! `GET /health`: alive is one thing, able to work another.

use std::sync::Arc;

use patchbay::store::DatabaseUrl;
use serde_json::json;

use crate::harness::{
    app::Setup,
    flaky_store::{Call, FlakyStore, When},
};

#[tokio::test]
async fn it_is_ready_while_the_database_answers() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut anybody = app.browser();
    let ready = json!({"status": "ok", "live": true, "ready": true, "store": "ok"});
    assert_eq!(anybody.get("/health").await.expect(200), ready);
    flaky.fail_next(1, Call::Ping, When::Before);
    let down = anybody.get("/health").await.expect(503);
    assert_eq!(
        down,
        json!({"status": "unavailable", "live": true, "ready": false, "store": "unavailable"})
    );
    assert_eq!(anybody.get("/health").await.expect(200), ready);
    assert_eq!(flaky.calls(Call::Ping), 3, "each answer is a question asked now");
}

//! `GET /health/live`, `GET /health/ready` and, the same as that, `GET /health`.
//!
//! Alive is one thing, able to work another: a supervisor restarts what is not alive, and restarting a service whose
//! database is away would lose the tokens that wait in memory to be written there. A load balancer asks for readiness.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, response::IntoResponse};
use http::StatusCode;
use serde_json::json;

use super::Shared;
use crate::system::Timestamp;

/// Who asks for health, or for a scrape (which Prometheus gives up after ten seconds), wants to hear in time that a
/// database hangs. One that merely looks for its new primary answers sooner than this.
pub(super) const STORE_TIMEOUT: Duration = Duration::from_secs(8);

/// What was last found out about readiness, and since when that has been so.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(bool, Timestamp)>>);

impl Readiness {
    /// Notes what was found; answers since when it has been found without a break.
    fn found(&self, ready: bool, now: Timestamp) -> Timestamp {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *last {
            Some((before, since)) if before == ready => since,
            _ => now,
        };
        *last = Some((ready, since));
        since
    }
}

/// 200 whenever the process answers at all; nobody else is asked.
pub(super) async fn live() -> impl IntoResponse {
    Json(json!({"status": "ok", "live": true}))
}

/// 200 while the database answers, 503 otherwise; `since` is when this process first found it so, and `unwritten` how
/// many received tokens wait in its memory for the database.
pub(super) async fn ready(services: Shared) -> impl IntoResponse {
    let answered = services.system.within(STORE_TIMEOUT, services.store.ping()).await;
    let ready = matches!(answered, Some(Ok(())));
    if let Some(Err(error)) = &answered {
        tracing::error!(?error, "the store does not answer");
    } else if answered.is_none() {
        tracing::error!("the store does not answer in time");
    }
    let (status, word, store) = if ready {
        (StatusCode::OK, "ok", "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "unavailable")
    };
    let body = json!({
        "status": word,
        "live": true,
        "ready": ready,
        "store": store,
        "since": services.readiness.found(ready, services.system.now()),
        "unwritten": services.metrics.unwritten_tokens(),
    });
    (status, Json(body))
}

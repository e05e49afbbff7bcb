//! `GET /health`: whether the service can do its work right now.

use axum::{Json, response::IntoResponse};
use http::StatusCode;
use serde_json::json;

use super::Shared;

/// 200 while the database answers, 503 otherwise. That this answers at all is the liveness.
pub(super) async fn get(services: Shared) -> impl IntoResponse {
    match services.store.ping().await {
        Ok(()) => (
            StatusCode::OK,
            Json(json!({"status": "ok", "live": true, "ready": true, "store": "ok"})),
        ),
        Err(error) => {
            tracing::error!(?error, "the store does not answer");
            let body = json!({"status": "unavailable", "live": true, "ready": false, "store": "unavailable"});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
    }
}

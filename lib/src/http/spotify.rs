//! Connecting Spotify, and how the connection is.

pub(super) mod auth_url;
pub(super) mod callback;
pub(super) mod client_credentials;
pub(super) mod disconnect;
pub(super) mod reconnect_byo;
pub(super) mod status;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::json;

use super::{Services, coming_back};
use crate::connect::Started;

/// `{url}` for the browser to go to, and the cookie that it has to bring back.
fn started(services: &Services, started: &Started) -> Response {
    let cookie = coming_back::cookie(services, started);
    let body = Json(json!({"url": started.url, "findings": started.findings}));
    ([(header::SET_COOKIE, cookie)], body).into_response()
}

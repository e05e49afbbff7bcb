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

use super::{Services, cookies};
use crate::{
    connect::{PENDING_LIFE, Started},
    ids::Slot,
    secret::Secret as _,
};

/// Each slot has a cookie of its own, so that two connections can be under way in one browser.
fn binding_cookie(services: &Services, slot: Slot) -> String {
    let base = match slot {
        Slot::Spotify => "patchbay_connect_spotify",
        Slot::SpotifyByo => "patchbay_connect_spotify_byo",
    };
    cookies::name(base, &services.settings.app_url)
}

/// `{url}` for the browser to go to, and the cookie that it has to bring back.
fn started(services: &Services, started: &Started) -> Response {
    let cookie = cookies::set(
        &binding_cookie(services, started.slot),
        started.binding.expose(),
        PENDING_LIFE,
        &services.settings.app_url,
    );
    let body = Json(json!({"url": started.url, "findings": started.findings}));
    ([(header::SET_COOKIE, cookie)], body).into_response()
}

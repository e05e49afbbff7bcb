//! The control face, `/_sandbox/…`: what `World` offers in process, as JSON, for people and other languages.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, body::Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

mod dashboard;
mod lastfm;
mod trouble;

use crate::catalog::Track;
use crate::server::Shared;
use crate::world::{Refused, Settings};

/// The list that `GET /_sandbox` answers.
const ROUTES: [(&str, &str); 46] = [
    (
        "GET /_sandbox/requests",
        "every request seen: names of fields, no values",
    ),
    ("DELETE /_sandbox/requests", "forget them"),
    (
        "GET /_sandbox/counters",
        "requests by method and path; those no route answers",
    ),
    ("GET /_sandbox/clock", "the sandbox's time"),
    ("POST /_sandbox/clock", "time travel: {advanceMs}"),
    ("GET /_sandbox/settings", "every knob"),
    (
        "PATCH /_sandbox/settings",
        "turn some: {tokenTtlS: 5, rotation: \"rotate_single_use\", lastfm: {limitCap: 1000}}",
    ),
    ("GET /_sandbox/faults", "faults that are left"),
    (
        "POST /_sandbox/faults",
        "{method?, path, lastfmMethod?, times?, kind}; kind: {status: {status, contentType, body, retryAfterS?}}, {retry_after: {status, value}}, \"hang\", {delay_ms: n}, {commit_then_status: n}, \"commit_then_drop\", \"drop_connection\", \"garbage200\"",
    ),
    (
        "DELETE /_sandbox/faults",
        "remove all; what hangs is answered 504",
    ),
    ("DELETE /_sandbox/faults/{number}", "remove one"),
    (
        "POST /_sandbox/holds",
        "{path, answer?, next?}: requests wait before their work, or with answer: true before their answer; with next: true only the next one",
    ),
    ("DELETE /_sandbox/holds", "{path}: let them go"),
    ("GET /_sandbox/apps", "apps"),
    (
        "POST /_sandbox/apps",
        "add: {clientId?, clientSecret?, name?, redirectUris?, mode?, owner, allowed?}",
    ),
    ("DELETE /_sandbox/apps/{clientId}", "delete"),
    ("POST /_sandbox/apps/{clientId}/secret", "rotate the secret"),
    (
        "POST /_sandbox/apps/{clientId}/mode",
        "{mode: \"development\" or \"extended\"}",
    ),
    (
        "POST /_sandbox/apps/{clientId}/redirects",
        "{uri}: register one more redirect URI",
    ),
    (
        "PUT /_sandbox/apps/{clientId}/allowed/{user}",
        "put on the allow-list",
    ),
    (
        "DELETE /_sandbox/apps/{clientId}/allowed/{user}",
        "take off the allow-list",
    ),
    ("GET /_sandbox/users", "people"),
    (
        "POST /_sandbox/users",
        "add: {id, accountId?, displayName?, premium?}",
    ),
    ("POST /_sandbox/users/{id}/premium", "{premium}"),
    (
        "POST /_sandbox/users/{id}/revoke",
        "they remove every app on their account page",
    ),
    ("POST /_sandbox/revoke", "everybody does"),
    ("GET /_sandbox/grants", "every grant given"),
    (
        "POST /_sandbox/grants",
        "a grant out of thin air: {clientId, user, scope}",
    ),
    ("POST /_sandbox/expire", "all access tokens stop working now"),
    ("GET /_sandbox/playlists", "playlists with their rows"),
    (
        "POST /_sandbox/tracks",
        "add to the catalogue: a line of its file",
    ),
    (
        "POST /_sandbox/quota",
        "{developer, bucket, forMs}: exhaust; bucket: search, playlists, catalog, profile",
    ),
    ("DELETE /_sandbox/quota", "forget all counted calls"),
    ("GET /_sandbox/lastfm/users", "people on Last.fm"),
    (
        "POST /_sandbox/lastfm/users",
        "add: {name, realName?, country?, registeredMs?, subscriber?, hidden?}",
    ),
    (
        "DELETE /_sandbox/lastfm/users/{name}",
        "delete, with plays and sessions",
    ),
    (
        "GET /_sandbox/lastfm/users/{name}/plays",
        "what they played, oldest first",
    ),
    (
        "POST /_sandbox/lastfm/users/{name}/plays",
        "{artist, title, album?}: once, now; at? (epoch ms) another moment; times?, since? (epoch ms, \"today\" or \"monday\"), until? (epoch ms): so often, spread from since until now or until",
    ),
    (
        "DELETE /_sandbox/lastfm/users/{name}/plays",
        "{artist, title, at}: take one away",
    ),
    (
        "POST /_sandbox/lastfm/users/{name}/now-playing",
        "{artist, title, album?}, or {} for nothing",
    ),
    (
        "POST /_sandbox/lastfm/users/{name}/hidden",
        "{hidden}: hide recent listening",
    ),
    (
        "POST /_sandbox/lastfm/users/{name}/revoke",
        "they take every application's permission back",
    ),
    (
        "POST /_sandbox/lastfm/users/{name}/sessions",
        "a session key out of thin air: {apiKey?}",
    ),
    (
        "GET /_sandbox/lastfm/meter",
        "calls that passed and calls refused, by key and by address",
    ),
    ("DELETE /_sandbox/lastfm/meter", "forget all counted calls"),
    (
        "POST /_sandbox/lastfm/key",
        "{suspended, apiKey?}: suspend an application, or let it ask again",
    ),
];

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox", get(list))
        .route("/_sandbox/requests", get(requests).delete(clear_requests))
        .route("/_sandbox/counters", get(counters))
        .route("/_sandbox/clock", get(clock).post(advance))
        .route("/_sandbox/settings", get(settings).patch(change_settings))
        .route(
            "/_sandbox/faults",
            get(trouble::faults)
                .post(trouble::add_fault)
                .delete(trouble::clear_faults),
        )
        .route("/_sandbox/faults/{number}", delete(trouble::remove_fault))
        .route("/_sandbox/holds", post(trouble::hold).delete(trouble::release))
        .route("/_sandbox/apps", get(dashboard::apps).post(dashboard::add_app))
        .route("/_sandbox/apps/{id}", delete(dashboard::delete_app))
        .route("/_sandbox/apps/{id}/secret", post(dashboard::rotate_secret))
        .route("/_sandbox/apps/{id}/mode", post(dashboard::set_mode))
        .route("/_sandbox/apps/{id}/redirects", post(dashboard::add_redirect))
        .route(
            "/_sandbox/apps/{id}/allowed/{user}",
            axum::routing::put(dashboard::allow).delete(dashboard::disallow),
        )
        .route("/_sandbox/users", get(dashboard::users).post(dashboard::add_user))
        .route("/_sandbox/users/{id}/premium", post(dashboard::set_premium))
        .route("/_sandbox/users/{id}/revoke", post(dashboard::revoke_user))
        .route("/_sandbox/revoke", post(dashboard::revoke_all))
        .route(
            "/_sandbox/grants",
            get(dashboard::grants).post(dashboard::issue_grant),
        )
        .route("/_sandbox/expire", post(dashboard::expire))
        .route("/_sandbox/playlists", get(playlists))
        .route("/_sandbox/tracks", post(add_track))
        .route(
            "/_sandbox/quota",
            post(trouble::exhaust_quota).delete(trouble::reset_limits),
        )
        .merge(lastfm::routes())
        .layer(axum::middleware::from_fn(local_only))
}

/// A web page somewhere must not drive a sandbox: neither by a cross-origin call, nor under a name of its own that
/// points to this machine.
async fn local_only(request: Request, next: Next) -> Response {
    if is_foreign(request.headers()) {
        return Failure(
            StatusCode::FORBIDDEN,
            "only for callers on this machine".to_owned(),
        )
        .into_response();
    }
    next.run(request).await
}

/// True if the request names a host, or comes from a page, that is not loopback.
pub(crate) fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("unreadable"))
    };
    let host = text(header::HOST).map(|host| format!("http://{host}"));
    let origin = text(header::ORIGIN).map(str::to_owned);
    [host, origin].into_iter().flatten().any(|url| !is_loopback(&url))
}

fn is_loopback(url: &str) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")))
}

/// An error of the control face.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::NoSuchApp(_) | Refused::NoSuchUser(_) => StatusCode::NOT_FOUND,
            Refused::Taken(_) | Refused::AllowListFull(_) => StatusCode::CONFLICT,
            Refused::Malformed(_) => StatusCode::BAD_REQUEST,
        };
        Self(status, refused.to_string())
    }
}

type Sandboxed = State<Arc<Shared>>;
type Outcome = Result<Json<Value>, Failure>;

fn done() -> Json<Value> {
    Json(json!({"ok": true}))
}

/// Whatever the content type: this face is for curl, too.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn list() -> Json<Value> {
    let routes: Vec<Value> = ROUTES
        .iter()
        .map(|(route, about)| json!({"route": route, "about": about}))
        .collect();
    Json(json!({"what": "the control face of a sandbox, not Spotify and not Last.fm", "routes": routes}))
}

async fn requests(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().requests()))
}

async fn clear_requests(State(shared): Sandboxed) -> Json<Value> {
    shared.world().clear_requests();
    done()
}

async fn counters(State(shared): Sandboxed) -> Json<Value> {
    let world = shared.world();
    Json(json!({"counters": world.counters(), "unexpected": world.unexpected()}))
}

async fn clock(State(shared): Sandboxed) -> Json<Value> {
    Json(json!({"nowMs": shared.world().now_ms()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Advance {
    advance_ms: i64,
}

async fn advance(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let Advance { advance_ms } = read(&body)?;
    let mut world = shared.world();
    world.advance_ms(advance_ms);
    Ok(Json(json!({"nowMs": world.now_ms()})))
}

async fn settings(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().settings))
}

async fn change_settings(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let changes: serde_json::Map<String, Value> = read(&body)?;
    let mut world = shared.world();
    let mut merged = json!(world.settings);
    for (name, value) in changes {
        match (&mut merged[&name], value) {
            // Last.fm's knobs turn one by one, too.
            (Value::Object(knobs), Value::Object(changes)) if name == "lastfm" => knobs.extend(changes),
            (place, value) => *place = value,
        }
    }
    let settings: Settings = serde_json::from_value(merged)
        .map_err(|error| Failure(StatusCode::BAD_REQUEST, error.to_string()))?;
    world.settings = settings;
    Ok(Json(json!(world.settings)))
}

async fn playlists(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().playlists().collect::<Vec<_>>()))
}

async fn add_track(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let track: Track = read(&body)?;
    shared.world().add_track(track)?;
    Ok(done())
}

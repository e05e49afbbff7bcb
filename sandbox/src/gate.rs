//! What every request passes before it reaches a route: the journal, the holds, the faults.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use crate::accounts::basic_credentials;
use crate::server::Shared;
use crate::web_api::bearer_token;
use crate::world::{FaultKind, Seen, When, World};

/// The largest body that is read. Spotify's is unknown; ours bounds what a mistaken caller can make us keep.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Marks an answer that must not be given: the connection closes instead.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection was dropped on purpose")]
pub(crate) struct Dropped;

/// Marks an answer from no route.
#[derive(Clone, Copy)]
pub(crate) struct Unexpected;

/// Journal, holds and faults around one request.
pub(crate) async fn gate(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let (number, lastfm_method) = {
        let mut world = shared.world();
        let seen = seen(&world, &parts, &body);
        let lastfm_method = seen.lastfm_method.clone();
        (world.note_arrival(seen), lastfm_method)
    };

    let before = shared.world().meet_hold(&path, When::BeforeWork);
    if let Some(gate) = before {
        gate.opened().await;
    }
    let fault = shared
        .world()
        .take_fault(&method, &path, lastfm_method.as_deref());
    let request = Request::from_parts(parts, Body::from(body));
    let response = match fault {
        None => next.run(request).await,
        Some(kind) => act(kind, &shared, request, next).await,
    };
    let after = shared.world().meet_hold(&path, When::BeforeAnswer);
    if let Some(gate) = after {
        gate.opened().await;
    }

    if response.extensions().get::<Dropped>().is_none() {
        let unexpected = response.extensions().get::<Unexpected>().is_some();
        shared
            .world()
            .note_answer(number, response.status().as_u16(), unexpected);
    }
    response
}

async fn act(kind: FaultKind, shared: &Shared, request: Request, next: Next) -> Response {
    match kind {
        FaultKind::Status {
            status,
            content_type,
            body,
            retry_after_s,
        } => {
            let mut response = with_type(status, &content_type, body);
            if let Some(seconds) = retry_after_s {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        FaultKind::RetryAfter { status, value } => {
            let mut response = with_type(status, "text/plain", String::new());
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
        FaultKind::Hang => {
            let mut hangs = shared.world().hangs();
            // An error means that the sandbox is going down, and the connection with it.
            let _ = hangs.changed().await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        FaultKind::DelayMs(delay_ms) => {
            wait(delay_ms).await;
            next.run(request).await
        }
        FaultKind::CommitThenStatus(status) => {
            next.run(request).await;
            let body = format!(r#"{{"error":{{"status":{status},"message":"Bad gateway."}}}}"#);
            with_type(status, "application/json", body)
        }
        FaultKind::CommitThenDrop => {
            next.run(request).await;
            dropped()
        }
        FaultKind::DropConnection => dropped(),
        FaultKind::Garbage200 => with_type(
            200,
            "text/html",
            "<!doctype html><title>Hello</title><p>Not what you asked for.".to_owned(),
        ),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a delay is meant to take real time: it is the caller's patience"
)]
async fn wait(delay_ms: u64) {
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
}

fn dropped() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.extensions_mut().insert(Dropped);
    response
}

/// A status and type that a fault names may be nonsense; then it is a 502 of plain text, and says so.
fn with_type(status: u16, content_type: &str, body: String) -> Response {
    let (Ok(status), Ok(content_type)) = (StatusCode::from_u16(status), HeaderValue::from_str(content_type))
    else {
        return (
            StatusCode::BAD_GATEWAY,
            "the fault names no valid status or content type",
        )
            .into_response();
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

/// What the journal keeps of a request: names, and whom it spoke for.
fn seen(world: &World, parts: &Parts, body: &Bytes) -> Seen {
    let mut fields = BTreeSet::new();
    let mut grant_type = None;
    let mut client_id = basic_credentials(&parts.headers).map(|(id, _)| id);
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let form = if kind.starts_with("application/x-www-form-urlencoded") {
        body.as_ref()
    } else {
        b""
    };
    let asks_lastfm = crate::lastfm::is_api(parts.uri.path());
    let (mut lastfm_method, mut asked_about) = (None, None);
    for (name, value) in form_urlencoded::parse(query).chain(form_urlencoded::parse(form)) {
        match &*name {
            "method" if asks_lastfm => lastfm_method = Some(crate::lastfm::method_name(&value).to_owned()),
            "api_key" if asks_lastfm => client_id = world.lastfm.label(&value).map(str::to_owned),
            // Whoever has no account here may be anything, a misplaced secret too.
            "user" if asks_lastfm => asked_about = world.lastfm.user(&value).map(|user| user.name.clone()),
            "grant_type" => grant_type = Some(value.into_owned()),
            "client_id" => client_id = client_id.or_else(|| Some(value.into_owned())),
            _ => {}
        }
        fields.insert(name.into_owned());
    }
    if kind.starts_with("application/json")
        && let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(body)
    {
        fields.extend(object.into_iter().map(|(name, _)| name));
    }
    let bearer = bearer_token(&parts.headers).and_then(|token| world.bearer(token));
    Seen {
        number: 0,
        at_ms: 0,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        status: None,
        client_id: bearer
            .as_ref()
            .map(|bearer| bearer.client_id.clone())
            .or(client_id),
        user: bearer.and_then(|bearer| bearer.user).or(asked_about),
        fields: fields.into_iter().collect(),
        grant_type,
        lastfm_method,
        unexpected: false,
    }
}

//! Last.fm: its API at `/2.0/`, the login at `/api/auth/`, and pages for a person.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::gate::Unexpected;
use crate::server::Shared;
use crate::world::{Transport, World};
use call::{Call, Format, Method};
use element::Element;
use refusal::Refusal;

mod auth;
mod call;
pub(crate) mod dates;
mod element;
mod info;
mod json;
mod login;
mod pages;
mod recent;
mod refusal;
mod shapes;
mod top;
mod weekly;
mod xml;

/// The API and the login: what applications, and browsers on their behalf, talk to.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    let login = || get(login::show).post(login::decide);
    Router::new()
        .route("/2.0", get(answer).post(answer))
        .route("/2.0/", get(answer).post(answer))
        .route("/api/auth", login())
        .route("/api/auth/", login())
}

/// Pages of the site.
pub(crate) fn page_routes() -> Router<Arc<Shared>> {
    pages::routes()
}

/// The part of the sandbox's front page that is about Last.fm, as HTML.
pub(crate) fn index_section(world: &World) -> String {
    pages::index_section(world)
}

/// True for the one path that all methods share.
pub(crate) fn is_api(path: &str) -> bool {
    matches!(path, "/2.0" | "/2.0/")
}

/// What the journal calls a method.
pub(crate) fn method_name(name: &str) -> &'static str {
    Method::find(name).map_or("unknown", |(_, spelling)| spelling)
}

/// Answers a call of the API.
async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    // The gate has read it already, and bounded it.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let call = Call::read(&Request::from_parts(parts, Body::empty()), &body);
    let mut world = shared.world();
    let Some(format) = call.format() else {
        return write(&mut world, Format::Xml, Err(Refusal::of(5)));
    };
    let answer = work(&mut world, &call);
    // A method that the sandbox does not have may be a real one: nobody expected the call.
    let unknown = answer.as_ref().err() == Some(&Refusal::of(3));
    let mut response = write(&mut world, format, answer);
    if unknown {
        response.extensions_mut().insert(Unexpected);
    }
    response
}

fn work(world: &mut World, call: &Call) -> Result<Element, Refusal> {
    let checked = call.check(world)?;
    match checked.method {
        Method::Session => auth::session(world, call, &checked),
        Method::Token => Ok(auth::token(world, &checked)),
        Method::Info => info::info(world, call, &checked),
        Method::RecentTracks => recent::recent_tracks(world, call, &checked),
        Method::TopAlbums => top::albums(world, call, &checked),
        Method::TopArtists => top::artists(world, call, &checked),
        Method::TopTracks => top::tracks(world, call, &checked),
        Method::WeeklyChartList => Ok(weekly::chart_list(world, call)),
        Method::WeeklyTrackChart => weekly::track_chart(world, call, &checked),
    }
}

/// Writes an answer or an error in the format that was asked for.
fn write(world: &mut World, format: Format, answer: Result<Element, Refusal>) -> Response {
    let json = json::Json::new(&world.settings.lastfm, world.lastfm.order());
    let (status, body) = match (answer, format) {
        (Ok(element), Format::Json) => (200, json.answer(&element)),
        (Ok(element), Format::Xml) => (200, xml::answer(&element)),
        (Err(refusal), Format::Json) => (refusal.status, json.error(refusal.code, refusal.message)),
        (Err(refusal), Format::Xml) => (refusal.status, xml::error(refusal.code, refusal.message)),
    };
    let limited = status == 429;
    let status = match world.settings.lastfm.error_transport {
        Transport::Always200 => StatusCode::OK,
        Transport::Status => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let kind = match format {
        Format::Json => "application/json",
        Format::Xml => "text/xml; charset=UTF-8",
    };
    // The headers seen in 2026 (reference: Last.fm §1).
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, kind),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    let mut response = (status, headers, body).into_response();
    if let Some(seconds) = world.settings.lastfm.retry_after_s.filter(|_| limited) {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

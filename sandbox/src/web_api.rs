//! The Web API under `/v1`: the routes, and the answer to everything that is not one.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::gate::Unexpected;
use crate::server::Shared;
use crate::world::Mode;
use caller::Caller;
use refusal::Refusal;

mod caller;
mod items;
mod library;
mod me;
mod payload;
mod playlists;
mod refusal;
mod search;
mod shapes;
mod tracks;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/me", get(me::me))
        .route("/v1/me/playlists", get(playlists::list).post(playlists::create))
        .route("/v1/me/library", axum::routing::delete(library::remove))
        .route("/v1/playlists/{id}", get(playlists::show).put(playlists::change))
        .route(
            "/v1/playlists/{id}/items",
            get(items::list)
                .post(items::add)
                .put(items::replace_or_reorder)
                .delete(items::remove),
        )
        .route(
            "/v1/playlists/{id}/tracks",
            get(items::list_old)
                .post(items::add_old)
                .put(items::replace_old)
                .delete(items::remove_old),
        )
        .route(
            "/v1/users/{id}/playlists",
            get(playlists::of_user).post(playlists::create_old),
        )
        .route("/v1/search", get(search::search))
        .route("/v1/tracks/{id}", get(tracks::track))
        .method_not_allowed_fallback(wrong_method)
}

/// `/v1/me/` is `/v1/me`: clients in wide use rely on it.
pub(crate) fn without_trailing_slash(uri: &Uri) -> Option<Uri> {
    let path = uri
        .path()
        .strip_suffix('/')
        .filter(|path| path.starts_with("/v1/"))?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn wrong_method() -> Refusal {
    Refusal::json(405, "Method not allowed")
}

/// Everything without a route: removed in development mode → 403; real, but not copied here → 501; unknown → 404.
pub(crate) async fn no_such_route(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix("/v1/").map(str::to_owned) else {
        return unexpected(Refusal::json(404, "Service not found"));
    };
    let caller = match Caller::from_request_parts(&mut parts, &shared).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let path: Vec<&str> = path.split('/').collect();
    if caller.mode == Mode::Development && is_removed(parts.method.as_str(), &path) {
        return Refusal::forbidden().into_response();
    }
    match path.first() {
        Some(
            &("albums" | "artists" | "audiobooks" | "browse" | "chapters" | "episodes" | "markets" | "me"
            | "playlists" | "shows" | "tracks" | "users"),
        ) => unexpected(Refusal::json(501, "The sandbox does not copy this endpoint")),
        _ => unexpected(Refusal::json(404, "Service not found")),
    }
}

fn unexpected(refusal: Refusal) -> Response {
    let mut response = refusal.into_response();
    response.extensions_mut().insert(Unexpected);
    response
}

/// Lists by ids, and two that stand alone.
const REMOVED_ROOTS: [&str; 9] = [
    "tracks",
    "albums",
    "artists",
    "episodes",
    "shows",
    "audiobooks",
    "chapters",
    "markets",
    "recommendations",
];

/// Endpoints that development-mode apps lost, answered 403 and not 404 (reference: §9.3, §7.2).
fn is_removed(method: &str, path: &[&str]) -> bool {
    match path {
        ["me", "library", "contains"] => false,
        [_] => REMOVED_ROOTS.contains(&path[0]),
        ["browse" | "audio-features" | "audio-analysis", ..]
        | ["users", _]
        | ["artists", _, "top-tracks" | "related-artists"]
        | [.., "contains"] => true,
        [
            "me",
            "tracks" | "albums" | "episodes" | "shows" | "audiobooks" | "following",
        ]
        | ["playlists", _, "followers"] => matches!(method, "PUT" | "DELETE"),
        _ => false,
    }
}

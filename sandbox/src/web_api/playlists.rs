//! Playlists themselves: list, create, show, change. Their contents are in `items`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::Value;

use super::caller::Caller;
use super::payload::{Page, Params, Payload};
use super::refusal::Refusal;
use super::shapes;
use crate::server::Shared;
use crate::world::{Details, World};

#[derive(Deserialize)]
struct Wish {
    name: Option<String>,
    description: Option<String>,
    public: Option<bool>,
    collaborative: Option<bool>,
}

/// `GET /v1/me/playlists`.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Params { 0: params }: Params,
) -> Result<Json<Value>, Refusal> {
    let user = caller.user()?;
    caller.needs("playlist-read-private")?;
    listed(&shared.world(), &caller, user, &params, "me", |_| true)
}

/// `GET /v1/users/{id}/playlists`, gone in development mode: what the profile shows.
pub(super) async fn of_user(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Params { 0: params }: Params,
) -> Result<Json<Value>, Refusal> {
    caller.needs_extended_mode()?;
    listed(
        &shared.world(),
        &caller,
        &id,
        &params,
        &format!("users/{id}"),
        |public| public,
    )
}

fn listed(
    world: &World,
    caller: &Caller,
    owner: &str,
    params: &std::collections::HashMap<String, String>,
    whose: &str,
    shown: impl Fn(bool) -> bool,
) -> Result<Json<Value>, Refusal> {
    let page = Page::of(params, 20, 50)?;
    let reader = caller.user().ok();
    let listed_since_ms = world.now_ms() - world.settings.playlist_list_lag_s * 1000;
    let mut theirs: Vec<_> = world
        .playlists()
        .filter(|list| list.owner == owner && !list.unfollowed && shown(list.public))
        .filter(|list| list.created_at_ms <= listed_since_ms)
        .collect();
    // Undocumented, and always so: the newest first.
    theirs.sort_by_key(|list| std::cmp::Reverse(list.created_at_ms));
    let total = theirs.len();
    let rows: Vec<Value> = page
        .cut(theirs)
        .into_iter()
        .map(|list| shapes::playlist(world, list, caller.mode, reader, false))
        .collect();
    let href = format!("{}/v1/{whose}/playlists", world.base_url());
    Ok(Json(shapes::paging(&href, "", &rows, total, page)))
}

/// `POST /v1/me/playlists`.
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    created(&shared, &caller, body)
}

/// `POST /v1/users/{id}/playlists`, gone in development mode.
pub(super) async fn create_old(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    caller.needs_extended_mode()?;
    if caller.user()? != id {
        return Err(Refusal::json(
            403,
            "You cannot create a playlist for another user",
        ));
    }
    created(&shared, &caller, body)
}

fn created(shared: &Shared, caller: &Caller, body: Value) -> Result<Response, Refusal> {
    let user = caller.user()?;
    let wish = details(body)?;
    let public = wish.public.unwrap_or(true);
    caller.needs(modify_scope(public))?;
    if wish.collaborative == Some(true) {
        if public {
            return Err(Refusal::json(400, "A collaborative playlist cannot be public"));
        }
        caller.needs(modify_scope(true))?;
    }
    let mut world = shared.world();
    let refused = world.settings.description_refusal;
    let id = world
        .create_playlist(user, &wish)
        .map_err(|error| Refusal::of_write(error, refused))?;
    let list = world.playlist(&id).ok_or_else(Refusal::not_found)?;
    let body = shapes::playlist(&world, list, caller.mode, Some(user), true);
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// `GET /v1/playlists/{id}`: the outside for anyone, the contents for those it opens to.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let world = shared.world();
    let list = world.playlist(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shapes::playlist(
        &world,
        list,
        caller.mode,
        caller.user().ok(),
        true,
    )))
}

/// `PUT /v1/playlists/{id}`: 200 and an empty body.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Result<StatusCode, Refusal> {
    let user = caller.user()?;
    let wish = details(body)?;
    let mut world = shared.world();
    let public = world.playlist(&id).ok_or_else(Refusal::not_found)?.public;
    caller.needs(modify_scope(public))?;
    caller.needs(modify_scope(wish.public.unwrap_or(public)))?;
    let refused = world.settings.description_refusal;
    world
        .change_playlist(&id, user, wish)
        .map_err(|error| Refusal::of_write(error, refused))?;
    Ok(StatusCode::OK)
}

/// The scope follows the flag (reference: §10.6).
pub(super) fn modify_scope(public: bool) -> &'static str {
    if public {
        "playlist-modify-public"
    } else {
        "playlist-modify-private"
    }
}

fn details(body: Value) -> Result<Details, Refusal> {
    let wish: Wish = serde_json::from_value(body).map_err(|_| Refusal::json(400, "Error parsing JSON."))?;
    Ok(Details {
        name: wish.name,
        description: wish.description,
        public: wish.public,
        collaborative: wish.collaborative,
    })
}

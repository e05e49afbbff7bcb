//! The contents of a playlist: `/v1/playlists/{id}/items`, and `/tracks`, its name in extended mode.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::caller::Caller;
use super::payload::{Page, Params, Payload};
use super::playlists::modify_scope;
use super::refusal::Refusal;
use super::shapes;
use crate::server::Shared;
use crate::world::{Mode, World, WriteError};

/// The largest page of the old endpoint (reference: §10.3).
const OLD_LIMIT_MAX: usize = 100;

/// `GET`: for the owner and collaborators only.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Params { 0: params }: Params,
) -> Result<Json<Value>, Refusal> {
    let world = shared.world();
    let page = Page::of(&params, 20, world.settings.items_limit_max)?;
    listed(&world, &caller, &id, page, "items")
}

/// `GET …/tracks`.
pub(super) async fn list_old(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Params { 0: params }: Params,
) -> Result<Json<Value>, Refusal> {
    caller.needs_extended_mode()?;
    let page = Page::of(&params, OLD_LIMIT_MAX, OLD_LIMIT_MAX)?;
    listed(&shared.world(), &caller, &id, page, "tracks")
}

fn listed(world: &World, caller: &Caller, id: &str, page: Page, name: &str) -> Result<Json<Value>, Refusal> {
    let list = world.playlist(id).ok_or_else(Refusal::not_found)?;
    let mine = caller.user().is_ok_and(|user| list.opens_to(user));
    if caller.mode == Mode::Development && !mine {
        return Err(Refusal::forbidden());
    }
    if mine && !list.public {
        caller.needs("playlist-read-private")?;
    }
    let rows: Vec<Value> = page
        .cut(&list.rows)
        .into_iter()
        .map(|row| shapes::row(world, row, caller.mode))
        .collect();
    let href = format!("{}/v1/playlists/{id}/{name}", world.base_url());
    Ok(Json(shapes::paging(&href, "", &rows, list.rows.len(), page)))
}

/// `POST`: adds up to a hundred, in order.
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Params { 0: params }: Params,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    let uris = uris(&params, &body)?;
    let position = match params.get("position") {
        Some(text) => Some(text.parse().map_err(|_| Refusal::json(400, "Invalid position"))?),
        None => number(&body, "position")?,
    };
    write(&shared, &caller, &id, StatusCode::CREATED, |world, user| {
        world.add_items(&id, user, &uris, position)
    })
}

/// `PUT`: replaces everything, or moves a range; never both.
pub(super) async fn replace_or_reorder(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Params { 0: params }: Params,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    let replaces = params.contains_key("uris") || body.get("uris").is_some();
    let start = number(&body, "range_start")?;
    let before = number(&body, "insert_before")?;
    match (replaces, start, before) {
        (true, None, None) => {
            let uris = uris(&params, &body)?;
            write(&shared, &caller, &id, StatusCode::OK, |world, user| {
                world.replace_items(&id, user, &uris)
            })
        }
        (false, Some(start), Some(before)) => {
            let range = (start, number(&body, "range_length")?.unwrap_or(1), before);
            write(&shared, &caller, &id, StatusCode::OK, |world, user| {
                world.reorder_items(&id, user, range)
            })
        }
        _ => Err(Refusal::json(
            400,
            "Either uris, or range_start and insert_before",
        )),
    }
}

/// `DELETE`: every row of each URI. The key is `items`; it was `tracks`.
pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    removed(&shared, &caller, &id, &body["items"])
}

/// `POST …/tracks`.
pub(super) async fn add_old(
    state: State<Arc<Shared>>,
    caller: Caller,
    id: Path<String>,
    params: Params,
    body: Payload,
) -> Result<Response, Refusal> {
    caller.needs_extended_mode()?;
    add(state, caller, id, params, body).await
}

/// `PUT …/tracks`.
pub(super) async fn replace_old(
    state: State<Arc<Shared>>,
    caller: Caller,
    id: Path<String>,
    params: Params,
    body: Payload,
) -> Result<Response, Refusal> {
    caller.needs_extended_mode()?;
    replace_or_reorder(state, caller, id, params, body).await
}

/// `DELETE …/tracks`.
pub(super) async fn remove_old(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
    Payload(body): Payload,
) -> Result<Response, Refusal> {
    caller.needs_extended_mode()?;
    removed(&shared, &caller, &id, &body["tracks"])
}

fn removed(shared: &Shared, caller: &Caller, id: &str, objects: &Value) -> Result<Response, Refusal> {
    let objects = objects
        .as_array()
        .ok_or_else(|| Refusal::json(400, "No tracks specified."))?;
    let uris: Option<Vec<String>> = objects
        .iter()
        .map(|each| each["uri"].as_str().map(str::to_owned))
        .collect();
    let uris = uris.ok_or_else(|| Refusal::json(400, "No uri specified."))?;
    write(shared, caller, id, StatusCode::OK, |world, user| {
        world.remove_items(id, user, &uris)
    })
}

/// Checks the scope that the playlist's flag asks for, does the work, answers the new snapshot.
fn write(
    shared: &Shared,
    caller: &Caller,
    id: &str,
    status: StatusCode,
    work: impl FnOnce(&mut World, &str) -> Result<String, WriteError>,
) -> Result<Response, Refusal> {
    let user = caller.user()?;
    let mut world = shared.world();
    let public = world.playlist(id).ok_or_else(Refusal::not_found)?.public;
    caller.needs(modify_scope(public))?;
    let refused = world.settings.description_refusal;
    let snapshot_id = work(&mut world, user).map_err(|error| Refusal::of_write(error, refused))?;
    Ok((status, Json(json!({"snapshot_id": snapshot_id}))).into_response())
}

/// URIs from the query, else from the body: an object's `uris`, or a bare array, as older clients send it.
fn uris(params: &HashMap<String, String>, body: &Value) -> Result<Vec<String>, Refusal> {
    if let Some(uris) = params.get("uris") {
        return Ok(uris
            .split(',')
            .filter(|uri| !uri.is_empty())
            .map(str::to_owned)
            .collect());
    }
    let list = if body.is_array() { body } else { &body["uris"] };
    serde_json::from_value(list.clone()).map_err(|_| Refusal::json(400, "No uris provided"))
}

fn number(body: &Value, name: &str) -> Result<Option<usize>, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            let invalid = || Refusal::Json {
                status: 400,
                message: format!("Invalid {name}"),
            };
            number.ok_or_else(invalid).map(Some)
        }
    }
}

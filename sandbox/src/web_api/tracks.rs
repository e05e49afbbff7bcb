//! `GET /v1/tracks/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::caller::Caller;
use super::refusal::Refusal;
use super::shapes;
use crate::catalog::is_id;
use crate::server::Shared;

/// One track; needs no scope and no user.
pub(super) async fn track(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    if !is_id(&id) {
        return Err(Refusal::json(400, "Invalid base62 id"));
    }
    let world = shared.world();
    let track = world.catalog().get(&id).ok_or_else(Refusal::not_found)?;
    Ok(Json(shapes::track(&world, track, caller.mode)))
}

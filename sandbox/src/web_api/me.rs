//! `GET /v1/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::caller::Caller;
use super::refusal::Refusal;
use super::shapes;
use crate::server::Shared;

/// The user behind the token; needs no scope.
pub(super) async fn me(State(shared): State<Arc<Shared>>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let world = shared.world();
    let user = world.user(caller.user()?).ok_or_else(Refusal::not_found)?;
    Ok(Json(shapes::me(&world, user, caller.mode)))
}

//! `POST /api/spotify/disconnect` and `/disconnect-byo`: forget a grant, at once.

use axum::Json;
use serde_json::{Value, json};

use crate::{
    http::{Shared, caller::Caller, problem::Problem},
    ids::Slot,
};

pub(in crate::http) async fn post(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    forget(&services, &caller, Slot::Spotify).await
}

/// The registered app goes with its grant.
pub(in crate::http) async fn post_byo(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    forget(&services, &caller, Slot::SpotifyByo).await
}

async fn forget(services: &Shared, caller: &Caller, slot: Slot) -> Result<Json<Value>, Problem> {
    services.grants.disconnect(&caller.user, slot).await?;
    Ok(Json(json!({"success": true})))
}

//! `DELETE /v1/me/library`: "deleting" a playlist, which is taking it out of one's library.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::caller::Caller;
use super::payload::{Params, Payload};
use super::refusal::Refusal;
use crate::server::Shared;

/// Things one call may remove (reference: §10.4).
const URIS_MAX: usize = 40;

/// Takes URIs from the query, or from the body where the query has none (both are documented).
pub(super) async fn remove(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Params { 0: params }: Params,
    Payload(body): Payload,
) -> Result<StatusCode, Refusal> {
    let user = caller.user()?;
    caller.needs("playlist-modify-public")?;
    let uris: Vec<String> = match params.get("uris") {
        Some(uris) => uris.split(',').map(str::to_owned).collect(),
        None => {
            serde_json::from_value(body["uris"].clone()).map_err(|_| Refusal::json(400, "Missing uris"))?
        }
    };
    if uris.len() > URIS_MAX {
        return Err(Refusal::json(400, "Too many uris"));
    }
    let mut world = shared.world();
    for uri in uris {
        let id = uri
            .strip_prefix("spotify:playlist:")
            .ok_or_else(|| Refusal::json(400, "Invalid uri"))?;
        let owned = world.playlist(id).is_some_and(|playlist| playlist.owner == user);
        if owned {
            // Cannot be missing: it was there a line ago, under the same lock.
            let _ = world.unfollow_playlist(id);
        }
    }
    Ok(StatusCode::OK)
}

//! `GET·DELETE /api/me`: everything held about the caller, and erasing it.

use axum::{Json, response::Response};
use serde_json::{Value, json};

use super::{Shared, caller::Caller, playlist::corrections::shown, problem::Problem, session::with_cookie};
use crate::{
    grants::Standing,
    store::{Collection, StoredGrant},
};

/// The latest records of exports shown (a job has one, and one for each hundred songs); older ones are held and erased
/// all the same, and the answer says that there are more.
const EXPORT_RECORDS_SHOWN_MAX: usize = 1000;

/// The latest events shown, the very latest last.
const EVENTS_SHOWN_MAX: usize = 100;

pub(super) async fn get(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    let document = services.grants.look(&caller.user).await?;
    let exports = services
        .store
        .records_of(Collection::Exports, &caller.user, EXPORT_RECORDS_SHOWN_MAX)
        .await?;
    let events = services
        .store
        .records_of(Collection::Events, &caller.user, EVENTS_SHOWN_MAX)
        .await?;
    let corrections = services.exporter.corrections().list(&caller.user).await?;
    let connections = document
        .integrations
        .iter()
        .map(|(slot, grant)| connection(slot.as_str(), grant, services.grants.standing(grant)));
    let pending = document.pending.iter().map(|(slot, pending)| {
        json!({
            "slot": slot,
            "startedAt": pending.created_at,
            "expiresAt": pending.expires_at,
            "returnTo": pending.return_to,
        })
    });
    Ok(Json(json!({
        "userId": caller.user,
        "connections": connections.collect::<Vec<_>>(),
        "pending": pending.collect::<Vec<_>>(),
        "events": events.into_iter().map(|(_, record)| record.body).collect::<Vec<_>>(),
        "corrections": corrections.iter().map(shown).collect::<Vec<_>>(),
        "exportsComplete": exports.len() < EXPORT_RECORDS_SHOWN_MAX,
        "exports": exports.into_iter().map(|(id, record)| json!({"id": id, "record": record.body})).collect::<Vec<_>>(),
    })))
}

/// Forgets the caller: grants, pending connections, export jobs, corrections. Playlists in Spotify stay.
pub(super) async fn delete(services: Shared, caller: Caller) -> Result<Response, Problem> {
    for collection in Collection::ALL {
        services.store.delete_records_of(collection, &caller.user).await?;
    }
    services.store.delete_user(&caller.user).await?;
    Ok(with_cookie(
        services.callers.sign_out(),
        Json(json!({"success": true})),
    ))
}

/// All there is of a grant, but of the secrets only which ones are kept.
fn connection(slot: &str, grant: &StoredGrant, standing: Standing) -> Value {
    let kept = [
        ("accessToken", &grant.access_token_enc),
        ("refreshToken", &grant.refresh_token_enc),
        ("clientId", &grant.client_id_enc),
        ("clientSecret", &grant.client_secret_enc),
    ];
    let kept: Vec<_> = kept
        .iter()
        .filter(|(_, sealed)| sealed.is_some())
        .map(|(name, _)| *name)
        .collect();
    json!({
        "slot": slot,
        "accountId": grant.account_id,
        "spotifyUserId": grant.spotify_user_id,
        "displayName": grant.display_name,
        "avatarUrl": grant.avatar_url,
        "scopes": grant.scopes,
        "connectedAt": grant.authorized_at,
        "grantExpiresAt": grant.grant_expires_at,
        "expiresAt": grant.expires_at,
        "lastUsedAt": grant.last_used_at,
        "updatedAt": grant.updated_at,
        "tokenHealth": standing.health.as_str(),
        "sealed": kept,
    })
}

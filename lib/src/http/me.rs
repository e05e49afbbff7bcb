//! `GET·DELETE /api/me`: everything held about the caller, and erasing it.

use axum::{Json, response::Response};
use serde_json::{Value, json};

use super::{Shared, caller::Caller, playlist::corrections::shown, problem::Problem, session::with_cookie};
use crate::{
    grants::Standing,
    ids::LASTFM,
    store::{Collection, StoredGrant, StoredLastfm},
    system::Timestamp,
};

/// The latest records of exports shown (a job has one, and one for each hundred songs); older ones are held and erased
/// all the same, and the answer says that there are more.
const EXPORT_RECORDS_SHOWN_MAX: usize = 1000;

/// The latest records of what was read of their listening: one for each question that was asked.
const LISTENING_RECORDS_SHOWN_MAX: usize = 100;

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
    let listening = services
        .store
        .records_of(Collection::Listening, &caller.user, LISTENING_RECORDS_SHOWN_MAX)
        .await?;
    let corrections = services.exporter.corrections().list(&caller.user).await?;
    let connections = document
        .integrations
        .iter()
        .map(|(slot, grant)| connection(slot.as_str(), grant, services.grants.standing(grant)))
        .chain(document.lastfm.iter().map(link));
    let pending = document.pending.iter().map(|(slot, pending)| {
        under_way(
            slot.as_str(),
            pending.created_at,
            pending.expires_at,
            &pending.return_to,
        )
    });
    let pending = pending.chain(
        document
            .pending_link
            .iter()
            .map(|pending| under_way(LASTFM, pending.created_at, pending.expires_at, &pending.return_to)),
    );
    Ok(Json(json!({
        "userId": caller.user,
        "connections": connections.collect::<Vec<_>>(),
        "pending": pending.collect::<Vec<_>>(),
        "events": events.into_iter().map(|(_, record)| record.body).collect::<Vec<_>>(),
        "listening": listening.into_iter().map(|(id, record)| json!({"id": id, "record": record.body})).collect::<Vec<_>>(),
        "corrections": corrections.iter().map(shown).collect::<Vec<_>>(),
        "exportsComplete": exports.len() < EXPORT_RECORDS_SHOWN_MAX,
        "exports": exports.into_iter().map(|(id, record)| json!({"id": id, "record": record.body})).collect::<Vec<_>>(),
    })))
}

/// Forgets the caller: grants, the Last.fm account, pending connections, export jobs, corrections. Playlists in Spotify
/// stay.
pub(super) async fn delete(services: Shared, caller: Caller) -> Result<Response, Problem> {
    for collection in Collection::ALL {
        services.store.delete_records_of(collection, &caller.user).await?;
    }
    services.store.delete_user(&caller.user).await?;
    // Last: a question that was under way may have been answered after the records went.
    services.listening.forget(&caller.user).await?;
    Ok(with_cookie(
        services.callers.sign_out(),
        Json(json!({"success": true})),
    ))
}

fn under_way(slot: &str, started_at: Timestamp, expires_at: Timestamp, return_to: &str) -> Value {
    json!({
        "slot": slot,
        "startedAt": started_at,
        "expiresAt": expires_at,
        "returnTo": return_to,
    })
}

/// All there is of the Last.fm account, but of its session key only whether it is kept.
fn link(link: &StoredLastfm) -> Value {
    let kept = link.session_key_enc.as_ref().map(|_| "sessionKey");
    json!({
        "slot": LASTFM,
        "username": link.username,
        "verified": link.verified,
        "connectedAt": link.connected_at,
        "updatedAt": link.updated_at,
        "sealed": kept.iter().collect::<Vec<_>>(),
    })
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

//! `GET·POST·DELETE /api/playlist/export`: a list of songs becomes a playlist; `?id=` looks at a job, goes on with it or
//! forgets it.
//!
//! Callers are people who are signed in, or whoever brings a Spotify access token as Bearer.

mod answers;
mod file;
mod forecast;
mod stream;
mod under_way;
mod words;

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, request::Parts};
use serde::Deserialize;
use serde_json::json;

use self::{
    answers::answer,
    stream::Story,
    under_way::{UnderWay, Wanted},
};
use crate::{
    export::{Caller, Draft, ExportError, ExportId, Request},
    http::{
        Services, Shared,
        body::Body,
        caller::{self, bearer, looks_like_jwt},
        problem::Problem,
    },
    ids::Slot,
    secret::{AccessToken, Secret as _},
};

/// Who wants an export.
pub(in crate::http) struct Exporting(Caller);

impl FromRequestParts<Arc<Services>> for Exporting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Problem> {
        // A JWT says who is signed in; any other Bearer token is Spotify's, as the first front ends send it.
        if let Some(token) = bearer(&parts.headers).filter(|token| !looks_like_jwt(token)) {
            return Ok(Self(Caller::Bearer(AccessToken::from_plain(token.to_owned()))));
        }
        let caller = caller::Caller::from_request_parts(parts, services).await?;
        Ok(Self(Caller::User(caller.user)))
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::http) struct Which {
    id: Option<String>,
    forecast: Option<bool>,
    format: Option<String>,
}

/// Looks at an export. One whose time has come goes on: whoever polls need not know that somebody has to.
pub(in crate::http) async fn get(
    State(services): Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Which { id, format, .. } = asked(which)?;
    match (id, format) {
        (Some(id), Some(format)) => file::get(&services, &named(&id)?, &caller, &format).await,
        (Some(id), None) => look(services, caller, named(&id)?, stream::is_wanted(&headers)).await,
        (None, Some(_)) => Err(no_id()),
        (None, None) => diagnostics(&services, &caller).await,
    }
}

async fn look(
    services: Arc<Services>,
    caller: Caller,
    id: ExportId,
    as_events: bool,
) -> Result<Response, Problem> {
    let seen = services.exporter.look(&id, &caller).await?;
    let ours = seen
        .is_ready
        .then(|| UnderWay::begin(&services, Wanted::GoOn(id.clone()), caller.clone()));
    match ours {
        _ if as_events => {
            let story = ours.map_or_else(|| Story::Theirs(id, seen), Story::Ours);
            Ok(stream::tell(services, caller, story))
        }
        Some(ours) => Ok(answer(ours.begun().await?)),
        None => Ok(answer(seen.outcome)),
    }
}

/// Begins an export, or goes on with one.
pub(in crate::http) async fn post(
    State(services): Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
    Body(draft): Body<Draft>,
) -> Result<Response, Problem> {
    let which = asked(which)?;
    if which.forecast == Some(true) && which.id.is_none() {
        let request = request(draft, &headers)?;
        return Ok(forecast::answer(
            &services.exporter.forecast(&request, &caller).await?,
        ));
    }
    let wanted = match which.id {
        Some(id) => Wanted::GoOn(named(&id)?),
        None => Wanted::Start(Box::new(request(draft, &headers)?)),
    };
    let ours = UnderWay::begin(&services, wanted, caller.clone());
    if stream::is_wanted(&headers) {
        return Ok(stream::tell(services, caller, Story::Ours(ours)));
    }
    if !prefers_async(&headers) {
        return Ok(answer(ours.end().await?));
    }
    let mut response = answer(ours.begun().await?);
    response.headers_mut().insert(PREFERENCE_APPLIED, RESPOND_ASYNC);
    Ok(response)
}

/// Forgets an export, finished or not. A playlist that was made stays: it is the person's.
pub(in crate::http) async fn delete(
    State(services): Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = asked(which)?.id.ok_or_else(no_id)?;
    let cancelled = services.exporter.cancel(&named(&id)?, &caller).await?;
    let body = json!({
        "success": true,
        "playlistUrl": cancelled.playlist_url,
        "tracksAdded": cancelled.tracks_added,
    });
    Ok(Json(body).into_response())
}

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: HeaderValue = HeaderValue::from_static("respond-async");

/// Whether a caller would rather have an answer at once than wait for the end (RFC 7240, section 4.1).
fn prefers_async(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

fn request(draft: Draft, headers: &HeaderMap) -> Result<Request, Problem> {
    let key = headers
        .get("idempotency-key")
        .map(|key| key.to_str().unwrap_or_default());
    Ok(Request::new(draft, key).map_err(ExportError::from)?)
}

fn asked(which: Result<Query<Which>, QueryRejection>) -> Result<Which, Problem> {
    let Query(which) = which.map_err(|_| {
        Problem::bad_request(
            "invalid_query",
            "id is the exportId of one job, and forecast is true or false.",
        )
    })?;
    Ok(which)
}

fn no_id() -> Problem {
    Problem::bad_request("missing_id", "id is missing.").remedy("Send the exportId of the job to look at.")
}

fn named(id: &str) -> Result<ExportId, ExportError> {
    id.parse().map_err(|_| ExportError::NotFound)
}

/// Without an id: how the caller's connections are, for whoever wonders why an export would not work.
async fn diagnostics(services: &Services, caller: &Caller) -> Result<Response, Problem> {
    let Caller::User(user) = caller else {
        return Err(no_id());
    };
    let document = services.grants.look(user).await?;
    let connection = |slot| {
        let grant = document.integrations.get(&slot)?;
        let standing = services.grants.standing(grant);
        Some(json!({
            "tokenHealth": standing.health.as_str(),
            "errorReason": standing.reason.map(crate::grants::Reason::as_str),
            "expiresAt": grant.expires_at,
            "scopes": grant.scopes,
        }))
    };
    let body = json!({
        "byo": connection(Slot::SpotifyByo),
        "standard": connection(Slot::Spotify),
        "ownerAvailable": services.exporter.has_owner(),
    });
    Ok(Json(body).into_response())
}

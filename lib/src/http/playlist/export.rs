//! `GET·POST /api/playlist/export`: a list of songs becomes a playlist; `?id=` looks at a job or goes on with it.
//!
//! Callers are people who are signed in, or whoever brings a Spotify access token as Bearer.

mod answers;
mod file;
mod words;

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequestParts, Query, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, request::Parts};
use serde::Deserialize;
use serde_json::json;

use self::answers::answer;
use crate::{
    export::{Draft, ExportError, ExportId, Request},
    http::{
        Services, Shared,
        body::Body,
        caller::{self, bearer, looks_like_jwt},
        problem::{Problem, internal},
    },
    ids::Slot,
    secret::{AccessToken, Secret as _},
};

/// A minute less than the function may take (`vercel.json`): the call in hand is still finished and written down.
const BUDGET: Duration = Duration::from_mins(4);

/// Who wants an export.
pub(in crate::http) struct Exporting(crate::export::Caller);

impl FromRequestParts<Arc<Services>> for Exporting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Problem> {
        // A JWT says who is signed in; any other Bearer token is Spotify's, as the first front ends send it.
        if let Some(token) = bearer(&parts.headers).filter(|token| !looks_like_jwt(token)) {
            return Ok(Self(crate::export::Caller::Bearer(AccessToken::from_plain(
                token.to_owned(),
            ))));
        }
        let caller = caller::Caller::from_request_parts(parts, services).await?;
        Ok(Self(crate::export::Caller::User(caller.user)))
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::http) struct Which {
    id: Option<String>,
    format: Option<String>,
}

pub(in crate::http) async fn get(
    services: Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    let Which { id, format } = asked(which)?;
    match (id, format) {
        (Some(id), Some(format)) => file::get(&services, &named(&id)?, &caller, &format).await,
        (Some(id), None) => Ok(answer(services.exporter.look(&named(&id)?, &caller).await?)),
        (None, Some(_)) => Err(no_id()),
        (None, None) => diagnostics(&services, &caller).await,
    }
}

pub(in crate::http) async fn post(
    services: Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
    Body(draft): Body<Draft>,
) -> Result<Response, Problem> {
    let key = headers
        .get("idempotency-key")
        .map(|key| key.to_str().unwrap_or_default());
    let wanted = match asked(which)?.id {
        Some(id) => Wanted::GoOn(named(&id)?),
        None => Wanted::Start(Box::new(Request::new(draft, key).map_err(ExportError::from)?)),
    };
    // A task of its own: a person who closes the page does not stop the export half-way through a call.
    let services = services.0;
    let running = tokio::spawn(async move {
        match wanted {
            Wanted::Start(request) => services.exporter.start(&request, &caller, BUDGET).await,
            Wanted::GoOn(id) => services.exporter.resume(&id, &caller, BUDGET).await,
        }
    });
    let outcome = running.await.map_err(|error| internal().because(error))?;
    Ok(answer(outcome?))
}

enum Wanted {
    Start(Box<Request>),
    GoOn(ExportId),
}

fn asked(which: Result<Query<Which>, QueryRejection>) -> Result<Which, Problem> {
    let Query(which) =
        which.map_err(|_| Problem::bad_request("invalid_query", "id is the exportId of one job."))?;
    Ok(which)
}

fn no_id() -> Problem {
    Problem::bad_request("missing_id", "id is missing.").remedy("Send the exportId of the job to look at.")
}

fn named(id: &str) -> Result<ExportId, ExportError> {
    id.parse().map_err(|_| ExportError::NotFound)
}

/// Without an id: how the caller's connections are, for whoever wonders why an export would not work.
async fn diagnostics(services: &Shared, caller: &crate::export::Caller) -> Result<Response, Problem> {
    let crate::export::Caller::User(user) = caller else {
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

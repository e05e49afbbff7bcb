//! `GET·POST /api/playlist/export`: a list of songs becomes a playlist; `?id=` looks at a job or goes on with it.
//!
//! Callers are people who are signed in, or whoever brings a Spotify access token as Bearer.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{FromRequestParts, Query, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, request::Parts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    export::{
        Blocked, Candidate, Draft, ExportError, ExportId, Finished, How, InvalidRequest, Mode, Outcome,
        Progress, Request, Stage, WaitsFor, Why,
    },
    http::{
        Services, Shared,
        body::Body,
        caller::{self, bearer, looks_like_jwt},
        problem::{Problem, internal},
    },
    ids::Slot,
    secret::{AccessToken, Secret as _},
    system::Timestamp,
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
}

pub(in crate::http) async fn get(
    services: Shared,
    Exporting(caller): Exporting,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    match asked(which)? {
        Some(id) => Ok(answer(services.exporter.look(&named(&id)?, &caller).await?)),
        None => diagnostics(&services, &caller).await,
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
    let wanted = match asked(which)? {
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

fn asked(which: Result<Query<Which>, QueryRejection>) -> Result<Option<String>, Problem> {
    let Query(which) =
        which.map_err(|_| Problem::bad_request("invalid_query", "id is the exportId of one job."))?;
    Ok(which.id)
}

fn named(id: &str) -> Result<ExportId, ExportError> {
    id.parse().map_err(|_| ExportError::NotFound)
}

/// Without an id: how the caller's connections are, for whoever wonders why an export would not work.
async fn diagnostics(services: &Shared, caller: &crate::export::Caller) -> Result<Response, Problem> {
    let crate::export::Caller::User(user) = caller else {
        let problem = Problem::bad_request("missing_id", "id is missing.");
        return Err(problem.remedy("Send the exportId of the job to look at."));
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

fn answer(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Finished(finished) => Json(FinishedBody::from(*finished)).into_response(),
        Outcome::Unfinished(progress) => {
            (StatusCode::ACCEPTED, Json(ProgressBody::from(progress))).into_response()
        }
    }
}

/// 200: what became of every song.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FinishedBody {
    success: bool,
    export_id: String,
    playlist_id: Option<String>,
    playlist_url: Option<String>,
    tracks_added: usize,
    total_songs: usize,
    mode: &'static str,
    used_fallback: bool,
    account_id: Option<String>,
    matched: Vec<Value>,
    unmatched: Vec<Value>,
    duplicates: Vec<Value>,
    rejected: Vec<Value>,
}

impl From<Finished> for FinishedBody {
    fn from(finished: Finished) -> Self {
        let candidate = |candidate: Candidate| {
            json!({
                "uri": candidate.uri,
                "title": candidate.title,
                "artists": candidate.artists,
                "score": candidate.score,
            })
        };
        let matched = finished.matched.iter().map(
            |song| json!({"index": song.index, "uri": song.uri, "score": song.score, "how": how(song.how)}),
        );
        let duplicates = finished
            .duplicates
            .iter()
            .map(|song| json!({"index": song.index, "uri": song.uri, "of": song.of}));
        let rejected = finished
            .rejected
            .iter()
            .map(|song| json!({"index": song.index, "uri": song.uri, "reason": song.reason}));
        Self {
            success: true,
            tracks_added: finished.tracks_added(),
            total_songs: finished.total_songs,
            mode: mode(finished.mode),
            used_fallback: finished.used_fallback,
            matched: matched.collect(),
            duplicates: duplicates.collect(),
            rejected: rejected.collect(),
            export_id: finished.id.as_str().to_owned(),
            playlist_id: finished.playlist_id,
            playlist_url: finished.playlist_url,
            account_id: finished.account_id,
            unmatched: finished
                .unmatched
                .into_iter()
                .map(|song| {
                    let candidates: Vec<_> = song.candidates.into_iter().map(candidate).collect();
                    json!({"index": song.index, "reason": song.reason, "candidates": candidates})
                })
                .collect(),
        }
    }
}

/// 202: how far it is, and when it goes on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressBody {
    export_id: String,
    stage: &'static str,
    done: usize,
    total: usize,
    resume_at: Option<Timestamp>,
    code: &'static str,
    message: &'static str,
}

impl From<Progress> for ProgressBody {
    fn from(progress: Progress) -> Self {
        let (code, message) = match progress.waits_for {
            WaitsFor::Nothing => ("running", "The export is running."),
            WaitsFor::Time(Why::TimeBudget) => (
                "time_budget",
                "The export takes longer than one request may; it goes on from here.",
            ),
            WaitsFor::Time(Why::ThrottledHere) => ("throttled_here", "Other exports are before this one."),
            WaitsFor::Time(Why::RateLimited) => (
                "rate_limited",
                "Spotify asked to slow down; the export goes on by itself afterwards.",
            ),
            WaitsFor::Time(Why::QuotaExceeded) => (
                "quota_exceeded",
                "The Spotify app has used up its quota; the export goes on when it has some again.",
            ),
            WaitsFor::Time(Why::ProviderUnavailable) => (
                "provider_unavailable",
                "Spotify does not answer properly; the export is tried again by itself.",
            ),
            WaitsFor::Person(blocked) => {
                let (_, code, sentence, _) = words(blocked);
                (code, sentence)
            }
        };
        Self {
            export_id: progress.id.as_str().to_owned(),
            stage: stage(progress.stage),
            done: progress.done,
            total: progress.total,
            resume_at: progress.resume_at,
            code,
            message,
        }
    }
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Byo => "byo",
        Mode::Standard => "standard",
        Mode::Owner => "owner",
        Mode::Bearer => "bearer",
    }
}

const fn how(how: How) -> &'static str {
    match how {
        How::Given => "given",
        How::Isrc => "isrc",
        How::Fielded => "fielded",
        How::Plain => "plain",
    }
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Loading | Stage::Resolve => "resolve",
        Stage::Create => "create",
        Stage::Fill => "fill",
        Stage::Done => "done",
    }
}

/// Status, code, sentence and remedy of what a person has to mend.
const fn words(blocked: Blocked) -> (StatusCode, &'static str, &'static str, &'static str) {
    const CONTINUE: &str = "Connect again, then continue the export: what was done is kept.";
    match blocked {
        Blocked::NotConnected => (
            StatusCode::CONFLICT,
            "not_connected",
            "No Spotify account is connected.",
            "Connect one, then export.",
        ),
        Blocked::NeedsReauth => (
            StatusCode::CONFLICT,
            "needs_reauth",
            "The connection to Spotify has to be renewed.",
            CONTINUE,
        ),
        Blocked::AppError => (
            StatusCode::CONFLICT,
            "app_error",
            "Spotify refuses the app behind this connection.",
            "The app's owner has to check its client ID and secret.",
        ),
        // The code of the first front ends, which decide by it.
        Blocked::TokenExpired => (
            StatusCode::UNAUTHORIZED,
            "TOKEN_EXPIRED",
            "The Spotify access token has expired.",
            "Get a fresh one and send the request again.",
        ),
        Blocked::OwnerUnavailable => (
            StatusCode::BAD_GATEWAY,
            "owner_unavailable",
            "The account of this site's owner cannot be used right now.",
            "Connect an account of your own, or tell the operator.",
        ),
        Blocked::OwnerNeedsPremium => (
            StatusCode::FORBIDDEN,
            "owner_needs_premium",
            "Spotify lets an app in development mode work only while its owner has Premium.",
            "The app's owner needs Spotify Premium; after subscribing it can take a few hours.",
        ),
        Blocked::NotOnAllowList => (
            StatusCode::FORBIDDEN,
            "not_on_allow_list",
            "The Spotify app is in development mode and does not know this Spotify account.",
            "Add it in the app's Settings on developer.spotify.com/dashboard, under User Management.",
        ),
        Blocked::MissingScope => (
            StatusCode::FORBIDDEN,
            "missing_scope",
            "The connection does not allow changing playlists.",
            "Connect again and allow everything that is asked for.",
        ),
        Blocked::Forbidden => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "Spotify does not allow this app to do it.",
            "Check the app's Settings on developer.spotify.com/dashboard.",
        ),
        Blocked::AccountChanged => (
            StatusCode::CONFLICT,
            "account_changed",
            "Another Spotify account is connected than the one this export began with.",
            "Connect that account again, or start a new export.",
        ),
        Blocked::PlaylistRefused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "playlist_refused",
            "Spotify refuses to create a playlist with this name or description.",
            "Start a new export with a plainer name and description.",
        ),
        Blocked::PlaylistGone => (
            StatusCode::CONFLICT,
            "playlist_gone",
            "The playlist was deleted before it was finished.",
            "Start a new export.",
        ),
        Blocked::ItemsRefused => (
            StatusCode::CONFLICT,
            "items_refused",
            "Spotify takes nothing more into the playlist.",
            "Look at the playlist in Spotify; start a new export if it is not what you want.",
        ),
        Blocked::Incomplete => (
            StatusCode::CONFLICT,
            "incomplete",
            "The service was interrupted before it had stored the whole list.",
            "Send the same request again, with the same Idempotency-Key.",
        ),
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Invalid(invalid) => invalid.into(),
            ExportError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "This Idempotency-Key was sent with a different request before.",
            )
            .remedy("Use a fresh key for each new export."),
            ExportError::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "export_not_found",
                "There is no such export of yours.",
            ),
            ExportError::OwnerNotConfigured => Self::new(
                StatusCode::CONFLICT,
                "owner_not_configured",
                "This site has no account of its own to export to.",
            )
            .remedy("Connect an account of your own."),
            ExportError::OwnerNeedsSignIn => Self::new(
                StatusCode::UNAUTHORIZED,
                "not_signed_in",
                "The account of this site's owner is only for people who are signed in.",
            )
            .remedy("Sign in first."),
            ExportError::Blocked {
                id,
                blocked,
                can_fall_back,
            } => {
                let (status, code, sentence, remedy) = words(blocked);
                let problem = Self::new(status, code, sentence)
                    .remedy(remedy)
                    .detail("canFallback", can_fall_back);
                match id {
                    Some(id) => problem.detail("exportId", id.as_str()),
                    None => problem,
                }
            }
            ExportError::Unavailable { why, retry_after } => {
                let (status, code, sentence) = match why {
                    Why::QuotaExceeded => (
                        StatusCode::TOO_MANY_REQUESTS,
                        "quota_exceeded",
                        "The Spotify app has used up its quota.",
                    ),
                    Why::RateLimited => (
                        StatusCode::TOO_MANY_REQUESTS,
                        "rate_limited",
                        "Spotify asked to slow down.",
                    ),
                    Why::ThrottledHere => (
                        StatusCode::TOO_MANY_REQUESTS,
                        "throttled_here",
                        "Too many requests are before this one.",
                    ),
                    Why::ProviderUnavailable | Why::TimeBudget => (
                        StatusCode::SERVICE_UNAVAILABLE,
                        "provider_unavailable",
                        "Spotify does not answer properly right now.",
                    ),
                };
                Self::new(status, code, sentence)
                    .remedy("Try again later.")
                    .retry_after(Some(retry_after))
            }
            ExportError::Store(error) => Self::from(&*error),
        }
    }
}

impl From<InvalidRequest> for Problem {
    fn from(invalid: InvalidRequest) -> Self {
        let code = match invalid {
            InvalidRequest::Name => "invalid_name",
            InvalidRequest::Description => "invalid_description",
            InvalidRequest::NoSongs => "no_songs",
            InvalidRequest::TooManySongs { .. } => "too_many_songs",
            InvalidRequest::Song { .. } => "invalid_song",
            InvalidRequest::Key => "invalid_idempotency_key",
        };
        let mut sentence = invalid.to_string();
        sentence[..1].make_ascii_uppercase();
        sentence.push('.');
        Self::bad_request(code, sentence)
    }
}

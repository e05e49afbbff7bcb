//! `GET /api/spotify/status?mode=byo|standard&token=false`: the truth about a connection.
//!
//! With `token=false` it is a poll: one indexed read, nothing is decrypted, nobody is asked, and 304 when nothing
//! changed. Without, the access token comes along, renewed if need be.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::{FromRequestParts, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header, request::Parts};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    grants::{GrantError, Health, LiveToken, Reason, Standing},
    http::{
        Services, Shared,
        caller::Caller,
        problem::{Problem, internal, words},
    },
    ids::Slot,
    secret::Secret as _,
    store::{GrantStatus, StoredGrant, UserDocument},
    system::Timestamp,
};

/// A front end that gets a token wants to use it for a moment, at least.
const MIN_LIFE: Duration = Duration::from_mins(1);

/// Nothing is connected, so nothing changes until somebody acts.
const POLL_UNCONNECTED_MS: u64 = 60_000;

/// More than most answers take.
const STATUS_BYTES: usize = 1024;

const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a status that has no reason says.
const ALL_WELL: &str = "Connected.";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Wanted {
    mode: Option<Mode>,
    token: Option<bool>,
}

/// Which of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Byo,
    Standard,
}

impl Mode {
    const fn slot(self) -> Slot {
        match self {
            Self::Byo => Slot::SpotifyByo,
            Self::Standard => Slot::Spotify,
        }
    }
}

/// The answer. Instants and spans are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    connected: bool,
    mode: Mode,
    spotify_user_id: Option<&'a str>,
    account_id: Option<&'a str>,
    display_name: Option<&'a str>,
    avatar_url: Option<&'a str>,
    scopes: &'a [String],
    missing_scopes: Vec<&'a str>,
    /// Left out of a poll; null where there should be one and is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<Value>,
    expires_at: Option<Timestamp>,
    last_updated: Option<Timestamp>,
    token_age: Option<u128>,
    token_health: Option<&'static str>,
    needs_reauth: bool,
    error_reason: Option<&'static str>,
    message: &'static str,
    remedy: Option<&'static str>,
    has_byo_credentials: bool,
    grant_expires_at: Option<Timestamp>,
    days_left: Option<u64>,
    next_poll_after_ms: u64,
}

/// The tag of the answer that the caller has. (All the headers would be a copy of each.)
pub(in crate::http) struct Known(Option<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.get(header::IF_NONE_MATCH).cloned()))
    }
}

pub(in crate::http) async fn get(
    services: Shared,
    caller: Caller,
    Known(known): Known,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request(
            "invalid_query",
            "mode is byo or standard, and token is true or false.",
        )
    })?;
    let document = services.grants.look(&caller.user).await?;
    let mode = wanted.mode.unwrap_or_else(|| preferred(&document));
    if wanted.token == Some(false) {
        return Ok(poll(&services, known.as_ref(), &document, mode));
    }
    let Some(_) = document.integrations.get(&mode.slot()) else {
        return Ok(Json(without_grant(&document, mode)).into_response());
    };
    let token = services
        .grants
        .live_token(&caller.user, mode.slot(), MIN_LIFE)
        .await;
    // Getting it may have changed what is stored. A database that fails only now takes the token from nobody.
    let mut document = match (services.grants.look(&caller.user).await, &token) {
        (Ok(now), _) => now,
        (Err(_), Ok(_)) => document,
        (Err(error), Err(_)) => return Err(error.into()),
    };
    if let (Some(grant), Ok(token)) = (document.integrations.get_mut(&mode.slot()), &token) {
        catch_up(grant, token, services.system.now());
    }
    Ok(Json(with_token(&services, &document, mode, token)?).into_response())
}

/// A token that waits to be written is newer than what is stored of its grant: then this tells of the token.
fn catch_up(grant: &mut StoredGrant, token: &LiveToken, now: Timestamp) {
    if grant.generation < token.generation {
        grant.status = GrantStatus::Connected;
        grant.failures = 0;
        grant.expires_at = token.expires_at;
        grant.updated_at = now;
    }
}

/// BYO is preferred when both exist: who registered an app of their own wants it used.
fn preferred(document: &UserDocument) -> Mode {
    let byo = document.integrations.contains_key(&Slot::SpotifyByo);
    let standard = document.integrations.contains_key(&Slot::Spotify);
    if byo || !standard {
        Mode::Byo
    } else {
        Mode::Standard
    }
}

fn poll(services: &Services, known: Option<&HeaderValue>, document: &UserDocument, mode: Mode) -> Response {
    let now = services.system.now();
    let grant = document.integrations.get(&mode.slot());
    let standing = grant.map(|grant| services.grants.standing(grant));
    let tag = entity_tag(document, mode, standing);
    let tag_header = [(
        header::ETAG,
        HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\"")),
    )];
    let known = known.is_some_and(|known| names(known, &tag));
    if known {
        return (StatusCode::NOT_MODIFIED, tag_header).into_response();
    }
    let status = match (grant, standing) {
        (Some(grant), Some(standing)) => connected(services, document, mode, grant, standing, now),
        _ => unconnected(document, mode),
    };
    // Written by hand, because `Json` begins small and grows four times; most of an answer's time went there.
    let mut body = Vec::with_capacity(STATUS_BYTES);
    match serde_json::to_writer(&mut body, &status) {
        Ok(()) => (tag_header, [(header::CONTENT_TYPE, APPLICATION_JSON)], body).into_response(),
        Err(error) => internal().because(error).into_response(),
    }
}

/// Whether an `If-None-Match` names this tag, alone or among others (RFC 9110 §13.1.2).
fn names(known: &HeaderValue, tag: &str) -> bool {
    known
        .to_str()
        .is_ok_and(|known| known.split(',').any(|known| known.trim() == tag))
}

/// Weak, because `tokenAge` grows all the time and is not worth an answer of its own.
fn entity_tag(document: &UserDocument, mode: Mode, standing: Option<Standing>) -> String {
    let (health, days_left, poll) = standing.map_or(("none", None, 0), |standing| {
        (
            standing.health.as_str(),
            standing.days_left,
            standing.next_poll_after.as_millis(),
        )
    });
    let reason = standing
        .and_then(|standing| standing.reason)
        .map_or("", Reason::as_str);
    let days_left = days_left.map_or(String::new(), |days| days.to_string());
    format!(
        "W/\"{}.{}.{health}.{reason}.{days_left}.{poll}\"",
        document.version.0,
        mode.slot()
    )
}

fn with_token<'a>(
    services: &'a Services,
    document: &'a UserDocument,
    mode: Mode,
    token: Result<LiveToken, GrantError>,
) -> Result<Status<'a>, Problem> {
    let now = services.system.now();
    let Some(grant) = document.integrations.get(&mode.slot()) else {
        return Ok(without_grant(document, mode));
    };
    let mut standing = services.grants.standing(grant);
    let token = match token {
        Ok(token) => Some(token.token.expose().to_owned()),
        Err(GrantError::Store(_) | GrantError::BrokeOff) => {
            return Err(token.expect_err("just matched").into());
        }
        Err(error) => {
            standing = without_token(standing, &error);
            None
        }
    };
    let status = connected(services, document, mode, grant, standing, now);
    Ok(Status {
        access_token: Some(token.into()),
        ..status
    })
}

fn without_grant(document: &UserDocument, mode: Mode) -> Status<'static> {
    Status {
        access_token: Some(Value::Null),
        ..unconnected(document, mode)
    }
}

/// What is said when there should be a token and is none: never "healthy".
fn without_token(standing: Standing, error: &GrantError) -> Standing {
    let (health, reason) = match error {
        GrantError::Sealed(_) => (Health::AppError, Reason::Unreadable),
        GrantError::NoOperatorApp => (Health::AppError, Reason::ClientRefused),
        GrantError::NeedsReauth(reason) => (Health::NeedsReauth, *reason),
        GrantError::AppError(reason) => (Health::AppError, *reason),
        GrantError::NotConnected
        | GrantError::ProviderUnavailable { .. }
        | GrantError::Store(_)
        | GrantError::BrokeOff => match standing.reason {
            // What is stored says why already, and better.
            Some(_) => return standing,
            None => (Health::Degraded, Reason::RenewalFailing),
        },
    };
    Standing {
        health,
        reason: Some(reason),
        ..standing
    }
}

fn connected<'a>(
    services: &'a Services,
    document: &UserDocument,
    mode: Mode,
    grant: &'a StoredGrant,
    standing: Standing,
    now: Timestamp,
) -> Status<'a> {
    let wanted = &services.connector.settings().scopes;
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|scope| !grant.scopes.contains(scope))
        .map(String::as_str)
        .collect();
    let (message, remedy) = match standing.reason {
        Some(reason) => {
            let (message, remedy) = words(reason);
            (message, Some(remedy))
        }
        None if !missing.is_empty() => (
            "Connected, but not everything that was asked for was allowed.",
            Some("Reconnect and allow it all."),
        ),
        None => (ALL_WELL, None),
    };
    Status {
        connected: true,
        mode,
        spotify_user_id: Some(&grant.spotify_user_id),
        account_id: Some(&grant.account_id),
        display_name: grant.display_name.as_deref(),
        avatar_url: grant.avatar_url.as_deref(),
        scopes: &grant.scopes,
        missing_scopes: missing,
        access_token: None,
        expires_at: Some(grant.expires_at),
        last_updated: Some(grant.updated_at),
        token_age: Some(now.since(grant.updated_at).as_millis()),
        token_health: Some(standing.health.as_str()),
        needs_reauth: standing.health == Health::NeedsReauth,
        error_reason: standing.reason.map(Reason::as_str),
        message,
        remedy,
        has_byo_credentials: has_own_app(document),
        grant_expires_at: grant.grant_expires_at,
        days_left: standing.days_left,
        next_poll_after_ms: u64::try_from(standing.next_poll_after.as_millis()).unwrap_or(u64::MAX),
    }
}

fn unconnected(document: &UserDocument, mode: Mode) -> Status<'static> {
    Status {
        connected: false,
        mode,
        spotify_user_id: None,
        account_id: None,
        display_name: None,
        avatar_url: None,
        scopes: &[],
        missing_scopes: Vec::new(),
        access_token: None,
        expires_at: None,
        last_updated: None,
        token_age: None,
        token_health: None,
        needs_reauth: false,
        error_reason: None,
        message: "Not connected.",
        remedy: None,
        has_byo_credentials: has_own_app(document),
        grant_expires_at: None,
        days_left: None,
        next_poll_after_ms: POLL_UNCONNECTED_MS,
    }
}

fn has_own_app(document: &UserDocument) -> bool {
    document
        .integrations
        .get(&Slot::SpotifyByo)
        .is_some_and(|grant| grant.client_id_enc.is_some())
}

//! How the Web API says no: one value for each kind of body (reference: §7).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::world::{LimitRefusal, NotRegistered, WriteError};

/// Reference §7.2; a proxy in front answers it as 159 bytes of plain text.
const PREMIUM_REQUIRED: &str = "Active premium subscription required for the owner of the app. When the subscription status changes, it can take a few hours before requests are allowed again.";
const NOT_REGISTERED_2026: &str = "The user is not registered for this application. Please check your settings on https://developer.spotify.com/dashboard.";
const NOT_REGISTERED_2024: &str =
    "Check settings on developer.spotify.com/dashboard, the user may not be registered.";
const NOT_REGISTERED_2021: &str = "User not registered in the Developer Dashboard";

/// What is wrong with a bearer token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unauthorized {
    Missing,
    Invalid,
    Expired,
}

/// A refused request.
#[derive(Debug)]
pub(crate) enum Refusal {
    Json { status: u16, message: String },
    Text { status: u16, body: &'static str },
    Unauthorized { why: Unauthorized, legacy: bool },
    Limited(LimitRefusal),
}

impl Refusal {
    pub(crate) fn json(status: u16, message: &str) -> Self {
        Self::Json {
            status,
            message: message.to_owned(),
        }
    }

    pub(super) fn forbidden() -> Self {
        Self::json(403, "Forbidden")
    }

    pub(super) fn scope() -> Self {
        Self::json(403, "Insufficient client scope")
    }

    pub(super) fn not_found() -> Self {
        Self::json(404, "Resource not found")
    }

    pub(super) fn premium() -> Self {
        Self::Text {
            status: 403,
            body: PREMIUM_REQUIRED,
        }
    }

    pub(super) fn not_registered(wording: NotRegistered) -> Self {
        let text = |body| Self::Text { status: 403, body };
        match wording {
            NotRegistered::Text2026 => text(NOT_REGISTERED_2026),
            NotRegistered::Json2026 => Self::json(403, NOT_REGISTERED_2026),
            NotRegistered::Text2024 => text(NOT_REGISTERED_2024),
            NotRegistered::Text2021 => text(NOT_REGISTERED_2021),
        }
    }

    /// A write to a playlist that was not done; a description's status is a knob.
    pub(super) fn of_write(error: WriteError, description_status: u16) -> Self {
        match error {
            WriteError::NotFound => Self::not_found(),
            WriteError::NotYours => Self::json(403, "You cannot add to a playlist you don't own."),
            WriteError::TooMany => Self::json(400, "You can add a maximum of 100 tracks per request."),
            WriteError::BadUri(uri) => Self::Json {
                status: 400,
                message: format!("Invalid track uri: {uri}"),
            },
            WriteError::BadPosition => Self::json(400, "Index out of bounds"),
            WriteError::BadDescription => Self::json(description_status, "Invalid description"),
            WriteError::BadName => Self::json(400, "Missing required field: name"),
            WriteError::NameTooLong | WriteError::Full => Self::json(500, "Internal server error"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Json { status, message } => regular(status, &message),
            Self::Text { status, body } => (code(status), body).into_response(),
            Self::Unauthorized { why, legacy } => unauthorized(why, legacy),
            Self::Limited(LimitRefusal::Quota { retry_after_s }) => {
                let body = json!({"error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}});
                retry_after(
                    (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response(),
                    retry_after_s,
                )
            }
            Self::Limited(LimitRefusal::Rate { limit, retry_after_s }) => {
                let response = if limit.json {
                    regular(429, "API rate limit exceeded")
                } else {
                    (StatusCode::TOO_MANY_REQUESTS, "Too many requests").into_response()
                };
                if limit.retry_after {
                    retry_after(response, retry_after_s)
                } else {
                    response
                }
            }
        }
    }
}

fn regular(status: u16, message: &str) -> Response {
    (
        code(status),
        Json(json!({"error": {"status": status, "message": message}})),
    )
        .into_response()
}

fn code(status: u16) -> StatusCode {
    // Only the description's status comes from outside; nonsense there is a 500, which is one of its two real values.
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn retry_after(mut response: Response, seconds: i64) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// The cause stands in the header; in the body too, before July 2026 (reference: §7.1).
fn unauthorized(why: Unauthorized, legacy: bool) -> Response {
    let (error, description) = match why {
        Unauthorized::Missing => ("missing_token", "No token provided"),
        Unauthorized::Invalid => ("invalid_token", "Invalid access token"),
        Unauthorized::Expired => ("invalid_token", "The access token expired"),
    };
    let message = if legacy {
        description
    } else {
        "Missing/invalid/expired access token"
    };
    let challenge = format!(r#"Bearer realm="spotify", error="{error}", error_description="{description}""#);
    ([(header::WWW_AUTHENTICATE, challenge)], regular(401, message)).into_response()
}

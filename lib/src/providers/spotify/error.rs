//! What the Web API's refusals mean, sorted by what can be done about them.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::providers::{Answer, TransportError};

/// The longest message kept of a refusal, in characters. Spotify's longest known one has 159.
const MESSAGE_CHARS_MAX: usize = 200;

/// Why a call to the Web API gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 401: the token is dead. One renewal and one replay are due, whatever the text says; it changed in mid-2026.
    #[error("the access token is not accepted")]
    Unauthorized,
    /// 403: neither a new token nor another try helps.
    #[error("not allowed: {0}")]
    Forbidden(Forbidden),
    /// 429 without a quota reason: too fast, for some seconds.
    #[error("too many requests")]
    RateLimited {
        /// How long to wait; Spotify may leave it out.
        retry_after: Option<Duration>,
    },
    /// 429 with `QUOTA_EXCEEDED` (since 2026-07-23): the developer account's budget is used up, often for many hours.
    #[error("the app's quota is used up")]
    QuotaExceeded {
        /// How long it stays so.
        retry_after: Option<Duration>,
    },
    /// 404: no such thing, or not for this caller.
    #[error("not found")]
    NotFound,
    /// Any other 4xx: the request itself is refused.
    #[error("refused with {status}: {message}")]
    Rejected {
        /// The status.
        status: StatusCode,
        /// The provider's words, shortened.
        message: String,
    },
    /// 5xx and the like. Whether the request was acted upon is not known.
    #[error("Spotify answers {status}")]
    Unavailable {
        /// The status.
        status: StatusCode,
    },
    /// A success that is not the documented JSON. The request was probably acted upon.
    #[error("Spotify's answer cannot be read")]
    Unreadable,
    /// No answer. Whether the request was acted upon is not known.
    #[error("Spotify cannot be reached")]
    Unreachable(#[source] TransportError),
}

impl ApiError {
    /// Whether the call may have done its work although it failed: then look before doing it again.
    #[must_use]
    pub const fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Unreadable | Self::Unreachable(_)
        )
    }

    /// Whether the call may be acted upon yet, because somebody there was slower than who waited for them: looking at
    /// once would say too little. Calls have been seen to hang for 30 to 45 s (reference: Spotify, 5xx).
    #[must_use]
    pub const fn may_be_acted_upon_later(&self) -> bool {
        match self {
            Self::Unavailable { status } => status.as_u16() == StatusCode::GATEWAY_TIMEOUT.as_u16(),
            Self::Unreachable(TransportError::TimedOut) => true,
            _ => false,
        }
    }
}

/// The known reasons of a 403 (quota-modes; the wordings were collected from reports, some bodies are plain text).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The owner of a development-mode app has no active Premium.
    #[error("the app's owner needs Premium")]
    OwnerNeedsPremium,
    /// The person is not on the app's list of users.
    #[error("the person is not on the app's user list")]
    NotOnAllowList,
    /// The token lacks a scope.
    #[error("a scope is missing")]
    MissingScope,
    /// Anything else, most often an endpoint that development mode does not have.
    #[error("{0}")]
    Other(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    #[serde(default)]
    message: String,
    reason: Option<String>,
}

/// Sorts an answer that is no success.
pub(super) fn sort(answer: &Answer) -> ApiError {
    let parsed = serde_json::from_slice::<ErrorBody>(&answer.body)
        .ok()
        .map(|body| body.error);
    let reason = parsed.as_ref().and_then(|detail| detail.reason.clone());
    let message = parsed.map_or_else(
        || String::from_utf8_lossy(&answer.body).into_owned(),
        |detail| detail.message,
    );
    let message: String = message.trim().chars().take(MESSAGE_CHARS_MAX).collect();
    match answer.status {
        StatusCode::UNAUTHORIZED => ApiError::Unauthorized,
        StatusCode::FORBIDDEN => ApiError::Forbidden(forbidden(message)),
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::TOO_MANY_REQUESTS if reason.as_deref() == Some("QUOTA_EXCEEDED") => {
            ApiError::QuotaExceeded {
                retry_after: answer.retry_after(),
            }
        }
        StatusCode::TOO_MANY_REQUESTS => ApiError::RateLimited {
            retry_after: answer.retry_after(),
        },
        // The server gave up waiting for us, or will not risk a replay: health, not judgement.
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => ApiError::Unavailable {
            status: answer.status,
        },
        status if status.is_client_error() => ApiError::Rejected { status, message },
        status => ApiError::Unavailable { status },
    }
}

fn forbidden(message: String) -> Forbidden {
    let lower = message.to_lowercase();
    let has = |words: &str| lower.contains(words);
    if has("premium subscription required") {
        Forbidden::OwnerNeedsPremium
    } else if has("user is not registered")
        || has("user may not be registered")
        || has("user not registered")
        || has("user not approved")
    {
        Forbidden::NotOnAllowList
    } else if has("insufficient client scope") {
        Forbidden::MissingScope
    } else {
        Forbidden::Other(message)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::system::Timestamp;

    fn sorted(status: u16, body: &str) -> ApiError {
        sort(&Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
            received_at: Timestamp::default(),
        })
    }

    #[test]
    fn every_wording_of_a_403_is_known() {
        let json = |message: &str| format!(r#"{{"error":{{"status":403,"message":"{message}"}}}}"#);
        let not_listed = [
            "The user is not registered for this application. Please check your settings on https://developer.spotify.com/dashboard.",
            "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
            "User not registered in the Developer Dashboard",
            "User not approved for app",
        ];
        for text in not_listed {
            for body in [text.to_owned(), json(text)] {
                let error = sorted(403, &body);
                assert!(
                    matches!(error, ApiError::Forbidden(Forbidden::NotOnAllowList)),
                    "{body}: {error:?}"
                );
            }
        }
        let premium = "Active premium subscription required for the owner of the app. When the subscription status \
                       changes, it can take a few hours before requests are allowed again.";
        assert!(matches!(
            sorted(403, premium),
            ApiError::Forbidden(Forbidden::OwnerNeedsPremium)
        ));
        let scope = json("Insufficient client scope");
        assert!(matches!(
            sorted(403, &scope),
            ApiError::Forbidden(Forbidden::MissingScope)
        ));
        assert!(matches!(
            sorted(403, &json("Forbidden")),
            ApiError::Forbidden(Forbidden::Other(_))
        ));
    }

    #[test]
    fn a_quota_is_not_a_rate_limit() {
        let quota = r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
        assert!(matches!(sorted(429, quota), ApiError::QuotaExceeded { .. }));
        assert!(matches!(
            sorted(429, "Too many requests"),
            ApiError::RateLimited { .. }
        ));
    }

    #[test]
    fn html_and_empty_bodies_are_the_servers_health() {
        assert!(sorted(502, "<html>Bad gateway</html>").is_ambiguous());
        assert!(sorted(503, "").is_ambiguous());
        assert!(!sorted(400, "<html>").is_ambiguous());
    }
}

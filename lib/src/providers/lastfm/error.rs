//! What Last.fm's refusals mean, sorted by what can be done about them.

use std::{fmt, time::Duration};

use http::StatusCode;
use serde_json::Value;

use super::json::Node;
use crate::providers::{Answer, TransportError};

/// Why a call gave nothing, sorted by what can be done about it (reference: error codes).
///
/// Last.fm's own words are not kept: they may repeat what was sent, and the code says as much.
#[derive(Debug, thiserror::Error)]
pub enum LastfmError {
    /// Nobody has this name (6 of a call about a person). Under load it has been said of people who exist.
    #[error("no such user")]
    UnknownUser,
    /// The person hides what they listen to (17).
    #[error("the person hides their listening")]
    Hidden,
    /// The session key was taken back (9), or was never one (4 of a signed read).
    #[error("the session key is not accepted")]
    SessionRevoked,
    /// The token of Last.fm's own page is unknown, unused or too old (4, 14, 15 of `auth.getSession`).
    #[error("the login token is not accepted")]
    TokenRefused,
    /// The API key is unknown (10) or suspended (26): no call works until there is another.
    #[error("the API key is refused with {code}")]
    KeyRefused {
        /// Last.fm's code.
        code: u16,
    },
    /// The shared secret does not belong to the key (13), or a call has to be signed and there is none.
    #[error("the signature is refused")]
    SignatureRefused,
    /// Too many calls (29, or 429).
    #[error("too many requests")]
    RateLimited {
        /// How long to wait, where that is said.
        retry_after: Option<Duration>,
    },
    /// It does not work right now (2, 8, 11, 16, 5xx, 408), or whoever stands before the API refused with something that
    /// is not its JSON, whatever the status: another try may help.
    #[error("Last.fm is in trouble, with {0}")]
    Unavailable(Trouble),
    /// A success that is not the documented JSON, HTML most often.
    #[error("Last.fm's answer cannot be read")]
    Unreadable,
    /// An answer about somebody else than was asked for: it has been seen to happen.
    #[error("Last.fm answered about somebody else")]
    SomebodyElse,
    /// Any other code or status: the call itself is wrong.
    #[error("refused with {0}")]
    Rejected(Trouble),
    /// No answer, or one that does not end.
    #[error("Last.fm cannot be reached")]
    Unreachable(#[source] TransportError),
}

/// What a refusal said of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The HTTP status; errors come with 200, too.
    pub status: StatusCode,
    /// Last.fm's own code, where there was one.
    pub code: Option<u16>,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "code {code} and status {}", self.status.as_u16()),
            None => write!(f, "status {}", self.status.as_u16()),
        }
    }
}

impl LastfmError {
    /// Whether the same call may well succeed a moment later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Unreadable | Self::SomebodyElse | Self::Unreachable(_)
        )
    }
}

/// What a call is about: some codes mean one thing of a person and another of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Somebody, read by anybody.
    Person,
    /// Somebody, read as that account.
    Oneself,
    /// A token of Last.fm's own page.
    Token,
}

impl About {
    /// What it means when the names of a call do not even fit into an address.
    pub(super) const fn nonsense(self) -> LastfmError {
        match self {
            Self::Person | Self::Oneself => LastfmError::UnknownUser,
            Self::Token => LastfmError::TokenRefused,
        }
    }
}

/// The JSON object of an answer that is no refusal. The order of the questions is the reference's (errors): JSON or
/// not, a code or not, and only then the status, for errors come with 200.
pub(super) fn body(answer: &Answer, about: About) -> Result<Value, LastfmError> {
    let object = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .filter(Value::is_object);
    let Some(object) = object else {
        return Err(not_the_api(answer));
    };
    let error = Node::of(&object).get("error");
    if error.is_missing() {
        return if answer.status.is_success() {
            Ok(object)
        } else {
            Err(without_code(answer))
        };
    }
    Err(error
        .number()
        .map_or_else(|| without_code(answer), |code| with_code(code, answer, about)))
}

/// What is no JSON object is not the API's own: the front end's page, or a captive portal's. It judges neither the
/// person nor the key, and the reference calls it retriable.
fn not_the_api(answer: &Answer) -> LastfmError {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => rate_limited(answer),
        status if status.is_success() => LastfmError::Unreadable,
        status => LastfmError::Unavailable(Trouble { status, code: None }),
    }
}

fn without_code(answer: &Answer) -> LastfmError {
    let trouble = Trouble {
        status: answer.status,
        code: None,
    };
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => rate_limited(answer),
        StatusCode::REQUEST_TIMEOUT => LastfmError::Unavailable(trouble),
        status if status.is_server_error() => LastfmError::Unavailable(trouble),
        status if status.is_success() => LastfmError::Unreadable,
        _ => LastfmError::Rejected(trouble),
    }
}

fn with_code(code: u16, answer: &Answer, about: About) -> LastfmError {
    let trouble = Trouble {
        status: answer.status,
        code: Some(code),
    };
    match (code, about) {
        (2 | 8 | 11 | 16, _) => LastfmError::Unavailable(trouble),
        (29, _) => rate_limited(answer),
        (10 | 26, _) => LastfmError::KeyRefused { code },
        (13, _) => LastfmError::SignatureRefused,
        (6, About::Person | About::Oneself) => LastfmError::UnknownUser,
        (17, About::Person | About::Oneself) => LastfmError::Hidden,
        (4 | 9, About::Oneself) => LastfmError::SessionRevoked,
        (4 | 14 | 15, About::Token) => LastfmError::TokenRefused,
        _ => LastfmError::Rejected(trouble),
    }
}

fn rate_limited(answer: &Answer) -> LastfmError {
    LastfmError::RateLimited {
        retry_after: answer.retry_after(),
    }
}

//! The one place where errors become answers: a status, a stable code, a sentence for the person, a remedy.
//!
//! No match here has a catch-all arm: a new error does not compile until somebody decides what to say about it.
//! Causes go to the log ([`super::envelope`] writes it) and never into the answer.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    connect::{InvalidReturnTo, StartError},
    grants::{GrantError, Reason},
    store::StoreError,
};

/// A database that is away is mostly back within seconds: a restart, an election.
const STORE_RETRY: Duration = Duration::from_secs(2);

/// An answer that is not what was asked for.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    sentence: Cow<'static, str>,
    remedy: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    /// Fields beside the usual ones.
    details: Map<String, Value>,
    cause: Option<Arc<dyn fmt::Debug + Send + Sync>>,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        sentence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            sentence: sentence.into(),
            remedy: None,
            retry_after: None,
            details: Map::new(),
            cause: None,
        }))
    }

    pub(super) fn bad_request(code: &'static str, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, sentence)
    }

    pub(super) fn remedy(mut self, remedy: impl Into<Cow<'static, str>>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    pub(super) fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(super) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn because(mut self, cause: impl fmt::Debug + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Stable: front ends decide by it.
    pub(super) fn code(&self) -> &'static str {
        self.0.code
    }

    /// When trying again may help, in whole seconds, rounded up: who comes back early is turned away again.
    pub(super) fn retry_after_s(&self) -> Option<u64> {
        self.0
            .retry_after
            .map(|wait| u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX))
    }

    /// For the log.
    pub(super) fn cause(&self) -> &impl fmt::Debug {
        &self.0.cause
    }

    /// The body, once the request has an id.
    pub(super) fn body(&self, request_id: &str) -> Value {
        let mut body = self.words();
        body.insert("requestId".to_owned(), json!(request_id));
        Value::Object(body)
    }

    /// The same within another answer, which is all the better for knowing what went wrong.
    pub(super) fn told(&self) -> Value {
        Value::Object(self.words())
    }

    fn words(&self) -> Map<String, Value> {
        let mut body = self.0.details.clone();
        body.insert("error".to_owned(), json!(self.0.sentence));
        body.insert("code".to_owned(), json!(self.0.code));
        if let Some(remedy) = &self.0.remedy {
            body.insert("remedy".to_owned(), json!(remedy));
        }
        if let Some(wait) = self.0.retry_after {
            body.insert(
                "retryAfterMs".to_owned(),
                json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            );
        }
        body
    }
}

impl IntoResponse for Problem {
    /// Only the status: the envelope, which knows the request's id, writes the rest.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) async fn no_such_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_route",
        "There is nothing at this address.",
    )
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not take this method; the Allow header names those it takes.",
    )
}

pub(super) fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side. Nothing you did caused it.",
    )
    .remedy("Try again; if it happens again, tell the operator the requestId.")
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        let problem = match error {
            StoreError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store_unavailable",
                "The database cannot be reached right now. Nothing was changed.",
            )
            .remedy("Try again in a moment.")
            .retry_after(Some(STORE_RETRY)),
            StoreError::Unreadable(_) => internal(),
        };
        problem.because(format!("{error:?}"))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// The person's sentence and remedy for a reason, wherever it shows.
pub(super) const fn words(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::GrantExpired => (
            "Spotify ends every connection six months after it was allowed, and this one is over.",
            "Reconnect: Spotify asks you once and then it works for another six months.",
        ),
        Reason::GrantRevoked => (
            "Spotify no longer accepts this connection: the app was removed from the account, or the password changed.",
            "Reconnect and agree on Spotify's page.",
        ),
        Reason::ClientRefused => (
            "Spotify refuses the app behind this connection: its secret was changed, or the app was deleted.",
            "The app's owner has to check the client ID and secret; the connection itself is kept and revives then.",
        ),
        Reason::RenewalFailing => (
            "Spotify could not renew the token just now; it is tried again by itself.",
            "Nothing to do. If it lasts for hours, look at Spotify's status page.",
        ),
        Reason::RenewalDue => (
            "The token has run out and is renewed at its next use.",
            "Nothing to do.",
        ),
        Reason::Quarantined => (
            "Spotify refused many connections at once, which is most likely a mistake on its side; we keep trying.",
            "Nothing to do: nobody has to reconnect unless it lasts for a day.",
        ),
        Reason::Unreadable => (
            "What is stored of this connection cannot be opened.",
            "The operator has to restore the missing key in SPOTIFY_USER_SECRET_KEY; reconnecting helps, too.",
        ),
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        let conflict = |code, reason| {
            let (sentence, remedy) = words(reason);
            Self::new(StatusCode::CONFLICT, code, sentence)
                .remedy(remedy)
                .detail("reason", reason.as_str())
        };
        match &error {
            GrantError::NotConnected => Self::new(
                StatusCode::CONFLICT,
                "not_connected",
                "No Spotify account is connected.",
            )
            .remedy("Connect one first."),
            GrantError::NeedsReauth(reason) => conflict("needs_reauth", *reason),
            GrantError::AppError(reason) => conflict("app_error", *reason),
            GrantError::ProviderUnavailable { retry_after } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider_unavailable",
                "Spotify cannot be reached or does not answer properly right now. The connection is kept.",
            )
            .remedy("Try again in a moment.")
            .retry_after(*retry_after),
            GrantError::NoOperatorApp => no_operator_app(),
            GrantError::Sealed(_) => {
                let (sentence, remedy) = words(Reason::Unreadable);
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "sealed_unreadable", sentence).remedy(remedy)
            }
            GrantError::Store(store) => (&**store).into(),
            GrantError::BrokeOff => internal(),
        }
        .because(error)
    }
}

pub(super) fn no_operator_app() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "no_operator_app",
        "This site has no Spotify app of its own, so only your own app can be connected.",
    )
    .remedy("Register your own Spotify app, or ask the operator to set SPOTIFY_CLIENT_ID.")
}

impl From<InvalidReturnTo> for Problem {
    fn from(InvalidReturnTo: InvalidReturnTo) -> Self {
        Self::bad_request(
            "invalid_return_to",
            "returnTo has to be a path of this site, such as /settings, of at most 512 bytes.",
        )
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoOperatorApp => no_operator_app(),
            StartError::NoOwnApp => Self::new(
                StatusCode::CONFLICT,
                "no_own_app",
                "No Spotify app of your own is registered, so there is nothing to reconnect with.",
            )
            .remedy("Enter your app's client ID first."),
            StartError::InvalidReturnTo(error) => error.into(),
            StartError::InvalidScopes => Self::bad_request(
                "invalid_scopes",
                "scopes has to be a list of 1 to 40 Spotify scope names, such as playlist-modify-private.",
            ),
            StartError::Doctor(findings) => {
                let first = findings
                    .iter()
                    .find(|finding| finding.code.is_fatal())
                    .or(findings.first());
                let (sentence, step) = first.map_or(("The app is not set up.", ""), |first| {
                    (first.message, first.step)
                });
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "app_not_set_up", sentence)
                    .remedy(step)
                    .detail("findings", json!(findings))
            }
            StartError::Grant(error) => error.into(),
            StartError::Store(error) => error.into(),
        }
    }
}

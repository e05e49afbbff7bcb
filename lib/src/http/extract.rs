//! The caller as an argument: a handler that takes one cannot forget to ask, and cannot be reached without one.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};

use super::{
    Services,
    caller::{Caller, CallerError},
    problem::Problem,
};

impl FromRequestParts<Arc<Services>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Problem> {
        let now = services.system.now();
        let caller = services
            .callers
            .identify(&parts.method, &parts.headers, now)
            .await?;
        caller.ok_or_else(|| {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "not_signed_in",
                "You are not signed in.",
            )
            .remedy("Sign in; an application sends Authorization: Bearer with its user's JWT.")
        })
    }
}

impl From<CallerError> for Problem {
    fn from(error: CallerError) -> Self {
        let unauthorized =
            |sentence: &'static str| Self::new(StatusCode::UNAUTHORIZED, error.code(), sentence);
        match error {
            CallerError::Expired => unauthorized("Your sign-in has expired.").remedy("Sign in again."),
            CallerError::Invalid(_) => {
                unauthorized("Your sign-in is not valid here.").remedy("Sign in again.")
            }
            CallerError::CrossSiteWrite => Self::new(
                StatusCode::FORBIDDEN,
                error.code(),
                "A change with the session cookie has to come from this site's own page.",
            )
            .remedy(
                "Send the Origin header of this site or of one in ALLOWED_ORIGINS, or use a Bearer token.",
            ),
            CallerError::KeysUnavailable => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.code(),
                "The keys that prove who you are cannot be fetched right now.",
            )
            .remedy("Try again in a moment."),
        }
        .because(error)
    }
}

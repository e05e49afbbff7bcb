//! What a person is told when Last.fm tells nothing. No catch-all arm, as in [`crate::http::problem`].

use http::StatusCode;

use crate::{
    connect::LinkError,
    http::problem::Problem,
    listening::{CONFIRM_AFTER, CallError},
};

impl From<&CallError> for Problem {
    fn from(error: &CallError) -> Self {
        let unavailable = |code, sentence| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, sentence);
        let problem = match error {
            CallError::NotConfigured => Self::new(
                StatusCode::CONFLICT,
                "lastfm_not_configured",
                "This site has no key to Last.fm, so nothing can be read there.",
            )
            .remedy("Ask the operator to set LASTFM_API_KEY."),
            CallError::UnknownUser { confirmed: true } => Self::new(
                StatusCode::NOT_FOUND,
                "lastfm_user_not_found",
                "Last.fm knows nobody of this name.",
            )
            .remedy(
                "Check the spelling: on your Last.fm page, the name is behind /user/ in the address. Who has a new \
                 name links it anew.",
            ),
            CallError::UnknownUser { confirmed: false } => unavailable(
                "lastfm_user_unconfirmed",
                "Last.fm says that it does not know the linked account. It has said so of people who exist, so it is \
                 asked again before that is believed.",
            )
            .remedy("Try again in a minute.")
            .retry_after(Some(CONFIRM_AFTER)),
            CallError::Hidden => Self::new(
                StatusCode::CONFLICT,
                "listening_hidden",
                "This Last.fm account hides what it listens to.",
            )
            .remedy(
                "Show on Last.fm's own page that the account is yours, or make recent listening public in \
                 Last.fm's settings, under Privacy.",
            ),
            CallError::SessionRevoked => Self::new(
                StatusCode::CONFLICT,
                "lastfm_session_revoked",
                "Last.fm no longer lets us read as this account: access was taken back in its settings.",
            )
            .remedy("Connect it again on Last.fm's own page."),
            CallError::TokenRefused => Self::bad_request(
                "token_refused",
                "Last.fm did not accept its own token any more: it works once, and for an hour.",
            )
            .remedy("Go back to the page and connect again."),
            CallError::KeyRefused => unavailable(
                "lastfm_key_refused",
                "Last.fm does not accept this site's key, so nothing can be read there.",
            )
            .remedy(
                "The operator has to look at LASTFM_API_KEY: it is unknown to Last.fm or suspended. It is not used again \
                 until it is another one.",
            ),
            CallError::SecretRefused => unavailable(
                "lastfm_secret_refused",
                "Last.fm does not accept what this site signs, so nobody can prove an account or read what is hidden.",
            )
            .remedy("The operator has to check LASTFM_SHARED_SECRET: it belongs to another key."),
            CallError::ThrottledHere { retry_after } => unavailable(
                "throttled_here",
                "Too many questions to Last.fm are waiting here already.",
            )
            .remedy("Try again in a moment.")
            .retry_after(Some(*retry_after)),
            CallError::RateLimited { retry_after } => {
                unavailable("rate_limited", "Last.fm asks us to slow down.")
                    .remedy("Try again in a minute or two.")
                    .retry_after(Some(*retry_after))
            }
            CallError::Unavailable { retry_after } => unavailable(
                "provider_unavailable",
                "Last.fm cannot be reached or does not answer properly right now.",
            )
            .remedy("Try again in a moment.")
            .retry_after(*retry_after),
            CallError::Store(store) => return (&**store).into(),
        };
        problem.because(format!("{error:?}"))
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        Self::from(&error)
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::InvalidName => Self::bad_request(
                "invalid_username",
                "This cannot be the name of a Last.fm account.",
            )
            .remedy(
                "Write the name alone (letters, digits, - and _), or paste the address of your Last.fm page, \
                 such as https://www.last.fm/user/name.",
            ),
            LinkError::CannotVerify => Self::new(
                StatusCode::CONFLICT,
                "lastfm_cannot_verify",
                "This site cannot ask Last.fm whose an account is.",
            )
            .remedy("Link the account by its name, or ask the operator to set LASTFM_SHARED_SECRET."),
            LinkError::Overtaken => Self::new(
                StatusCode::CONFLICT,
                "link_changed",
                "The Last.fm account was changed in another window meanwhile. That change was kept.",
            )
            .remedy("Look at what is linked now, and try again if it is not what you want."),
            LinkError::InvalidReturnTo(error) => error.into(),
            LinkError::Call(error) => error.into(),
            LinkError::Store(error) => error.into(),
        }
    }
}

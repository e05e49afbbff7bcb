//! What a person is told whose way back from a provider ended before a connection stood.
//!
//! No catch-all arm, as in [`crate::http::problem`].

use std::borrow::Cow;

use http::StatusCode;

use crate::{
    connect::Refusal,
    http::problem::{Problem, internal, no_operator_app},
    store::StoreError,
};

const AGAIN: &str = "Go back to the page and connect again.";

fn again(code: &'static str, sentence: impl Into<Cow<'static, str>>) -> Problem {
    Problem::bad_request(code, sentence).remedy(AGAIN)
}

/// What is told of `refusal` to who comes back from `provider`.
pub(in crate::http) fn refused(refusal: &Refusal, provider: &str) -> Problem {
    match refusal {
        Refusal::MissingState => again(
            "missing_state",
            format!("This address is only for coming back from {provider}."),
        ),
        Refusal::InvalidState => again(
            "invalid_state",
            format!("What came back is not what was sent to {provider}."),
        ),
        Refusal::StateExpired => again(
            "state_expired",
            format!("More than ten minutes went by on {provider}'s page."),
        ),
        Refusal::WrongBrowser => again(
            "wrong_browser",
            "This connection was started in another browser, or cookies are blocked in this one.",
        ),
        Refusal::OtherPerson => again("other_person", "Somebody else is signed in here by now."),
        Refusal::StateUsed => again(
            "state_used",
            "This connection was finished or started anew already.",
        ),
        Refusal::AccessDenied => again("access_denied", "You chose not to connect. Nothing was changed."),
        Refusal::ProviderError => again(
            "provider_error",
            format!("{provider} reported an error. Nothing was changed."),
        ),
        Refusal::MissingCode => again("missing_code", "Spotify sent you back without a code."),
        Refusal::CodeRefused => again("code_refused", "Spotify did not accept its own code any more."),
        Refusal::ClientRefused => Problem::bad_request(
            "client_refused",
            "Spotify does not accept the app's ID and secret.",
        )
        .remedy("Check both in the app's Settings on developer.spotify.com/dashboard."),
        Refusal::ProviderUnavailable => Problem::new(
            StatusCode::BAD_GATEWAY,
            "provider_unavailable",
            "Spotify could not be reached to finish the connection. Nothing was changed.",
        )
        .remedy(AGAIN),
        Refusal::QuotaExceeded => Problem::new(
            StatusCode::BAD_GATEWAY,
            "quota_exceeded",
            "The Spotify app has used up its quota, so the account could not be looked up.",
        )
        .remedy("Try again in some hours, or connect an app of your own."),
        Refusal::NotOnAllowList => Problem::new(
            StatusCode::FORBIDDEN,
            "not_on_allow_list",
            "The Spotify app is in development mode and does not know this Spotify account.",
        )
        .remedy(
            "In the app's Settings on developer.spotify.com/dashboard, under User Management, add yourself \
             with the name and e-mail of your Spotify account; then connect again.",
        ),
        Refusal::OwnerNeedsPremium => Problem::new(
            StatusCode::FORBIDDEN,
            "owner_needs_premium",
            "Spotify lets an app in development mode work only while its owner has Premium.",
        )
        .remedy("The app's owner needs Spotify Premium; after subscribing it can take a few hours."),
        Refusal::Forbidden => Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Spotify gave its consent but refused the first call.",
        )
        .remedy("Check the app's Settings on developer.spotify.com/dashboard."),
        Refusal::DifferentAccount => Problem::new(
            StatusCode::CONFLICT,
            "different_account",
            "This is another Spotify account than the connected one. The connected one was kept.",
        )
        .remedy("Sign in to Spotify with the connected account, or disconnect it first."),
        Refusal::NoOperatorApp => no_operator_app(),
        Refusal::Lastfm(call) => call.into(),
        Refusal::Store(StoreError::Unavailable(_)) => {
            StoreError::unavailable("while a connection was finished").into()
        }
        Refusal::Sealed(_) | Refusal::Store(StoreError::Unreadable(_)) => internal(),
    }
}

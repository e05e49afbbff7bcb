//! Everything that can be wrong with an export, in words: the one place where this room's errors become problems.

use http::StatusCode;

use crate::{
    export::{Blocked, ExportError, InvalidRequest, Why},
    http::problem::Problem,
};

/// Status, code, sentence and remedy of what a person has to mend.
pub(super) const fn words(blocked: Blocked) -> (StatusCode, &'static str, &'static str, &'static str) {
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

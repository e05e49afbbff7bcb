//! The doctor: what can be known to be wrong with a user's own app before they are sent to the consent page.
//!
//! Spotify shows most mistakes as a bare line on its own page and never calls back, so what is not found here costs
//! the person a dead end.

use serde::Serialize;

use super::Connector;
use crate::{
    providers::{AppCredentials, TokenError},
    secret::Secret as _,
};

/// Every client id and secret seen so far has 32 hexadecimal characters.
const CREDENTIAL_CHARS: usize = 32;

/// Something the doctor noticed about an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    pub code: FindingCode,
    /// What it means, for the person.
    pub message: &'static str,
    /// The exact step that cures it.
    pub step: &'static str,
}

/// The findings there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// The id does not look like one.
    ClientIdMalformed,
    /// The secret does not look like one.
    ClientSecretMalformed,
    /// Spotify knows no app of this id.
    ClientUnknown,
    /// Spotify refuses the secret.
    ClientSecretWrong,
    /// Spotify could not be asked.
    NotChecked,
}

impl FindingCode {
    /// Whether going on is pointless.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        !matches!(self, Self::NotChecked)
    }

    const fn finding(self) -> Finding {
        let (message, step) = match self {
            Self::ClientIdMalformed => (
                "A client ID has 32 characters, 0 to 9 and a to f.",
                "Open your app on developer.spotify.com/dashboard, choose Settings, and copy the Client ID.",
            ),
            Self::ClientSecretMalformed => (
                "A client secret has 32 characters, 0 to 9 and a to f.",
                "In your app's Settings choose \"View client secret\" and copy it, or leave the field empty.",
            ),
            Self::ClientUnknown => (
                "Spotify knows no app with this client ID.",
                "Open your app on developer.spotify.com/dashboard, choose Settings, and copy the Client ID again.",
            ),
            Self::ClientSecretWrong => (
                "Spotify does not accept this client secret.",
                "In your app's Settings choose \"View client secret\" and copy it again; after a rotation only the \
                 newest one works.",
            ),
            Self::NotChecked => (
                "Spotify could not be asked about this app just now.",
                "Go on; if Spotify shows an error page instead of its consent page, check the client ID and the \
                 redirect URI in your app's Settings.",
            ),
        };
        Finding {
            code: self,
            message,
            step,
        }
    }
}

impl Connector {
    /// Everything that can be known about an app without its owner's consent. The allow-list and the owner's Premium
    /// show only at the first call with a person's token.
    pub(super) async fn examine(&self, app: &AppCredentials) -> Vec<Finding> {
        let mut codes = Vec::new();
        if !looks_right(app.client_id.expose()) {
            codes.push(FindingCode::ClientIdMalformed);
        }
        if app
            .client_secret
            .as_ref()
            .is_some_and(|secret| !looks_right(secret.expose()))
        {
            codes.push(FindingCode::ClientSecretMalformed);
        }
        if codes.is_empty() && app.client_secret.is_some() {
            codes.extend(self.ask_about(app).await);
        }
        codes.into_iter().map(FindingCode::finding).collect()
    }

    /// A client-credentials grant is the one question that tells whether id and secret belong together.
    async fn ask_about(&self, app: &AppCredentials) -> Option<FindingCode> {
        match self.spotify.tokens.client_credentials(app).await {
            Ok(_) => None,
            Err(TokenError::InvalidClient { description })
                if description.to_lowercase().contains("secret") =>
            {
                Some(FindingCode::ClientSecretWrong)
            }
            Err(TokenError::InvalidClient { .. }) => Some(FindingCode::ClientUnknown),
            Err(error) => {
                tracing::warn!(?error, "an app could not be checked");
                Some(FindingCode::NotChecked)
            }
        }
    }
}

fn looks_right(credential: &str) -> bool {
    credential.len() == CREDENTIAL_CHARS && credential.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! What a token endpoint gives (RFC 6749 §5.1), read with one principle: an access token that is there is never thrown
//! away for a field beside it. Where tokens rotate the old one is spent by then.

use std::time::Duration;

use oauth2::{AccessToken, RefreshToken, Scope, TokenResponse, basic::BasicTokenType};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The JSON of a 200.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TokenAnswer {
    access_token: AccessToken,
    /// Not read: every provider here gives bearer tokens, by whichever spelling.
    #[serde(skip, default = "bearer")]
    token_type: BasicTokenType,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<Duration>,
    #[serde(default, deserialize_with = "refresh_token")]
    refresh_token: Option<RefreshToken>,
    #[serde(default, rename = "scope", deserialize_with = "scopes")]
    scopes: Option<Vec<Scope>>,
    #[serde(default, deserialize_with = "seconds")]
    refresh_token_expires_in: Option<Duration>,
}

impl TokenAnswer {
    /// How long the refresh token lives, where it is given for a time (reference: Google §B3). Zero would be a token
    /// that was never given, so it says nothing.
    pub(super) fn refresh_token_expires_in(&self) -> Option<Duration> {
        self.refresh_token_expires_in.filter(|life| !life.is_zero())
    }
}

impl TokenResponse for TokenAnswer {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// Seconds, as a number or as one in quotes. What is neither, or negative, says nothing.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
}

/// Absent, `null`, empty and anything but text all mean: keep the old one (reference: Spotify §6).
fn refresh_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RefreshToken>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.is_empty() => Some(RefreshToken::new(text)),
        _ => None,
    })
}

/// Names between blanks (RFC 6749 §3.3).
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(
            text.split_whitespace()
                .map(|scope| Scope::new(scope.to_owned()))
                .collect(),
        ),
        _ => None,
    })
}

//! Checking a JWT (RFC 7519, with the advice of RFC 8725): which keys may speak for it, and what it says.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Deserializer};

use super::{
    CallerError,
    jwks::{Jwks, JwksSource},
    jwt_crypto,
};
use crate::{config::Auth, ids::UserId, secret::Secret, system::Timestamp};

/// The longest token looked at. Identity providers stay below four kilobytes; what is longer costs us work for nothing.
const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// How far the issuer's clock may be off (RFC 7519 §4.1.4).
const LEEWAY: Duration = Duration::from_mins(1);

/// Why a sign-in is not valid; to be read after a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Longer than any real one.
    #[error("it is too long")]
    TooLong,
    /// Not a signed JWT, or not a cookie of ours.
    #[error("it cannot be read")]
    Malformed,
    /// An algorithm that no configured key has, `none` among them, or a header that asks for more than we know.
    #[error("it is signed in a way that is not accepted here")]
    Algorithm,
    /// The identity provider has no such key.
    #[error("it is signed by an unknown key")]
    UnknownKey,
    /// Forged, altered, or signed by another key.
    #[error("its signature is wrong")]
    Signature,
    /// Its time has not come.
    #[error("it is from the future")]
    NotYetValid,
    /// It would last for ever.
    #[error("it has no `exp`")]
    NoExpiry,
    /// Somebody else issued it.
    #[error("its `iss` is not the expected one")]
    Issuer,
    /// It was issued for somebody else.
    #[error("its `aud` is not this service (AUTH_AUDIENCE)")]
    Audience,
    /// It does not say whom it is about.
    #[error("it names no user in `sub`, `uid` or `userId`")]
    NoUser,
}

impl From<InvalidToken> for CallerError {
    fn from(invalid: InvalidToken) -> Self {
        Self::Invalid(invalid)
    }
}

/// Whether `token` can be a JWT at all: a JSON object in base64url, and two more parts. Spotify's tokens are not.
#[must_use]
pub fn looks_like_jwt(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}

/// What is read of a token. Unknown claims do no harm.
#[derive(Deserialize)]
struct Claims {
    #[serde(default, deserialize_with = "numeric_date")]
    exp: Option<Timestamp>,
    #[serde(default, deserialize_with = "numeric_date")]
    nbf: Option<Timestamp>,
    iss: Option<String>,
    aud: Option<Audience>,
    sub: Option<String>,
    uid: Option<String>,
    #[serde(rename = "userId")]
    user_id: Option<String>,
}

/// One audience, or several (RFC 7519 §4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn includes(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// Seconds since the epoch, with or without a fraction (RFC 7519 §2).
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = Option::<f64>::deserialize(deserializer)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, and so does all that is done with it"
    )]
    Ok(seconds.map(|seconds| Timestamp::from_ms((seconds * 1000.0) as i64)))
}

/// The configured keys and expectations.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Verifies HS256, and nothing else.
    secret: Option<DecodingKey>,
    /// Verify the algorithms with public keys, and never HS256.
    jwks: Option<Jwks>,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Tokens {
    pub(super) fn new(auth: &Auth, jwks: Option<Arc<dyn JwksSource>>) -> Self {
        jwt_crypto::install();
        Self {
            secret: auth
                .jwt_secret
                .as_ref()
                .map(|secret| DecodingKey::from_secret(secret.expose().as_bytes())),
            jwks: jwks.map(Jwks::new),
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
        }
    }

    /// The user that `token` speaks for at `now`.
    pub(super) async fn user(&self, token: &str, now: Timestamp) -> Result<UserId, CallerError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(InvalidToken::TooLong.into());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
            // JSON without an algorithm that we have heard of; `none` is one of those.
            ErrorKind::Json(error) if error.is_data() => InvalidToken::Algorithm,
            _ => InvalidToken::Malformed,
        })?;
        if header.crit.is_some() {
            // We understand no extension, so we must refuse all that insist on one (RFC 7515 §4.1.11).
            return Err(InvalidToken::Algorithm.into());
        }
        let claims = self.claims(token, &header, now).await?;
        self.accept(claims, now)
    }

    /// The claims, once a key that may speak for this algorithm has verified them. The algorithm picks the kind of key,
    /// and each key knows its algorithms: a public key never serves as an HMAC secret (RFC 8725 §2.1).
    async fn claims(&self, token: &str, header: &Header, now: Timestamp) -> Result<Claims, CallerError> {
        if header.alg == Algorithm::HS256 {
            let key = self.secret.as_ref().ok_or(InvalidToken::Algorithm)?;
            return Ok(verified(token, key, header.alg)?);
        }
        let jwks = self.jwks.as_ref().ok_or(InvalidToken::Algorithm)?;
        let mut refusal = InvalidToken::UnknownKey;
        for key in jwks.keys_for(header, now).await? {
            match verified(token, &key, header.alg) {
                Err(invalid) => refusal = invalid,
                Ok(claims) => return Ok(claims),
            }
        }
        Err(refusal.into())
    }

    /// What a verified token says, checked against our clock and expectations.
    fn accept(&self, claims: Claims, now: Timestamp) -> Result<UserId, CallerError> {
        let expires_at = claims.exp.ok_or(InvalidToken::NoExpiry)?;
        if self.issuer.is_some() && claims.iss != self.issuer {
            return Err(InvalidToken::Issuer.into());
        }
        let for_us = match (&claims.aud, &self.audience) {
            (Some(audience), Some(us)) => audience.includes(us),
            (None, None) => true,
            // A token for somebody in particular is not for one who has no name (RFC 7519 §4.1.3).
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !for_us {
            return Err(InvalidToken::Audience.into());
        }
        if claims.nbf.is_some_and(|not_before| not_before > now + LEEWAY) {
            return Err(InvalidToken::NotYetValid.into());
        }
        let user = claims.sub.or(claims.uid).or(claims.user_id);
        let user = user
            .and_then(|user| UserId::try_from(user).ok())
            .ok_or(InvalidToken::NoUser)?;
        // Last, so that "expired" is only said of a token that was right in all else: sign in again, and it works.
        if expires_at + LEEWAY <= now {
            return Err(CallerError::Expired);
        }
        Ok(user)
    }
}

/// The claims, if `key` verifies `token`. Times, issuer and audience are not looked at: `jsonwebtoken` would read the
/// machine's clock, and let a token without issuer pass.
fn verified(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, InvalidToken> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Claims>(token, key, &validation)
        .map(|data| data.claims)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => InvalidToken::Signature,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => InvalidToken::Algorithm,
            _ => InvalidToken::Malformed,
        })
}

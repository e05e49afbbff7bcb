//! Who is calling: a JWT of the host application, or the session cookie of local sign-in.

mod jwks;
mod jwt;
mod jwt_crypto;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

pub use jwks::JwksSource;
pub use jwt::{InvalidToken, looks_like_jwt};

use self::{jwt::Tokens, session::Sessions};
use crate::{
    config::{Auth, LocalSignIn, Origin},
    ids::UserId,
    system::Timestamp,
    vault::Vault,
};

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their id in the host application.
    pub user: UserId,
    /// How they proved it.
    pub via: Via,
}

/// How a caller proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A JWT in the `Authorization` header.
    Jwt,
    /// The cookie of local sign-in.
    Session,
}

/// Why somebody who claims to be a caller is none. Nobody who claims nothing gets one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// It was right once.
    #[error("the sign-in has expired; sign in again")]
    Expired,
    /// It was never right.
    #[error("the sign-in is not valid: {0}")]
    Invalid(InvalidToken),
    /// A cookie came along with a write that our own page need not have asked for (RFC 6265 §8.2).
    #[error(
        "a write with the session cookie must come from this service's own page or an allowed origin: send an Origin \
         header that says so, or use a bearer token"
    )]
    CrossSiteWrite,
    /// The identity provider's keys cannot be had just now, and none are known from before.
    #[error("the identity provider's keys cannot be fetched; try again in a moment")]
    KeysUnavailable,
}

impl CallerError {
    /// The stable code of the answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Invalid(_) => "token_invalid",
            Self::CrossSiteWrite => "cross_site_write",
            Self::KeysUnavailable => "auth_unavailable",
        }
    }
}

/// Tells who is calling, by the configured ways.
#[derive(Debug)]
pub struct Callers {
    tokens: Tokens,
    sessions: Option<Sessions>,
    /// Origins whose pages may write with a cookie; our own is the first.
    origins: Vec<Origin>,
}

impl Callers {
    /// As configured. `jwks` fetches [`Auth::jwks_url`], and is needed where that is set.
    #[must_use]
    pub fn new(
        auth: &Auth,
        app_url: &Url,
        allowed_origins: &[Origin],
        vault: Arc<Vault>,
        jwks: Option<Arc<dyn JwksSource>>,
    ) -> Self {
        Self {
            tokens: Tokens::new(auth, jwks),
            sessions: (auth.local_sign_in != LocalSignIn::Off).then(|| Sessions::new(vault, app_url)),
            origins: std::iter::once(Origin::of(app_url))
                .chain(allowed_origins.iter().cloned())
                .collect(),
        }
    }

    /// Who sends a request of this method with these headers; `None` when it claims to be nobody.
    ///
    /// A bearer token decides alone: where it is wrong, no cookie makes up for it.
    ///
    /// # Errors
    ///
    /// [`CallerError`] when it claims to be somebody and is not, or may not do so from where it comes from.
    pub async fn identify(
        &self,
        method: &Method,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Caller>, CallerError> {
        if let Some(token) = bearer(headers) {
            let user = self.tokens.user(token, now).await?;
            return Ok(Some(Caller { user, via: Via::Jwt }));
        }
        let Some((sessions, cookie)) = self
            .sessions
            .as_ref()
            .and_then(|sessions| Some((sessions, sessions.find(headers)?)))
        else {
            return Ok(None);
        };
        let user = sessions.user(cookie, now)?;
        if !method.is_safe() && !self.is_same_origin(headers) {
            return Err(CallerError::CrossSiteWrite);
        }
        Ok(Some(Caller {
            user,
            via: Via::Session,
        }))
    }

    /// The `Set-Cookie` value that signs `user` in from `now` on; `None` when local sign-in is off.
    #[must_use]
    pub fn sign_in(&self, user: &UserId, now: Timestamp) -> Option<HeaderValue> {
        Some(self.sessions.as_ref()?.set_cookie(user, now))
    }

    /// The `Set-Cookie` value that signs whoever has it out; `None` when local sign-in is off.
    #[must_use]
    pub fn sign_out(&self) -> Option<HeaderValue> {
        Some(self.sessions.as_ref()?.clear_cookie())
    }

    /// Whether the browser says that our own page, or that of an allowed origin, asked. Neither header can be set by
    /// a page (Fetch, "forbidden request-header"); a program that has the cookie may set them, and proves nothing by it.
    #[must_use]
    pub fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        let is = |name, wanted: &str| headers.get(name).is_some_and(|value| value == wanted);
        is("sec-fetch-site", "same-origin")
            || self
                .origins
                .iter()
                .any(|origin| is(header::ORIGIN.as_str(), origin.as_str()))
    }
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1), whatever it is; the scheme in any case (RFC 9110 §11.1).
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

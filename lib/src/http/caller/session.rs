//! The cookie of local sign-in: user and moment, signed. Nothing is stored, so a request costs one MAC and no read.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::{CallerError, InvalidToken};
use crate::{
    http::cookies,
    ids::UserId,
    system::Timestamp,
    vault::{SigningUse, Vault},
};

/// How long a sign-in lasts.
const SESSION_LIFE: Duration = Duration::from_hours(30 * 24);

/// How far the clock of the instance that signed may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The cookie's name, before what https adds to it.
const NAME: &str = "patchbay_session";

/// Makes and checks session cookies.
#[derive(Debug)]
pub(super) struct Sessions {
    vault: Arc<Vault>,
    app_url: Url,
    name: String,
}

impl Sessions {
    pub(super) fn new(vault: Arc<Vault>, app_url: &Url) -> Self {
        Self {
            vault,
            app_url: app_url.clone(),
            name: cookies::name(NAME, app_url),
        }
    }

    /// The value of the session cookie, if one came along.
    pub(super) fn find<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        cookies::read(headers, &self.name)
    }

    /// Whose cookie it is.
    pub(super) fn user(&self, cookie: &str, now: Timestamp) -> Result<UserId, CallerError> {
        let malformed = CallerError::Invalid(InvalidToken::Malformed);
        let (signed, tag) = cookie.rsplit_once('.').ok_or(malformed)?;
        let mut tag_bytes = [0; 32];
        let tag_length = URL_SAFE_NO_PAD
            .decode_slice(tag, &mut tag_bytes)
            .map_err(|_| malformed)?;
        if !self
            .vault
            .verify(SigningUse::Session, signed.as_bytes(), &tag_bytes[..tag_length])
        {
            return Err(CallerError::Invalid(InvalidToken::Signature));
        }
        // From here on it is our own text.
        let (user, signed_in_at) = read(signed).ok_or(malformed)?;
        if signed_in_at > now + CLOCK_SKEW {
            return Err(CallerError::Invalid(InvalidToken::NotYetValid));
        }
        if now.since(signed_in_at) >= SESSION_LIFE {
            return Err(CallerError::Expired);
        }
        Ok(user)
    }

    pub(super) fn set_cookie(&self, user: &UserId, now: Timestamp) -> HeaderValue {
        let signed = format!("v1.{}.{}", URL_SAFE_NO_PAD.encode(user.as_str()), now.as_ms());
        let tag = self.vault.sign(SigningUse::Session, signed.as_bytes());
        let value = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        cookies::set(&self.name, &value, SESSION_LIFE, &self.app_url)
    }

    pub(super) fn clear_cookie(&self) -> HeaderValue {
        cookies::set(&self.name, "", Duration::ZERO, &self.app_url)
    }
}

/// The user and the moment in `v1.<base64url of the user>.<ms>`.
fn read(signed: &str) -> Option<(UserId, Timestamp)> {
    let (user, at_ms) = signed.strip_prefix("v1.")?.split_once('.')?;
    let user = String::from_utf8(URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
    Some((user.try_into().ok()?, Timestamp::from_ms(at_ms.parse().ok()?)))
}

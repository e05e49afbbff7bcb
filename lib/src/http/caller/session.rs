//! The cookie of local sign-in: user and moment, signed. Nothing is stored, so a request costs one MAC and no read.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header};

use super::{CallerError, InvalidToken};
use crate::{
    ids::UserId,
    system::Timestamp,
    vault::{SigningUse, Vault},
};

/// How long a sign-in lasts.
const SESSION_LIFE: Duration = Duration::from_hours(30 * 24);

/// How far the clock of the instance that signed may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The cookie over plain http, which only a loopback address has.
const NAME: &str = "patchbay_session";

/// The cookie over https. The prefix makes browsers refuse one that a neighbouring host planted (RFC 6265bis §4.1.3.2).
const NAME_SECURE: &str = "__Host-patchbay_session";

/// Makes and checks session cookies.
#[derive(Debug)]
pub(super) struct Sessions {
    vault: Arc<Vault>,
    secure: bool,
}

impl Sessions {
    pub(super) const fn new(vault: Arc<Vault>, secure: bool) -> Self {
        Self { vault, secure }
    }

    const fn name(&self) -> &'static str {
        if self.secure { NAME_SECURE } else { NAME }
    }

    /// The value of the session cookie, if one came along.
    pub(super) fn find<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(header::COOKIE)
            .into_iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name()).then_some(value))
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

    pub(super) fn set_cookie(&self, user: &UserId, now: Timestamp) -> String {
        let signed = format!("v1.{}.{}", URL_SAFE_NO_PAD.encode(user.as_str()), now.as_ms());
        let tag = self.vault.sign(SigningUse::Session, signed.as_bytes());
        let value = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        self.cookie(&value, SESSION_LIFE)
    }

    pub(super) fn clear_cookie(&self) -> String {
        self.cookie("", Duration::ZERO)
    }

    fn cookie(&self, value: &str, life: Duration) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(),
            life.as_secs()
        )
    }
}

/// The user and the moment in `v1.<base64url of the user>.<ms>`.
fn read(signed: &str) -> Option<(UserId, Timestamp)> {
    let (user, at_ms) = signed.strip_prefix("v1.")?.split_once('.')?;
    let user = String::from_utf8(URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
    Some((user.try_into().ok()?, Timestamp::from_ms(at_ms.parse().ok()?)))
}

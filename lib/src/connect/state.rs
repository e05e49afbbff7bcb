//! The `state` parameter: who started what and when, signed, so that nothing else is looked up for a forged one.
//!
//! `v1.<payload>.<HMAC-SHA256>`, base64url. It protects against cross-site request forgery (RFC 6749 §10.12)
//! together with the cookie; it is not secret, and it works once, because the pending record it names does.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::PENDING_LIFE;
use crate::{
    ids::{LASTFM, Slot, UnknownSlot, UserId},
    system::{System, Timestamp},
    vault::{SigningUse, Vault},
};

/// Longer than any state this makes; anything beyond is not decoded at all.
const STATE_BYTES_MAX: usize = 1024;

/// What was started, and which way back belongs to it: a state opens no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Flow {
    /// A grant, by OAuth.
    Grant(Slot),
    /// A Last.fm account, by Last.fm's own page.
    Lastfm,
}

impl Flow {
    /// Every flow there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Slot::ALL.into_iter().map(Self::Grant).chain([Self::Lastfm])
    }

    /// Its name in states and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant(slot) => slot.as_str(),
            Self::Lastfm => LASTFM,
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Flow> for String {
    fn from(flow: Flow) -> Self {
        flow.as_str().to_owned()
    }
}

impl TryFrom<String> for Flow {
    type Error = UnknownSlot;

    fn try_from(name: String) -> Result<Self, UnknownSlot> {
        Self::all().find(|flow| flow.as_str() == name).ok_or(UnknownSlot)
    }
}

/// What a verified state says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(rename = "u")]
    pub(super) user: UserId,
    #[serde(rename = "s")]
    pub(super) flow: Flow,
    /// Makes every state different.
    #[serde(rename = "n")]
    nonce: String,
    #[serde(rename = "t")]
    issued_at: Timestamp,
}

/// Why a state is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateError {
    /// Not one of ours, or altered.
    Forged,
    /// One of ours, but too old.
    Expired,
}

impl State {
    pub(super) fn new(user: &UserId, flow: Flow, system: &System) -> Self {
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(system.entropy.bytes::<16>());
        Self {
            user: user.clone(),
            flow,
            nonce,
            issued_at: system.now(),
        }
    }

    pub(super) fn sign(&self, vault: &Vault) -> String {
        let payload = serde_json::to_vec(self).expect("plain fields with text keys always serialize");
        let signed = format!("v1.{}", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let tag = vault.sign(SigningUse::State, signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    pub(super) fn verify(state: &str, vault: &Vault, now: Timestamp) -> Result<Self, StateError> {
        if state.len() > STATE_BYTES_MAX {
            return Err(StateError::Forged);
        }
        let (signed, tag) = state.rsplit_once('.').ok_or(StateError::Forged)?;
        let tag = BASE64_URL_SAFE_NO_PAD
            .decode(tag)
            .map_err(|_| StateError::Forged)?;
        if !vault.verify(SigningUse::State, signed.as_bytes(), &tag) {
            return Err(StateError::Forged);
        }
        let payload = signed.strip_prefix("v1.").ok_or(StateError::Forged)?;
        let payload = BASE64_URL_SAFE_NO_PAD
            .decode(payload)
            .map_err(|_| StateError::Forged)?;
        let state: Self = serde_json::from_slice(&payload).map_err(|_| StateError::Forged)?;
        if now.since(state.issued_at) >= PENDING_LIFE {
            return Err(StateError::Expired);
        }
        Ok(state)
    }
}

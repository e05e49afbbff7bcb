//! The `state` parameter: who started what and when, signed, so that nothing else is looked up for a forged one.
//!
//! `v1.<payload>.<HMAC-SHA256>`, base64url. It protects against cross-site request forgery (RFC 6749 §10.12)
//! together with the cookie; it is not secret, and it works once, because the pending record it names does.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::PENDING_LIFE;
use crate::{
    ids::{Slot, UserId},
    system::{System, Timestamp},
    vault::{SigningUse, Vault},
};

/// Longer than any state this makes; anything beyond is not decoded at all.
const STATE_BYTES_MAX: usize = 1024;

/// What a verified state says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(rename = "u")]
    pub(super) user: UserId,
    #[serde(rename = "s")]
    pub(super) slot: Slot,
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
    pub(super) fn new(user: &UserId, slot: Slot, system: &System) -> Self {
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(system.entropy.bytes::<16>());
        Self {
            user: user.clone(),
            slot,
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

//! What a sealed value is for and where it lies: both decide whether it opens.

use crate::{
    ids::{LASTFM, Slot, UserId},
    secret::{AccessToken, ClientId, ClientSecret, CodeVerifier, RefreshToken, Secret, SessionKey},
};

/// A secret that may be stored sealed. Its type says what it is for, so no call site can mix purposes up.
pub trait Purpose: Secret {
    /// Goes into the key: a value of another purpose has another key. Never change one, or what is stored is lost.
    const NAME: &'static str;

    /// The field that holds it, and part of the associated data. Never change one either.
    const FIELD: &'static str;
}

impl Purpose for AccessToken {
    const NAME: &'static str = "access_token";
    const FIELD: &'static str = "accessTokenEnc";
}

impl Purpose for RefreshToken {
    const NAME: &'static str = "refresh_token";
    const FIELD: &'static str = "refreshTokenEnc";
}

impl Purpose for CodeVerifier {
    const NAME: &'static str = "code_verifier";
    const FIELD: &'static str = "codeVerifierEnc";
}

impl Purpose for ClientId {
    const NAME: &'static str = "client_id";
    const FIELD: &'static str = "clientIdEnc";
}

impl Purpose for ClientSecret {
    const NAME: &'static str = "client_secret";
    const FIELD: &'static str = "clientSecretEnc";
}

impl Purpose for SessionKey {
    const NAME: &'static str = "lastfm_session_key";
    const FIELD: &'static str = "sessionKeyEnc";
}

/// Where a sealed value lies: whose document, which slot, and in which part of the document.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    user: &'a UserId,
    slot: &'static str,
    area: &'static str,
}

impl<'a> Place<'a> {
    /// In a grant, `integrations.<slot>`.
    #[must_use]
    pub const fn grant(user: &'a UserId, slot: Slot) -> Self {
        Self {
            user,
            slot: slot.as_str(),
            area: "integrations",
        }
    }

    /// In a started authorization, `pending.<slot>`. What is sealed there does not open as part of a grant.
    #[must_use]
    pub const fn pending(user: &'a UserId, slot: Slot) -> Self {
        Self {
            user,
            slot: slot.as_str(),
            area: "pending",
        }
    }

    /// In the Last.fm account, `integrations.lastfm`.
    #[must_use]
    pub const fn lastfm(user: &'a UserId) -> Self {
        Self {
            user,
            slot: LASTFM,
            area: "integrations",
        }
    }

    pub(super) const fn user(self) -> &'a UserId {
        self.user
    }

    /// User, slot and `<area>.<field>`, each behind its length as eight bytes, big end first: no two places can give
    /// the same bytes.
    pub(super) fn associated_data(self, field: &str) -> Vec<u8> {
        let field = format!("{}.{field}", self.area);
        let mut bytes = Vec::with_capacity(128);
        for part in [self.user.as_str(), self.slot, &field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

//! Signing what leaves patchbay and comes back (states, session cookies), and the names users have in the log.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::ring::{KeyRing, derive};
use crate::{
    ids::UserId,
    secret::{Passphrase, Secret},
};

/// How many bytes of the MAC make a pseudonym: a million users collide with a chance of one in ten billion.
const PSEUDONYM_BYTES: usize = 9;

/// What a signature is for. Each use has keys of its own: a signed state is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningUse {
    /// The OAuth `state` that goes through the provider and the browser (RFC 6749 §10.12).
    State,
    /// The local session cookie.
    Session,
}

impl SigningUse {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::State => b"patchbay/v1/sign/state",
            Self::Session => b"patchbay/v1/sign/session",
        }
    }
}

type SigningKey = Zeroizing<[u8; 32]>;

/// The derived keys, per use the newest first; kept, because every request with a cookie needs one.
pub(super) struct SigningKeys {
    state: Vec<SigningKey>,
    session: Vec<SigningKey>,
    pseudonym: SigningKey,
}

impl SigningKeys {
    pub(super) fn derive(ring: &KeyRing) -> Self {
        let keys = |signing_use: SigningUse| {
            ring.keys()
                .map(|key| key.derive(&[], &[signing_use.info()]))
                .collect()
        };
        Self {
            state: keys(SigningUse::State),
            session: keys(SigningUse::Session),
            pseudonym: ring.first().derive(&[], &[b"patchbay/v1/log/pseudonym"]),
        }
    }

    pub(super) fn replace_state_key(&mut self, secret: &Passphrase) {
        let key = derive(secret.expose().as_bytes(), &[], &[SigningUse::State.info()]);
        self.state = vec![key];
    }

    fn keys(&self, signing_use: SigningUse) -> &[SigningKey] {
        match signing_use {
            SigningUse::State => &self.state,
            SigningUse::Session => &self.session,
        }
    }

    pub(super) fn sign(&self, signing_use: SigningUse, message: &[u8]) -> [u8; 32] {
        // Both lists are as long as the ring or one long, so never empty.
        mac(&self.keys(signing_use)[0], message)
    }

    /// Tries every key whatever the first ones say: the time tells nothing.
    pub(super) fn verify(&self, signing_use: SigningUse, message: &[u8], tag: &[u8]) -> bool {
        self.keys(signing_use)
            .iter()
            .fold(Choice::from(0), |good, key| {
                good | mac(key, message).as_slice().ct_eq(tag)
            })
            .into()
    }

    pub(super) fn pseudonym(&self, user: &UserId) -> String {
        let mac = mac(&self.pseudonym, user.as_str().as_bytes());
        URL_SAFE_NO_PAD.encode(&mac[..PSEUDONYM_BYTES])
    }
}

fn mac(key: &SigningKey, message: &[u8]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length (RFC 2104 §2)");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

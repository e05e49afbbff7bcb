//! Sealing what must not be read from a stolen database, and signing what goes out and comes back.
//!
//! A sealed value is `v1.<kid>.<base64url(nonce ‖ ciphertext ‖ tag)>`: AES-256-GCM (NIST SP 800-38D) under a key made
//! for one user and one purpose by HKDF-SHA256 (RFC 5869), with user, slot and field as associated data. Copied to
//! another user, slot or field it does not open. Keys rotate by putting a new one first in the [`KeyRing`]: the first
//! seals, all open, and [`Vault::needs_resealing`] says which values still hang on an old one.

mod purpose;
mod ring;
mod sealed;
mod signing;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use zeroize::Zeroizing;

pub use purpose::{Place, Purpose};
pub use ring::{InvalidKeyRing, KeyRing};
pub use sealed::OpenError;
pub use signing::SigningUse;

use self::{
    ring::MasterKey,
    sealed::{NONCE_BYTES, Sealed, TAG_BYTES},
    signing::SigningKeys,
};
use crate::{ids::UserId, secret::Passphrase, system::Entropy};

/// Seals and opens secrets, and signs: everything that needs the operator's keys.
///
/// Sealing keys are derived for each call and wiped after it (a few microseconds); only the master keys and the few
/// signing keys stay in memory.
pub struct Vault {
    ring: KeyRing,
    signing: SigningKeys,
    entropy: Arc<dyn Entropy>,
}

impl Vault {
    /// A vault over `ring`; nonces come from `entropy`.
    #[must_use]
    pub fn new(ring: KeyRing, entropy: Arc<dyn Entropy>) -> Self {
        let signing = SigningKeys::derive(&ring);
        Self {
            ring,
            signing,
            entropy,
        }
    }

    /// The same vault with states signed under `secret` alone, in place of the ring: for operators who hand the two
    /// to different people. The caller has checked that it has 32 bytes or more.
    #[must_use]
    pub fn with_state_secret(mut self, secret: &Passphrase) -> Self {
        self.signing.replace_state_key(secret);
        self
    }

    /// The text to store for `secret` at `place`, under the first key of the ring. Every call gives another text.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the expect below cannot fail")]
    pub fn seal<P: Purpose>(&self, secret: &P, place: Place<'_>) -> String {
        let key = self.ring.first();
        let nonce = self.entropy.bytes::<NONCE_BYTES>();
        let plain = secret.expose().as_bytes();
        // Room for the tag from the start: growing later would leave a copy of the plain text behind.
        let mut buffer = Vec::with_capacity(plain.len() + TAG_BYTES);
        buffer.extend_from_slice(plain);
        cipher::<P>(key, place)
            .encrypt_in_place(&nonce.into(), &place.associated_data(P::FIELD), &mut buffer)
            .expect("no secret comes near the 64 GiB that AES-GCM takes, and the buffer grows");
        sealed::to_text(key.kid(), nonce, &buffer)
    }

    /// The secret sealed in `sealed`, if it was sealed at this very `place` for this very purpose.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; which of place, purpose and bytes is wrong cannot be told, and is not.
    pub fn open<P: Purpose>(&self, sealed: &str, place: Place<'_>) -> Result<P, OpenError> {
        let sealed = Sealed::parse(sealed)?;
        let key = self.ring.find(sealed.kid).ok_or(OpenError::UnknownKey)?;
        // Becomes the plain text in place, so there is one copy, and it ends up in the secret.
        let mut buffer = sealed.ciphertext_and_tag;
        cipher::<P>(key, place)
            .decrypt_in_place(
                &sealed.nonce.into(),
                &place.associated_data(P::FIELD),
                &mut buffer,
            )
            .map_err(|_| OpenError::Refused)?;
        match String::from_utf8(buffer) {
            Ok(plain) => Ok(P::from_plain(plain)),
            Err(not_text) => {
                drop(Zeroizing::new(not_text.into_bytes()));
                Err(OpenError::Refused)
            }
        }
    }

    /// Whether the ring has the key that `sealed` names: without it, opening is pointless. Looks at the head of the text
    /// only, because every poll of a status asks.
    #[must_use]
    pub fn has_key_for(&self, sealed: &str) -> bool {
        Sealed::kid(sealed).is_ok_and(|(kid, _)| self.ring.find(kid).is_some())
    }

    /// Whether `sealed` was sealed by a key of the ring that is no longer the first: open it, seal it again, store it.
    #[must_use]
    pub fn needs_resealing(&self, sealed: &str) -> bool {
        Sealed::parse(sealed)
            .is_ok_and(|sealed| sealed.kid != self.ring.first().kid() && self.ring.find(sealed.kid).is_some())
    }

    /// HMAC-SHA256 of `message`, under the newest key for this use.
    #[must_use]
    pub fn sign(&self, signing_use: SigningUse, message: &[u8]) -> [u8; 32] {
        self.signing.sign(signing_use, message)
    }

    /// Whether `tag` signs `message` for this use under any key of the ring, in constant time.
    #[must_use]
    pub fn verify(&self, signing_use: SigningUse, message: &[u8], tag: &[u8]) -> bool {
        self.signing.verify(signing_use, message, tag)
    }

    /// What the log calls `user`: always the same twelve characters under one ring, and no way back to the id.
    #[must_use]
    pub fn pseudonym(&self, user: &UserId) -> String {
        self.signing.pseudonym(user)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

/// The cipher for one user and one purpose.
fn cipher<P: Purpose>(key: &MasterKey, place: Place<'_>) -> Aes256Gcm {
    let derived = key.derive(
        place.user().as_str().as_bytes(),
        &[b"patchbay/v1/", P::NAME.as_bytes()],
    );
    Aes256Gcm::new((&*derived).into())
}

//! The operator's master keys, newest first: how they are written, checked and put to use.

use std::{fmt, str::FromStr};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    secret::{Passphrase, Secret},
    system::Entropy,
};

/// A master key is at least as strong as the AES-256 keys made from it.
const KEY_BYTES_MIN: usize = 32;

/// The longest key id: it is repeated in every sealed value.
const KID_BYTES_MAX: usize = 32;

/// How to get a ring that is accepted; part of every refusal.
const REMEDY: &str = "make a key with `openssl rand -base64 32` and write it as `k1:<key>`; to rotate, put a new one in \
                      front with another id, as in `k2:<new key>,k1:<old key>`";

/// Keys are taken as tools print them: with or without padding, in either alphabet.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The master keys, written `k2:<base64 of 32 bytes>,k1:<…>`: the first seals, all open.
pub struct KeyRing {
    first: MasterKey,
    older: Vec<MasterKey>,
}

/// Why a key ring is refused. Says which key by its place in the list: a mistyped ring may have a key where an id
/// belongs, so neither is ever shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    /// There is no key in it.
    #[error("the key ring is empty; {REMEDY}")]
    Empty,
    /// The key with this number (from 1) has no id of 1 to 32 letters, digits, `-` or `_` before a colon.
    #[error("key {0} of the ring has no usable id in front; {REMEDY}")]
    NoKid(usize),
    /// The key with this number has an id that an earlier one has.
    #[error("key {0} of the ring has the id of another key; {REMEDY}")]
    DuplicateKid(usize),
    /// The key with this number is not base64.
    #[error("key {0} of the ring is not base64; {REMEDY}")]
    NotBase64(usize),
    /// The key with this number is too short.
    #[error("key {0} of the ring has fewer than 32 bytes; {REMEDY}")]
    TooShort(usize),
}

impl KeyRing {
    /// A new ring of one key, and the text that parses to it.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> (Self, Passphrase) {
        let mut bytes = Zeroizing::new(vec![0; KEY_BYTES_MIN]);
        entropy.fill(&mut bytes);
        let kid = "k1".to_owned();
        let text = Passphrase::from_plain(format!("{kid}:{}", *Zeroizing::new(STANDARD.encode(&*bytes))));
        let ring = Self {
            first: MasterKey { kid, bytes },
            older: Vec::new(),
        };
        (ring, text)
    }

    /// The key that seals and signs.
    pub(super) const fn first(&self) -> &MasterKey {
        &self.first
    }

    /// Every key, the one that seals first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.first).chain(&self.older)
    }

    /// The key called `kid`.
    pub(super) fn find(&self, kid: &str) -> Option<&MasterKey> {
        self.keys().find(|key| key.kid == kid)
    }
}

impl FromStr for KeyRing {
    type Err = InvalidKeyRing;

    fn from_str(text: &str) -> Result<Self, InvalidKeyRing> {
        if text.trim().is_empty() {
            return Err(InvalidKeyRing::Empty);
        }
        let mut keys: Vec<MasterKey> = Vec::new();
        for (index, entry) in text.split(',').enumerate() {
            let key = MasterKey::parse(entry.trim(), index + 1)?;
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(InvalidKeyRing::DuplicateKid(index + 1));
            }
            keys.push(key);
        }
        let first = keys.remove(0);
        Ok(Self { first, older: keys })
    }
}

impl fmt::Debug for KeyRing {
    /// The ids only: they are in every sealed value anyway.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().map(|key| &key.kid)).finish()
    }
}

/// One key of the ring.
pub(super) struct MasterKey {
    kid: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl MasterKey {
    fn parse(entry: &str, number: usize) -> Result<Self, InvalidKeyRing> {
        let (kid, key) = entry.split_once(':').ok_or(InvalidKeyRing::NoKid(number))?;
        if !is_kid(kid) {
            return Err(InvalidKeyRing::NoKid(number));
        }
        let alphabet = if key.contains(['-', '_']) {
            alphabet::URL_SAFE
        } else {
            alphabet::STANDARD
        };
        let bytes = GeneralPurpose::new(&alphabet, LENIENT)
            .decode(key)
            .map(Zeroizing::new)
            .map_err(|_| InvalidKeyRing::NotBase64(number))?;
        if bytes.len() < KEY_BYTES_MIN {
            return Err(InvalidKeyRing::TooShort(number));
        }
        Ok(Self {
            kid: kid.to_owned(),
            bytes,
        })
    }

    /// Its id, as it stands in sealed values.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// A key of its own for `salt` and `info` (HKDF-SHA256, RFC 5869).
    pub(super) fn derive(&self, salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derive(&self.bytes, salt, info)
    }
}

/// HKDF-SHA256 of `secret`, one block long.
pub(super) fn derive(secret: &[u8], salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand_multi_info(info, key.as_mut_slice())
        .expect("32 bytes are one block of SHA-256, and 255 are allowed");
    key
}

/// Whether `kid` can stand between two full stops and after a comma.
pub(super) fn is_kid(kid: &str) -> bool {
    (1..=KID_BYTES_MAX).contains(&kid.len())
        && kid
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

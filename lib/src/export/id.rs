//! The names of exports, and the digests that make them.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::system::Entropy;

/// Bytes of an export's id and of every digest here: not to be guessed, never met twice.
const ID_BYTES: usize = 16;

/// The name of one export.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExportId(pub(super) String);

/// A text that is no export's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such export")]
pub struct InvalidExportId;

impl ExportId {
    /// A name that nobody can guess.
    pub(super) fn random(entropy: &dyn Entropy) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(entropy.bytes::<ID_BYTES>()))
    }

    /// The id as text: 22 characters, base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExportId {
    type Err = InvalidExportId;

    fn from_str(text: &str) -> Result<Self, InvalidExportId> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidExportId)?;
        if bytes.len() != ID_BYTES {
            return Err(InvalidExportId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest of several texts; each is preceded by its length, so that no two lists of texts look the same.
pub(super) fn digest_of(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    digest(hasher)
}

pub(super) fn digest(hasher: Sha256) -> String {
    let bytes: [u8; 32] = hasher.finalize().into();
    BASE64_URL_SAFE_NO_PAD.encode(&bytes[..ID_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_22_characters_and_never_a_path() {
        assert!(digest_of(&["user", "key"]).parse::<ExportId>().is_ok());
        for text in [
            "",
            "a/0",
            "AAAAAAAAAAAAAAAAAAAAAA/0",
            "AAAAAAAAAAAAAAAAAAAAA=",
            "AAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(text.parse::<ExportId>(), Err(InvalidExportId), "{text}");
        }
    }

    #[test]
    fn a_digest_tells_where_one_text_ends() {
        assert_ne!(digest_of(&["ab", "c"]), digest_of(&["a", "bc"]));
    }
}

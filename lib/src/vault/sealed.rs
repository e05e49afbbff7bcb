//! The text form of a sealed value: `v1.<kid>.<base64url, no padding, of nonce ‖ ciphertext ‖ tag>`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::ring::is_kid;

/// Of the form, not of the key: a change of cipher or of associated data gets another.
const VERSION: &str = "v1";

/// 96 bits, the length GCM is made for (NIST SP 800-38D §5.2.1.1).
pub(super) const NONCE_BYTES: usize = 12;

/// 128 bits, the full tag.
pub(super) const TAG_BYTES: usize = 16;

/// How many characters the nonce takes: twelve bytes are four whole groups, so the text can be cut there.
const NONCE_CHARS: usize = NONCE_BYTES / 3 * 4;

/// Why a sealed value does not open. Tells nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not a sealed value, or was cut short.
    #[error("the stored value is not a sealed value")]
    Malformed,
    /// It was sealed by a key that is not, or no longer, in the ring.
    #[error("the stored value was sealed by a key that is not in the key ring")]
    UnknownKey,
    /// It was altered, or belongs to another user, slot, field or purpose, or the ring has another key of that id.
    #[error("the stored value does not open here")]
    Refused,
}

/// A sealed value taken apart.
pub(super) struct Sealed<'a> {
    pub(super) kid: &'a str,
    pub(super) nonce: [u8; NONCE_BYTES],
    pub(super) ciphertext_and_tag: Vec<u8>,
}

impl<'a> Sealed<'a> {
    /// The key that `text` names, and what follows. Nothing is decoded.
    pub(super) fn kid(text: &'a str) -> Result<(&'a str, &'a str), OpenError> {
        let (version, rest) = text.split_once('.').ok_or(OpenError::Malformed)?;
        let (kid, body) = rest.split_once('.').ok_or(OpenError::Malformed)?;
        if version != VERSION || !is_kid(kid) {
            return Err(OpenError::Malformed);
        }
        Ok((kid, body))
    }

    /// Strict: one text form per value, so a single changed character is noticed.
    pub(super) fn parse(text: &'a str) -> Result<Self, OpenError> {
        let (kid, body) = Self::kid(text)?;
        let (nonce_chars, body) = body.split_at_checked(NONCE_CHARS).ok_or(OpenError::Malformed)?;
        let mut nonce = [0; NONCE_BYTES];
        URL_SAFE_NO_PAD
            .decode_slice(nonce_chars, &mut nonce)
            .map_err(|_| OpenError::Malformed)?;
        let ciphertext_and_tag = URL_SAFE_NO_PAD.decode(body).map_err(|_| OpenError::Malformed)?;
        if ciphertext_and_tag.len() < TAG_BYTES {
            return Err(OpenError::Malformed);
        }
        Ok(Self {
            kid,
            nonce,
            ciphertext_and_tag,
        })
    }
}

/// The text form.
pub(super) fn to_text(kid: &str, nonce: [u8; NONCE_BYTES], ciphertext_and_tag: &[u8]) -> String {
    let mut text = format!("{VERSION}.{kid}.");
    URL_SAFE_NO_PAD.encode_string(nonce, &mut text);
    URL_SAFE_NO_PAD.encode_string(ciphertext_and_tag, &mut text);
    text
}

//! Who and where: the user id and the slot, the two names by which every room finds a grant; and the name of an app.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::secret::{ApiKey, ClientId, Secret as _};

/// The longest user id accepted, in bytes: long enough for any identity provider's subject, short enough for a key.
const USER_ID_BYTES_MAX: usize = 256;

/// The caller's id in the host application, as its JWT or the local session says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

/// A user id that is empty, too long or carries control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user id has 1 to 256 bytes and no control characters")]
pub struct InvalidUserId;

impl UserId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserId {
    type Error = InvalidUserId;

    fn try_from(id: String) -> Result<Self, InvalidUserId> {
        if id.is_empty() || id.len() > USER_ID_BYTES_MAX || id.chars().any(char::is_control) {
            return Err(InvalidUserId);
        }
        Ok(Self(id))
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(id: &str) -> Result<Self, InvalidUserId> {
        id.to_owned().try_into()
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One place in a user's document that holds one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Slot {
    /// Spotify through the operator's app.
    Spotify,
    /// Spotify through the user's own app.
    SpotifyByo,
}

impl Slot {
    /// Every slot, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Spotify, Self::SpotifyByo];

    /// The slot's name in stored documents, states and cookies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spotify => "spotify",
            Self::SpotifyByo => "spotifyByo",
        }
    }
}

/// The name of the Last.fm link beside the slots, in stored documents, states and cookies. It is no [`Slot`]: nothing of it
/// runs out or has to be renewed.
pub const LASTFM: &str = "lastfm";

/// A name that is no slot of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such slot")]
pub struct UnknownSlot;

impl FromStr for Slot {
    type Err = UnknownSlot;

    fn from_str(name: &str) -> Result<Self, UnknownSlot> {
        Self::ALL
            .into_iter()
            .find(|slot| slot.as_str() == name)
            .ok_or(UnknownSlot)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An app, by a digest of its client id: what is kept about an app as a whole is kept under this, because whose own app
/// an id is, is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppName(String);

impl AppName {
    /// The name of the app with this client id: the same for everybody who uses it.
    #[must_use]
    pub fn of(client_id: &ClientId) -> Self {
        Self::of_text(client_id.expose())
    }

    /// The name of what calls Last.fm with this key.
    #[must_use]
    pub fn of_key(key: &ApiKey) -> Self {
        Self::of_text(key.expose())
    }

    fn of_text(text: &str) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_one_name_that_does_not_show_its_id() {
        let name = |id: &str| AppName::of(&ClientId::from_plain(id.to_owned())).to_string();
        assert_eq!(name("0123456789abcdef"), name("0123456789abcdef"));
        assert_ne!(name("0123456789abcdef"), name("0123456789abcdee"));
        assert!(!name("0123456789abcdef").contains("0123"));
    }
}

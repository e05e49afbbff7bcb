//! Why an export cannot go on until a person does something. Stored with the job, so that looking at it says so, too.

use serde::{Deserialize, Serialize};

use crate::providers::spotify::Forbidden;

/// What a person has to mend. Nothing that was done is lost: the export goes on from where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// There is no grant in the slot.
    #[error("Spotify is not connected")]
    NotConnected,
    /// The grant is over.
    #[error("the connection to Spotify has to be renewed")]
    NeedsReauth,
    /// The app is refused, whoever asks through it.
    #[error("Spotify refuses the app")]
    AppError,
    /// The access token that the caller brought is not accepted.
    #[error("the access token has expired")]
    TokenExpired,
    /// The operator's account cannot be used: its token is refused, or it is another account than configured.
    #[error("the operator's Spotify account cannot be used")]
    OwnerUnavailable,
    /// A development-mode app whose owner has no active Premium.
    #[error("the owner of the app needs Spotify Premium")]
    OwnerNeedsPremium,
    /// A development-mode app that does not list this person.
    #[error("the person is not on the app's user list")]
    NotOnAllowList,
    /// The grant does not allow changing playlists.
    #[error("a permission to change playlists is missing")]
    MissingScope,
    /// Any other 403.
    #[error("Spotify does not allow it")]
    Forbidden,
    /// The slot holds another account than the one the export began with.
    #[error("the connected Spotify account is not the one that the export began with")]
    AccountChanged,
    /// Spotify would not make this playlist, most often for its name or description.
    #[error("Spotify refuses to create the playlist")]
    PlaylistRefused,
    /// The playlist is not there any more.
    #[error("the playlist is gone")]
    PlaylistGone,
    /// Spotify takes nothing more into the playlist, one track after another.
    #[error("Spotify refuses to add to the playlist")]
    ItemsRefused,
    /// The service was interrupted before it had stored the whole request.
    #[error("the request was not received completely; send it again")]
    Incomplete,
}

impl Blocked {
    /// Whether another account would help.
    #[must_use]
    pub const fn is_about_the_account(self) -> bool {
        match self {
            Self::NotConnected
            | Self::NeedsReauth
            | Self::AppError
            | Self::TokenExpired
            | Self::OwnerUnavailable
            | Self::OwnerNeedsPremium
            | Self::NotOnAllowList
            | Self::MissingScope
            | Self::Forbidden => true,
            Self::AccountChanged
            | Self::PlaylistRefused
            | Self::PlaylistGone
            | Self::ItemsRefused
            | Self::Incomplete => false,
        }
    }
}

impl Blocked {
    /// Whether connecting anew may end it.
    pub(super) const fn may_be_mended_by_connecting(self) -> bool {
        self.is_about_the_account() || matches!(self, Self::AccountChanged)
    }

    /// Whether the grant itself tells when it is over.
    pub(super) const fn is_a_state_of_the_grant(self) -> bool {
        matches!(self, Self::NotConnected | Self::NeedsReauth | Self::AppError)
    }
}

impl From<Forbidden> for Blocked {
    fn from(forbidden: Forbidden) -> Self {
        match forbidden {
            Forbidden::OwnerNeedsPremium => Self::OwnerNeedsPremium,
            Forbidden::NotOnAllowList => Self::NotOnAllowList,
            Forbidden::MissingScope => Self::MissingScope,
            Forbidden::Other(_) => Self::Forbidden,
        }
    }
}

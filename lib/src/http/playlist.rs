//! Playlists.

pub(super) mod corrections;
pub(super) mod export;

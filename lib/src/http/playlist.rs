//! Playlists.

pub(super) mod export;

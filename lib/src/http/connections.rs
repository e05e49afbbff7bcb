//! The connections that are no Spotify grants.

pub(super) mod lastfm;

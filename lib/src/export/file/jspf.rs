//! JSPF, the playlist format XSPF in JSON: <https://wiki.xiph.org/JSPF>, <https://www.xspf.org/spec>.
//!
//! Only what is in the playlist. A `track` that cannot be played would be taken for one that can, and an `extension` is
//! dropped by whoever does not know it: what became of the other songs is in the CSV.

use serde::Serialize;

use super::{Listing, link};
use crate::{export::request::SongSpec, songs};

/// JSPF has no media type of its own.
pub(super) const MEDIA_TYPE: &str = "application/json";

#[derive(Debug, Serialize)]
struct Document<'a> {
    playlist: Playlist<'a>,
}

#[derive(Debug, Serialize)]
struct Playlist<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<&'a str>,
    track: Vec<Track<'a>>,
}

#[derive(Debug, Serialize)]
struct Track<'a> {
    /// URIs that name it; several, because programs know different ones.
    identifier: Vec<String>,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    creator: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<&'a str>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
}

pub(super) fn of(listing: &Listing<'_>) -> String {
    let document = Document {
        playlist: Playlist {
            title: &listing.playlist.name,
            annotation: listing.playlist.description.as_deref(),
            identifier: listing.finished.playlist_url.as_deref(),
            track: listing.tracks().map(|(song, uri)| track(song, uri)).collect(),
        },
    };
    serde_json::to_string_pretty(&document).expect("text, numbers and lists of them always become JSON")
}

fn track<'a>(song: &'a SongSpec, uri: &str) -> Track<'a> {
    // What only looks like an ISRC must not name anything.
    let isrc = song.isrc.as_deref().and_then(songs::isrc);
    Track {
        identifier: link(uri)
            .into_iter()
            .chain(isrc.map(|isrc| format!("isrc:{isrc}")))
            .collect(),
        title: &song.title,
        creator: &song.artist,
        album: song.album.as_deref(),
        duration: song.duration_ms,
    }
}

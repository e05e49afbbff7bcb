//! Extended M3U in UTF-8 (RFC 8216 names what players agree on): two lines for every track, its name and its link.

use std::fmt::Write as _;

use super::{Listing, link};

pub(super) const MEDIA_TYPE: &str = "audio/mpegurl; charset=utf-8";

/// The length of a track whose length is not known.
const UNKNOWN_S: i64 = -1;

pub(super) fn of(listing: &Listing<'_>) -> String {
    let mut text = format!("#EXTM3U\n#PLAYLIST:{}\n", on_one_line(&listing.playlist.name));
    for (song, uri) in listing.tracks() {
        let seconds = song.duration_ms.map_or(UNKNOWN_S, seconds);
        let (artist, title) = (on_one_line(&song.artist), on_one_line(&song.title));
        let dash = if artist.is_empty() { "" } else { " - " };
        let address = link(uri).unwrap_or_else(|| on_one_line(uri));
        // Writing to memory does not fail.
        let _ = write!(text, "#EXTINF:{seconds},{artist}{dash}{title}\n{address}\n");
    }
    text
}

fn seconds(ms: u64) -> i64 {
    i64::try_from(ms.saturating_add(500) / 1000).unwrap_or(UNKNOWN_S)
}

/// A line that begins in a name would be taken for another entry.
fn on_one_line(name: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    name.replace(breaks, " ")
}

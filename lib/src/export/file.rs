//! The finished list as a file: what became of every song, in forms that other programs read.
//!
//! The names are the request's own words, because Spotify's terms want no copy of its catalogue, and nobody likes to
//! find their titles rewritten.

mod csv;
mod jspf;
mod m3u8;

use std::str::FromStr;

use super::{
    Caller, ExportError, ExportId, Exporter, Finished,
    head::Stage,
    job::Job,
    request::{PlaylistSpec, SongSpec},
};
use crate::system::Timestamp;

/// The longest file name without its extension, in bytes: file systems take 255 for the whole.
const NAME_BYTES_MAX: usize = 180;

/// What a file can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every song and what became of it, for spreadsheets.
    Csv,
    /// The playlist as JSON (<https://wiki.xiph.org/JSPF>), for `ListenBrainz` and others.
    Jspf,
    /// The playlist as links, for players.
    M3u8,
}

/// A text that names no [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such format")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "csv" => Ok(Self::Csv),
            "jspf" => Ok(Self::Jspf),
            "m3u8" => Ok(Self::M3u8),
            _ => Err(UnknownFormat),
        }
    }
}

/// A file to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// How to call it: the playlist's name as file systems take it, in its own script, and the extension.
    pub name: String,
    /// What it is.
    pub media_type: &'static str,
    /// What is in it.
    pub text: String,
}

impl Exporter {
    /// The finished list as a file; `None` while the export is not finished.
    ///
    /// # Errors
    /// [`ExportError`]; `NotFound` for everybody else's.
    pub async fn file(
        &self,
        id: &ExportId,
        caller: &Caller,
        format: Format,
    ) -> Result<Option<File>, ExportError> {
        let who = self.recognize(caller, Timestamp::MAX).await?;
        let Some((head, version)) = self.jobs.find(id, &who.owner).await? else {
            return Err(self.absent(who.opened.as_ref()));
        };
        if head.stage != Stage::Done {
            return Ok(None);
        }
        let job = Job::new(id.clone(), who.owner, version, head);
        let job = self.jobs.with_parts(job).await?;
        let listing = Listing {
            playlist: &job.head.spec,
            songs: job.entries().map(|entry| &entry.song).collect(),
            finished: &Finished::of(&job),
        };
        Ok(Some(listing.as_file(format)))
    }
}

/// A finished export with the words of its request.
struct Listing<'a> {
    playlist: &'a PlaylistSpec,
    /// In the order of the request.
    songs: Vec<&'a SongSpec>,
    finished: &'a Finished,
}

impl Listing<'_> {
    fn as_file(&self, format: Format) -> File {
        let (extension, media_type, text) = match format {
            Format::Csv => ("csv", csv::MEDIA_TYPE, csv::of(self)),
            Format::Jspf => ("jspf", jspf::MEDIA_TYPE, jspf::of(self)),
            Format::M3u8 => ("m3u8", m3u8::MEDIA_TYPE, m3u8::of(self)),
        };
        File {
            name: format!("{}.{extension}", file_name(&self.playlist.name)),
            media_type,
            text,
        }
    }

    /// What is in the playlist, in its order: each song and its track.
    fn tracks(&self) -> impl Iterator<Item = (&SongSpec, &str)> {
        self.finished.matched.iter().filter_map(|matched| {
            let song = self.songs.get(matched.index)?;
            Some((*song, matched.uri.as_str()))
        })
    }
}

/// Where a person opens a track.
fn link(uri: &str) -> Option<String> {
    let id = uri.strip_prefix("spotify:track:")?;
    Some(format!("https://open.spotify.com/track/{id}"))
}

/// `name` without what a file system refuses, what would make it another folder's or hidden, and what makes it read
/// otherwise than it is (`exe.` from right to left).
fn file_name(name: &str) -> String {
    let refused = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut name = name.replace(|c| refused(c) || turns(c), "_");
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() { "playlist" } else { name }.to_owned()
}

#[cfg(test)]
mod tests;

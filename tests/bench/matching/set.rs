//! The labelled songs.

use std::path::Path;

use patchbay::songs::Song;
use sandbox::{Catalog, Track};
use serde::Deserialize;

use crate::Failure;

/// One line in this many is held out: no rule is made for its sake.
const HELD_OUT_EVERY: usize = 5;

/// A song as a list gives it, and which track a person would take for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Labelled {
    pub title: String,
    pub artist: String,
    pub album: Option<String>,
    pub isrc: Option<String>,
    pub duration_ms: Option<u64>,
    /// What the table is sorted by: BCP 47.
    pub language: String,
    /// What is hard about it.
    pub kind: String,
    /// The id of the right track; `null` if the catalogue does not have the song.
    #[serde(deserialize_with = "Option::deserialize")]
    pub expected: Option<String>,
    /// Other tracks that a person would accept just as well (another mastering).
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(skip)]
    pub held_out: bool,
}

impl Labelled {
    /// As the library wants it.
    pub fn with_song<T>(&self, look: impl FnOnce(&Song<'_>) -> T) -> T {
        let artists = [self.artist.as_str()];
        look(&Song {
            title: &self.title,
            artists: if self.artist.is_empty() { &[] } else { &artists },
            album: self.album.as_deref(),
            isrc: self.isrc.as_deref(),
            duration_ms: self.duration_ms,
        })
    }

    /// Whether a person would accept this track: a label's own, or the same recording on another album.
    pub fn accepts(&self, track: &Track, catalog: &Catalog) -> bool {
        self.labels().any(|id| {
            let same_isrc = catalog
                .get(id)
                .is_some_and(|right| right.isrc.is_some() && right.isrc == track.isrc);
            id == track.id || same_isrc
        })
    }

    fn labels(&self) -> impl Iterator<Item = &str> {
        self.expected.iter().chain(&self.also).map(String::as_str)
    }
}

/// Reads the set. An id that the catalogue does not have is a mistake of the label, not of the matching.
pub fn read(file: &Path, catalog: &Catalog) -> Result<Vec<Labelled>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let place = || format!("{}, line {}", file.display(), at + 1);
            let mut song: Labelled =
                serde_json::from_str(line).map_err(|error| format!("{}: {error}", place()))?;
            if let Some(id) = song.labels().find(|id| catalog.get(id).is_none()) {
                return Err(format!("{}: the catalogue has no {id}", place()).into());
            }
            song.held_out = at % HELD_OUT_EVERY == HELD_OUT_EVERY - 1;
            Ok(song)
        })
        .collect()
}

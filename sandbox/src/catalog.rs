//! The tracks the sandbox knows: read from JSON lines, looked up by id.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::search::Folded;

/// The catalogue that is built in.
const EMBEDDED: &str = include_str!("../catalog.jsonl");

/// One track, as a line of a catalogue file states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Track {
    /// 22 characters of base 62.
    pub id: String,
    /// The track's name.
    pub title: String,
    /// One name at least.
    pub artists: Vec<String>,
    /// The album's name.
    pub album: String,
    /// Twelve characters, no hyphens; absent for the odd track that has none.
    #[serde(default)]
    pub isrc: Option<String>,
    /// Length in milliseconds.
    pub duration_ms: u32,
    /// Year of release.
    pub year: u16,
}

impl Track {
    /// `spotify:track:<id>`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("spotify:track:{}", self.id)
    }
}

/// Why a catalogue file was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("catalogue line {line}: {reason}")]
pub struct CatalogError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A list of tracks, cheap to clone. The default is the one that is built in.
#[derive(Clone)]
pub struct Catalog(Arc<Tracks>);

#[derive(Default, Clone)]
struct Tracks {
    list: Vec<(Track, Folded)>,
    by_id: HashMap<String, usize>,
}

impl Catalog {
    /// A catalogue without tracks.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::default())
    }

    /// Reads one JSON object a line; empty lines are skipped.
    ///
    /// # Errors
    /// The first line that is not a [`Track`], breaks a rule of its fields, or repeats an id.
    pub fn from_json_lines(text: &str) -> Result<Self, CatalogError> {
        let mut catalog = Self::empty();
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let at = |reason: String| CatalogError {
                line: index + 1,
                reason,
            };
            let track = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
            catalog.add(track).map_err(at)?;
        }
        Ok(catalog)
    }

    /// Adds one track at the end.
    ///
    /// # Errors
    /// A sentence: the id or the ISRC has the wrong shape, nobody sings it, or the id is taken.
    pub fn add(&mut self, track: Track) -> Result<(), String> {
        if !is_id(&track.id) {
            return Err(format!("id {:?} is not 22 characters of base 62", track.id));
        }
        if track.artists.is_empty() {
            return Err("artists is empty".to_owned());
        }
        if let Some(isrc) = &track.isrc
            && (isrc.len() != 12
                || !isrc
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()))
        {
            return Err(format!("isrc {isrc:?} is not twelve capitals and digits"));
        }
        if self.0.by_id.contains_key(&track.id) {
            return Err(format!("id {} is taken", track.id));
        }
        let tracks = Arc::make_mut(&mut self.0);
        tracks.by_id.insert(track.id.clone(), tracks.list.len());
        let folded = Folded::of(&track);
        tracks.list.push((track, folded));
        Ok(())
    }

    /// The track with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Track> {
        self.0.by_id.get(id).map(|&index| &self.0.list[index].0)
    }

    /// What the search answers to a query, best first, all of it: the Web API cuts it into pages.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<&Track> {
        crate::search::search(self, query, false)
    }

    /// Every track, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Track> {
        self.0.list.iter().map(|(track, _)| track)
    }

    /// How many tracks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.list.len()
    }

    /// True without a single track.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.list.is_empty()
    }

    /// Takes a track out, as labels do: its id stops existing.
    pub fn remove(&mut self, id: &str) -> Option<Track> {
        let index = *self.0.by_id.get(id)?;
        let tracks = Arc::make_mut(&mut self.0);
        let (track, _) = tracks.list.remove(index);
        tracks.by_id = tracks
            .list
            .iter()
            .enumerate()
            .map(|(index, (track, _))| (track.id.clone(), index))
            .collect();
        Some(track)
    }

    /// How many different artists sing here; the index page tells it.
    pub(crate) fn artists(&self) -> usize {
        self.iter()
            .flat_map(|track| &track.artists)
            .collect::<HashSet<_>>()
            .len()
    }

    pub(crate) fn folded(&self) -> impl Iterator<Item = (&Track, &Folded)> {
        self.0.list.iter().map(|(track, folded)| (track, folded))
    }
}

impl Default for Catalog {
    fn default() -> Self {
        static BUILT_IN: LazyLock<Catalog> = LazyLock::new(|| {
            // Cannot fail in a build that passed its tests: `the_built_in_catalogue_is_sound` reads the same text.
            Catalog::from_json_lines(EMBEDDED).expect("the built-in catalogue is tested")
        });
        BUILT_IN.clone()
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Catalog({} tracks)", self.len())
    }
}

/// True for 22 characters of base 62, which all of Spotify's ids are (reference: track object).
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalog = Catalog::from_json_lines(EMBEDDED).expect("every line is a track");
        assert!(!catalog.is_empty());
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let good = r#"{"id":"AAAAAAAAAAAAAAAAAAAAAA","title":"t","artists":["a"],"album":"b","durationMs":1,"year":2000}"#;
        let text = format!("{good}\n\n{}", good.replace("AAAA\"", "AA-A\""));
        let error = Catalog::from_json_lines(&text).expect_err("the third line has a bad id");
        assert_eq!(error.line, 3);
        let twice = Catalog::from_json_lines(&format!("{good}\n{good}")).expect_err("an id is taken");
        assert_eq!(
            twice.to_string(),
            "catalogue line 2: id AAAAAAAAAAAAAAAAAAAAAA is taken"
        );
    }
}

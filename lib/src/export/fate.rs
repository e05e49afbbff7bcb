//! What became of one song: the part of a stored export that every stage writes and every answer reads.

use serde::{Deserialize, Serialize};

use super::request::SongSpec;
use crate::providers::spotify::PLAYLIST_ITEMS_MAX;

/// How a song was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The request named the track.
    Given,
    /// By the recording's code.
    Isrc,
    /// By title and artist as fields.
    Fielded,
    /// By words.
    Plain,
    /// By a search before this export.
    Remembered,
    /// The person said so.
    Corrected,
}

/// A track that was looked at and not taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The track.
    pub uri: String,
    /// Its title.
    pub title: String,
    /// Its artists.
    pub artists: Vec<String>,
    /// How alike it is, 0 to 1.
    pub score: f64,
    /// What speaks against it, in words; jobs stored by earlier versions have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What became of one song. Duplicates are not stored: which song came first follows from the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    Matched {
        uri: String,
        score: f64,
        how: How,
    },
    Unmatched {
        reason: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<Candidate>,
    },
    Rejected {
        uri: String,
        reason: String,
    },
}

/// One song of the request and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) song: SongSpec,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fate: Option<Fate>,
}

impl Fate {
    /// What becomes of a found song for which the playlist has no room.
    pub(super) fn without_room(self) -> Self {
        match self {
            Self::Matched { uri, .. } => Self::Rejected {
                uri,
                reason: format!("a playlist takes at most {PLAYLIST_ITEMS_MAX} tracks"),
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_that_was_stored_without_a_reason_is_still_read() {
        let stored = r#"{"uri": "spotify:track:1", "title": "Hello", "artists": ["Adele"], "score": 0.4}"#;
        let candidate: Candidate = serde_json::from_str(stored).expect("as earlier versions wrote it");
        assert_eq!(candidate.reason, "");
    }
}

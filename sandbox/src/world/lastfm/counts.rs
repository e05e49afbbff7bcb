//! What was played most: the sums behind the top lists and the weekly chart.

use std::collections::HashMap;

use super::{Play, Song};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tracks,
    Artists,
    /// Plays without an album are left out.
    Albums,
}

/// One row of a top list.
pub(crate) struct Counted<'a> {
    /// The first of its plays, which gives the spelling.
    pub(crate) song: &'a Song,
    pub(crate) plays: usize,
}

impl Kind {
    /// What makes two plays the same here; spelling in capitals or small letters does not tell them apart.
    fn key(self, song: &Song) -> Option<(String, String)> {
        let name = match self {
            Self::Tracks => &song.title,
            Self::Artists => "",
            Self::Albums => song.album.as_deref().filter(|album| !album.is_empty())?,
        };
        Some((song.artist.to_lowercase(), name.to_lowercase()))
    }

    /// Counts these plays, most played first; among equals by name, though the real order is unspecified.
    pub(crate) fn count(self, plays: &[Play]) -> Vec<Counted<'_>> {
        let mut counted: HashMap<(String, String), Counted<'_>> = HashMap::new();
        for play in plays {
            if let Some(key) = self.key(&play.song) {
                let first = || Counted {
                    song: &play.song,
                    plays: 0,
                };
                counted.entry(key).or_insert_with(first).plays += 1;
            }
        }
        let mut rows: Vec<_> = counted.into_iter().collect();
        rows.sort_by(|(key, row), (other_key, other)| (other.plays, key).cmp(&(row.plays, other_key)));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

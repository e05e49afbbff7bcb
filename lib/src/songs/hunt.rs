//! One song's way through a search: what to ask next, what was found, when to stop.

use super::{How, Likeness, Query, Song, Wanted, queries};

/// The search for one song. Asks nothing itself: the caller takes each query to a catalogue and offers what comes back.
///
/// ```
/// use patchbay::songs::{Hunt, Song};
///
/// let artists = ["Adele"];
/// let hello = Song { title: "Hello", artists: &artists, ..Song::default() };
/// let mut hunt = Hunt::new(&hello);
/// let query = hunt.next_query().expect("a name to ask for");
/// hunt.offer("uri", &hello, query.how);
/// assert!(hunt.found().is_some());
/// assert_eq!(hunt.next_query(), None, "nothing more is asked for a song that is found");
/// ```
#[derive(Debug)]
pub struct Hunt<T> {
    wanted: Wanted,
    queries: std::vec::IntoIter<Query>,
    seen: Vec<Seen<T>>,
}

/// A track that was looked at.
#[derive(Debug, Clone)]
pub struct Seen<T> {
    /// What the caller knows it by.
    pub track: T,
    /// How alike it is to the wanted song.
    pub likeness: Likeness,
    /// The kind of search that showed it first.
    pub how: How,
}

impl<T: PartialEq> Hunt<T> {
    /// Starts with the surest of [`queries()`].
    #[must_use]
    pub fn new(wanted: &Song<'_>) -> Self {
        Self {
            wanted: Wanted::new(wanted),
            queries: queries(wanted).into_iter(),
            seen: Vec::new(),
        }
    }

    /// What to ask next; `None` once the song is found or nothing is left to ask.
    pub fn next_query(&mut self) -> Option<Query> {
        if self.found().is_some() {
            return None;
        }
        self.queries.next()
    }

    /// Looks at a track; one that was seen before is not counted again.
    pub fn offer(&mut self, track: T, song: &Song<'_>, how: How) {
        if self.seen.iter().any(|seen| seen.track == track) {
            return;
        }
        let likeness = self.wanted.likeness(song);
        self.seen.push(Seen { track, likeness, how });
    }

    /// The wanted song: the likest that is accepted; of equals the first that was offered.
    #[must_use]
    pub fn found(&self) -> Option<&Seen<T>> {
        let accepted = self.seen.iter().filter(|seen| seen.likeness.is_accepted());
        accepted.reduce(|best, other| {
            if other.likeness.score > best.likeness.score {
                other
            } else {
                best
            }
        })
    }

    /// Everything that was looked at, likest first; equals as they were offered.
    #[must_use]
    pub fn ranked(mut self) -> Vec<Seen<T>> {
        self.seen
            .sort_by(|a, b| b.likeness.score.total_cmp(&a.likeness.score));
        self.seen
    }
}

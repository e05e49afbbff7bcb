//! Which tracks go into the playlist, in which order: pure decisions, from what was found and what was read back.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::fate::{Entry, Fate};
use crate::providers::spotify::PLAYLIST_ITEMS_MAX;

/// The tracks to add, each once, in the order of the request. Refused ones keep their place, so that a place in the
/// plan means the same before and after a refusal.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The tracks.
    pub(super) tracks: Vec<Planned>,
    /// Songs that turned out to be a track that an earlier song is already.
    pub(super) duplicates: Vec<Duplicate>,
    /// Songs that were found and for which the playlist has no room: their places in the request.
    pub(super) beyond: Vec<usize>,
}

/// One track of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// The song's place in the request.
    pub(super) index: usize,
    pub(super) uri: String,
    /// Spotify would not take it.
    pub(super) rejected: bool,
}

/// One song that is a track that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The song's place in the request.
    pub index: usize,
    /// The track that both songs are.
    pub uri: String,
    /// The place of the song that came first.
    pub of: usize,
}

impl Plan {
    /// The plan for `entries`, the songs in the order of the request.
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut plan = Self::default();
        let mut first_of: HashMap<&str, usize> = HashMap::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let (uri, rejected) = match &entry.fate {
                Some(Fate::Matched { uri, .. }) => (uri, false),
                Some(Fate::Rejected { uri, .. }) => (uri, true),
                Some(Fate::Unmatched { .. }) | None => continue,
            };
            if let Some(&of) = first_of.get(uri.as_str()) {
                plan.duplicates.push(Duplicate {
                    index,
                    uri: uri.clone(),
                    of,
                });
                continue;
            }
            first_of.insert(uri, index);
            if plan.tracks.len() == PLAYLIST_ITEMS_MAX {
                plan.beyond.push(index);
                continue;
            }
            plan.tracks.push(Planned {
                index,
                uri: uri.clone(),
                rejected,
            });
        }
        plan
    }

    /// How many items the playlist has when the first `filled` places of the plan are done.
    pub(super) fn items_after(&self, filled: usize) -> usize {
        self.tracks
            .iter()
            .take(filled)
            .filter(|track| !track.rejected)
            .count()
    }

    /// The URIs of these places.
    pub(super) fn uris(&self, places: Range<usize>) -> Vec<String> {
        self.tracks
            .get(places)
            .unwrap_or_default()
            .iter()
            .map(|track| track.uri.clone())
            .collect()
    }
}

/// How many of `batch` are in the playlist already, after an attempt whose answer was lost.
///
/// `grown` is by how much the playlist is longer than before the attempt, `tail` the entries it ends with (`None` for
/// one that is gone from the catalogue). A plan has every URI once, so a URI of the batch in the tail was put there by
/// the attempt, or by the person, who may add a song of the same list or take one out at any time: that most of a
/// beginning of the batch is there means that the attempt was acted upon. Spotify may show a track under another URI
/// than it was added by: the length then tells that all of them arrived.
pub(super) fn landed(batch: &[String], grown: usize, tail: &[Option<String>]) -> usize {
    let there: HashSet<&String> = tail.iter().flatten().collect();
    let (mut seen, mut arrived) = (0, 0);
    for (place, uri) in batch.iter().enumerate() {
        if there.contains(uri) {
            seen += 1;
            if 2 * seen > place + 1 {
                arrived = place + 1;
            }
        }
    }
    if arrived > 0 && grown >= batch.len() {
        batch.len()
    } else {
        arrived
    }
}

/// Cuts a refused batch so that the bad URI ends up alone: around the one that the refusal names, else in halves.
/// `batch` starts at place `start` of the plan; the pieces are in order and none is empty.
pub(super) fn cut(start: usize, batch: &[String], refusal: &str) -> Vec<Range<usize>> {
    let end = start + batch.len();
    let bad = batch.iter().position(|uri| refusal.contains(uri.as_str()));
    let cuts = match bad {
        Some(at) => [start, start + at, start + at + 1, end],
        None => [start, start + batch.len() / 2, end, end],
    };
    cuts.windows(2)
        .map(|pair| pair[0]..pair[1])
        .filter(|piece| !piece.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::fate::How;

    fn uris(numbers: Range<usize>) -> Vec<String> {
        numbers
            .map(|number| format!("spotify:track:{number:022}"))
            .collect()
    }

    fn tail(numbers: Range<usize>) -> Vec<Option<String>> {
        uris(numbers).into_iter().map(Some).collect()
    }

    #[test]
    fn what_landed_is_read_from_the_tail() {
        let batch = uris(100..200);
        assert_eq!(landed(&batch, 0, &tail(50..100)), 0, "nothing arrived");
        assert_eq!(landed(&batch, 100, &tail(100..200)), 100, "all arrived");
        assert_eq!(landed(&batch, 40, &tail(90..140)), 40, "some arrived");
        let mut renamed = tail(100..200);
        renamed[99] = Some("spotify:track:another".into());
        assert_eq!(
            landed(&batch, 100, &renamed),
            100,
            "the last one goes by another URI"
        );
        let mut with_one_more = tail(100..200);
        with_one_more.push(Some("spotify:track:of-the-person".into()));
        assert_eq!(
            landed(&batch, 101, &with_one_more),
            100,
            "somebody else added one"
        );
        assert_eq!(
            landed(&batch, 1, &[Some("spotify:track:of-the-person".into())]),
            0,
            "only somebody else added one"
        );
        assert_eq!(landed(&batch, 5, &[None, None]), 0);
    }

    #[test]
    fn what_the_person_does_meanwhile_is_not_taken_for_ours() {
        let batch = uris(100..200);
        let by_hand = [Some(batch[57].clone())];
        assert_eq!(landed(&batch, 1, &by_hand), 0, "they added a song of the list");
        let first_by_hand = [Some(batch[0].clone())];
        assert_eq!(landed(&batch, 1, &first_by_hand), 1, "the one that is next");
        let mut without_some = tail(100..200);
        without_some.drain(90..);
        without_some.drain(..30);
        assert_eq!(
            landed(&batch, 60, &without_some),
            90,
            "they took some of them out"
        );
        let mut with_theirs = tail(100..200);
        with_theirs.insert(40, Some("spotify:track:theirs".into()));
        assert_eq!(landed(&batch, 101, &with_theirs), 100, "they added one between");
    }

    #[test]
    fn what_a_playlist_has_no_room_for_is_left_out_and_named() {
        let song = |number: usize| Entry {
            fate: Some(Fate::Matched {
                uri: format!("spotify:track:{number:022}"),
                score: 1.0,
                how: How::Given,
            }),
            ..Entry::default()
        };
        let mut entries: Vec<Entry> = (0..PLAYLIST_ITEMS_MAX + 2).map(song).collect();
        entries.push(song(3));
        entries.push(song(PLAYLIST_ITEMS_MAX));
        let plan = Plan::of(&entries);
        assert_eq!(plan.tracks.len(), PLAYLIST_ITEMS_MAX);
        assert_eq!(plan.beyond, [PLAYLIST_ITEMS_MAX, PLAYLIST_ITEMS_MAX + 1]);
        let doubles: Vec<_> = plan
            .duplicates
            .iter()
            .map(|double| (double.index, double.of))
            .collect();
        assert_eq!(
            doubles,
            [
                (PLAYLIST_ITEMS_MAX + 2, 3),
                (PLAYLIST_ITEMS_MAX + 3, PLAYLIST_ITEMS_MAX)
            ]
        );
    }

    #[test]
    fn a_refused_batch_is_cut_around_the_named_uri() {
        let batch = uris(0..10);
        let named = format!("Invalid track uri: {}", batch[3]);
        assert_eq!(cut(100, &batch, &named), [100..103, 103..104, 104..110]);
        assert_eq!(
            cut(100, &batch, &format!("Invalid track uri: {}", batch[0])),
            [100..101, 101..110]
        );
        assert_eq!(
            cut(100, &batch, "Payload contains a non-existing ID"),
            [100..105, 105..110]
        );
    }

    proptest! {
        #[test]
        fn cutting_keeps_every_place_once_and_always_gets_smaller(
            start in 0_usize..9_900,
            len in 2_usize..=100,
            bad in proptest::option::of(0_usize..100),
        ) {
            let batch = uris(0..len);
            let refusal = bad.and_then(|bad| batch.get(bad)).cloned().unwrap_or_default();
            let pieces = cut(start, &batch, &refusal);
            prop_assert!(pieces.len() >= 2);
            let places: Vec<usize> = pieces.into_iter().flatten().collect();
            prop_assert_eq!(places, (start..start + len).collect::<Vec<_>>());
        }
    }
}

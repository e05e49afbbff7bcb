//! What a caller is told when an export is done: what became of every song.

use super::{
    ExportId,
    fate::Fate,
    job::Job,
    plan::{Duplicate, Plan},
    progress::Progress,
};

pub use super::{
    fate::{Candidate, How},
    head::{Mode, Why},
};

/// What running an export for a while came to.
#[derive(Debug)]
pub enum Outcome {
    /// Every song has its fate.
    Finished(Box<Finished>),
    /// There is more to do, later.
    Unfinished(Progress),
}

/// A song that is in the playlist.
#[derive(Clone, Debug, PartialEq)]
pub struct Matched {
    /// The song's place in the request.
    pub index: usize,
    /// The track.
    pub uri: String,
    /// How alike they are, 0 to 1.
    pub score: f64,
    /// How it was found.
    pub how: How,
}

/// A song that nothing was found for.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmatched {
    /// The song's place in the request.
    pub index: usize,
    /// Why, in words.
    pub reason: String,
    /// The nearest tracks, nearest first.
    pub candidates: Vec<Candidate>,
}

/// A song whose track Spotify would not take.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// The song's place in the request.
    pub index: usize,
    /// The track.
    pub uri: String,
    /// Why, in Spotify's words.
    pub reason: String,
}

/// What became of every song: each is in exactly one of the four lists.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which export.
    pub id: ExportId,
    /// The playlist's id; none when there was nothing to put into one.
    pub playlist_id: Option<String>,
    /// Where a person opens it.
    pub playlist_url: Option<String>,
    /// Songs in the request.
    pub total_songs: usize,
    /// Through whose account.
    pub mode: Mode,
    /// Whether the operator's account stood in for the caller's.
    pub used_fallback: bool,
    /// The account's id.
    pub account_id: Option<String>,
    /// What is in the playlist, in its order.
    pub matched: Vec<Matched>,
    /// What was not found.
    pub unmatched: Vec<Unmatched>,
    /// What was there already.
    pub duplicates: Vec<Duplicate>,
    /// What Spotify would not take, and what the playlist had no room for.
    pub rejected: Vec<Rejected>,
    /// How many of the rejected ones a longer playlist would have taken.
    pub beyond: usize,
}

impl Finished {
    /// The account of a job that is done. The only place that counts: every song goes into exactly one list.
    pub(super) fn of(job: &Job) -> Self {
        let plan = Plan::of(job.entries());
        let mut finished = Self {
            id: job.id.clone(),
            playlist_id: job.head.playlist.as_ref().map(|playlist| playlist.id.clone()),
            playlist_url: job.head.playlist.as_ref().map(|playlist| playlist.url.clone()),
            total_songs: job.head.total,
            mode: job.head.mode,
            used_fallback: job.head.used_fallback,
            account_id: job.head.account_id.clone(),
            matched: Vec::new(),
            unmatched: Vec::new(),
            duplicates: Vec::new(),
            rejected: Vec::new(),
            beyond: 0,
        };
        let mut duplicates = plan.duplicates.into_iter().peekable();
        let mut beyond = plan.beyond.into_iter().peekable();
        for (index, entry) in job.entries().enumerate() {
            if let Some(duplicate) = duplicates.next_if(|duplicate| duplicate.index == index) {
                finished.duplicates.push(duplicate);
            } else if beyond.next_if_eq(&index).is_some() {
                finished.beyond += 1;
                finished.count(index, entry.fate.clone().map(Fate::without_room));
            } else {
                finished.count(index, entry.fate.clone());
            }
        }
        debug_assert_eq!(
            finished.total_songs,
            finished.tracks_added()
                + finished.unmatched.len()
                + finished.duplicates.len()
                + finished.rejected.len(),
            "every song has exactly one fate"
        );
        finished
    }

    /// Songs that are in the playlist.
    #[must_use]
    pub fn tracks_added(&self) -> usize {
        self.matched.len()
    }

    fn count(&mut self, index: usize, fate: Option<Fate>) {
        match fate {
            Some(Fate::Matched { uri, score, how }) => self.matched.push(Matched {
                index,
                uri,
                score,
                how,
            }),
            Some(Fate::Rejected { uri, reason }) => self.rejected.push(Rejected { index, uri, reason }),
            Some(Fate::Unmatched { reason, candidates }) => self.unmatched.push(Unmatched {
                index,
                reason,
                candidates,
            }),
            // A job is done only after every song was looked up; were one left, it is not in the playlist.
            None => self.unmatched.push(Unmatched {
                index,
                reason: "not looked up".to_owned(),
                candidates: Vec::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::export::fate::Entry;

    fn fate() -> impl Strategy<Value = Option<Fate>> {
        let uri = || (0_u8..6).prop_map(|track| format!("spotify:track:{track}"));
        prop_oneof![
            uri().prop_map(|uri| Some(Fate::Matched {
                uri,
                score: 1.0,
                how: How::Plain
            })),
            uri().prop_map(|uri| Some(Fate::Rejected {
                uri,
                reason: "refused".into()
            })),
            Just(Some(Fate::Unmatched {
                reason: "nothing".into(),
                candidates: Vec::new()
            })),
            Just(None),
        ]
    }

    proptest! {
        #[test]
        fn every_song_is_counted_once_and_the_order_is_kept(
            fates in proptest::collection::vec(fate(), 1..60),
        ) {
            let entries: Vec<Entry> = fates
                .into_iter()
                .map(|fate| Entry { fate, ..Entry::default() })
                .collect();
            let plan = Plan::of(&entries);
            let total = entries.len();
            let finished = Finished::of(&Job::for_tests(&entries));
            let mut indices: Vec<usize> = finished.matched.iter().map(|song| song.index)
                .chain(finished.unmatched.iter().map(|song| song.index))
                .chain(finished.duplicates.iter().map(|song| song.index))
                .chain(finished.rejected.iter().map(|song| song.index))
                .collect();
            indices.sort_unstable();
            prop_assert_eq!(indices, (0..total).collect::<Vec<_>>());

            let added: Vec<&str> = finished.matched.iter().map(|song| song.uri.as_str()).collect();
            let planned: Vec<&str> = plan.tracks.iter().filter(|track| !track.rejected)
                .map(|track| track.uri.as_str()).collect();
            prop_assert_eq!(&added, &planned, "the playlist holds what is reported, in that order");
            prop_assert_eq!(plan.items_after(plan.tracks.len()), finished.tracks_added());
            for duplicate in &finished.duplicates {
                prop_assert!(duplicate.of < duplicate.index);
            }
        }
    }
}

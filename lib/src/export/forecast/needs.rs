//! What the songs of a request take: calls, counted before any is made.

use std::collections::HashSet;

use super::Calls;
use crate::{
    export::{
        fate::Fate,
        memory::{Memory, Own, Subject},
        request::SongSpec,
        resolve::{Case, cases},
    },
    providers::spotify::{ITEMS_PER_CALL_MAX, PLAYLIST_ITEMS_MAX},
    system::Timestamp,
};

/// Searches for a song of which nothing is known, in tenths: what the labelled songs of `tests/bench/matching` take.
const SEARCHES_TENTHS: usize = 13;

/// Searches for one song at most: by code, by fields, by words.
const SEARCHES_MAX: usize = 3;

/// Songs of which memory is asked at once.
const SONGS_AT_ONCE: usize = 100;

/// What the songs of one request take.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Songs whose fate is known without a call.
    pub(super) remembered: usize,
    /// Tracks to be looked at: named by the request, or wanted by the person and not seen yet.
    pub(super) reads: usize,
    /// Tracks that will be in the playlist, as far as is known.
    tracks: HashSet<String>,
    /// Songs to be searched for; one that the list has twice is one.
    searched: usize,
    /// Searches for them at most.
    searches_max: usize,
    /// Searches beside these, at most, if no track that has to be looked at is there.
    searches_instead: usize,
}

impl Needs {
    /// What `songs` take when what is remembered and what the person corrected is heeded.
    pub(super) async fn of(songs: &[SongSpec], memory: &Memory, own: &Own, now: Timestamp) -> Self {
        let mut needs = Self::default();
        let mut seen = HashSet::new();
        for songs in songs.chunks(SONGS_AT_ONCE) {
            let songs = songs.iter().cloned().enumerate().collect();
            for case in cases(memory, own, songs).await {
                needs.count(case, &mut seen, now);
            }
        }
        needs
    }

    /// What `songs` take at most likely when nobody knows who asks: whoever has not been recognized is neither told what
    /// others have searched for, nor does a list of theirs take more than a glance.
    pub(super) fn of_strangers(songs: &[SongSpec]) -> Self {
        let reads = songs.iter().filter(|song| song.given_id().is_some()).count();
        let named = songs.iter().filter_map(SongSpec::given_id).map(str::to_owned);
        let searched = songs.len() - reads;
        Self {
            remembered: 0,
            reads,
            tracks: named.collect(),
            searched,
            searches_max: searched * SEARCHES_MAX,
            searches_instead: reads * SEARCHES_MAX,
        }
    }

    fn count(&mut self, case: Case<'_>, seen: &mut HashSet<Subject>, now: Timestamp) {
        if let Some(fate) = case.known(now) {
            self.remembered += 1;
            if let Fate::Matched { uri, .. } = fate {
                self.tracks.insert(uri);
            }
            return;
        }
        let named = case.named_track();
        let subject = case.into_subject();
        let searches = subject.searches;
        if let Some(uri) = named {
            // Looked at for each song that names it.
            self.reads += 1;
            self.tracks.insert(uri);
            self.searches_instead += searches;
        } else if seen.insert(subject) {
            self.searched += usize::from(searches > 0);
            self.searches_max += searches;
        }
    }

    /// `GET /v1/search`.
    pub(super) fn search(&self) -> Calls {
        let likely = (self.searched * SEARCHES_TENTHS).div_ceil(10);
        Calls {
            least: self.searched,
            likely: likely.min(self.searches_max),
            most: self.searches_max + self.searches_instead,
        }
    }

    /// Making the playlist and adding to it.
    pub(super) fn playlist(&self) -> Calls {
        // Which of the tracks that have to be looked at are there is not known.
        let certain = if self.reads == 0 { self.tracks.len() } else { 0 };
        let all = self.tracks.len() + self.searched;
        Calls {
            least: writes(certain),
            likely: writes(all),
            most: writes(all),
        }
    }
}

/// One to make the playlist and one for each hundred tracks; none where there is nothing to put into one.
fn writes(tracks: usize) -> usize {
    match tracks.min(PLAYLIST_ITEMS_MAX) {
        0 => 0,
        tracks => 1 + tracks.div_ceil(ITEMS_PER_CALL_MAX),
    }
}

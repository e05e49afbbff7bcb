//! How far an export is, for whoever asks in the middle of it.

use std::time::Duration;

use super::{
    ExportId,
    blocked::Blocked,
    head::{CurrentSong, Head, Stage, Why},
};
use crate::{providers::spotify::ITEMS_PER_CALL_MAX, system::Timestamp};

/// What one song takes as long as none was measured: 1.3 searches (`tests/bench/matching`) at five calls a second.
const SONG_UNMEASURED: Duration = Duration::from_millis(260);

/// What one write of Spotify's takes, with its turn: a playlist made, a batch of a hundred added.
pub(super) const WRITE: Duration = Duration::from_millis(400);

/// How far an export is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Which export.
    pub id: ExportId,
    /// What it is at.
    pub stage: Stage,
    /// How much of this stage is done: songs looked up, playlists created, tracks added.
    pub done: usize,
    /// Of how much.
    pub total: usize,
    /// The song that was looked up last, while songs are.
    pub song: Option<CurrentSong>,
    /// How long the rest may take, all stages together. `None` while it waits.
    pub remaining: Option<Duration>,
    /// When it goes on. `None` while it runs, and while it waits for a person.
    pub resume_at: Option<Timestamp>,
    /// What it waits for.
    pub waits_for: WaitsFor,
}

/// Why an unfinished export is not going on right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// It is going on right now.
    Nothing,
    /// An instant.
    Time(Why),
    /// A person.
    Person(Blocked),
}

impl Progress {
    pub(super) fn of(id: &ExportId, head: &Head, now: Timestamp) -> Self {
        let (done, total) = match head.stage {
            Stage::Loading | Stage::Resolve => (head.resolved, head.total),
            Stage::Create => (0, 1),
            Stage::Fill | Stage::Done => (head.filled, head.planned),
        };
        let waits_for = match (&head.blocked, head.parked) {
            _ if head.is_leased(now) => WaitsFor::Nothing,
            (Some(blocked), _) => WaitsFor::Person(*blocked),
            (None, Some(parked)) => WaitsFor::Time(parked.why),
            (None, None) => WaitsFor::Time(Why::TimeBudget),
        };
        let resume_at = match waits_for {
            WaitsFor::Time(_) => Some(head.parked.map_or(now, |parked| parked.until)),
            WaitsFor::Nothing | WaitsFor::Person(_) => None,
        };
        Self {
            id: id.clone(),
            stage: head.stage,
            done,
            total,
            song: head.song.clone(),
            remaining: (waits_for == WaitsFor::Nothing).then(|| remaining(head)),
            resume_at,
            waits_for,
        }
    }

    /// Whether it waits for an instant that has come.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.resume_at.is_some_and(|at| at <= now)
    }
}

/// A guess, from what the songs so far took.
fn remaining(head: &Head) -> Duration {
    let writes = |tracks: usize| {
        let calls = tracks.div_ceil(ITEMS_PER_CALL_MAX);
        WRITE * u32::try_from(calls).unwrap_or(u32::MAX)
    };
    match head.stage {
        Stage::Loading | Stage::Resolve => {
            let song = head.song_ms.map_or(SONG_UNMEASURED, Duration::from_millis);
            let left = u32::try_from(head.total.saturating_sub(head.resolved)).unwrap_or(u32::MAX);
            song.saturating_mul(left) + WRITE + writes(head.total)
        }
        Stage::Create => WRITE + writes(head.planned),
        Stage::Fill => writes(head.planned.saturating_sub(head.filled)),
        Stage::Done => Duration::ZERO,
    }
}

/// Where one run began: what it measures by, and whether it came any further.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    at: Timestamp,
    stage: Stage,
    resolved: usize,
    filled: usize,
}

/// Fewer songs say too little about the rest.
const MEASURED_SONGS_MIN: usize = 5;

impl Start {
    pub(super) fn of(head: &Head, now: Timestamp) -> Self {
        Self {
            at: now,
            stage: head.stage,
            resolved: head.resolved,
            filled: head.filled,
        }
    }

    /// Whether `head` is any further than it was.
    pub(super) fn is_left_behind_by(self, head: &Head) -> bool {
        (self.stage, self.resolved, self.filled) != (head.stage, head.resolved, head.filled)
    }

    /// What a song of this run took, in milliseconds; `None` as long as there are too few.
    pub(super) fn song_ms(self, head: &Head, now: Timestamp) -> Option<u64> {
        let songs = head.resolved.saturating_sub(self.resolved);
        if songs < MEASURED_SONGS_MIN {
            return None;
        }
        let took_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        Some(took_ms / songs as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{fate::Entry, job::Job};

    #[test]
    fn what_is_left_goes_by_what_was_measured_and_shrinks_to_nothing() {
        let at = Timestamp::from_ms;
        let mut head = Job::for_tests(&vec![Entry::default(); 200]).head;
        head.stage = Stage::Resolve;
        head.leased_until = Some(at(60_000));
        let left = |head: &Head| Progress::of(&ExportId("x".into()), head, at(0)).remaining;
        assert_eq!(left(&head), Some(SONG_UNMEASURED * 200 + WRITE * 3));
        let start = Start::of(&head, at(0));
        head.resolved = 4;
        assert_eq!(start.song_ms(&head, at(4_000)), None, "too few to tell");
        head.resolved = 100;
        head.song_ms = start.song_ms(&head, at(50_000));
        assert_eq!(left(&head), Some(Duration::from_millis(500) * 100 + WRITE * 3));
        head.stage = Stage::Fill;
        (head.planned, head.filled) = (150, 100);
        assert_eq!(left(&head), Some(WRITE));
        head.leased_until = None;
        assert_eq!(left(&head), None, "nobody knows how long a wait takes");
    }
}

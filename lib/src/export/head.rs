//! The head of an export as it is stored: everything but its songs. Every checkpoint writes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    blocked::Blocked,
    request::{PlaylistSpec, Request, Through},
};
use crate::{
    providers::spotify::{CALL_TIMEOUT, Playlist},
    system::{CLOCK_SKEW_MAX, Timestamp},
};

/// How long a runner has a job to itself between two checkpoints. Longer than the longest single step (a wait of
/// 30 s that the provider asked for, and two calls of 15 s); as short as a person waits whose runner was killed.
pub(super) const LEASE: Duration = Duration::from_mins(2);

/// What has to be left of the lease when a call begins that must not be made twice: its answer comes, or is given up,
/// before anybody else takes the job, and a call that hangs has been seen to be acted upon half a minute late.
pub(super) const LEFT_TO_WRITE: Duration = CALL_TIMEOUT.saturating_add(CLOCK_SKEW_MAX);

const _: () = assert!(LEFT_TO_WRITE.as_secs() < LEASE.as_secs());

/// How long a job is kept after it was made, if nobody goes on with it, or after it was done: long enough to look
/// at the result again and to repeat a request under its key. Spotify's terms want no indefinite copies.
pub(super) const KEPT: Duration = Duration::from_hours(30 * 24);

/// The first look whether a blocked job can go on; each later one comes after twice the time. For most of what blocks
/// a job a look costs no call of Spotify's.
const LOOK_AGAIN_FIRST: Duration = Duration::from_mins(15);
const LOOK_AGAIN_MAX: Duration = Duration::from_hours(24);

/// Through whose account an export goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The caller's grant through their own app.
    Byo,
    /// The caller's grant through the operator's app.
    Standard,
    /// The operator's own account.
    Owner,
    /// The account whose access token the caller brings each time; it is never stored.
    Bearer,
}

impl From<Through> for Mode {
    fn from(through: Through) -> Self {
        match through {
            Through::Byo => Self::Byo,
            Through::Standard => Self::Standard,
            Through::Owner => Self::Owner,
        }
    }
}

/// What an export is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The songs are being stored.
    Loading,
    /// The songs are being looked up.
    Resolve,
    /// The playlist is being made.
    Create,
    /// The tracks are being added.
    Fill,
    /// Every song has its fate.
    Done,
}

/// What a parked export waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The time that one request may take was over.
    TimeBudget,
    /// Too many calls of patchbay's own are waiting.
    ThrottledHere,
    /// Spotify asked to slow down for longer than a request waits.
    RateLimited,
    /// The app's quota is used up.
    QuotaExceeded,
    /// Spotify does not answer properly.
    ProviderUnavailable,
}

/// Until when a job waits, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parked {
    pub(super) until: Timestamp,
    pub(super) why: Why,
}

/// The playlist that an export made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) url: String,
}

impl From<Playlist> for Made {
    fn from(playlist: Playlist) -> Self {
        Self {
            id: playlist.id,
            url: playlist.url,
        }
    }
}

/// The song that an export is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentSong {
    /// Its place in the request.
    pub index: usize,
    /// Its title.
    pub title: String,
    /// Its artist; empty when the request names none.
    pub artist: String,
}

/// Everything about an export but its songs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) stage: Stage,
    pub(super) mode: Mode,
    pub(super) used_fallback: bool,
    pub(super) fallback_to_owner: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account_id: Option<String>,
    pub(super) spec: PlaylistSpec,
    pub(super) fingerprint: String,
    /// Songs in the request.
    pub(super) total: usize,
    /// Songs that have a fate.
    pub(super) resolved: usize,
    /// Tracks to add; known once all songs are looked up.
    pub(super) planned: usize,
    /// Places of the plan that are done, added or refused.
    pub(super) filled: usize,
    /// The song that was looked up last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) song: Option<CurrentSong>,
    /// What a song took in the latest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) song_ms: Option<u64>,
    /// Since when a playlist may have been made whose id is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) create_attempted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) playlist: Option<Made>,
    /// Until when one runner has it to itself. Which one needs no name: only the runner knows the version to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) leased_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parked: Option<Parked>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blocked: Option<Blocked>,
    /// When that was found out, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) blocked_at: Option<Timestamp>,
    /// How often it was found out without coming further between.
    #[serde(default)]
    pub(super) times_blocked: u32,
    pub(super) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finished_at: Option<Timestamp>,
}

impl Head {
    pub(super) fn new(request: &Request, mode: Mode, now: Timestamp) -> Self {
        Self {
            stage: Stage::Loading,
            mode,
            used_fallback: false,
            fallback_to_owner: request.fallback_to_owner,
            account_id: None,
            spec: request.playlist.clone(),
            fingerprint: request.fingerprint(),
            total: request.songs.len(),
            resolved: 0,
            planned: 0,
            filled: 0,
            song: None,
            song_ms: None,
            create_attempted_at: None,
            playlist: None,
            leased_until: None,
            parked: None,
            blocked: None,
            blocked_at: None,
            times_blocked: 0,
            created_at: now,
            finished_at: None,
        }
    }

    /// Whether somebody may be running it at `now`: until the lease has run out by any clock, theirs included.
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.leased_until
            .is_some_and(|until| until + CLOCK_SKEW_MAX > now)
    }

    /// When the sweep has to look at it: to go on, or to forget it.
    pub(super) fn due_at(&self) -> Timestamp {
        let forget_at = self.forget_at();
        // Only its caller has the token for a `Bearer` job.
        let sweepable = self.stage != Stage::Done && self.mode != Mode::Bearer;
        match (self.leased_until, self.parked, self.looked_again_at()) {
            (Some(until), _, _) if sweepable => until + CLOCK_SKEW_MAX,
            (None, Some(parked), _) if sweepable => parked.until.min(forget_at),
            (None, None, Some(again)) if sweepable => again.min(forget_at),
            _ => forget_at,
        }
    }

    /// When to look whether what blocks it is mended: a person connects again, or pays for Premium, and tells nobody.
    fn looked_again_at(&self) -> Option<Timestamp> {
        let blocked_at = self
            .blocked_at
            .filter(|_| self.blocked.is_some_and(Blocked::may_be_mended_by_connecting))?;
        let doublings = self.times_blocked.saturating_sub(1);
        let pause = LOOK_AGAIN_FIRST.saturating_mul(2_u32.saturating_pow(doublings));
        Some(blocked_at + pause.min(LOOK_AGAIN_MAX))
    }

    /// When nobody needs it any more.
    pub(super) fn forget_at(&self) -> Timestamp {
        self.finished_at.unwrap_or(self.created_at) + KEPT
    }

    /// Whether the operator's account may still stand in: nothing was made in the caller's.
    pub(super) fn may_fall_back(&self) -> bool {
        self.fallback_to_owner && self.mode != Mode::Owner && !self.has_begun()
    }

    /// Whether there is something of it in an account, or may be.
    pub(super) fn has_begun(&self) -> bool {
        self.playlist.is_some() || self.create_attempted_at.is_some()
    }

    pub(super) fn fall_back(&mut self) {
        self.mode = Mode::Owner;
        self.used_fallback = true;
        self.account_id = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{fate::Entry, job::Job};

    #[test]
    fn the_sweep_looks_at_what_it_can_go_on_with() {
        let at = Timestamp::from_ms;
        let forget_at = at(0) + KEPT;
        let mut head = Job::for_tests(&[Entry::default()]).head;
        assert_eq!(head.due_at(), forget_at);
        head.parked = Some(Parked {
            until: at(5),
            why: Why::RateLimited,
        });
        assert_eq!(head.due_at(), at(5));
        head.leased_until = Some(at(9));
        assert_eq!(head.due_at(), at(9) + CLOCK_SKEW_MAX, "a runner that was killed");
        assert!(head.is_leased(at(9)), "it may be earlier where the runner is");
        assert!(!head.is_leased(at(9) + CLOCK_SKEW_MAX));
        head.mode = Mode::Bearer;
        assert_eq!(head.due_at(), forget_at, "nobody else has the token");
    }
}

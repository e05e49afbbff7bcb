//! The token bucket as pure functions: who asks when, how long they wait, and what is left for the next.
//!
//! What a bucket holds is kept as the instant from which it is full again (the "theoretical arrival time" of ITU-T I.371's
//! cell rate algorithm, which is a token bucket). So all arithmetic is on whole milliseconds, and a database can do it in a
//! query and come to the same waits as this file.
//!
//! A token is taken in the moment in which somebody may go, never before: who waits stands in a queue and holds nothing
//! ([`Level::take_turns`]). So whoever hangs up or crashes, no window sees more calls than it may. The proof: each call
//! begins a slot of the bucket's at `max(full_at, now)`, and the next slot begins `spacing_ms` later at the earliest. A call
//! comes at most `tolerance_ms` before its slot begins, and not after that. So the slots of all calls of a window of length
//! `w` begin within `w + tolerance_ms`, which has place for no more than `capacity + w / spacing_ms` of them.
//! The slot of a token that is lent begins when its time is over, and within the tolerance of the moment of lending; so
//! whenever it is used, it keeps both. A token that is given back lets the slots after it begin earlier by one spacing, which
//! keeps both unless one of them would begin before its call: then nothing is given back.
//!
//! A provider teaches it: a refusal closes the bucket for everybody until the stated instant and halves its rate, the
//! first call after that goes alone, and the rate creeps back while there is peace.

mod queue;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use queue::{
    Answer, Ask, GRACE_MS, LEASE_MS, LOOK_EVERY_MS, PATIENCE_MAX_MS, SPARE_MAX_MS, Ticket, Token, Told,
    WAITING_MAX, Waiting,
};

use crate::system::Timestamp;

/// How fast calls may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls that may come at once after a long rest; at least 1.
    pub capacity: u32,
    /// After that, one call each so many milliseconds.
    pub spacing_ms: u32,
    /// Tokens that [`Class::Background`] leaves for people; one of the capacity is everybody's.
    pub room: u32,
    /// How long a refusal closes the bucket at least; twice that for the next one, and so on, as its rate is halved.
    pub pause_min_ms: u32,
    /// No doubling goes beyond this; what a provider asks for does.
    pub pause_max_ms: u32,
}

/// Who a call is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Somebody waits for the answer.
    #[default]
    Interactive,
    /// Nobody does: goes when nobody of the others waits, and leaves some tokens for them.
    Background,
}

/// The rate is halved this often at most: a sixteenth of it still moves, and is a call each few seconds.
pub const HALVINGS_MAX: u32 = 4;

/// So long after the bucket has opened without another refusal, one halving is taken back: two of the windows in which
/// Spotify counts calls (reference: rate limit, 30 s), so that one whole window has seen the slower rate and no other.
pub const QUIET_MS: i64 = 60_000;

/// The first call after a closing goes alone for so long. A refusal comes quicker than any other answer; whoever is next
/// must have heard of it.
pub const TRIAL_MS: i64 = 2_000;

/// A pause that does not end, for what only another key cures: a hundred years, which every engine can still count in.
pub const FOR_GOOD: Duration = Duration::from_hours(100 * 365 * 24);

/// What a provider's refusal is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many calls within a short time.
    #[default]
    RateLimit,
    /// A quota, for which no pace is slow enough.
    Quota,
    /// The key is not known, or suspended: nobody who uses it is answered.
    Key,
}

/// What a bucket remembers. [`Level::default`] is one that nobody ever used: full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Level {
    /// When it is full again: what was taken has been refilled.
    pub full_at: Timestamp,
    /// Nobody goes before this; in the past for a bucket that is open.
    pub closed_until: Timestamp,
    /// What closed it last.
    pub refusal: Refusal,
    /// By how many halvings its rate was lower when it opened last.
    pub halvings: u32,
    /// Whether the next call is the first since it was closed.
    pub on_trial: bool,
    /// How often it was closed: a token from before is not given back.
    pub closings: u64,
    /// Those who wait, of all processes, in the order in which they came.
    pub waiting: Vec<Waiting>,
    /// Tokens that were taken before this are not given back: the bucket was nearly full then.
    pub tight_at: Timestamp,
    /// How much earlier the slots of all calls after that could begin: what is left of it for tokens that are given back.
    pub spare_ms: i64,
    /// Slots that were given before this may have been moved.
    pub shifted_at: Timestamp,
}

/// The turn is further away than the caller would wait. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no call may be made for {} ms", .retry_after.as_millis())]
pub struct Throttled {
    /// How long the wait would be now.
    pub retry_after: Duration,
    /// The refusal that is waited out; `None` when it is only that many calls are waiting.
    pub closed_by: Option<Refusal>,
}

impl Pace {
    /// How much earlier than "full again" a call of this class may come.
    #[must_use]
    pub fn tolerance_ms(self, class: Class) -> i64 {
        let room = match class {
            Class::Interactive => 0,
            Class::Background => self.room,
        };
        let at_once = self.capacity.saturating_sub(1).saturating_sub(room);
        i64::from(at_once) * i64::from(self.spacing_ms)
    }

    /// For how long a bucket is closed when a provider asks for `pause` and it was open, `halvings` below its rate: never so
    /// shortly that a call which was made a moment before is forgotten by it.
    #[must_use]
    pub fn closed_for(self, pause: Duration, halvings: u32) -> Duration {
        let doubled_ms = u64::from(self.pause_min_ms) << halvings.min(HALVINGS_MAX);
        let least_ms = doubled_ms.min(self.pause_max_ms.into());
        self.stays_closed_for(pause).max(Duration::from_millis(least_ms))
    }

    /// The same for a bucket that is closed: the calls that are refused now were under way, and teach nothing new.
    #[must_use]
    pub fn stays_closed_for(self, pause: Duration) -> Duration {
        pause
            .min(FOR_GOOD)
            .max(Duration::from_millis(self.spacing_ms.into()))
    }
}

impl Level {
    /// A provider refused at `now` and wants to be left alone for `pause`. It opens empty and slower than it was; of
    /// several refusals that come while it is closed, as the calls that were under way bring them, the longest counts, and
    /// its rate is halved once. Who waits stays in the queue, and hears of it when they ask again.
    #[must_use]
    pub fn close(self, pace: Pace, now: Timestamp, pause: Duration, refusal: Refusal) -> Self {
        let (until, halvings) = if now < self.closed_until {
            (now + pace.stays_closed_for(pause), self.halvings)
        } else {
            let before = self.halvings_at(now);
            let until = now + pace.closed_for(pause, before);
            (until, (before + 1).min(HALVINGS_MAX))
        };
        if until <= self.closed_until {
            return self;
        }
        let emptied_ms = pace.tolerance_ms(Class::Interactive);
        Self {
            full_at: Timestamp::from_ms(until.as_ms().saturating_add(emptied_ms)),
            closed_until: until,
            refusal,
            halvings,
            on_trial: true,
            closings: self.closings + 1,
            ..self
        }
    }

    /// What closes it at `now`, and until when.
    #[must_use]
    pub fn closed(&self, now: Timestamp) -> Option<(Timestamp, Refusal)> {
        (self.closed_until > now).then_some((self.closed_until, self.refusal))
    }

    /// From when on it says nothing that a bucket which nobody ever used does not say. Who waits then is gone since long.
    #[must_use]
    pub fn says_nothing_from(&self) -> Timestamp {
        let taken_back_ms = QUIET_MS * i64::from(self.halvings);
        let at_full_rate = self.closed_until.as_ms().saturating_add(taken_back_ms);
        self.full_at.max(Timestamp::from_ms(at_full_rate))
    }

    /// The halvings that are left at `now`.
    fn halvings_at(&self, now: Timestamp) -> u32 {
        let quiet_ms = now.as_ms().saturating_sub(self.closed_until.as_ms()).max(0);
        let taken_back = u32::try_from(quiet_ms / QUIET_MS).unwrap_or(u32::MAX);
        self.halvings.min(HALVINGS_MAX).saturating_sub(taken_back)
    }

    fn spacing_ms_at(&self, pace: Pace, now: Timestamp) -> i64 {
        i64::from(pace.spacing_ms) << self.halvings_at(now)
    }
}

#[cfg(test)]
mod tests;

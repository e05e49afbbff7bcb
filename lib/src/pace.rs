//! The token bucket as one pure function: who asks when, how long they wait, and what is left for the next.
//!
//! What a bucket holds is kept as the instant from which it is full again (the "theoretical arrival time" of ITU-T I.371's
//! cell rate algorithm, which is a token bucket). So all arithmetic is on whole milliseconds, and a database can do it in a
//! query and come to the same waits as this file.
//!
//! A provider teaches it: a refusal closes the bucket for everybody until the stated instant and halves its rate, the
//! first call after that goes alone, and the rate creeps back while there is peace.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::system::Timestamp;

/// How fast calls may follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls that may come at once after a long rest; at least 1.
    pub capacity: u32,
    /// After that, one call each so many milliseconds.
    pub spacing_ms: u32,
}

/// The rate is halved this often at most: a sixteenth of it still moves, and is a call each few seconds.
pub const HALVINGS_MAX: u32 = 4;

/// So long after the bucket has opened without another refusal, one halving is taken back: two of the windows in which
/// Spotify counts calls (reference: rate limit, 30 s), so that one whole window has seen the slower rate and no other.
pub const QUIET_MS: i64 = 60_000;

/// The first call after a closing goes alone for so long. A refusal comes quicker than any other answer; whoever is next
/// must have heard of it.
pub const TRIAL_MS: i64 = 2_000;

/// What a provider's refusal is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many calls within a short time.
    #[default]
    RateLimit,
    /// A quota, for which no pace is slow enough.
    Quota,
}

/// What a bucket remembers. [`Level::default`] is one that nobody ever used: full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Level {
    /// When it is full again: all places that were promised have come, and the rest has been refilled.
    pub full_at: Timestamp,
    /// Nobody gets a place before this; in the past for a bucket that is open.
    pub closed_until: Timestamp,
    /// What closed it last.
    pub refusal: Refusal,
    /// By how many halvings its rate was lower when it opened last.
    pub halvings: u32,
    /// Whether the next place is the first since it was closed.
    pub on_trial: bool,
    /// How often it was closed: a place that was promised before is void.
    pub closings: u64,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// How long until its time comes.
    pub wait: Duration,
    /// [`Level::closings`] as they were when it was promised.
    pub closings: u64,
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
    /// How much earlier than "full again" a call may come.
    #[must_use]
    pub fn tolerance_ms(self) -> i64 {
        i64::from(self.capacity.saturating_sub(1)) * i64::from(self.spacing_ms)
    }

    /// For how long a bucket is closed when a provider asks for `pause`: never so shortly that a call which was made a
    /// moment before is forgotten by it.
    #[must_use]
    pub fn closed_for(self, pause: Duration) -> Duration {
        pause.max(Duration::from_millis(self.spacing_ms.into()))
    }
}

impl Level {
    /// Takes the next place: the level afterwards, and when that place's time comes. First come, first served.
    ///
    /// # Errors
    /// [`Throttled`] when the wait would be longer than `wait_max`.
    pub fn take(self, pace: Pace, now: Timestamp, wait_max: Duration) -> Result<(Self, Turn), Throttled> {
        let start = self.full_at.as_ms().saturating_sub(pace.tolerance_ms());
        let wait = Timestamp::from_ms(start).since(now);
        if wait > wait_max {
            return Err(Throttled {
                retry_after: wait,
                closed_by: (self.closed_until > now).then_some(self.refusal),
            });
        }
        let spacing_ms = i64::from(pace.spacing_ms) << self.halvings_at(now);
        let (from_ms, step_ms) = if self.on_trial {
            let alone_ms = now.as_ms().saturating_add(pace.tolerance_ms());
            (self.full_at.as_ms().max(alone_ms), spacing_ms.max(TRIAL_MS))
        } else {
            (self.full_at.max(now).as_ms(), spacing_ms)
        };
        let left = Self {
            full_at: Timestamp::from_ms(from_ms.saturating_add(step_ms)),
            on_trial: false,
            ..self
        };
        let closings = self.closings;
        Ok((left, Turn { wait, closings }))
    }

    /// A provider refused at `now` and wants to be left alone for `pause`. It opens empty and slower than it was; of
    /// several refusals that come while it is closed, as the calls that were under way bring them, the longest counts, and
    /// its rate is halved once.
    #[must_use]
    pub fn close(self, pace: Pace, now: Timestamp, pause: Duration, refusal: Refusal) -> Self {
        let until = now + pace.closed_for(pause);
        if until <= self.closed_until {
            return self;
        }
        let halvings = if now < self.closed_until {
            self.halvings
        } else {
            (self.halvings_at(now) + 1).min(HALVINGS_MAX)
        };
        Self {
            full_at: Timestamp::from_ms(until.as_ms().saturating_add(pace.tolerance_ms())),
            closed_until: until,
            refusal,
            halvings,
            on_trial: true,
            closings: self.closings + 1,
        }
    }

    /// What closes it at `now`, and until when.
    #[must_use]
    pub fn closed(self, now: Timestamp) -> Option<(Timestamp, Refusal)> {
        (self.closed_until > now).then_some((self.closed_until, self.refusal))
    }

    /// From when on it says nothing that a bucket which nobody ever used does not say.
    #[must_use]
    pub fn says_nothing_from(self) -> Timestamp {
        let taken_back_ms = QUIET_MS * i64::from(self.halvings);
        let at_full_rate = self.closed_until.as_ms().saturating_add(taken_back_ms);
        self.full_at.max(Timestamp::from_ms(at_full_rate))
    }

    /// The halvings that are left at `now`.
    fn halvings_at(self, now: Timestamp) -> u32 {
        let quiet_ms = now.as_ms().saturating_sub(self.closed_until.as_ms()).max(0);
        let taken_back = u32::try_from(quiet_ms / QUIET_MS).unwrap_or(u32::MAX);
        self.halvings.min(HALVINGS_MAX).saturating_sub(taken_back)
    }
}

#[cfg(test)]
mod tests;

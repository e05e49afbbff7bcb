//! The token bucket as one pure function: who asks when, how long they wait, and what is left for the next.

use std::time::Duration;

use crate::system::Timestamp;

/// How fast calls may follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Calls that may come at once after a long rest.
    pub capacity: f64,
    /// Calls for each second after that.
    pub per_second: f64,
}

/// What is left in a bucket. Below zero, it owes: places that were promised and whose time has not come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    tokens: f64,
    /// When it had that many. In the future for a bucket that is closed until then.
    at: Timestamp,
}

/// The queue is longer than the caller would wait. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls are waiting")]
pub struct Throttled {
    /// How long the wait would be now.
    pub retry_after: Duration,
}

impl Level {
    /// A bucket that a provider's refusal closed: empty until `until`.
    #[must_use]
    pub const fn closed(until: Timestamp) -> Self {
        Self {
            tokens: 0.0,
            at: until,
        }
    }

    /// Whether it is closed at `now`.
    #[must_use]
    pub fn is_closed(self, now: Timestamp) -> bool {
        self.at > now
    }

    /// This level, but not open before `until`. What it owes, it goes on owing.
    #[must_use]
    pub fn closed_until(self, until: Timestamp) -> Self {
        Self {
            tokens: self.tokens.min(0.0),
            at: self.at.max(until),
        }
    }
}

impl Pace {
    /// Takes the next place in the queue: the level afterwards, and how long until that place's time comes.
    /// First come, first served; a bucket nobody used yet (`None`) is full.
    ///
    /// # Errors
    /// [`Throttled`] when the wait would be longer than `wait_max`.
    pub fn reserve(
        self,
        level: Option<Level>,
        now: Timestamp,
        wait_max: Duration,
    ) -> Result<(Level, Duration), Throttled> {
        let level = self.refilled(level, now);
        let left = Level {
            tokens: level.tokens - 1.0,
            ..level
        };
        let owed = Duration::try_from_secs_f64((-left.tokens).max(0.0) / self.per_second);
        let wait = level.at.since(now).saturating_add(owed.unwrap_or(Duration::MAX));
        if wait > wait_max {
            return Err(Throttled { retry_after: wait });
        }
        Ok((left, wait))
    }

    /// Whether the bucket has nothing to remember: it is as full as one that nobody ever used.
    #[must_use]
    pub fn is_full(self, level: Level, now: Timestamp) -> bool {
        self.refilled(Some(level), now).tokens >= self.capacity
    }

    fn refilled(self, level: Option<Level>, now: Timestamp) -> Level {
        let Some(level) = level else {
            return Level {
                tokens: self.capacity,
                at: now,
            };
        };
        let gained = now.since(level.at).as_secs_f64() * self.per_second;
        Level {
            tokens: (level.tokens + gained).min(self.capacity),
            at: level.at.max(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PACE: Pace = Pace {
        capacity: 2.0,
        per_second: 5.0,
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn a_burst_is_spread_and_a_rest_refills() {
        let mut level = None;
        let waits: Vec<u128> = (0..4)
            .map(|_| {
                let (left, wait) = PACE
                    .reserve(level, at(0), Duration::MAX)
                    .expect("endless patience");
                level = Some(left);
                wait.as_millis()
            })
            .collect();
        assert_eq!(waits, [0, 0, 200, 400]);
        let (_, wait) = PACE
            .reserve(level, at(600), Duration::MAX)
            .expect("endless patience");
        assert_eq!(wait, Duration::ZERO, "two were owed, three came in");
        assert!(!PACE.is_full(level.expect("used"), at(700)));
        assert!(PACE.is_full(level.expect("used"), at(800)));
    }

    #[test]
    fn who_will_not_wait_takes_nothing() {
        let owing = Level {
            tokens: -1.0,
            at: at(0),
        };
        let refused = PACE.reserve(Some(owing), at(0), Duration::from_millis(399));
        assert_eq!(
            refused,
            Err(Throttled {
                retry_after: Duration::from_millis(400)
            })
        );
    }

    #[test]
    fn a_closed_bucket_opens_empty_and_forgets_no_debt() {
        let closed = Level::closed(at(10_000));
        let (_, wait) = PACE
            .reserve(Some(closed), at(1_000), Duration::MAX)
            .expect("endless patience");
        assert_eq!(
            wait,
            Duration::from_millis(9_200),
            "nine seconds, and one place's time"
        );
        let owing = Level {
            tokens: -3.0,
            at: at(0),
        };
        assert_eq!(
            owing.closed_until(at(10_000)),
            Level {
                tokens: -3.0,
                at: at(10_000)
            }
        );
        assert_eq!(closed.closed_until(at(5_000)), closed, "never opens earlier");
    }

    proptest! {
        /// Whatever the arrivals: in no window do more calls start than the capacity and the window's refill.
        #[test]
        fn no_window_sees_more_than_it_may(gaps in proptest::collection::vec(0_i64..700, 1..60)) {
            let (mut level, mut now) = (None, 0);
            let mut starts = Vec::new();
            for gap in gaps {
                now += gap;
                let (left, wait) = PACE.reserve(level, at(now), Duration::MAX).expect("endless patience");
                level = Some(left);
                starts.push((at(now) + wait).as_ms());
            }
            for (first, from) in starts.iter().enumerate() {
                for (last, to) in starts.iter().enumerate().skip(first) {
                    let count = u32::try_from(last - first + 1).expect("few");
                    let seconds = Duration::from_millis(u64::try_from(to - from).expect("in order")).as_secs_f64();
                    // One token more for what rounding to milliseconds may hide.
                    prop_assert!(f64::from(count) <= PACE.capacity + seconds * PACE.per_second + 1.0);
                }
            }
        }
    }
}

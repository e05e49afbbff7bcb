//! When a claim to renew is over: the one question for which the clocks of several processes matter.
//!
//! A lease says until when it stands by its holder's clock, and whoever it stands in the way of has another clock. So it
//! is over
//!
//! - when it has run out by any clock that is not further off than [`CLOCK_SKEW_MAX`], or
//! - when somebody has watched it stand there, unchanged, for as long as it lasts. That compares no clocks at all; it
//!   only takes for granted that seconds are about as long here as there.
//!
//! A wrong guess (a clock that is minutes off, a process that was asleep) costs a second call to the provider and nothing
//! else, because what is written does not rest on time: a token is written if the grant is still of the generation that
//! was claimed, and a refusal by nobody but who still holds the lease.

use std::time::Duration;

use super::LEASE;
use crate::{
    store::StoredLease,
    system::{CLOCK_SKEW_MAX, Timestamp},
};

/// What somebody who waits has seen of the lease that stands in their way.
#[derive(Debug, Default)]
pub(super) struct Watch {
    holder: String,
    /// Time spent waiting while it was this holder's. Waits are counted, not clocks read, so a clock that is set
    /// meanwhile does not matter.
    for_so_long: Duration,
    /// Holders seen.
    holders: u32,
}

impl Watch {
    /// Waited for `holder` once more.
    pub(super) fn waited(&mut self, holder: &str, time: Duration) {
        if self.holder != holder {
            holder.clone_into(&mut self.holder);
            self.for_so_long = Duration::ZERO;
            self.holders += 1;
        }
        self.for_so_long += time;
    }

    /// How many holders stood in the way, one after another.
    pub(super) const fn holders(&self) -> u32 {
        self.holders
    }
}

impl StoredLease {
    /// Whether the claim stands no more, at `now` by this process's clock and after what it has watched.
    pub(super) fn is_over(&self, now: Timestamp, watch: &Watch) -> bool {
        let run_out = self.until + CLOCK_SKEW_MAX < now;
        run_out || (watch.holder == self.holder && watch.for_so_long >= LEASE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

    fn lease() -> StoredLease {
        StoredLease {
            holder: "one".to_owned(),
            until: NOW + LEASE,
        }
    }

    fn watched(holder: &str, time: Duration) -> Watch {
        let mut watch = Watch::default();
        watch.waited(holder, time);
        watch
    }

    #[test]
    fn a_lease_that_may_still_stand_by_its_holders_clock_stands() {
        let unseen = Watch::default();
        let end = NOW + LEASE + CLOCK_SKEW_MAX;
        assert!(!lease().is_over(NOW, &unseen));
        assert!(!lease().is_over(end, &unseen));
        assert!(lease().is_over(end + Duration::from_millis(1), &unseen));
    }

    #[test]
    fn a_lease_that_was_watched_for_its_length_is_over_by_whichever_clock() {
        let long_ago = NOW - Duration::from_hours(1);
        assert!(lease().is_over(long_ago, &watched("one", LEASE)));
        assert!(!lease().is_over(long_ago, &watched("one", LEASE / 2)));
        assert!(
            !lease().is_over(long_ago, &watched("two", LEASE)),
            "another's time does not count"
        );
        let mut watch = watched("one", LEASE);
        watch.waited("two", LEASE / 2);
        watch.waited("one", LEASE / 2);
        assert!(!lease().is_over(long_ago, &watch), "it was not unchanged");
        assert_eq!(watch.holders(), 3);
    }
}

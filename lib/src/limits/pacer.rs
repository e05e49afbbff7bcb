//! The buckets of this process: callers wait their turn here.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Level, Pace, Throttled};
use crate::system::{System, Timestamp};

/// Buckets kept before the full ones, which say nothing, are dropped.
const BUCKETS_MAX: usize = 1_024;

/// One bucket for each key, all of one pace.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    system: System,
    /// Guards plain arithmetic only; never held across an `await`.
    levels: Mutex<HashMap<String, Level>>,
}

impl Pacer {
    /// Buckets that are all full.
    #[must_use]
    pub fn new(pace: Pace, system: System) -> Self {
        Self {
            pace,
            system,
            levels: Mutex::default(),
        }
    }

    /// Waits for `key`'s next turn, but not longer than `wait_max`.
    ///
    /// # Errors
    /// [`Throttled`], at once, when the turn is further away than that.
    pub async fn turn(&self, key: &str, wait_max: Duration) -> Result<(), Throttled> {
        let patience_ends = self.system.now() + wait_max;
        loop {
            let wait = self.reserve(key, patience_ends)?;
            if !wait.is_zero() {
                self.system.clock.sleep(wait).await;
            }
            // A refusal that came in the meantime holds for those who were waiting, too.
            if !self.is_closed(key) {
                return Ok(());
            }
        }
    }

    /// Nobody gets a turn for `key` before `until`: the provider said so.
    pub fn close(&self, key: &str, until: Timestamp) {
        self.with_levels(|levels| {
            let closed = levels
                .get(key)
                .map_or(Level::closed(until), |level| level.closed_until(until));
            levels.insert(key.to_owned(), closed);
        });
    }

    fn reserve(&self, key: &str, patience_ends: Timestamp) -> Result<Duration, Throttled> {
        let now = self.system.now();
        self.with_levels(|levels| {
            let (left, wait) = self
                .pace
                .reserve(levels.get(key).copied(), now, patience_ends.since(now))?;
            if levels.len() >= BUCKETS_MAX {
                levels.retain(|_, level| !self.pace.is_full(*level, now));
            }
            levels.insert(key.to_owned(), left);
            Ok(wait)
        })
    }

    fn is_closed(&self, key: &str) -> bool {
        let now = self.system.now();
        self.with_levels(|levels| levels.get(key).is_some_and(|level| level.is_closed(now)))
    }

    fn with_levels<T>(&self, work: impl FnOnce(&mut HashMap<String, Level>) -> T) -> T {
        // Nothing in here can panic half-way, so a poisoned lock still guards whole values.
        work(&mut self.levels.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

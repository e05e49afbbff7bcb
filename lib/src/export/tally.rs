//! The calls of one run, counted on their way into the ledger.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    limits::{Calls, Kind},
    metrics::CallOutcome,
    providers::spotify::ApiError,
};

/// Calls after which they are written down: what a killed runner leaves uncounted at most.
const CHECKPOINT_CALLS: u32 = 20;

/// Calls that are not in the ledger yet.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Calls>);

impl Tally {
    /// Counts one more; all of them when it is time to write them down, which is the caller's to do.
    pub(super) fn count(&self, kind: Kind) -> Option<Calls> {
        let mut calls = self.lock();
        *calls.entry(kind).or_default() += 1;
        (calls.values().sum::<u32>() >= CHECKPOINT_CALLS).then(|| mem::take(&mut *calls))
    }

    /// All of them; none are left.
    pub(super) fn take(&self) -> Calls {
        mem::take(&mut *self.lock())
    }

    /// Those that could not be written down.
    pub(super) fn put_back(&self, unwritten: Calls) {
        let mut calls = self.lock();
        for (kind, count) in unwritten {
            *calls.entry(kind).or_default() += count;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        // Nothing in here can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a call ended.
pub(super) const fn outcome_of<T>(answer: &Result<T, ApiError>) -> CallOutcome {
    match answer {
        Ok(_) => CallOutcome::Ok,
        Err(ApiError::RateLimited { .. }) => CallOutcome::RateLimited,
        Err(ApiError::QuotaExceeded { .. }) => CallOutcome::QuotaExceeded,
        Err(error) if error.is_ambiguous() => CallOutcome::Unavailable,
        Err(_) => CallOutcome::Refused,
    }
}

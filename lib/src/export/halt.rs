//! Why a run ends before its job does, and the calls that end it.

use std::{sync::Arc, time::Duration};

use super::{blocked::Blocked, head::Why};
use crate::{providers::spotify::ApiError, store::StoreError, system::Timestamp};

/// A run stops here. What was done is kept.
#[derive(Debug)]
pub(super) enum Halt {
    /// Until an instant.
    Parked { until: Timestamp, why: Why },
    /// Until a person does something.
    Blocked(Blocked),
    /// Somebody else has the job, or it was erased.
    Lost,
    /// The store does not answer; the lease runs out and the sweep goes on.
    Store(Arc<StoreError>),
}

/// Why a call gave nothing: it ends the run, or the caller knows what to make of it.
#[derive(Debug)]
pub(super) enum Stop {
    Halt(Halt),
    Api(ApiError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Blocked> for Halt {
    fn from(blocked: Blocked) -> Self {
        Self::Blocked(blocked)
    }
}

impl<T: Into<Halt>> From<T> for Stop {
    fn from(halt: T) -> Self {
        Self::Halt(halt.into())
    }
}

impl Halt {
    /// Spotify is not able to answer: another try is due in a while.
    pub(super) fn unavailable(now: Timestamp) -> Self {
        Self::Parked {
            until: now + UNAVAILABLE_PAUSE,
            why: Why::ProviderUnavailable,
        }
    }
}

/// Bursts of 5xx last minutes (reference: Spotify, 5xx); a run that comes back too early costs a few calls.
const UNAVAILABLE_PAUSE: Duration = Duration::from_mins(1);

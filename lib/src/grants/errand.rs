//! What a renewal is about, and what comes of it for whoever waits: the words that the steps of a renewal share.

use std::time::Duration;

use super::{GrantError, LiveToken};
use crate::ids::{Slot, UserId};

/// How often who waits for another process's renewal looks: its own delay on top of the provider's.
pub(super) const WATCH_EVERY: Duration = Duration::from_millis(75);

/// What somebody is told who got between others' renewals: nothing is wrong, and the next look will show more.
pub(super) const COME_AGAIN: GrantError = GrantError::ProviderUnavailable {
    retry_after: Some(WATCH_EVERY),
};

/// Whose renewal a run is about.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) user: UserId,
    pub(super) slot: Slot,
    /// The generation that is not good enough any more.
    pub(super) stale: u64,
    pub(super) purpose: Purpose,
}

/// What a renewal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Somebody asked for the token and waits for it.
    Use,
    /// The sweep keeps it warm: that is no use of it, and what somebody else is renewing needs nobody's waiting.
    Warmth,
    /// The sweep asks about a grant that was called dead.
    Check,
}

/// Why a run ended without a token.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// What the caller is told.
    For(GrantError),
    /// Somebody else is renewing it, and the sweep does not wait.
    HeldElsewhere,
}

impl<E: Into<GrantError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::For(error.into())
    }
}

/// A token that is newer than the one an errand set out to replace.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    pub(super) token: LiveToken,
    pub(super) how: How,
}

/// By whom a token was renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By this run.
    Renewed,
    /// By somebody else, before anybody here looked.
    AlreadyFresh,
    /// By this run, but the database could not be told yet.
    Unwritten,
    /// By somebody else, while this run waited for it.
    Joined,
    /// By somebody else, while this run tried itself.
    Overtaken,
}

pub(super) type Outcome = Result<Fresh, Stop>;

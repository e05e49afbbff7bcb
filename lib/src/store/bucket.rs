//! A token bucket as a record of `budgets`: what both engines keep of it, and whose clock it goes by.

use std::{sync::Arc, time::Duration};

use serde::Deserialize as _;

use super::{Record, StoreError};
use crate::{
    pace::Level,
    system::{Clock, Timestamp},
};

/// A bucket that says nothing any more is kept for so long, so that one in use is not removed and made again all day.
pub(super) const KEPT_IDLE: Duration = Duration::from_hours(1);

/// Whose time it is by which tokens are given out.
#[derive(Debug, Default)]
pub(super) enum BucketClock {
    /// The database's own: the one clock that all processes share.
    #[default]
    Database,
    /// One that a test moves, and the database's with it.
    Given(Arc<dyn Clock>),
}

/// The level that a record holds. One that cannot be read remembers nothing: the provider will refuse again.
pub(super) fn level_of(record: &Record) -> Level {
    Level::deserialize(&record.body).unwrap_or_default()
}

/// `record` with another level; due when nobody needs it any more.
pub(super) fn with_level(record: Record, level: &Level) -> Result<Record, StoreError> {
    Ok(Record {
        due_at: Some(kept_until(level)),
        body: serde_json::to_value(level).map_err(StoreError::unreadable)?,
        ..record
    })
}

fn kept_until(level: &Level) -> Timestamp {
    level.says_nothing_from() + KEPT_IDLE
}

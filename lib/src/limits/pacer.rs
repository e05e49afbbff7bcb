//! Waiting for a turn in a bucket that all instances share.

use std::{sync::Arc, time::Duration};

use serde::Deserialize as _;

use super::{Level, Pace, Refusal, Throttled};
use crate::{
    pace::Turn,
    store::{Collection, Store, StoreError},
    system::{System, Timestamp},
};

/// Buckets share their collection with breakers and ledgers.
pub(super) const ID_PREFIX: &str = "bucket:";

/// Who waits longer looks so often whether a refusal has made the place void: a person whose app was closed for hours
/// should not be told so after a minute only.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Gives out turns, all of one pace, from buckets in the store.
///
/// Nobody is asked but the store: when it does not answer, nobody gets a turn. Who gives up waiting does not give the
/// place back: that would be a write for each, and an unused place costs those behind it one spacing.
#[derive(Clone, Debug)]
pub struct Pacer {
    pace: Pace,
    pub(super) store: Arc<dyn Store>,
    pub(super) system: System,
}

/// Why there is no turn.
#[derive(Debug, thiserror::Error)]
pub enum NoTurn {
    /// It is further away than the caller would wait.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A refusal that is waited out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When it may be asked again, on the database's clock: who comes early by their own is told to wait.
    pub until: Timestamp,
    /// What was refused.
    pub refusal: Refusal,
}

impl Pacer {
    /// Turns at this pace, from the buckets in `store`.
    #[must_use]
    pub fn new(pace: Pace, store: Arc<dyn Store>, system: System) -> Self {
        Self { pace, store, system }
    }

    /// Waits for the next turn in `bucket`, but not longer than `wait_max`.
    ///
    /// # Errors
    /// [`NoTurn`], at once when the turn is further away than that.
    pub async fn turn(&self, bucket: &str, wait_max: Duration) -> Result<(), NoTurn> {
        let id = id_of(bucket);
        let patience_ends = self.system.now() + wait_max;
        loop {
            let patience = patience_ends.since(self.system.now());
            let turn = self.store.take_turn(&id, self.pace, patience).await??;
            if self.comes(&id, turn).await? {
                return Ok(());
            }
        }
    }

    /// Nobody gets a turn in `bucket` for `pause`, in any process: the provider said so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self, bucket: &str, pause: Duration, refusal: Refusal) -> Result<(), StoreError> {
        let id = id_of(bucket);
        self.store.close_bucket(&id, self.pace, pause, refusal).await
    }

    /// What closes `bucket` now, if anything does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn closing(&self, bucket: &str) -> Result<Option<Closing>, StoreError> {
        let level = self.level(&id_of(bucket)).await?;
        let closed = level.closed(self.system.now());
        Ok(closed.map(|(until, refusal)| Closing { until, refusal }))
    }

    /// Waits for a promised turn; `false` when a refusal that came in the meantime has made it void.
    async fn comes(&self, id: &str, turn: Turn) -> Result<bool, StoreError> {
        let mut left = turn.wait;
        while !left.is_zero() {
            let nap = left.min(LOOK_EVERY);
            self.system.clock.sleep(nap).await;
            left = left.saturating_sub(nap);
            if self.level(id).await?.closings != turn.closings {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn level(&self, id: &str) -> Result<Level, StoreError> {
        let record = self.store.find_record(Collection::Budgets, id).await?;
        // What cannot be read remembers nothing, for the engines neither.
        let level = record.and_then(|record| Level::deserialize(&record.body).ok());
        Ok(level.unwrap_or_default())
    }
}

pub(super) fn id_of(bucket: &str) -> String {
    format!("{ID_PREFIX}{bucket}")
}

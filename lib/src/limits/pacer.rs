//! Waiting for a turn in a bucket that all instances share.

mod clerk;
mod desk;
mod turn;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Deserialize as _;

use self::desk::{Came, Desk};
pub use self::turn::Turn;
use super::{Class, Level, Pace, Refusal, Throttled};
use crate::{
    store::{Collection, Store, StoreError},
    system::{System, Timestamp},
};

/// Buckets share their collection with breakers and ledgers.
pub(super) const ID_PREFIX: &str = "bucket:";

/// Desks that are kept although nobody stands before them; it is cheap to make one again.
const DESKS_MAX: usize = 1_000;

/// Names of processes lie below this: JSON readers that know only doubles read them exactly.
const PROCESS_MAX: u64 = 1 << 52;

/// Gives out turns, all of one pace. What the buckets hold is kept in the store, for all processes, or here.
///
/// Nobody is asked but the store: when it does not answer, nobody gets a turn. A token is taken when somebody may go, and
/// one that is not used is given back; who waits holds nothing. All callers of a process that want a turn in one bucket ask
/// together, so one question is under way for it at a time, and every answer is news for all of them.
#[derive(Clone, Debug)]
pub struct Pacer {
    office: Arc<Office>,
    desks: Arc<Mutex<HashMap<String, Arc<Desk>>>>,
}

/// What all desks need.
#[derive(Debug)]
struct Office {
    pace: Pace,
    place: Place,
    system: System,
    /// The name of this process.
    process: u64,
}

/// Where the level of a bucket is kept.
#[derive(Debug)]
enum Place {
    Store(Arc<dyn Store>),
    /// At its desk.
    Here,
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
        Self::with(Place::Store(store), pace, system)
    }

    /// The same from buckets in this process, where no other one uses them.
    #[must_use]
    pub fn alone(pace: Pace, system: System) -> Self {
        Self::with(Place::Here, pace, system)
    }

    fn with(buckets: Place, pace: Pace, system: System) -> Self {
        let process = u64::from_le_bytes(system.entropy.bytes()) % PROCESS_MAX;
        let office = Office {
            pace,
            place: buckets,
            system,
            process,
        };
        Self {
            office: Arc::new(office),
            desks: Arc::default(),
        }
    }

    /// Waits for the next turn in `bucket`, but not longer than `wait_max`. Who drops this gives their place back, at any
    /// moment; so does who drops the turn without using it.
    ///
    /// # Errors
    /// [`NoTurn`], as soon as it is known that the turn is further away than that.
    pub async fn turn(&self, bucket: &str, class: Class, wait_max: Duration) -> Result<Turn, NoTurn> {
        match self.desk(bucket).come(class, wait_max) {
            Came::Served(turn) => Ok(turn),
            Came::Refused(throttled) => Err(throttled.into()),
            Came::Waits(place) => place.turn().await,
        }
    }

    /// Nobody gets a turn in `bucket` for `pause`, in any process: the provider said so. [`FOR_GOOD`](super::FOR_GOOD) is a
    /// pause, too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self, bucket: &str, pause: Duration, refusal: Refusal) -> Result<(), StoreError> {
        let desk = self.desk(bucket);
        match &self.office.place {
            Place::Store(store) => {
                let pace = self.office.pace;
                store.close_bucket(desk.id(), pace, pause, refusal).await?;
            }
            Place::Here => desk.close(pause, refusal),
        }
        desk.hear_of_closing();
        Ok(())
    }

    /// What closes `bucket` now, if anything does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn closing(&self, bucket: &str) -> Result<Option<Closing>, StoreError> {
        let level = match &self.office.place {
            Place::Store(store) => {
                let record = store.find_record(Collection::Budgets, &id_of(bucket)).await?;
                // What cannot be read remembers nothing, for the engines neither.
                let level = record.and_then(|record| Level::deserialize(&record.body).ok());
                level.unwrap_or_default()
            }
            Place::Here => self.desk(bucket).level(),
        };
        let closed = level.closed(self.office.system.now());
        Ok(closed.map(|(until, refusal)| Closing { until, refusal }))
    }

    /// The store, if the buckets are there.
    pub(super) fn store(&self) -> Option<&dyn Store> {
        match &self.office.place {
            Place::Store(store) => Some(&**store),
            Place::Here => None,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.office.system.now()
    }

    /// Drops the desks of this process that nobody needs: how many.
    pub(super) fn drop_desks(&self) -> usize {
        drop_idle(&mut self.desks(), self.now())
    }

    fn desk(&self, bucket: &str) -> Arc<Desk> {
        let mut desks = self.desks();
        if let Some(desk) = desks.get(bucket) {
            return Arc::clone(desk);
        }
        if desks.len() >= DESKS_MAX {
            drop_idle(&mut desks, self.now());
        }
        let desk = Arc::new(Desk::new(id_of(bucket), Arc::clone(&self.office)));
        desks.insert(bucket.to_owned(), Arc::clone(&desk));
        desk
    }

    fn desks(&self) -> MutexGuard<'_, HashMap<String, Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_idle(desks: &mut HashMap<String, Arc<Desk>>, now: Timestamp) -> usize {
    let before = desks.len();
    // Who has a turn of it, or waits, has the desk.
    desks.retain(|_, desk| Arc::strong_count(desk) > 1 || !desk.is_idle(now));
    before - desks.len()
}

pub(super) fn id_of(bucket: &str) -> String {
    format!("{ID_PREFIX}{bucket}")
}

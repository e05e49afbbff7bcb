//! One renewal of a grant at a time in this process: who comes second waits for the first one's outcome.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt as _, future::Shared};

use tokio_util::task::TaskTracker;

use super::{
    GrantError,
    errand::{Outcome, Stop},
};
use crate::{
    ids::{Slot, UserId},
    system::BoxFuture,
};

type Key = (UserId, Slot);
type Running = HashMap<Key, Shared<BoxFuture<'static, Outcome>>>;

/// What came of a renewal, for one of those who waited for it.
pub(super) struct Joined {
    pub(super) outcome: Outcome,
    /// Whether they began it.
    pub(super) is_first: bool,
}

/// The renewals that are under way in this process.
#[derive(Clone, Default)]
pub(super) struct Renewals {
    // Never held across an await: joining or leaving is a look into the map.
    running: Arc<Mutex<Running>>,
}

impl fmt::Debug for Renewals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Renewals({})", self.lock().len())
    }
}

impl Renewals {
    /// The outcome of the renewal of `key`: the one that is running, or else `start`.
    ///
    /// It runs as a task of its own, because a caller may hang up at any moment and what the provider answered must
    /// be written down all the same.
    pub(super) async fn join(
        &self,
        key: Key,
        work: &TaskTracker,
        start: impl FnOnce() -> BoxFuture<'static, Outcome>,
    ) -> Joined {
        let mut is_first = false;
        let shared = {
            let mut running = self.lock();
            if let Some(shared) = running.get(&key) {
                shared.clone()
            } else {
                is_first = true;
                let leave = Leave {
                    renewals: self.clone(),
                    key: key.clone(),
                };
                let renewal = start();
                let task = work.spawn(async move {
                    let _leave = leave;
                    renewal.await
                });
                let outcome = task.map(|ended| ended.unwrap_or(Err(Stop::For(GrantError::BrokeOff))));
                let boxed: BoxFuture<'static, Outcome> = Box::pin(outcome);
                running.entry(key).insert_entry(boxed.shared()).get().clone()
            }
        };
        Joined {
            outcome: shared.await,
            is_first,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        // Nothing inside the lock can panic half-way through a change.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the renewal off the list when it is over, by whichever way.
struct Leave {
    renewals: Renewals,
    key: Key,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.renewals.lock().remove(&self.key);
    }
}

//! One piece of work for each key at a time in this process: who comes second waits for the first one's outcome.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{FutureExt as _, future::Shared};

use tokio_util::task::TaskTracker;

use crate::system::BoxFuture;

type Running<K, O> = HashMap<K, Shared<BoxFuture<'static, Option<O>>>>;

/// What came of a piece of work, for one of those who waited for it.
pub struct Joined<O> {
    /// `None` when it broke off: a bug of ours, reported by the panic's own log line.
    pub outcome: Option<O>,
    /// Whether they began it.
    pub is_first: bool,
}

/// The work that is under way in this process.
pub struct Joining<K, O> {
    // Never held across an await: joining or leaving is a look into the map.
    running: Arc<Mutex<Running<K, O>>>,
}

impl<K, O> Clone for Joining<K, O> {
    fn clone(&self) -> Self {
        Self {
            running: Arc::clone(&self.running),
        }
    }
}

impl<K, O> Default for Joining<K, O> {
    fn default() -> Self {
        Self {
            running: Arc::default(),
        }
    }
}

impl<K, O> fmt::Debug for Joining<K, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joining({})", self.lock().len())
    }
}

impl<K, O> Joining<K, O> {
    fn lock(&self) -> MutexGuard<'_, Running<K, O>> {
        // Nothing inside the lock can panic half-way through a change.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, O> Joining<K, O>
where
    K: Clone + Eq + Hash + Send + 'static,
    O: Clone + Send + Sync + 'static,
{
    /// The outcome of the work for `key`: what is running, or else `start`.
    ///
    /// It runs as a task of its own, because a caller may hang up at any moment and what was answered outside must be
    /// written down all the same.
    pub async fn join(
        &self,
        key: K,
        tasks: &TaskTracker,
        start: impl FnOnce() -> BoxFuture<'static, O>,
    ) -> Joined<O> {
        let mut is_first = false;
        let shared = {
            let mut running = self.lock();
            if let Some(shared) = running.get(&key) {
                shared.clone()
            } else {
                is_first = true;
                let leave = Leave {
                    from: self.clone(),
                    key: key.clone(),
                };
                let work = start();
                let task = tasks.spawn(async move {
                    let _leave = leave;
                    work.await
                });
                let outcome: BoxFuture<'static, Option<O>> = Box::pin(task.map(Result::ok));
                running.entry(key).insert_entry(outcome.shared()).get().clone()
            }
        };
        Joined {
            outcome: shared.await,
            is_first,
        }
    }
}

/// Takes the work off the list when it is over, by whichever way.
struct Leave<K: Eq + Hash, O> {
    from: Joining<K, O>,
    key: K,
}

impl<K: Eq + Hash, O> Drop for Leave<K, O> {
    fn drop(&mut self) {
        self.from.lock().remove(&self.key);
    }
}

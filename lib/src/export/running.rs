//! What runs in this process: who watches it, whether anything is left, and being told to stop.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;

use super::{ExportId, progress::Progress};

/// Those who watch one run. They see the latest progress; what is between two looks of theirs they miss.
#[derive(Clone, Debug)]
pub struct Audience(Arc<watch::Sender<Option<Progress>>>);

impl Default for Audience {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Audience {
    /// A seat: `None` until the export has begun.
    #[must_use]
    pub fn join(&self) -> watch::Receiver<Option<Progress>> {
        self.0.subscribe()
    }

    /// What was shown last.
    pub(super) fn latest(&self) -> Option<Progress> {
        self.0.borrow().clone()
    }

    pub(super) fn show(&self, progress: Progress) {
        self.0.send_replace(Some(progress));
    }
}

/// The exports of this process.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// Guards plain look-ups only; never held across an `await`.
    audiences: Mutex<HashMap<ExportId, Audience>>,
    errands: Arc<watch::Sender<usize>>,
    is_stopping: AtomicBool,
}

/// As long as this lives, the process is not idle.
#[derive(Debug)]
pub struct Errand(Arc<watch::Sender<usize>>);

impl Drop for Errand {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// As long as this lives, `audience` is found by the export's id.
#[derive(Debug)]
pub(super) struct OnStage<'a> {
    running: &'a Running,
    id: ExportId,
    audience: Audience,
}

impl Drop for OnStage<'_> {
    fn drop(&mut self) {
        self.running.with_audiences(|audiences| {
            let is_ours = |audience: &Audience| Arc::ptr_eq(&audience.0, &self.audience.0);
            // Who lost its lease must not take the seats of the run that came after it.
            if audiences.get(&self.id).is_some_and(is_ours) {
                audiences.remove(&self.id);
            }
        });
    }
}

impl Running {
    pub(super) fn errand(&self) -> Errand {
        self.errands.send_modify(|count| *count += 1);
        Errand(Arc::clone(&self.errands))
    }

    pub(super) fn is_idle(&self) -> bool {
        *self.errands.borrow() == 0
    }

    pub(super) async fn idle(&self) {
        let mut errands = self.errands.subscribe();
        // The sender is held here, so it cannot be gone.
        let _ = errands.wait_for(|count| *count == 0).await;
    }

    /// Every run ends at its next call, with what it did written down.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(super) fn enter(&self, id: &ExportId, audience: &Audience) -> OnStage<'_> {
        self.with_audiences(|audiences| audiences.insert(id.clone(), audience.clone()));
        OnStage {
            running: self,
            id: id.clone(),
            audience: audience.clone(),
        }
    }

    /// The audience of an export that runs here.
    pub(super) fn find(&self, id: &ExportId) -> Option<Audience> {
        self.with_audiences(|audiences| audiences.get(id).cloned())
    }

    fn with_audiences<T>(&self, work: impl FnOnce(&mut HashMap<ExportId, Audience>) -> T) -> T {
        // Nothing in here can panic half-way, so a poisoned lock still guards whole values.
        work(&mut self.audiences.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

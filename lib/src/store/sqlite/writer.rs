//! The one thread that writes.
//!
//! A commit waits for the disk, which no thread of the async runtime should, and SQLite takes one writer at a time
//! anyway. What queues up while the disk is busy is committed together: one wait for all of them, so that a burst of
//! renewals on a slow SD card takes a few waits and not hundreds. Each write stays conditional for itself.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{Shared, lock, may_pass};
use crate::store::StoreError;

/// Writes committed together: bounds how long other processes are kept waiting.
const BATCH_MAX: usize = 64;

/// Does its work inside the transaction, if that could begin; what it returns tells its caller how it went, once it is
/// known whether the transaction was committed.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>)>;

/// Hands work to the writing thread, which ends when this is dropped.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Shared) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("patchbay-sqlite".to_owned())
            .spawn(move || write_all(&connection, &queue))
            .map_err(StoreError::unavailable)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `work` in a transaction and answers when it is on the disk. Work that was handed over is done even when the
    /// caller stops waiting. It is one statement, or can be repeated: when it fails half-way, the half stays.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |begun| {
            let done = begun.and_then(work);
            // A caller that has gone needs no answer.
            Box::new(move |committed| drop(answer.send(committed.and(done))))
        });
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        match (sent, answered.await) {
            (true, Ok(done)) => done,
            _ => Err(StoreError::unavailable("the writing thread has ended")),
        }
    }
}

impl Drop for Writer {
    /// Waits for the writes that were handed over, so that the file is closed when the store is gone.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Its panic was reported when it happened.
            drop(thread.join());
        }
    }
}

fn write_all(connection: &Shared, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let connection = lock(connection);
        // IMMEDIATE: waits for other processes here, where nothing was read yet; a transaction that turns into a writing
        // one later could only fail.
        let transaction =
            Transaction::new_unchecked(&connection, TransactionBehavior::Immediate).map_err(Arc::new);
        let batch = [first].into_iter().chain(queue.try_iter().take(BATCH_MAX - 1));
        let answers: Vec<Answer> = batch
            .map(|job| job(transaction.as_deref().map_err(failed)))
            .collect();
        let committed = transaction.and_then(|transaction| transaction.commit().map_err(Arc::new));
        drop(connection);
        for answer in answers {
            answer(committed.as_ref().copied().map_err(failed));
        }
    }
}

/// The same failure, for one of several callers.
fn failed(error: &Arc<rusqlite::Error>) -> StoreError {
    if may_pass(error) {
        StoreError::unavailable(Arc::clone(error))
    } else {
        StoreError::unreadable(Arc::clone(error))
    }
}

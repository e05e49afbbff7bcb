//! The one thread that writes.
//!
//! A commit waits for the disk, which no thread of the async runtime should, and SQLite takes one writer at a time
//! anyway. What queues up while the disk is busy is committed together: one wait for all of them, so that a burst of
//! renewals on a slow SD card takes a few waits and not hundreds. Each write stays conditional for itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{Shared, lock, may_pass};
use crate::store::StoreError;

/// Writes committed together: bounds how long other processes are kept waiting.
const BATCH_MAX: usize = 64;

/// Leaves nothing behind but a page that was written.
const PROBE: &str = "
    INSERT INTO budgets (id, version, written, body) VALUES ('', 1, 0, '');
    DELETE FROM budgets WHERE id = '';";

/// Does its work inside the transaction, if that could begin; what it returns tells its caller how it went, once it is
/// known whether the transaction was committed.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>)>;

/// Hands work to the writing thread, which ends when this is dropped.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    /// Whether the last attempt at writing something failed.
    is_failing: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Shared) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel();
        let is_failing = Arc::new(AtomicBool::new(false));
        let failing = Arc::clone(&is_failing);
        let thread = thread::Builder::new()
            .name("patchbay-sqlite".to_owned())
            .spawn(move || write_all(&connection, &queue, &failing))
            .map_err(StoreError::unavailable)?;
        Ok(Self {
            jobs: Some(jobs),
            is_failing,
            thread: Some(thread),
        })
    }

    /// Answers when the file can be written. On a full disk a transaction still begins, and ends when it wrote nothing;
    /// so after a failure this writes, until that works. Before one it does not: who may ask is anybody, as often as they
    /// like, and an SD card wears out.
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let is_failing = Arc::clone(&self.is_failing);
        self.run(move |connection| {
            if is_failing.load(Ordering::Relaxed) {
                connection.execute_batch(PROBE)?;
            }
            Ok(())
        })
        .await
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

fn write_all(connection: &Shared, queue: &mpsc::Receiver<Job>, is_failing: &AtomicBool) {
    while let Ok(first) = queue.recv() {
        let connection = lock(connection);
        let changed_before = connection.total_changes();
        // IMMEDIATE: waits for other processes here, where nothing was read yet; a transaction that turns into a writing
        // one later could only fail.
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)
            .map_err(|error| Failed::InSqlite(Arc::new(error)));
        let batch = [first].into_iter().chain(queue.try_iter().take(BATCH_MAX - 1));
        let answers: Vec<Answer> = batch
            .map(|job| {
                let open = transaction.as_ref().map_err(Failed::clone).and_then(still_open);
                job(open.map_err(StoreError::from))
            })
            .collect();
        let committed = transaction.and_then(|transaction| {
            still_open(&transaction)?;
            transaction
                .commit()
                .map_err(|error| Failed::InSqlite(Arc::new(error)))
        });
        if committed.is_err() {
            is_failing.store(true, Ordering::Relaxed);
        } else if connection.total_changes() > changed_before {
            // Nothing less proves that writing works.
            is_failing.store(false, Ordering::Relaxed);
        }
        drop(connection);
        for answer in answers {
            answer(committed.clone().map_err(StoreError::from));
        }
    }
}

/// The batch's transaction, unless SQLite ended it by itself, as it does for some failures of the disk: what is executed
/// then would be written alone, whatever its caller is told.
fn still_open<'c>(transaction: &'c Transaction<'_>) -> Result<&'c Connection, Failed> {
    if transaction.is_autocommit() {
        return Err(Failed::RolledBack);
    }
    Ok(transaction)
}

/// Why a batch was not written: the same for each of its callers.
#[derive(Clone, Debug, thiserror::Error)]
enum Failed {
    #[error("the batch was not written")]
    InSqlite(#[source] Arc<rusqlite::Error>),
    #[error("SQLite rolled the batch back")]
    RolledBack,
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match &failed {
            Failed::InSqlite(error) if !may_pass(error) => Self::unreadable(failed),
            Failed::InSqlite(_) | Failed::RolledBack => Self::unavailable(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_batch_that_sqlite_rolled_back_is_written_for_nobody() {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch("CREATE TABLE letters (letter TEXT)")
            .expect("a table");
        let connection = Arc::new(Mutex::new(connection));
        let writer = Writer::start(Arc::clone(&connection)).expect("a thread");
        let run = |sql: &'static str| writer.run(move |connection| Ok(connection.execute_batch(sql)?));
        let mut batch = [
            Box::pin(run("INSERT INTO letters VALUES ('a')")),
            Box::pin(run("ROLLBACK")),
            Box::pin(run("INSERT INTO letters VALUES ('b')")),
        ];
        {
            // The thread waits for the connection, and finds all of them together.
            let _held = lock(&connection);
            for job in &mut batch {
                assert!(job.now_or_never().is_none());
            }
        }
        for job in batch {
            let outcome = job.await;
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
        }
        let kept: i64 = lock(&connection)
            .query_row("SELECT count(*) FROM letters", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(kept, 0);
        run("INSERT INTO letters VALUES ('c')")
            .await
            .expect("the next batch");
    }
}

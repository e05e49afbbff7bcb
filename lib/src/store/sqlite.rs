//! The SQLite engine: one file in WAL mode, safe for several processes of one machine.
//!
//! Reads run on the calling thread: readers of a WAL file wait for no writer, and a read of one row takes less time than
//! handing it to another thread. Writes go through one thread of their own (`writer`).

mod buckets;
mod connection;
mod records;
mod schema;
mod users;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};

use self::writer::Writer;
use super::{
    Collection, Record, Store, StoreError, Tally, UserChange, UserDocument, Version, Written,
    bucket::BucketClock,
};
use crate::{
    ids::UserId,
    pace::{Answer, Ask, Pace, Refusal},
    system::{Clock, Timestamp},
};

/// A connection used by one thread at a time.
type Shared = Arc<Mutex<Connection>>;

/// Keeps documents in a SQLite database.
pub struct SqliteStore {
    /// Reads single rows, one after another: connections that read at the same time wait for each other inside SQLite,
    /// asleep, and for longer than such a read takes.
    rows: Reader,
    /// Reads lists: nobody who asks for one row waits for a sweep.
    lists: Reader,
    writer: Writer,
    clock: Arc<BucketClock>,
}

/// A connection that reads.
enum Reader {
    /// One of its own to this file, opened when it is needed first: people wait for a function that starts.
    Own(PathBuf, Mutex<Option<Connection>>),
    /// The writer's: nobody else can see what it keeps in memory.
    Writers(Shared),
}

impl Reader {
    fn of(path: &Path) -> Self {
        Self::Own(path.to_owned(), Mutex::default())
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::Writers(connection) => work(&lock(connection)),
            Self::Own(path, connection) => {
                let mut connection = lock(connection);
                match &*connection {
                    Some(connection) => work(connection),
                    None => work(connection.insert(connection::open(path)?)),
                }
            }
        }
    }
}

impl SqliteStore {
    /// Opens the database file, or makes it, together with its folder.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be opened or made, [`StoreError::Unreadable`] when it is
    /// something else or was written by a later version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        connection::create_private(path)?;
        let writer = connection::open(path)?;
        schema::migrate(&writer)?;
        Ok(Self {
            rows: Reader::of(path),
            lists: Reader::of(path),
            writer: Writer::start(shared(writer))?,
            clock: Arc::default(),
        })
    }

    /// A database of its own in memory.
    ///
    /// # Errors
    /// No memory, or no thread.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = connection::open_in_memory()?;
        schema::migrate(&connection)?;
        let connection = shared(connection);
        let reader = || Reader::Writers(Arc::clone(&connection));
        Ok(Self {
            rows: reader(),
            lists: reader(),
            writer: Writer::start(Arc::clone(&connection))?,
            clock: Arc::default(),
        })
    }

    /// The same, but turns are given out on `clock`: a test that moves the time moves the database's with it.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::new(BucketClock::Given(clock)),
            ..self
        }
    }
}

fn shared(connection: Connection) -> Shared {
    Arc::new(Mutex::new(connection))
}

/// A connection has no state of ours that a panic could leave half changed: an open transaction rolls back.
fn lock<T>(connection: &Mutex<T>) -> MutexGuard<'_, T> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Whether a failure may pass: what lies in the file is fine, but it cannot be had now.
fn may_pass(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OperationInterrupted,
        OutOfMemory, PermissionDenied, ReadOnly, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | SystemIoFailure
                | CannotOpen
                | ReadOnly
                | PermissionDenied
                | OutOfMemory
                | OperationInterrupted
                | FileLockingProtocolFailed
        )
    )
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        if may_pass(&error) {
            Self::unavailable(error)
        } else {
            Self::unreadable(error)
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn find_user(&self, id: &UserId) -> Result<UserDocument, StoreError> {
        let text = self.rows.read(|connection| users::text(connection, id))?;
        text.map_or_else(|| Ok(UserDocument::default()), |text| users::document(&text))
    }

    async fn write_user(
        &self,
        id: &UserId,
        read: Version,
        change: &UserChange,
    ) -> Result<Written, StoreError> {
        let write = users::Write::new(id, read, change);
        self.writer.run(move |connection| write.run(connection)).await
    }

    async fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
        self.lists
            .read(|connection| users::due(connection, until, after, limit))
    }

    async fn tally(&self, now: Timestamp) -> Result<Tally, StoreError> {
        self.lists.read(|connection| users::tally(connection, now))
    }

    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError> {
        let id = id.clone();
        self.writer
            .run(move |connection| users::delete(connection, &id))
            .await
    }

    async fn find_record(&self, collection: Collection, id: &str) -> Result<Option<Record>, StoreError> {
        self.rows
            .read(|connection| records::find(connection, collection, id))
    }

    async fn find_records(
        &self,
        collection: Collection,
        ids: &[String],
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.lists
            .read(|connection| records::find_all(connection, collection, ids))
    }

    async fn write_record(
        &self,
        collection: Collection,
        id: &str,
        record: &Record,
    ) -> Result<Written, StoreError> {
        let write = records::Write::new(collection, id, record);
        self.writer.run(move |connection| write.run(connection)).await
    }

    async fn delete_record(
        &self,
        collection: Collection,
        id: &str,
        read: Version,
    ) -> Result<Written, StoreError> {
        let id = id.to_owned();
        let delete = move |connection: &Connection| records::delete(connection, collection, &id, read);
        self.writer.run(delete).await
    }

    async fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.lists
            .read(|connection| records::due(connection, collection, until, limit))
    }

    async fn records_of(
        &self,
        collection: Collection,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.lists
            .read(|connection| records::of_owner(connection, collection, owner, limit))
    }

    async fn delete_records_of(&self, collection: Collection, owner: &UserId) -> Result<(), StoreError> {
        let owner = owner.clone();
        let delete = move |connection: &Connection| records::delete_of_owner(connection, collection, &owner);
        self.writer.run(delete).await
    }

    async fn trim_records(&self, collection: Collection, bytes_max: u64) -> Result<u64, StoreError> {
        let trim = move |connection: &Connection| records::trim(connection, collection, bytes_max);
        self.writer.run(trim).await
    }

    async fn take_turns(&self, id: &str, pace: Pace, ask: &Ask) -> Result<Answer, StoreError> {
        let (id, clock, ask) = (id.to_owned(), Arc::clone(&self.clock), ask.clone());
        let take = move |connection: &Connection| {
            buckets::change(connection, &clock, &id, |level, now| {
                level.take_turns(pace, &ask, now)
            })
        };
        self.writer.run(take).await
    }

    async fn close_bucket(
        &self,
        id: &str,
        pace: Pace,
        pause: Duration,
        refusal: Refusal,
    ) -> Result<(), StoreError> {
        let (id, clock) = (id.to_owned(), Arc::clone(&self.clock));
        let close = move |connection: &Connection| {
            buckets::change(connection, &clock, &id, |level, now| {
                (level.close(pace, now, pause, refusal), ())
            })
        };
        self.writer.run(close).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.probe().await
    }
}

/// A version as SQLite's integer.
fn to_sql(version: Version) -> Result<i64, StoreError> {
    i64::try_from(version.0).map_err(StoreError::unreadable)
}

/// A version as it is stored.
fn from_sql(version: i64) -> Result<Version, StoreError> {
    u64::try_from(version)
        .map(Version)
        .map_err(StoreError::unreadable)
}

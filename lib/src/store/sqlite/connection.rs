//! Opening one connection: who may see the file, how safely it writes, how long it waits for others.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};

use crate::store::StoreError;

/// How long a writer waits for a writer of another process. Those hold the file for one batch of small writes, so this
/// is only reached when something is wrong; it stays well below the 30 s that a renewal's lease lives.
const BUSY_TIMEOUT_MS: u64 = 5_000;

/// A pause between two attempts at switching a new file to WAL.
const WAL_RETRY_MS: u64 = 5;

/// Statements kept prepared per connection: more than there are in this room, every shape of a patch included.
const PREPARED_MAX: usize = 64;

/// Makes the folder (for its owner only) and an empty file (likewise) where there is none. SQLite gives its `-wal` and
/// `-shm` files the rights of the file beside them. What exists already keeps the rights its owner gave it.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(StoreError::unavailable)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::unavailable(error)),
        _ => Ok(()),
    }
}

/// Opens the file for reading and writing.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    switch_to_wal(&connection)?;
    Ok(connection)
}

/// Opens a database that nobody else sees.
pub(super) fn open_in_memory() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    // FULL, not NORMAL: in WAL mode NORMAL may lose the last commits on a power cut. Where the provider rotates, a
    // refresh token that it handed out and we forgot is a lost grant; no speed is worth that. (`fullfsync` is the same
    // promise on macOS, where fsync stops at the drive's cache, and means nothing elsewhere.)
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_MAX);
    Ok(())
}

/// The mode is kept in the file, so this does something once in its life. SQLite does not wait for others in this one
/// place, whatever the busy timeout says, so processes that start at once on a new file take turns here.
fn switch_to_wal(connection: &Connection) -> Result<(), StoreError> {
    let mut attempts_left = BUSY_TIMEOUT_MS / WAL_RETRY_MS;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                return Err(StoreError::unavailable(
                    "this file system cannot share memory, which WAL needs",
                ));
            }
            Err(error) if attempts_left > 0 && error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                attempts_left -= 1;
                thread::sleep(Duration::from_millis(WAL_RETRY_MS));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

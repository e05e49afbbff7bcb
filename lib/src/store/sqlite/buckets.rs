//! Token buckets: read, decided and written in the one transaction of the writing thread.

use rusqlite::Connection;

use super::records;
use crate::{
    pace::Level,
    store::{
        Collection, StoreError, Written,
        bucket::{BucketClock, level_of, with_level},
    },
    system::Timestamp,
};

/// Lets `decide` change the bucket `id` at the time of `clock`: what is left of it, and what its caller is told.
pub(super) fn change<T>(
    connection: &Connection,
    clock: &BucketClock,
    id: &str,
    decide: impl FnOnce(Level, Timestamp) -> (Level, T),
) -> Result<T, StoreError> {
    let now = now(connection, clock)?;
    let record = records::find(connection, Collection::Budgets, id)?.unwrap_or_default();
    let level = level_of(&record);
    let (left, told) = decide(level.clone(), now);
    // Who will not wait leaves nothing behind.
    if left != level {
        let record = with_level(record, &left)?;
        let written = records::Write::new(Collection::Budgets, id, &record).run(connection)?;
        if written == Written::Conflict {
            return Err(StoreError::unavailable("a bucket changed within a transaction"));
        }
    }
    Ok(told)
}

fn now(connection: &Connection, clock: &BucketClock) -> Result<Timestamp, StoreError> {
    match clock {
        BucketClock::Given(clock) => Ok(clock.now()),
        BucketClock::Database => {
            let sql = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";
            let now_ms = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(Timestamp::from_ms(now_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Clock as _, RealClock};

    #[test]
    fn the_databases_clock_is_the_machines() {
        let connection = Connection::open_in_memory().expect("a database");
        let before = RealClock.now();
        let now = now(&connection, &BucketClock::Database).expect("a time");
        // SQLite knows half milliseconds, and rounds.
        assert!(now.since(before).as_millis() < 10_000 && now.as_ms() + 1 >= before.as_ms());
    }
}

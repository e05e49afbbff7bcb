//! The tables, and how an older file gets them: one step per version, in a transaction that only one process runs.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::StoreError;

/// Step `n` takes a file of `user_version` `n` to `n + 1`. Never change a step that was released: add one.
const STEPS: [&str; 4] = [FIRST, EVENTS_AND_DEAD, TRACKS, LISTENING];

/// `version` and `next_due_at` are read out of the document by SQLite itself, so that they cannot disagree with it,
/// whoever writes the row; the check keeps text out that these could not be read from.
const FIRST: &str = "
    CREATE TABLE users (
        id          TEXT PRIMARY KEY NOT NULL,
        document    TEXT NOT NULL CHECK (json_type(document) = 'object'),
        version     INTEGER GENERATED ALWAYS AS (coalesce(document ->> '$.patchbay.version', 0)) VIRTUAL,
        next_due_at INTEGER GENERATED ALWAYS AS (document ->> '$.patchbay.nextDueAt') VIRTUAL
    );
    CREATE INDEX users_due ON users (next_due_at, id) WHERE next_due_at IS NOT NULL;

    CREATE TABLE exports (
        id      TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        owner   TEXT,
        due_at  INTEGER,
        written INTEGER NOT NULL,  -- grows with each write among the records of one owner
        body    TEXT NOT NULL
    );
    CREATE INDEX exports_due ON exports (due_at, id) WHERE due_at IS NOT NULL;
    CREATE INDEX exports_of_owner ON exports (owner, written);

    CREATE TABLE budgets (
        id      TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        owner   TEXT,
        due_at  INTEGER,
        written INTEGER NOT NULL,
        body    TEXT NOT NULL
    );
    CREATE INDEX budgets_due ON budgets (due_at, id) WHERE due_at IS NOT NULL;
    CREATE INDEX budgets_of_owner ON budgets (owner, written);
";

/// What happens to grants, and how many of them wait for their person.
const EVENTS_AND_DEAD: &str = "
    CREATE TABLE events (
        id      TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        owner   TEXT,
        due_at  INTEGER,
        written INTEGER NOT NULL,
        body    TEXT NOT NULL
    );
    CREATE INDEX events_due ON events (due_at, id) WHERE due_at IS NOT NULL;
    CREATE INDEX events_of_owner ON events (owner, written);

    ALTER TABLE users ADD COLUMN dead INTEGER GENERATED ALWAYS AS (document ->> '$.patchbay.dead') VIRTUAL;
    CREATE INDEX users_dead ON users (dead) WHERE dead > 0;
";

/// What is remembered of songs.
const TRACKS: &str = "
    CREATE TABLE tracks (
        id      TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        owner   TEXT,
        due_at  INTEGER,
        written INTEGER NOT NULL,
        body    TEXT NOT NULL
    );
    CREATE INDEX tracks_due ON tracks (due_at, id) WHERE due_at IS NOT NULL;
    CREATE INDEX tracks_of_owner ON tracks (owner, written);
";

/// What was read of people's listening.
const LISTENING: &str = "
    CREATE TABLE listening (
        id      TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        owner   TEXT,
        due_at  INTEGER,
        written INTEGER NOT NULL,
        body    TEXT NOT NULL
    );
    CREATE INDEX listening_due ON listening (due_at, id) WHERE due_at IS NOT NULL;
    CREATE INDEX listening_of_owner ON listening (owner, written);
";

/// The file was made by a patchbay that knows more than this one.
#[derive(Debug, thiserror::Error)]
#[error("the database has schema {found}; this version of patchbay knows {}", STEPS.len())]
struct NewerSchema {
    found: usize,
}

/// Brings the file up to date. Processes that start at once run it one after another.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    if applied(connection)? == STEPS.len() {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Exclusive)?;
    // Asked again: somebody may have been faster.
    let applied = applied(&transaction)?;
    if applied > STEPS.len() {
        return Err(StoreError::unreadable(NewerSchema { found: applied }));
    }
    for step in &STEPS[applied..] {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", STEPS.len()))?;
    Ok(transaction.commit()?)
}

fn applied(connection: &Connection) -> Result<usize, StoreError> {
    let applied: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // No patchbay writes a negative one: whoever did is not understood either.
    Ok(usize::try_from(applied).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Collection;

    #[test]
    fn every_collection_has_a_table() {
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection).expect("a fresh schema");
        for collection in Collection::ALL {
            let table = collection.as_str();
            assert!(
                connection.table_exists(None, table).expect("an answer"),
                "{table}"
            );
        }
    }

    #[test]
    fn an_older_file_is_brought_up_to_date_and_keeps_what_is_in_it() {
        let connection = Connection::open_in_memory().expect("a database");
        connection.execute_batch(STEPS[0]).expect("the first schema");
        let document = r#"{"_id": "ada", "patchbay": {"version": 3, "nextDueAt": 5, "dead": 2}}"#;
        connection
            .execute_batch(&format!(
                "INSERT INTO users (id, document) VALUES ('ada', '{document}'); PRAGMA user_version = 1"
            ))
            .expect("an older file");
        migrate(&connection).expect("a migration");
        let found: (String, i64, i64) = connection
            .query_row("SELECT document, version, dead FROM users", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .expect("the row");
        assert_eq!(found, (document.to_owned(), 3, 2));
        migrate(&connection).expect("nothing left to do");
        assert_eq!(applied(&connection).expect("an answer"), STEPS.len());
    }

    #[test]
    fn a_later_schema_is_refused() {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch(&format!("PRAGMA user_version = {}", STEPS.len() + 1))
            .expect("a version");
        assert!(matches!(migrate(&connection), Err(StoreError::Unreadable(_))));
    }
}

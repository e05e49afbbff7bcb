//! The tables, and how an older file gets them: one step per version, in a transaction that only one process runs.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::StoreError;

/// Step `n` takes a file of `user_version` `n` to `n + 1`. Never change a step that was released: add one.
///
/// `version` and `next_due_at` are read out of the document by SQLite itself, so that they cannot disagree with it,
/// whoever writes the row; the check keeps text out that these could not be read from.
const STEPS: [&str; 1] = ["
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
"];

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
    fn a_later_schema_is_refused() {
        let connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch(&format!("PRAGMA user_version = {}", STEPS.len() + 1))
            .expect("a version");
        assert!(matches!(migrate(&connection), Err(StoreError::Unreadable(_))));
    }
}

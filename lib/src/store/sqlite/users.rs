//! The table `users`: one JSON document a row, in which only patchbay's paths are patched.
//!
//! SQLite does the patching, because it keeps the text of everything that it does not touch: the host application finds
//! its fields, their order and their numbers as it left them.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::from_sql;
use crate::{
    ids::UserId,
    store::{
        StoreError, UserChange, UserDocument, Version, Written,
        fields::{self, INTEGRATIONS, PENDING, Patch, owned_paths},
    },
    system::Timestamp,
};

/// The text of a user's document. To read it is most of the work, and does not need the connection.
pub(super) fn text(connection: &Connection, id: &UserId) -> Result<Option<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT document FROM users WHERE id = ?1")?;
    Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?)
}

/// What patchbay keeps of a user.
pub(super) fn document(text: &str) -> Result<UserDocument, StoreError> {
    // Only where: serde quotes what it could not read.
    fields::document(text)
        .map_err(|error| StoreError::unreadable(format!("not patchbay's shape at column {}", error.column())))
}

fn read(row: &Row<'_>, column: usize) -> Result<UserDocument, StoreError> {
    document(row.get_ref(column)?.as_str().map_err(StoreError::unreadable)?)
}

const DUE: &str = "
    SELECT id, document FROM users
    WHERE next_due_at <= ?1 AND (next_due_at, id) > (?2, ?3)
    ORDER BY next_due_at, id";

/// Users that want the sweep, earliest first.
pub(super) fn due(
    connection: &Connection,
    until: Timestamp,
    after: Option<&(Timestamp, UserId)>,
    limit: usize,
) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
    // No id is empty, so this stands before the first row.
    let (after_ms, after_id) = after.map_or((i64::MIN, ""), |(at, id)| (at.as_ms(), id.as_str()));
    let mut statement = connection.prepare_cached(DUE)?;
    let mut rows = statement.query(params![until.as_ms(), after_ms, after_id])?;
    let mut due = Vec::new();
    // The limit counts readable rows: a page of unreadable ones must not look like the end.
    while due.len() < limit {
        let Some(row) = rows.next()? else { break };
        let id = row.get::<_, String>(0)?.try_into();
        if let (Ok(id), Ok(document)) = (id, read(row, 1)) {
            due.push((id, document));
        } else {
            tracing::warn!("a due document cannot be read; it is left alone");
        }
    }
    Ok(due)
}

/// One conditional write, ready to be handed to the writing thread.
pub(super) struct Write {
    id: UserId,
    read: Version,
    change: UserChange,
}

impl Write {
    pub(super) fn new(id: &UserId, read: Version, change: &UserChange) -> Self {
        Self {
            id: id.clone(),
            read,
            change: change.clone(),
        }
    }

    pub(super) fn run(self, connection: &Connection) -> Result<Written, StoreError> {
        let stored = stored_version(connection, &self.id)?;
        if stored.unwrap_or(Version::ABSENT) != self.read {
            return Ok(Written::Conflict);
        }
        let version = self.read.after_write();
        let patch = Patch::of(&self.change, version)?;
        let sql = if stored.is_some() {
            format!(
                "UPDATE users SET document = {} WHERE id = ?1",
                patched("document", &patch)
            )
        } else {
            let document = patched("json_object('_id', ?1)", &patch);
            format!("INSERT INTO users (id, document) VALUES (?1, {document})")
        };
        let contents = patch.set.iter().map(|(_, content)| content.to_string());
        let parameters = [self.id.into()].into_iter().chain(contents);
        connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(parameters))?;
        Ok(Written::As(version))
    }
}

/// The version in the row, if there is one and it can be patched: SQLite would leave a path into anything but an object
/// unchanged without a word.
fn stored_version(connection: &Connection, id: &UserId) -> Result<Option<Version>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT version,
                coalesce(json_type(document, '$.integrations'), 'object') = 'object'
                AND coalesce(json_type(document, '$.pending'), 'object') = 'object'
                AND coalesce(json_type(document, '$.patchbay'), 'object') = 'object'
         FROM users WHERE id = ?1",
    )?;
    let found = statement
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Ok(None),
        Some((version, true)) => from_sql(version).map(Some),
        Some((_, false)) => Err(StoreError::unreadable(
            "the host application keeps something else in patchbay's fields",
        )),
    }
}

/// The SQL that makes the patched document of `document`; contents are the parameters from `?2` on. The paths are
/// patchbay's own names, never a caller's text.
fn patched(document: &str, patch: &Patch) -> String {
    let set = patch
        .set
        .iter()
        .zip(2..)
        .map(|((path, _), n)| format!("'$.{path}', json(?{n})"));
    let set = set.collect::<Vec<_>>().join(", ");
    if patch.remove.is_empty() {
        return format!("json_set({document}, {set})");
    }
    format!(
        "json_set(json_remove({document}, {}), {set})",
        paths(&patch.remove)
    )
}

fn paths(paths: &[String]) -> String {
    let quoted: Vec<_> = paths.iter().map(|path| format!("'$.{path}'")).collect();
    quoted.join(", ")
}

/// Erases patchbay's fields, then what they leave empty, then a document in which nothing is left.
pub(super) fn delete(connection: &Connection, id: &UserId) -> Result<(), StoreError> {
    let erase = format!(
        "UPDATE users SET document = json_remove(document, {}) WHERE id = ?1",
        paths(&owned_paths().collect::<Vec<_>>())
    );
    connection.prepare_cached(&erase)?.execute([id.as_str()])?;
    for group in [INTEGRATIONS, PENDING] {
        let tidy = format!(
            "UPDATE users SET document = json_remove(document, '$.{group}')
             WHERE id = ?1 AND document -> '$.{group}' = '{{}}'"
        );
        connection.prepare_cached(&tidy)?.execute([id.as_str()])?;
    }
    connection
        .prepare_cached(
            "DELETE FROM users
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM json_each(document) WHERE key <> '_id')",
        )?
        .execute([id.as_str()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    #[test]
    fn the_sweep_reads_the_index_and_sorts_nothing() {
        let connection = Connection::open_in_memory().expect("a database");
        schema::migrate(&connection).expect("a schema");
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {DUE}"))
            .expect("a query");
        let steps = explain
            .query_map(params![1, 1, ""], |row| row.get::<_, String>(3))
            .expect("a plan");
        let steps: Vec<_> = steps.map(|step| step.expect("a step")).collect();
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(
            steps[0].starts_with("SEARCH users USING INDEX users_due ("),
            "{steps:?}"
        );
    }
}

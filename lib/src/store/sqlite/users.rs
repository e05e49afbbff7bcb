//! The table `users`: one JSON document a row, in which only patchbay's paths are patched.
//!
//! SQLite does the patching, because it keeps the text of everything that it does not touch: the host application finds
//! its fields, their order and their numbers as it left them.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::from_sql;
use crate::{
    ids::UserId,
    store::{
        StoreError, Tally, UserChange, UserDocument, Version, Written,
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

/// `total`, not `sum`: it takes whatever a host application may have put there, and never fails.
const TALLY: &str = "
    SELECT (SELECT count(*) FROM users WHERE next_due_at <= ?1),
           (SELECT CAST(total(dead) AS INTEGER) FROM users WHERE dead > 0)";

/// What is due, and what waits for people.
pub(super) fn tally(connection: &Connection, now: Timestamp) -> Result<Tally, StoreError> {
    let mut statement = connection.prepare_cached(TALLY)?;
    let (due, dead): (i64, i64) = statement.query_row([now.as_ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Tally {
        due: due.unsigned_abs(),
        dead: dead.unsigned_abs(),
    })
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
    use rusqlite::{Params, Statement, StatementStatus};

    use super::*;
    use crate::store::sqlite::schema;

    #[test]
    fn the_sweep_seeks_to_the_end_of_the_page_before_and_sorts_nothing() {
        assert_eq!(
            plan(DUE, params![1, 1, ""]),
            ["SEARCH users USING INDEX users_due ((next_due_at,id)>(?,?) AND next_due_at<?)"]
        );
    }

    #[test]
    fn the_tally_reads_the_indexes_and_no_document() {
        let searches: Vec<_> = plan(TALLY, params![1])
            .into_iter()
            .filter(|step| step.contains("users"))
            .collect();
        assert_eq!(
            searches,
            [
                "SEARCH users USING INDEX users_due (next_due_at<?)",
                "SEARCH users USING INDEX users_dead (dead>?)",
            ]
        );
        // To read a generated column in the row is to call `->>` on its document.
        let program = explain(TALLY, params![1], 1);
        assert!(program.iter().all(|step| !step.contains("Func")), "{program:?}");
        let from_the_row = explain("SELECT dead FROM users", [], 1);
        assert!(
            from_the_row.iter().any(|step| step.contains("Func")),
            "{from_the_row:?}"
        );
    }

    /// How SQLite would search.
    fn plan(sql: &str, parameters: impl Params) -> Vec<String> {
        explain(&format!("QUERY PLAN {sql}"), parameters, 3)
    }

    /// One column of what `EXPLAIN` answers.
    fn explain(sql: &str, parameters: impl Params, column: usize) -> Vec<String> {
        let connection = Connection::open_in_memory().expect("a database");
        schema::migrate(&connection).expect("a schema");
        let mut explain = connection.prepare(&format!("EXPLAIN {sql}")).expect("a query");
        let steps = explain
            .query_map(parameters, |row| row.get(column))
            .expect("an explanation");
        steps.map(|step| step.expect("a step")).collect()
    }

    /// What SQLite does for a page behind the first `before` of the due, and for the tally, among so many others.
    fn steps(due_count: i64, before: i64, others: i64) -> (i32, i32) {
        let connection = Connection::open_in_memory().expect("a database");
        schema::migrate(&connection).expect("a schema");
        connection
            .execute_batch(&format!(
                r#"WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n)
                   INSERT INTO users (id, document)
                   SELECT format('user-%07d', n), format('{{"patchbay": {{"version": 1, "nextDueAt": %d}}}}', n)
                   FROM n LIMIT {};"#,
                due_count + others
            ))
            .expect("users");
        let mut page = connection.prepare(DUE).expect("a query");
        let mut rows = page
            .query(params![
                due_count - 1,
                before - 1,
                format!("user-{:07}", before - 1)
            ])
            .expect("a page");
        for _ in 0..PAGE {
            assert!(rows.next().expect("a row").is_some());
        }
        drop(rows);
        let mut tally = connection.prepare(TALLY).expect("a query");
        let counted: i64 = tally
            .query_one([due_count - 1], |row| row.get(0))
            .expect("a count");
        assert_eq!(counted, due_count);
        let steps = |statement: &Statement<'_>| statement.get_status(StatementStatus::VmStep);
        (steps(&page), steps(&tally))
    }

    const PAGE: usize = 20;

    #[test]
    fn what_is_done_for_the_sweep_depends_on_what_is_due_alone() {
        let (page, tally) = steps(100, 20, 100);
        assert_eq!(steps(100, 20, 20_000), (page, tally));
        assert_eq!(steps(100, 80, 100), (page, tally));
        let (same_page, more) = steps(200, 20, 100);
        assert_eq!(same_page, page);
        assert!(more > tally);
    }
}

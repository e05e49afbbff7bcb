//! The tables of records, one per collection: every field a column, the body as JSON text.

use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter, types::Value};

use super::{from_sql, to_sql};
use crate::{
    ids::UserId,
    store::{Collection, Record, StoreError, Version, Written},
    system::Timestamp,
};

/// One record, if it is there.
pub(super) fn find(
    connection: &Connection,
    collection: Collection,
    id: &str,
) -> Result<Option<Record>, StoreError> {
    let table = collection.as_str();
    let sql = format!("SELECT id, version, owner, due_at, body FROM {table} WHERE id = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    Ok(found.map(|(_, record)| record))
}

/// Those of these records that are there.
pub(super) fn find_all(
    connection: &Connection,
    collection: Collection,
    ids: &[String],
) -> Result<Vec<(String, Record)>, StoreError> {
    let table = collection.as_str();
    // One parameter whatever their number, so that there is one statement to keep prepared.
    let sql = format!(
        "SELECT id, version, owner, due_at, body FROM {table} WHERE id IN (SELECT value FROM json_each(?1))"
    );
    let ids = serde_json::to_string(ids).map_err(StoreError::unreadable)?;
    readable(connection, &sql, [ids], usize::MAX)
}

/// Records that want to be looked at, earliest first.
pub(super) fn due(
    connection: &Connection,
    collection: Collection,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(String, Record)>, StoreError> {
    let table = collection.as_str();
    let sql = format!(
        "SELECT id, version, owner, due_at, body FROM {table} WHERE due_at <= ?1 ORDER BY due_at, id"
    );
    readable(connection, &sql, [until.as_ms()], limit)
}

/// The records of one owner, the latest written last.
pub(super) fn of_owner(
    connection: &Connection,
    collection: Collection,
    owner: &UserId,
    limit: usize,
) -> Result<Vec<(String, Record)>, StoreError> {
    let table = collection.as_str();
    let sql = format!(
        "SELECT id, version, owner, due_at, body FROM {table} WHERE owner = ?1 ORDER BY written DESC"
    );
    let mut latest_first = readable(connection, &sql, [owner.as_str()], limit)?;
    latest_first.reverse();
    Ok(latest_first)
}

/// The first `limit` rows that can be read.
fn readable(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    limit: usize,
) -> Result<Vec<(String, Record)>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut records = Vec::new();
    while records.len() < limit {
        let Some(row) = rows.next()? else { break };
        if let Ok(record) = read(row) {
            records.push(record);
        } else {
            tracing::warn!("a record cannot be read; it is left alone");
        }
    }
    Ok(records)
}

fn read(row: &Row<'_>) -> Result<(String, Record), StoreError> {
    let owner = row.get::<_, Option<String>>(2)?.map(UserId::try_from).transpose();
    let body = row.get_ref(4)?.as_str().map_err(StoreError::unreadable)?;
    let record = Record {
        version: from_sql(row.get(1)?)?,
        owner: owner.map_err(StoreError::unreadable)?,
        due_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_ms),
        body: serde_json::from_str(body).map_err(|_| StoreError::unreadable("the body is not JSON"))?,
    };
    Ok((row.get(0)?, record))
}

/// One conditional write, ready to be handed to the writing thread.
pub(super) struct Write {
    collection: Collection,
    id: String,
    record: Record,
}

impl Write {
    pub(super) fn new(collection: Collection, id: &str, record: &Record) -> Self {
        Self {
            collection,
            id: id.to_owned(),
            record: record.clone(),
        }
    }

    pub(super) fn run(self, connection: &Connection) -> Result<Written, StoreError> {
        let Self {
            collection,
            id,
            record,
        } = self;
        let table = collection.as_str();
        let version = record.version.after_write();
        let mut parameters: Vec<Value> = vec![
            id.into(),
            to_sql(version)?.into(),
            record.owner.map(String::from).into(),
            record.due_at.map(Timestamp::as_ms).into(),
            record.body.to_string().into(),
        ];
        let written = format!("(SELECT coalesce(max(written), 0) + 1 FROM {table} WHERE owner IS ?3)");
        let sql = if record.version == Version::ABSENT {
            format!(
                "INSERT INTO {table} (id, version, owner, due_at, body, written)
                 VALUES (?1, ?2, ?3, ?4, ?5, {written}) ON CONFLICT DO NOTHING"
            )
        } else {
            parameters.push(to_sql(record.version)?.into());
            format!(
                "UPDATE {table} SET version = ?2, owner = ?3, due_at = ?4, body = ?5, written = {written}
                 WHERE id = ?1 AND version = ?6"
            )
        };
        let touched = connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(parameters))?;
        Ok(if touched == 1 {
            Written::As(version)
        } else {
            Written::Conflict
        })
    }
}

/// One conditional removal.
pub(super) fn delete(
    connection: &Connection,
    collection: Collection,
    id: &str,
    read: Version,
) -> Result<Written, StoreError> {
    let sql = format!(
        "DELETE FROM {} WHERE id = ?1 AND version = ?2",
        collection.as_str()
    );
    let removed = connection
        .prepare_cached(&sql)?
        .execute(params![id, to_sql(read)?])?;
    Ok(if removed == 1 {
        Written::As(Version::ABSENT)
    } else {
        Written::Conflict
    })
}

/// Removes every record of `owner`.
pub(super) fn delete_of_owner(
    connection: &Connection,
    collection: Collection,
    owner: &UserId,
) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM {} WHERE owner = ?1", collection.as_str());
    connection.prepare_cached(&sql)?.execute([owner.as_str()])?;
    Ok(())
}

/// Removes what is due first, until what is left fits. SQLite knows how long a text is without reading it.
pub(super) fn trim(
    connection: &Connection,
    collection: Collection,
    bytes_max: u64,
) -> Result<u64, StoreError> {
    let table = collection.as_str();
    let sql = format!(
        "DELETE FROM {table} WHERE id IN (
             SELECT id FROM (
                 SELECT id, sum(octet_length(body)) OVER (ORDER BY due_at DESC, id DESC) AS bytes FROM {table}
             ) WHERE bytes > ?1
         )"
    );
    let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
    let removed = connection.prepare_cached(&sql)?.execute([bytes_max])?;
    u64::try_from(removed).map_err(StoreError::unreadable)
}

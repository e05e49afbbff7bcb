//! The collections of records: documents that are patchbay's as a whole.

use mongodb::{
    Database,
    bson::{Document, doc, serialize_to_bson},
};
use serde::Deserialize;

use super::{batch_size, readable, to_bson, write_if_version};
use crate::{
    ids::UserId,
    store::{Collection, Record, StoreError, Version, Written},
    system::Timestamp,
};

/// Ids that one removal names: a command takes 16 MB, and an id some hundred bytes.
const REMOVED_AT_ONCE: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRecord {
    #[serde(rename = "_id")]
    id: String,
    version: u64,
    owner: Option<UserId>,
    due_at: Option<Timestamp>,
    body: serde_json::Value,
}

impl StoredRecord {
    fn record(self) -> (String, Record) {
        let record = Record {
            version: Version(self.version),
            owner: self.owner,
            due_at: self.due_at,
            body: self.body,
        };
        (self.id, record)
    }
}

fn records(database: &Database, collection: Collection) -> mongodb::Collection<StoredRecord> {
    database.collection(collection.as_str())
}

/// One record, if it is there.
pub(super) async fn find(
    database: &Database,
    collection: Collection,
    id: &str,
) -> Result<Option<Record>, StoreError> {
    let found = records(database, collection).find_one(doc! { "_id": id }).await?;
    Ok(found.map(|stored| stored.record().1))
}

/// Those of these records that are there.
pub(super) async fn find_all(
    database: &Database,
    collection: Collection,
    ids: &[String],
) -> Result<Vec<(String, Record)>, StoreError> {
    let found = records(database, collection)
        .find(doc! { "_id": { "$in": ids } })
        // All in the first answer.
        .batch_size(batch_size(ids.len().max(1)))
        .await?;
    readable(found, usize::MAX, StoredRecord::record).await
}

/// Records that want to be looked at, earliest first.
pub(super) async fn due(
    database: &Database,
    collection: Collection,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(String, Record)>, StoreError> {
    let due = records(database, collection)
        .find(doc! { "dueAt": { "$lte": until.as_ms() } })
        .sort(doc! { "dueAt": 1, "_id": 1 })
        .batch_size(batch_size(limit))
        .await?;
    readable(due, limit, StoredRecord::record).await
}

/// The records of one owner, the latest written last.
pub(super) async fn of_owner(
    database: &Database,
    collection: Collection,
    owner: &UserId,
    limit: usize,
) -> Result<Vec<(String, Record)>, StoreError> {
    let latest_first = records(database, collection)
        .find(doc! { "owner": owner.as_str() })
        .sort(doc! { "written": -1 })
        .batch_size(batch_size(limit))
        .await?;
    let mut records = readable(latest_first, limit, StoredRecord::record).await?;
    records.reverse();
    Ok(records)
}

/// One conditional write.
pub(super) async fn write(
    database: &Database,
    collection: Collection,
    id: &str,
    record: &Record,
) -> Result<Written, StoreError> {
    let version = record.version.after_write();
    let update = doc! {
        "$set": {
            "version": to_bson(version)?,
            "owner": record.owner.as_ref().map(UserId::as_str),
            "dueAt": record.due_at.map(Timestamp::as_ms),
            "body": serialize_to_bson(&record.body).map_err(StoreError::unreadable)?,
        },
        // The server's own counter, not a time: it orders the writes of one millisecond too.
        "$currentDate": { "written": { "$type": "timestamp" } },
    };
    let records: mongodb::Collection<Document> = database.collection(collection.as_str());
    write_if_version(&records, id, "version", (record.version, version), update).await
}

/// One conditional removal.
pub(super) async fn delete(
    database: &Database,
    collection: Collection,
    id: &str,
    read: Version,
) -> Result<Written, StoreError> {
    let removed = records(database, collection)
        .delete_one(doc! { "_id": id, "version": to_bson(read)? })
        .await?;
    Ok(if removed.deleted_count == 1 {
        Written::As(Version::ABSENT)
    } else {
        Written::Conflict
    })
}

/// Removes every record of `owner`.
pub(super) async fn delete_of_owner(
    database: &Database,
    collection: Collection,
    owner: &UserId,
) -> Result<(), StoreError> {
    records(database, collection)
        .delete_many(doc! { "owner": owner.as_str() })
        .await?;
    Ok(())
}

/// What a record takes.
#[derive(Deserialize)]
struct Size {
    #[serde(rename = "_id")]
    id: String,
    bytes: u64,
}

/// Removes what is due first, until what is left fits. Only ids and sizes come over the network.
pub(super) async fn trim(
    database: &Database,
    collection: Collection,
    bytes_max: u64,
) -> Result<u64, StoreError> {
    let mut sizes = records(database, collection)
        .aggregate([
            doc! { "$sort": { "dueAt": -1, "_id": -1 } },
            doc! { "$project": { "bytes": { "$toLong": { "$bsonSize": "$$ROOT" } } } },
        ])
        .with_type::<Size>()
        .await?;
    let (mut bytes, mut too_many) = (0, Vec::new());
    while sizes.advance().await? {
        let size = sizes.deserialize_current()?;
        bytes += size.bytes;
        if bytes > bytes_max {
            too_many.push(size.id);
        }
    }
    let mut removed = 0;
    for ids in too_many.chunks(REMOVED_AT_ONCE) {
        let gone = records(database, collection)
            .delete_many(doc! { "_id": { "$in": ids } })
            .await?;
        removed += gone.deleted_count;
    }
    Ok(removed)
}

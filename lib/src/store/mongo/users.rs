//! The collection `users`, which the host application may own: only patchbay's paths are asked for and patched.

use std::time::Duration;

use mongodb::{
    Collection, Database,
    bson::{Bson, Document, doc, serialize_to_bson},
    options::ReadConcern,
};
use serde::Deserialize;

use super::{batch_size, readable, write_if_version};
use crate::{
    ids::UserId,
    store::{
        StoreError, Tally, UserChange, UserDocument, Version, Written,
        fields::{DEAD, INTEGRATIONS, NEXT_DUE_AT, PENDING, Patch, StoredUser, VERSION, owned_paths},
    },
    system::Timestamp,
};

/// The collection's name.
pub(super) const USERS: &str = "users";

/// How long a majority is waited for where only what it has counts. Without one there is no telling, and the question is
/// asked again later.
const MAJORITY_TIMEOUT_MS: u64 = 5_000;

#[derive(Deserialize)]
struct DueUser {
    #[serde(rename = "_id")]
    id: UserId,
    #[serde(flatten)]
    stored: StoredUser,
}

fn owned_fields() -> Document {
    owned_paths().map(|path| (path, Bson::Int32(1))).collect()
}

/// What patchbay keeps of a user.
pub(super) async fn find(database: &Database, id: &UserId) -> Result<UserDocument, StoreError> {
    let users: Collection<StoredUser> = database.collection(USERS);
    let found = users
        .find_one(doc! { "_id": id.as_str() })
        .projection(owned_fields())
        .await?;
    Ok(found.unwrap_or_default().document())
}

/// Users that want the sweep, earliest first.
pub(super) async fn due(
    database: &Database,
    until: Timestamp,
    after: Option<&(Timestamp, UserId)>,
    limit: usize,
) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
    let users: Collection<DueUser> = database.collection(USERS);
    let due = users
        .find(due_filter(until, after))
        .projection(owned_fields())
        .sort(doc! { NEXT_DUE_AT: 1, "_id": 1 })
        .batch_size(batch_size(limit))
        .await?;
    readable(due, limit, |user| (user.id, user.stored.document())).await
}

/// The same, as a majority has it and no failover takes it back. That waits for the majority.
pub(super) async fn find_for_certain(database: &Database, id: &UserId) -> Result<UserDocument, StoreError> {
    let users: Collection<StoredUser> = database.collection(USERS);
    let found = users
        .find_one(doc! { "_id": id.as_str() })
        .projection(owned_fields())
        .read_concern(ReadConcern::linearizable())
        .max_time(Duration::from_millis(MAJORITY_TIMEOUT_MS))
        .await?;
    Ok(found.unwrap_or_default().document())
}

/// What is due behind `after`. Each branch is one stretch of the index, which the server reads side by side in order: a
/// page costs what is on it, however many came before it or share the moment at which it begins.
fn due_filter(until: Timestamp, after: Option<&(Timestamp, UserId)>) -> Document {
    let Some((at, id)) = after else {
        return doc! { NEXT_DUE_AT: { "$lte": until.as_ms() } };
    };
    let at_once = doc! { NEXT_DUE_AT: at.as_ms(), "_id": { "$gt": id.as_str() } };
    let later = doc! { NEXT_DUE_AT: { "$gt": at.as_ms(), "$lte": until.as_ms() } };
    doc! { "$or": [at_once, later] }
}

/// What is due, and what waits for people.
pub(super) async fn tally(database: &Database, now: Timestamp) -> Result<Tally, StoreError> {
    let users: Collection<Document> = database.collection(USERS);
    let due = users.count_documents(due_filter(now, None)).await?;
    let sum = [
        doc! { "$match": { DEAD: { "$gt": 0 } } },
        doc! { "$group": { "_id": Bson::Null, "dead": { "$sum": format!("${DEAD}") } } },
    ];
    let mut sums = users.aggregate(sum).with_type::<Dead>().await?;
    let dead = if sums.advance().await? {
        sums.deserialize_current()?.dead
    } else {
        0
    };
    Ok(Tally { due, dead })
}

#[derive(Deserialize)]
struct Dead {
    dead: u64,
}

/// One conditional write.
pub(super) async fn write(
    database: &Database,
    id: &UserId,
    read: Version,
    change: &UserChange,
) -> Result<Written, StoreError> {
    let version = read.after_write();
    let update = update(Patch::of(change, version)?)?;
    let users: Collection<Document> = database.collection(USERS);
    write_if_version(&users, id.as_str(), VERSION, (read, version), update).await
}

fn update(patch: Patch) -> Result<Document, StoreError> {
    let mut set = Document::new();
    for (path, content) in patch.set {
        set.insert(path, serialize_to_bson(&content).map_err(StoreError::unreadable)?);
    }
    let mut update = doc! { "$set": set };
    if !patch.remove.is_empty() {
        let unset: Document = patch
            .remove
            .into_iter()
            .map(|path| (path, Bson::Int32(1)))
            .collect();
        update.insert("$unset", unset);
    }
    Ok(update)
}

/// Erases patchbay's fields together with what they leave empty, then a document in which nothing is left. The second
/// step asks again whether that is so: somebody may have written in between.
pub(super) async fn delete(database: &Database, id: &UserId) -> Result<(), StoreError> {
    let users: Collection<Document> = database.collection(USERS);
    let erase = [
        doc! { "$unset": owned_paths().collect::<Vec<_>>() },
        doc! { "$set": { INTEGRATIONS: unless_empty(INTEGRATIONS), PENDING: unless_empty(PENDING) } },
    ];
    users
        .update_one(doc! { "_id": id.as_str() }, erase.to_vec())
        .await?;
    let only_its_id = doc! { "$eq": [{ "$size": { "$objectToArray": "$$ROOT" } }, 1] };
    users
        .delete_one(doc! { "_id": id.as_str(), "$expr": only_its_id })
        .await?;
    Ok(())
}

fn unless_empty(field: &str) -> Document {
    let content = format!("${field}");
    doc! { "$cond": [{ "$eq": [&content, {}] }, "$$REMOVE", &content] }
}

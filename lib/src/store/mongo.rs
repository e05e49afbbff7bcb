//! The MongoDB engine: for more than one machine.
//!
//! Every write is one conditional update of one document on the primary, acknowledged by a majority.

mod buckets;
mod connection;
mod failure;
mod records;
mod together;
mod uncertain;
mod users;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use mongodb::{
    Cursor, Database,
    bson::{Document, doc},
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use self::{together::Together, uncertain::Uncertain};
use super::{
    Collection, Record, Store, StoreError, Tally, UserChange, UserDocument, Version, Written,
    bucket::BucketClock,
};
use crate::{
    ids::UserId,
    pace::{Answer, Ask, Pace, Refusal},
    secret::DatabaseAddress,
    system::{Clock, System, Timestamp},
};

/// No single question takes longer than this, failover (2 to 12 s) included: the driver has no time-out of its own once
/// a server has taken the connection. Below the 30 s that a renewal's lease lives.
const QUESTION_TIMEOUT_MS: u64 = 15_000;

/// Keeps documents in a MongoDB database.
pub struct MongoStore {
    address: DatabaseAddress,
    database: OnceCell<Database>,
    indexed: OnceCell<()>,
    /// Those who ask for the same user.
    finding: Together<UserDocument>,
    /// Those whose last write may or may not stand.
    uncertain: Uncertain,
    /// Bounds the network's time, which is real whatever the rest of the service takes the time to be.
    system: System,
    clock: BucketClock,
}

impl MongoStore {
    /// A store that connects on first use; making it asks nobody. Uses the database that the address names, else
    /// `patchbay`.
    #[must_use]
    pub fn new(address: DatabaseAddress) -> Self {
        Self {
            address,
            database: OnceCell::new(),
            indexed: OnceCell::new(),
            finding: Together::default(),
            uncertain: Uncertain::default(),
            system: System::real(),
            clock: BucketClock::default(),
        }
    }

    /// The same, but turns are given out on `clock`: a test that moves the time moves the database's with it.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: BucketClock::Given(clock),
            ..self
        }
    }

    async fn database(&self) -> Result<&Database, StoreError> {
        self.database
            .get_or_try_init(|| connection::connect(&self.address))
            .await
    }

    /// The database with its indexes. Only the questions that want one wait for it: everything else goes by `_id`, and a
    /// function that starts cold should not pay for the sweep.
    async fn indexed(&self) -> Result<&Database, StoreError> {
        let database = self.database().await?;
        self.indexed
            .get_or_try_init(|| connection::create_indexes(database))
            .await?;
        Ok(database)
    }

    async fn within_limit<T>(
        &self,
        question: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let limit = Duration::from_millis(QUESTION_TIMEOUT_MS);
        let answer = self.system.within(limit, question).await;
        answer.unwrap_or_else(|| Err(StoreError::unavailable("the database took too long to answer")))
    }
}

impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn find_user(&self, id: &UserId) -> Result<UserDocument, StoreError> {
        let question = async {
            let database = self.database().await?;
            let Some(doubt) = self.uncertain.about(id) else {
                return users::find(database, id).await;
            };
            let found = users::find_for_certain(database, id).await?;
            self.uncertain.forget(id, doubt);
            Ok(found)
        };
        self.within_limit(self.finding.ask(id.as_str(), question)).await
    }

    async fn write_user(
        &self,
        id: &UserId,
        read: Version,
        change: &UserChange,
    ) -> Result<Written, StoreError> {
        let written = self
            .within_limit(async { users::write(self.database().await?, id, read, change).await })
            .await;
        if matches!(written, Err(StoreError::Unavailable(_))) {
            self.uncertain.note(id);
        }
        written
    }

    async fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
        self.within_limit(async { users::due(self.indexed().await?, until, after, limit).await })
            .await
    }

    async fn tally(&self, now: Timestamp) -> Result<Tally, StoreError> {
        self.within_limit(async { users::tally(self.indexed().await?, now).await })
            .await
    }

    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError> {
        self.within_limit(async { users::delete(self.database().await?, id).await })
            .await
    }

    async fn find_record(&self, collection: Collection, id: &str) -> Result<Option<Record>, StoreError> {
        self.within_limit(async { records::find(self.database().await?, collection, id).await })
            .await
    }

    async fn find_records(
        &self,
        collection: Collection,
        ids: &[String],
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.within_limit(async { records::find_all(self.database().await?, collection, ids).await })
            .await
    }

    async fn write_record(
        &self,
        collection: Collection,
        id: &str,
        record: &Record,
    ) -> Result<Written, StoreError> {
        self.within_limit(async { records::write(self.database().await?, collection, id, record).await })
            .await
    }

    async fn delete_record(
        &self,
        collection: Collection,
        id: &str,
        read: Version,
    ) -> Result<Written, StoreError> {
        self.within_limit(async { records::delete(self.database().await?, collection, id, read).await })
            .await
    }

    async fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.within_limit(async { records::due(self.indexed().await?, collection, until, limit).await })
            .await
    }

    async fn records_of(
        &self,
        collection: Collection,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.within_limit(async { records::of_owner(self.indexed().await?, collection, owner, limit).await })
            .await
    }

    async fn delete_records_of(&self, collection: Collection, owner: &UserId) -> Result<(), StoreError> {
        self.within_limit(async { records::delete_of_owner(self.indexed().await?, collection, owner).await })
            .await
    }

    async fn trim_records(&self, collection: Collection, bytes_max: u64) -> Result<u64, StoreError> {
        self.within_limit(async { records::trim(self.indexed().await?, collection, bytes_max).await })
            .await
    }

    async fn take_turns(&self, id: &str, pace: Pace, ask: &Ask) -> Result<Answer, StoreError> {
        self.within_limit(async {
            buckets::take_turns(self.database().await?, &self.clock, id, pace, ask).await
        })
        .await
    }

    async fn close_bucket(
        &self,
        id: &str,
        pace: Pace,
        pause: Duration,
        refusal: Refusal,
    ) -> Result<(), StoreError> {
        self.within_limit(async {
            buckets::close(self.database().await?, &self.clock, id, pace, pause, refusal).await
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.within_limit(async {
            let hello = self.database().await?.run_command(doc! { "hello": 1 }).await?;
            match hello.get_bool("isWritablePrimary") {
                Ok(true) => Ok(()),
                _ => Err(StoreError::unavailable("the server does not take writes")),
            }
        })
        .await
    }
}

/// A version as MongoDB's integer.
fn to_bson(version: Version) -> Result<i64, StoreError> {
    i64::try_from(version.0).map_err(StoreError::unreadable)
}

/// The one conditional write: makes `update` if `version_field` still says `read`, or is not there when that is
/// [`Version::ABSENT`]; the update itself puts `next` there.
async fn write_if_version(
    collection: &mongodb::Collection<Document>,
    id: &str,
    version_field: &str,
    (read, next): (Version, Version),
    update: Document,
) -> Result<Written, StoreError> {
    let written = if read == Version::ABSENT {
        // Where there is a version already, the filter finds nothing and the insert meets the same `_id`.
        let filter = doc! { "_id": id, version_field: { "$exists": false } };
        collection.update_one(filter, update).upsert(true).await
    } else {
        let filter = doc! { "_id": id, version_field: to_bson(read)? };
        collection.update_one(filter, update).await
    };
    match written {
        Ok(done) if done.matched_count == 1 || done.upserted_id.is_some() => Ok(Written::As(next)),
        Ok(_) => Ok(Written::Conflict),
        Err(error) if failure::is_duplicate_key(&error) => Ok(Written::Conflict),
        Err(error) => Err(error.into()),
    }
}

/// The first `limit` documents that can be read as `T` and taken by `keep`. The limit counts these: a page of unreadable
/// ones must not look like the end.
async fn readable<T: DeserializeOwned, Kept>(
    mut cursor: Cursor<T>,
    limit: usize,
    keep: impl Fn(T) -> Kept,
) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::new();
    while kept.len() < limit && cursor.advance().await? {
        if let Ok(document) = cursor.deserialize_current() {
            kept.push(keep(document));
        } else {
            tracing::warn!("a document cannot be read; it is left alone");
        }
    }
    Ok(kept)
}

/// How many documents the server sends at once for a page of `limit`.
fn batch_size(limit: usize) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

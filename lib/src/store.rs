//! Keeping documents: the port every room writes through, and the engines behind it.
//!
//! One user, one document, one version, one conditional write: a write names the version it read, touches exactly
//! one document or reports [`Written::Conflict`] as a value. No transaction is open, and no lock is held, while
//! patchbay talks to anyone outside.

mod bucket;
mod document;
mod fields;
mod mongo;
mod sqlite;
mod url;

use std::{collections::BTreeMap, fmt, time::Duration};

use async_trait::async_trait;

pub use document::{
    GrantStatus, StoredEvent, StoredGrant, StoredLastfm, StoredLease, StoredPending, StoredPendingLink,
};
pub use mongo::MongoStore;
pub use sqlite::SqliteStore;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};

use crate::{
    ids::{Slot, UserId},
    pace::{Answer, Ask, Pace, Refusal},
    system::{Entropy, RealEntropy, Timestamp},
};

/// How often a document was written; 0 means that it is not there yet (or that patchbay never wrote to it).
///
/// The compare-and-swap token. A first write gives a random version and every later one the next: a writer that still
/// holds the version of an erased document cannot hit the one that took its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

impl Version {
    /// The version of what is not stored.
    pub const ABSENT: Self = Self(0);

    /// First versions lie below this: JSON readers that know only doubles (2^53) read theirs and a long life's exactly.
    const FIRST_MAX: u64 = 1 << 52;

    /// The version that a successful write makes of this one.
    fn after_write(self) -> Self {
        if self != Self::ABSENT {
            return Self(self.0 + 1);
        }
        let entropy: &dyn Entropy = &RealEntropy;
        Self((u64::from_le_bytes(entropy.bytes()) % Self::FIRST_MAX).max(1))
    }
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was written"]
pub enum Written {
    /// The document now has this version.
    As(Version),
    /// Somebody else wrote first: nothing was changed. Read again, decide again.
    Conflict,
}

/// What patchbay keeps in one user's document. The host application may keep fields of its own beside these; they
/// are neither read nor touched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserDocument {
    /// How often patchbay wrote this document.
    pub version: Version,
    /// The grants, by slot. A slot whose content this version cannot read is left out here and left alone there.
    pub integrations: BTreeMap<Slot, StoredGrant>,
    /// Authorizations that were started and not finished, at most one per slot.
    pub pending: BTreeMap<Slot, StoredPending>,
    /// The Last.fm account. One that this version cannot read is left out here and left alone there.
    pub lastfm: Option<StoredLastfm>,
    /// A way to Last.fm's own page that was started and not finished.
    pub pending_link: Option<StoredPendingLink>,
    /// The earliest moment at which any slot wants the sweep's attention.
    pub next_due_at: Option<Timestamp>,
    /// How many grants wait for their person; kept beside them so that [`Store::tally`] need not look into them.
    pub dead: u32,
    /// What happened to the grants and is not yet in [`Collection::Events`], oldest first. An event that this version
    /// cannot read is left out here; it stays stored until a change replaces the outbox.
    pub outbox: Vec<StoredEvent>,
}

/// What a change does to one part of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is, readable or not.
    #[default]
    Leave,
    /// It is replaced as a whole.
    Put(T),
    /// It goes.
    Remove,
}

impl<T: PartialEq> Edit<T> {
    /// What makes `after` of `before`.
    pub(crate) fn between(before: Option<&T>, after: Option<T>) -> Self {
        match after {
            same if same.as_ref() == before => Self::Leave,
            Some(after) => Self::Put(after),
            None => Self::Remove,
        }
    }
}

/// One change of one user's document: only the slots named here are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserChange {
    /// Grants to put (`Some`) or to remove (`None`).
    pub integrations: BTreeMap<Slot, Option<StoredGrant>>,
    /// Pending authorizations to put or to remove.
    pub pending: BTreeMap<Slot, Option<StoredPending>>,
    /// What becomes of the Last.fm account.
    pub lastfm: Edit<StoredLastfm>,
    /// What becomes of the way to Last.fm's page.
    pub pending_link: Edit<StoredPendingLink>,
    /// Replaces `next_due_at`, always: it is a property of all slots together.
    pub next_due_at: Option<Timestamp>,
    /// Replaces `dead`, always: so is this.
    pub dead: u32,
    /// Replaces the outbox (`Some`; the empty one removes it) or leaves it as it is (`None`).
    pub outbox: Option<Vec<StoredEvent>>,
}

/// A collection of records that are patchbay's own as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// Export jobs.
    Exports,
    /// Quotas, pacing, breakers.
    Budgets,
    /// What happened to grants.
    Events,
    /// What is remembered of songs: answers of searches, and what people corrected.
    Tracks,
    /// What was read of people's listening.
    Listening,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Self; 5] = [
        Self::Exports,
        Self::Budgets,
        Self::Events,
        Self::Tracks,
        Self::Listening,
    ];

    /// Its name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exports => "exports",
            Self::Budgets => "budgets",
            Self::Events => "events",
            Self::Tracks => "tracks",
            Self::Listening => "listening",
        }
    }
}

/// One record of a [`Collection`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// How often it was written.
    pub version: Version,
    /// Whose it is; erased with them.
    pub owner: Option<UserId>,
    /// When it wants to be looked at again, if ever.
    pub due_at: Option<Timestamp>,
    /// What the owning room keeps in it. Its numbers have to fit an `i64` or an `f64`.
    pub body: serde_json::Value,
}

/// How much work there is, and how much only people can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Users whose `next_due_at` is not after the moment asked about.
    pub due: u64,
    /// Grants that wait for their person: the sum of `dead` over all users.
    pub dead: u64,
}

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is busy for too long, or its disk is full. Trying again later may help.
    #[error("the database is not available")]
    Unavailable(#[source] BoxError),
    /// What is stored there is not what patchbay stores. Trying again does not help.
    #[error("a stored document cannot be read")]
    Unreadable(#[source] BoxError),
}

/// Any cause, for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    /// Wraps the cause of a failure that may pass.
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Wraps the cause of a failure that stays.
    pub fn unreadable(cause: impl Into<BoxError>) -> Self {
        Self::Unreadable(cause.into())
    }
}

/// The port: what every engine can do. One contract story (`tests/it/store.rs`) runs over each of them.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// What patchbay keeps of a user; the empty document of version 0 when there is nothing.
    async fn find_user(&self, id: &UserId) -> Result<UserDocument, StoreError>;

    /// Writes `change` if the document still has the version `read`; makes the document when `read` is
    /// [`Version::ABSENT`]. Fields of the host application survive.
    async fn write_user(
        &self,
        id: &UserId,
        read: Version,
        change: &UserChange,
    ) -> Result<Written, StoreError>;

    /// Users whose `next_due_at` is not after `until`, earliest first, at most `limit`, behind `after` (the last row
    /// of the page before). Documents that cannot be read are left out, with a warning: one of them must not stop
    /// the sweep.
    async fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserDocument)>, StoreError>;

    /// Counts what is due at `now`, and the grants that wait for their person. Goes by indexes: the cost grows with what
    /// is counted, not with what is stored.
    async fn tally(&self, now: Timestamp) -> Result<Tally, StoreError>;

    /// Removes everything of patchbay's from a user's document, and the document when nothing else is in it.
    /// Unconditional: forgetting wins over whatever is going on.
    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError>;

    /// One record, if it is there.
    async fn find_record(&self, collection: Collection, id: &str) -> Result<Option<Record>, StoreError>;

    /// Those of these records that are there, with their ids, in no order, each once; in one round trip, so for some
    /// hundreds at most. One that cannot be read is left out, with a warning.
    async fn find_records(
        &self,
        collection: Collection,
        ids: &[String],
    ) -> Result<Vec<(String, Record)>, StoreError>;

    /// Writes a record if it still has the version that `record.version` names ([`Version::ABSENT`] to make it).
    async fn write_record(
        &self,
        collection: Collection,
        id: &str,
        record: &Record,
    ) -> Result<Written, StoreError>;

    /// Removes a record if it still has the version `read`: [`Written::As`] [`Version::ABSENT`]. One that has another
    /// version, or is gone already, is a conflict; so is [`Version::ABSENT`], which no stored record has.
    async fn delete_record(
        &self,
        collection: Collection,
        id: &str,
        read: Version,
    ) -> Result<Written, StoreError>;

    /// Records whose `due_at` is not after `until`, earliest first, at most `limit`.
    async fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError>;

    /// The records of one owner with their ids: the `limit` latest written ones, the very latest last.
    async fn records_of(
        &self,
        collection: Collection,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError>;

    /// Removes every record of `owner`.
    async fn delete_records_of(&self, collection: Collection, owner: &UserId) -> Result<(), StoreError>;

    /// Drops the records of `collection` that are due first, until what is left takes at most `bytes_max` bytes; answers how
    /// many. Its cost grows with how many there are.
    async fn trim_records(&self, collection: Collection, bytes_max: u64) -> Result<u64, StoreError>;

    /// Takes tokens out of the bucket `id` of [`Collection::Budgets`], which needs not be there yet, for those callers of a
    /// process whose turn has come, on the DATABASE's clock: one atomic question,
    /// [`Level::take_turns`](crate::pace::Level::take_turns). All spans are relative, so what the clocks of the processes say
    /// does not matter. An answer that is lost costs the tokens that were taken in it, and never lets anybody take one more.
    async fn take_turns(&self, id: &str, pace: Pace, ask: &Ask) -> Result<Answer, StoreError>;

    /// Closes the bucket `id` for `pause` from now on, on the same clock: [`Level::close`](crate::pace::Level::close).
    async fn close_bucket(
        &self,
        id: &str,
        pace: Pace,
        pause: Duration,
        refusal: Refusal,
    ) -> Result<(), StoreError>;

    /// Whether the database answers a write-capable question right now.
    async fn ping(&self) -> Result<(), StoreError>;
}

//! What was read, kept for a while: so that nobody is asked twice, and so that there is something to tell when Last.fm
//! does not answer.
//!
//! It is a help and no more: what cannot be read from it is asked anew, what cannot be written is not kept.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ids::UserId,
    store::{Collection, Record, Store, StoreError, Version, Written},
    system::System,
};

/// After writing such a part of what may be kept, a process looks whether there is too much: looking costs as much as there
/// is, and so many processes together go beyond the limit by no more than it.
const LOOK_AFTER_PART: u64 = 16;

/// Records that one pass of the sweep forgets; the next one goes on.
const FORGOTTEN_MAX: usize = 1000;

/// Records read at once to be forgotten.
const FORGOTTEN_PAGE: usize = 50;

/// The records of people's listening.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    store: Arc<dyn Store>,
    system: System,
    bytes_max: u64,
    /// Bytes written since somebody looked whether there is too much.
    written: Arc<AtomicU64>,
}

/// Something that was found on the shelf.
#[derive(Clone, Debug)]
pub(super) struct Kept<T> {
    pub(super) content: T,
    version: Version,
}

/// The version of what is not on the shelf.
pub(super) fn version_of<T>(kept: Option<&Kept<T>>) -> Version {
    kept.map_or(Version::ABSENT, |kept| kept.version)
}

impl Shelf {
    pub(super) fn new(store: Arc<dyn Store>, system: System, bytes_max: u64) -> Self {
        Self {
            store,
            system,
            bytes_max,
            written: Arc::default(),
        }
    }

    /// What is kept of `user` under `name`.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        user: &UserId,
        name: &str,
    ) -> Result<Option<Kept<T>>, StoreError> {
        let found = self
            .store
            .find_record(Collection::Listening, &id_of(user, name))
            .await?;
        let Some(record) = found else { return Ok(None) };
        let version = record.version;
        let Ok(content) = serde_json::from_value(record.body) else {
            // Of another edition of this service: asked anew, and made room for.
            self.drop_read(user, name, version).await?;
            return Ok(None);
        };
        Ok(Some(Kept { content, version }))
    }

    /// Keeps `content` for `life`, if the record still has the version `read`. Whoever was quicker knows as much.
    pub(super) async fn put(
        &self,
        user: &UserId,
        name: &str,
        read: Version,
        content: &impl Serialize,
        life: Duration,
    ) -> Result<Written, StoreError> {
        let body = serde_json::to_value(content).map_err(StoreError::unreadable)?;
        let bytes = body.to_string().len();
        let record = Record {
            version: read,
            owner: Some(user.clone()),
            due_at: Some(self.system.now() + life),
            body,
        };
        let written = self
            .store
            .write_record(Collection::Listening, &id_of(user, name), &record)
            .await?;
        self.make_room(u64::try_from(bytes).unwrap_or(u64::MAX)).await;
        Ok(written)
    }

    /// Removes what is kept of `user` under `name`, unless somebody has changed it since it was read.
    pub(super) async fn drop_read(&self, user: &UserId, name: &str, read: Version) -> Result<(), StoreError> {
        let dropped = self
            .store
            .delete_record(Collection::Listening, &id_of(user, name), read)
            .await?;
        tracing::trace!(
            ?dropped,
            name,
            "something of a person's listening is not kept any more"
        );
        Ok(())
    }

    /// Removes everything that is kept of `user`.
    pub(super) async fn forget(&self, user: &UserId) -> Result<(), StoreError> {
        self.store.delete_records_of(Collection::Listening, user).await
    }

    /// Removes what nobody has asked for in a long time, and what is too much. Answers how many records.
    pub(super) async fn tidy(&self) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        while forgotten < FORGOTTEN_MAX {
            let due = self
                .store
                .records_due(Collection::Listening, self.system.now(), FORGOTTEN_PAGE)
                .await?;
            for (id, record) in &due {
                let gone = self
                    .store
                    .delete_record(Collection::Listening, id, record.version)
                    .await?;
                tracing::trace!(?gone, "nobody has asked for this in a long time");
            }
            forgotten += due.len();
            if due.len() < FORGOTTEN_PAGE {
                break;
            }
        }
        let trimmed = self
            .store
            .trim_records(Collection::Listening, self.bytes_max)
            .await?;
        Ok(trimmed + u64::try_from(forgotten).unwrap_or(u64::MAX))
    }

    async fn make_room(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if written < self.bytes_max / LOOK_AFTER_PART {
            return;
        }
        self.written.store(0, Ordering::Relaxed);
        let trimmed = self
            .store
            .trim_records(Collection::Listening, self.bytes_max)
            .await;
        match trimmed {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "the oldest of what was read of Last.fm had to go"),
            Err(error) => tracing::warn!(%error, "whether too much is kept of Last.fm is not known"),
        }
    }
}

fn id_of(user: &UserId, name: &str) -> String {
    format!("{user}/{name}")
}

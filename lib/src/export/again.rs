//! A request without an `Idempotency-Key` that comes twice: within ten minutes the second one means the first.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ExportError, ExportId, id::digest_of};
use crate::{
    ids::UserId,
    store::{Collection, Record, Store, StoreError, Written},
    system::{System, Timestamp},
};

/// A double click, a proxy's repeat, a page that lost its answer: all within this. Who wants the same list as a second
/// playlist sooner sends a key.
const SAME_FOR: Duration = Duration::from_mins(10);

/// A lost race means that another request noted its export: that one is meant then.
const TRIES_MAX: usize = 4;

/// No job's id looks like this.
const ID_PREFIX: &str = "again:";

/// Which export a list belongs to, by what was asked and by whom.
#[derive(Clone, Debug)]
pub(super) struct Again {
    store: Arc<dyn Store>,
    system: System,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    export: ExportId,
    at: Timestamp,
}

impl Again {
    pub(super) fn new(store: Arc<dyn Store>, system: System) -> Self {
        Self { store, system }
    }

    /// The export that `owner` asked for in the same words within the last ten minutes, else a new id. Of several
    /// requests at the same moment all get the same one.
    pub(super) async fn id_for(&self, owner: &UserId, fingerprint: &str) -> Result<ExportId, ExportError> {
        let id = format!("{ID_PREFIX}{}", digest_of(&[owner.as_str(), fingerprint]));
        for _ in 0..TRIES_MAX {
            let found = self.store.find_record(Collection::Exports, &id).await?;
            let noted = found
                .as_ref()
                .and_then(|record| Note::deserialize(&record.body).ok());
            let now = self.system.now();
            if let Some(note) = noted.filter(|note| now < note.at + SAME_FOR) {
                return Ok(note.export);
            }
            let note = Note {
                export: ExportId::random(self.system.entropy.as_ref()),
                at: now,
            };
            let record = Record {
                version: found.map_or_else(Default::default, |record| record.version),
                owner: Some(owner.clone()),
                due_at: Some(now + SAME_FOR),
                body: serde_json::to_value(&note).map_err(StoreError::unreadable)?,
            };
            let written = self.store.write_record(Collection::Exports, &id, &record).await?;
            if matches!(written, Written::As(_)) {
                return Ok(note.export);
            }
        }
        Err(StoreError::unavailable("too many requests for one export at the same moment").into())
    }
}

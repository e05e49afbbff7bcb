//! Where patchbay's fields lie in a user's document, for both engines: what they read of it, and what they patch in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{StoreError, UserChange, UserDocument, Version};
use crate::{ids::Slot, system::Timestamp};

/// The object that holds the grants. The host application may keep slots of its own in it.
pub(super) const INTEGRATIONS: &str = "integrations";
/// The object that holds the unfinished authorizations.
pub(super) const PENDING: &str = "pending";
/// The object that is patchbay's as a whole.
pub(super) const PATCHBAY: &str = "patchbay";
/// The compare-and-swap token.
pub(super) const VERSION: &str = "patchbay.version";
/// What the sweep looks for.
pub(super) const NEXT_DUE_AT: &str = "patchbay.nextDueAt";
/// Which shape the fields have: see [`SCHEMA_VERSION`].
const SCHEMA: &str = "patchbay.schema";

/// Raised when a field changes its meaning, so that a later version knows what it reads.
const SCHEMA_VERSION: u32 = 1;

/// Every path that belongs to patchbay: what is erased with a user, and all that is ever asked for.
pub(super) fn owned_paths() -> impl Iterator<Item = String> {
    let slots = Slot::ALL
        .into_iter()
        .flat_map(|slot| [path(INTEGRATIONS, slot), path(PENDING, slot)]);
    slots.chain([PATCHBAY.to_owned()])
}

fn path(group: &str, slot: Slot) -> String {
    format!("{group}.{slot}")
}

/// A user's document as far as it is patchbay's. The slots' contents stay unread until [`StoredUser::document`], so
/// that one that cannot be read does not hide the others.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct StoredUser {
    integrations: BTreeMap<String, Value>,
    pending: BTreeMap<String, Value>,
    patchbay: StoredMeta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StoredMeta {
    version: u64,
    next_due_at: Option<Timestamp>,
}

impl StoredUser {
    /// What the other rooms see of it. Slots that cannot be read are left out, with a warning.
    pub(super) fn document(self) -> UserDocument {
        UserDocument {
            version: Version(self.patchbay.version),
            integrations: readable_slots(self.integrations, INTEGRATIONS),
            pending: readable_slots(self.pending, PENDING),
            next_due_at: self.patchbay.next_due_at,
        }
    }
}

fn readable_slots<T: DeserializeOwned>(
    mut stored: BTreeMap<String, Value>,
    group: &str,
) -> BTreeMap<Slot, T> {
    let read = |slot: Slot| {
        let content = stored.remove(slot.as_str())?;
        if let Ok(content) = serde_json::from_value(content) {
            return Some((slot, content));
        }
        // Neither the cause nor the user's id: serde quotes what it could not read, and ids are no matter for logs.
        tracing::warn!(%slot, group, "what is stored in this slot cannot be read; it is left alone");
        None
    };
    Slot::ALL.into_iter().filter_map(read).collect()
}

/// A change as paths into the stored document: what both engines execute.
pub(super) struct Patch {
    /// Values to put, replacing what is there.
    pub set: Vec<(String, Value)>,
    /// Paths to remove; absent ones do no harm.
    pub remove: Vec<String>,
}

impl Patch {
    /// The patch that makes `change` and moves the document to `version`.
    pub(super) fn of(change: &UserChange, version: Version) -> Result<Self, StoreError> {
        let mut patch = Self {
            set: vec![
                (VERSION.to_owned(), version.0.into()),
                (SCHEMA.to_owned(), SCHEMA_VERSION.into()),
            ],
            remove: Vec::new(),
        };
        for (slot, grant) in &change.integrations {
            patch.put(path(INTEGRATIONS, *slot), grant.as_ref())?;
        }
        for (slot, pending) in &change.pending {
            patch.put(path(PENDING, *slot), pending.as_ref())?;
        }
        patch.put(NEXT_DUE_AT.to_owned(), change.next_due_at.as_ref())?;
        Ok(patch)
    }

    fn put<T: Serialize>(&mut self, path: String, content: Option<&T>) -> Result<(), StoreError> {
        match content {
            Some(content) => {
                let content = serde_json::to_value(content).map_err(StoreError::unreadable)?;
                self.set.push((path, content));
            }
            None => self.remove.push(path),
        }
        Ok(())
    }
}

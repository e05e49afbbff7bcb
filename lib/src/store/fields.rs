//! Where patchbay's fields lie in a user's document, for both engines: what they read of it, and what they patch in it.

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{StoreError, StoredEvent, StoredGrant, StoredPending, UserChange, UserDocument, Version};
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
/// How many grants wait for their person; not there when none does.
pub(super) const DEAD: &str = "patchbay.dead";
/// What happened and is not told yet; not there when everything is.
const OUTBOX: &str = "patchbay.outbox";
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

/// A user's document, read from its text.
///
/// Nearly always every slot is readable, and then the text is read once, straight into its types: this is most of what a
/// poll of the status costs. Only where that fails are the slots looked at one by one.
pub(super) fn document(text: &str) -> serde_json::Result<UserDocument> {
    if let Ok(stored) = serde_json::from_str::<ReadableUser>(text) {
        return Ok(stored.patchbay.document(stored.integrations.0, stored.pending.0));
    }
    serde_json::from_str(text).map(StoredUser::document)
}

/// A user's document in which every slot can be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ReadableUser {
    integrations: Slots<StoredGrant>,
    pending: Slots<StoredPending>,
    patchbay: StoredMeta,
}

/// Patchbay's slots; the host application's own are passed over.
struct Slots<T>(BTreeMap<Slot, T>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slots<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SlotsVisitor(PhantomData))
    }
}

struct SlotsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SlotsVisitor<T> {
    type Value = Slots<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of slots")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Slots<T>, A::Error> {
        let mut slots = Slots::default();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match name.parse::<Slot>() {
                Ok(slot) => drop(slots.0.insert(slot, map.next_value()?)),
                Err(_) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(slots)
    }
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
    dead: u32,
    #[serde(deserialize_with = "readable_events")]
    outbox: Vec<StoredEvent>,
}

impl StoredMeta {
    fn document(
        self,
        integrations: BTreeMap<Slot, StoredGrant>,
        pending: BTreeMap<Slot, StoredPending>,
    ) -> UserDocument {
        UserDocument {
            version: Version(self.version),
            integrations,
            pending,
            next_due_at: self.next_due_at,
            dead: self.dead,
            outbox: self.outbox,
        }
    }
}

impl StoredUser {
    /// What the other rooms see of it. Slots that cannot be read are left out, with a warning.
    pub(super) fn document(self) -> UserDocument {
        let integrations = readable_slots(self.integrations, INTEGRATIONS);
        let pending = readable_slots(self.pending, PENDING);
        self.patchbay.document(integrations, pending)
    }
}

/// The events that can be read: telling what happened must not stand in the way of what happens.
fn readable_events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StoredEvent>, D::Error> {
    let stored = match Value::deserialize(deserializer)? {
        Value::Array(events) => events,
        other => vec![other],
    };
    let stored_count = stored.len();
    let readable: Vec<_> = stored
        .into_iter()
        .filter_map(|event| serde_json::from_value(event).ok())
        .collect();
    if readable.len() < stored_count {
        // Without a cause, as for the slots.
        tracing::warn!(
            "what is stored in the outbox cannot all be read; it is left alone until the next event"
        );
    }
    Ok(readable)
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
        patch.put(DEAD.to_owned(), Some(&change.dead).filter(|dead| **dead > 0))?;
        if let Some(outbox) = &change.outbox {
            patch.put(
                OUTBOX.to_owned(),
                Some(outbox).filter(|events| !events.is_empty()),
            )?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
        "_id": "ada", "name": "Ada",
        "integrations": {
            "spotify": {"accountId": "a", "expiresAt": 7, "hostsOwn": [1]},
            "calendar": {"anything": null}
        },
        "pending": {"spotifyByo": {"stateHash": "h"}},
        "patchbay": {
            "version": 3, "nextDueAt": 5, "schema": 1, "dead": 2,
            "outbox": [{"id": "1", "slot": "spotify", "kind": "ended", "at": 4, "reason": "r", "daysLeft": 7}]
        }
    }"#;

    #[test]
    fn both_ways_of_reading_say_the_same() {
        let slow = serde_json::from_str(DOCUMENT)
            .map(StoredUser::document)
            .expect("a document");
        let fast: ReadableUser = serde_json::from_str(DOCUMENT).expect("every slot can be read");
        assert_eq!(fast.integrations.0, slow.integrations);
        assert_eq!(fast.pending.0, slow.pending);
        assert_eq!(document(DOCUMENT).expect("a document"), slow);
        assert_eq!(
            (slow.version, slow.next_due_at, slow.dead),
            (Version(3), Some(Timestamp::from_ms(5)), 2)
        );
        assert_eq!(
            (slow.outbox[0].slot, slow.outbox[0].days_left),
            (Slot::Spotify, Some(7))
        );
        assert_eq!(slow.integrations[&Slot::Spotify].account_id, "a");
    }

    #[test]
    fn a_slot_that_cannot_be_read_hides_no_other() {
        let text = DOCUMENT.replace(r#""expiresAt": 7"#, r#""expiresAt": "soon""#);
        let document = document(&text).expect("a document");
        assert!(document.integrations.is_empty());
        assert_eq!(document.pending[&Slot::SpotifyByo].state_hash, "h");
    }

    #[test]
    fn an_event_that_cannot_be_read_hides_nothing_else() {
        for (unreadable, left) in [
            (r#"[{"id": "0", "slot": "elsewhere"}, {"#, 1),
            (r#""lost", "was": [{"#, 0),
        ] {
            let text = DOCUMENT.replace("[{", unreadable);
            let document = document(&text).expect("a document");
            assert_eq!(document.outbox.len(), left, "{text}");
            assert_eq!(document.integrations[&Slot::Spotify].account_id, "a");
        }
    }
}

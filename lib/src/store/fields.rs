//! Where patchbay's fields lie in a user's document, for both engines: what they read of it, and what they patch in it.

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    Edit, StoreError, StoredEvent, StoredGrant, StoredLastfm, StoredPending, StoredPendingLink, UserChange,
    UserDocument, Version,
};
use crate::{
    ids::{LASTFM, Slot},
    system::Timestamp,
};

/// The object that holds the grants and the Last.fm account. The host application may keep slots of its own in it.
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
    let names = Slot::ALL.into_iter().map(Slot::as_str).chain([LASTFM]);
    let paths = names.flat_map(|name| [path(INTEGRATIONS, name), path(PENDING, name)]);
    paths.chain([PATCHBAY.to_owned()])
}

fn path(group: &str, name: &str) -> String {
    format!("{group}.{name}")
}

/// A user's document, read from its text.
///
/// Nearly always every slot is readable, and then the text is read once, straight into its types: this is most of what a
/// poll of the status costs. Only where that fails are the slots looked at one by one.
pub(super) fn document(text: &str) -> serde_json::Result<UserDocument> {
    if let Ok(stored) = serde_json::from_str::<ReadableUser>(text) {
        return Ok(stored.patchbay.document(stored.integrations, stored.pending));
    }
    serde_json::from_str(text).map(StoredUser::document)
}

/// A user's document in which every slot can be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ReadableUser {
    integrations: Integrations,
    pending: Pending,
    patchbay: StoredMeta,
}

type Integrations = Group<StoredGrant, StoredLastfm>;
type Pending = Group<StoredPending, StoredPendingLink>;

/// Patchbay's slots, and what lies beside them for Last.fm; the host application's own are passed over.
#[derive(Debug, PartialEq)]
struct Group<T, L> {
    slots: BTreeMap<Slot, T>,
    lastfm: Option<L>,
}

impl<T, L> Default for Group<T, L> {
    fn default() -> Self {
        Self {
            slots: BTreeMap::new(),
            lastfm: None,
        }
    }
}

impl<'de, T: Deserialize<'de>, L: Deserialize<'de>> Deserialize<'de> for Group<T, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GroupVisitor(PhantomData))
    }
}

struct GroupVisitor<T, L>(PhantomData<(T, L)>);

impl<'de, T: Deserialize<'de>, L: Deserialize<'de>> Visitor<'de> for GroupVisitor<T, L> {
    type Value = Group<T, L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of slots")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Group<T, L>, A::Error> {
        let mut group = Group::default();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match name.parse::<Slot>() {
                Ok(slot) => drop(group.slots.insert(slot, map.next_value()?)),
                Err(_) if name == LASTFM => group.lastfm = Some(map.next_value()?),
                Err(_) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(group)
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
    fn document(self, integrations: Integrations, pending: Pending) -> UserDocument {
        UserDocument {
            version: Version(self.version),
            integrations: integrations.slots,
            pending: pending.slots,
            lastfm: integrations.lastfm,
            pending_link: pending.lastfm,
            next_due_at: self.next_due_at,
            dead: self.dead,
            outbox: self.outbox,
        }
    }
}

impl StoredUser {
    /// What the other rooms see of it. Slots that cannot be read are left out, with a warning.
    pub(super) fn document(self) -> UserDocument {
        let integrations = readable_group(self.integrations, INTEGRATIONS);
        let pending = readable_group(self.pending, PENDING);
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

fn readable_group<T: DeserializeOwned, L: DeserializeOwned>(
    mut stored: BTreeMap<String, Value>,
    group: &str,
) -> Group<T, L> {
    let slots = Slot::ALL
        .into_iter()
        .filter_map(|slot| Some((slot, readable(&mut stored, slot.as_str(), group)?)));
    Group {
        slots: slots.collect(),
        lastfm: readable(&mut stored, LASTFM, group),
    }
}

fn readable<T: DeserializeOwned>(
    stored: &mut BTreeMap<String, Value>,
    slot: &'static str,
    group: &str,
) -> Option<T> {
    let content = serde_json::from_value(stored.remove(slot)?);
    if content.is_err() {
        // Neither the cause nor the user's id: serde quotes what it could not read, and ids are no matter for logs.
        tracing::warn!(
            slot,
            group,
            "what is stored in this slot cannot be read; it is left alone"
        );
    }
    content.ok()
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
            patch.put(path(INTEGRATIONS, slot.as_str()), grant.as_ref())?;
        }
        for (slot, pending) in &change.pending {
            patch.put(path(PENDING, slot.as_str()), pending.as_ref())?;
        }
        patch.edit(path(INTEGRATIONS, LASTFM), &change.lastfm)?;
        patch.edit(path(PENDING, LASTFM), &change.pending_link)?;
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

    fn edit<T: Serialize>(&mut self, path: String, edit: &Edit<T>) -> Result<(), StoreError> {
        match edit {
            Edit::Leave => Ok(()),
            Edit::Put(content) => self.put(path, Some(content)),
            Edit::Remove => self.put::<T>(path, None),
        }
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
            "calendar": {"anything": null},
            "lastfm": {"username": "RJ", "connectedAt": 6, "hostsOwn": 1}
        },
        "pending": {"spotifyByo": {"stateHash": "h"}, "lastfm": {"stateHash": "l", "expiresAt": 9}},
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
        assert_eq!(
            (&fast.integrations.slots, &fast.integrations.lastfm),
            (&slow.integrations, &slow.lastfm)
        );
        assert_eq!(
            (&fast.pending.slots, &fast.pending.lastfm),
            (&slow.pending, &slow.pending_link)
        );
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
        let link = slow.lastfm.expect("a link");
        assert_eq!(
            (link.username.as_str(), link.connected_at, link.verified),
            ("RJ", Timestamp::from_ms(6), false)
        );
        assert_eq!(slow.pending_link.expect("a way").state_hash, "l");
    }

    #[test]
    fn a_link_that_cannot_be_read_hides_no_other_and_no_other_hides_it() {
        for unreadable in [
            r#""lastfm": {"connectedAt": 6}"#,
            r#""lastfm": {"username": 7}"#,
            r#""lastfm": null"#,
        ] {
            let good = r#""lastfm": {"username": "RJ", "connectedAt": 6, "hostsOwn": 1}"#;
            let document = document(&DOCUMENT.replace(good, unreadable)).expect("a document");
            assert_eq!(document.lastfm, None, "{unreadable}");
            assert_eq!(document.integrations[&Slot::Spotify].account_id, "a");
            assert!(document.pending_link.is_some());
        }
        let document = document(&DOCUMENT.replace(r#""expiresAt": 7"#, r#""expiresAt": "soon""#));
        assert_eq!(
            document.expect("a document").lastfm.expect("a link").username,
            "RJ"
        );
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

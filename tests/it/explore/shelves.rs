//! A store that is a few maps: what the engines promise, and nothing that takes time.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use patchbay::{
    ids::UserId,
    pace::{Answer, Ask, Level, Pace, Refusal},
    store::{Collection, Record, Tally, UserChange, UserDocument, Version, Written},
    system::Timestamp,
};

#[derive(Debug, Default)]
pub struct Shelves {
    users: BTreeMap<UserId, UserDocument>,
    buckets: HashMap<String, Level>,
    records: HashMap<(Collection, String), (Record, u64)>,
    /// Counts all writes: first versions come from it, so that none comes twice.
    writes: u64,
}

impl Shelves {
    pub fn user(&self, id: &UserId) -> UserDocument {
        self.users.get(id).cloned().unwrap_or_default()
    }

    pub fn write_user(&mut self, id: &UserId, read: Version, change: UserChange) -> Written {
        let mut document = self.user(id);
        if document.version != read {
            return Written::Conflict;
        }
        document.version = self.version_after(read);
        put(&mut document.integrations, change.integrations);
        put(&mut document.pending, change.pending);
        document.next_due_at = change.next_due_at;
        document.dead = change.dead;
        document.outbox = change.outbox.unwrap_or(document.outbox);
        let version = document.version;
        self.users.insert(id.clone(), document);
        Written::As(version)
    }

    pub fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Vec<(UserId, UserDocument)> {
        let mut due: Vec<_> = self
            .users
            .iter()
            .filter_map(|(id, document)| Some((document.next_due_at?, id, document)))
            .filter(|(at, id, _)| {
                *at <= until && after.is_none_or(|(last, behind)| (last, behind) < (at, id))
            })
            .collect();
        if limit < due.len() {
            due.select_nth_unstable_by_key(limit, |(at, id, _)| (*at, *id));
            due.truncate(limit);
        }
        due.sort_by_key(|(at, id, _)| (*at, *id));
        let rows = due
            .into_iter()
            .map(|(_, id, document)| (id.clone(), document.clone()));
        rows.collect()
    }

    pub fn tally(&self, now: Timestamp) -> Tally {
        let due = |document: &&UserDocument| document.next_due_at.is_some_and(|at| at <= now);
        Tally {
            due: self.users.values().filter(due).count() as u64,
            dead: self.users.values().map(|document| u64::from(document.dead)).sum(),
        }
    }

    pub fn delete_user(&mut self, id: &UserId) {
        self.users.remove(id);
    }

    pub fn record(&self, collection: Collection, id: &str) -> Option<Record> {
        self.records
            .get(&(collection, id.to_owned()))
            .map(|(record, _)| record.clone())
    }

    pub fn write_record(&mut self, collection: Collection, id: &str, record: Record) -> Written {
        let stored = self
            .record(collection, id)
            .map_or(Version::ABSENT, |found| found.version);
        if stored != record.version {
            return Written::Conflict;
        }
        let version = self.version_after(stored);
        let row = (Record { version, ..record }, self.writes);
        self.records.insert((collection, id.to_owned()), row);
        Written::As(version)
    }

    pub fn delete_record(&mut self, collection: Collection, id: &str, read: Version) -> Written {
        match self.record(collection, id) {
            Some(record) if record.version == read => {
                self.records.remove(&(collection, id.to_owned()));
                Written::As(Version::ABSENT)
            }
            _ => Written::Conflict,
        }
    }

    pub fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Vec<(String, Record)> {
        let mut due = self.rows(collection, |record| record.due_at.is_some_and(|at| at <= until));
        due.sort_by_key(|(id, record, _)| (record.due_at, id.clone()));
        due.into_iter()
            .take(limit)
            .map(|(id, record, _)| (id, record))
            .collect()
    }

    pub fn records_of(&self, collection: Collection, owner: &UserId, limit: usize) -> Vec<(String, Record)> {
        let mut found = self.rows(collection, |record| record.owner.as_ref() == Some(owner));
        found.sort_by_key(|(_, _, written)| *written);
        let skipped = found.len().saturating_sub(limit);
        found
            .into_iter()
            .skip(skipped)
            .map(|(id, record, _)| (id, record))
            .collect()
    }

    pub fn delete_records_of(&mut self, collection: Collection, owner: &UserId) {
        self.records
            .retain(|(of, _), (record, _)| *of != collection || record.owner.as_ref() != Some(owner));
    }

    pub fn take_turns(&mut self, id: &str, pace: Pace, now: Timestamp, ask: &Ask) -> Answer {
        let level = self.buckets.entry(id.to_owned()).or_default();
        let (left, answer) = std::mem::take(level).take_turns(pace, ask, now);
        *level = left;
        answer
    }

    pub fn close_bucket(&mut self, id: &str, pace: Pace, now: Timestamp, pause: Duration, refusal: Refusal) {
        let level = self.buckets.entry(id.to_owned()).or_default();
        *level = std::mem::take(level).close(pace, now, pause, refusal);
    }

    /// How many events of this kind were told.
    pub fn events_of_kind(&self, kind: &str) -> usize {
        self.rows(Collection::Events, |record| record.body["kind"] == kind)
            .len()
    }

    fn rows(&self, collection: Collection, wanted: impl Fn(&Record) -> bool) -> Vec<(String, Record, u64)> {
        let of_it = self.records.iter().filter(|((of, _), _)| *of == collection);
        of_it
            .filter(|(_, (record, _))| wanted(record))
            .map(|((_, id), (record, written))| (id.clone(), record.clone(), *written))
            .collect()
    }

    fn version_after(&mut self, read: Version) -> Version {
        self.writes += 1;
        if read == Version::ABSENT {
            Version(self.writes << 20)
        } else {
            Version(read.0 + 1)
        }
    }
}

fn put<K: Ord, V>(into: &mut BTreeMap<K, V>, changes: BTreeMap<K, Option<V>>) {
    for (key, value) in changes {
        match value {
            Some(value) => into.insert(key, value),
            None => into.remove(&key),
        };
    }
}

//! What was found once is not searched again: answers of searches, remembered for everybody, and what each person corrected.
//!
//! Only what Spotify's search answered is remembered for everybody, never what a caller claims, and under the facts that
//! decided the match (`answer`): nobody can put a track into somebody else's export. It is a help and no more. One that
//! cannot be read or written costs searches, and stops nothing.
//!
//! Which tracks a search shows depends on the country of the account, which apps in development mode are not told; a
//! person for whom another track is the right one says so (`corrections`).

mod answer;
mod corrections;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures_util::{StreamExt as _, stream};

pub use self::corrections::{
    CORRECTIONS_MAX, CorrectedSong, Correction, CorrectionDraft, CorrectionError, Corrections,
    InvalidCorrection, NEVER_MAX,
};
pub(super) use self::{
    answer::{Learnt, Recalled, Subject},
    corrections::{Kept, Own},
};
use super::{fate::Fate, job::Job, request::SongSpec};
use crate::{
    store::{Collection, Record, Store, StoreError, Written},
    system::{BoxFuture, System, Timestamp},
};

/// Writes at the same time: a checkpoint's worth takes a few round trips.
const WRITES_AT_ONCE: usize = 8;

/// Answers that one sweep forgets at most. More wait for the next; nobody uses them meanwhile.
const FORGOTTEN_MAX: usize = 1000;

/// Answers read at once to be forgotten.
const FORGOTTEN_PAGE: usize = 100;

/// The answers in the store, and the corrections beside them.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    store: Arc<dyn Store>,
    system: System,
    pub(super) corrections: Corrections,
}

impl Memory {
    pub(super) fn new(store: Arc<dyn Store>, system: System) -> Self {
        Self {
            corrections: Corrections::new(Arc::clone(&store), system.clone()),
            store,
            system,
        }
    }

    /// What is remembered of these songs, by [`Subject::key`], in one round trip.
    pub(super) async fn recall<'a>(
        &self,
        subjects: impl IntoIterator<Item = &'a Subject>,
    ) -> HashMap<String, Recalled> {
        let keys: HashSet<&str> = subjects.into_iter().map(|subject| subject.key.as_str()).collect();
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        if keys.is_empty() {
            return HashMap::new();
        }
        match self.store.find_records(Collection::Tracks, &keys).await {
            Ok(found) => found
                .into_iter()
                .filter_map(|(key, record)| Some((key, Recalled::read(&record)?)))
                .collect(),
            Err(error) => {
                tracing::warn!(%error, "what was found before cannot be read; it is searched for again");
                HashMap::new()
            }
        }
    }

    /// Remembers answers. Where somebody else was quicker, theirs is as good.
    pub(super) async fn note(&self, learnt: Vec<Learnt>) {
        let mut writes: Vec<Write<'_>> = Vec::with_capacity(learnt.len());
        for Learnt { key, record } in learnt {
            writes.push(Box::pin(async move {
                self.store.write_record(Collection::Tracks, &key, &record).await
            }));
        }
        all(writes, "what was found cannot be remembered").await;
    }

    /// Forgets the tracks of `job` that Spotify would not take: they are gone, or never were for this account.
    pub(super) async fn forget_refused(&self, job: &Job) {
        let refused: HashSet<&str> = job
            .entries()
            .filter_map(|entry| match &entry.fate {
                Some(Fate::Rejected { uri, .. }) => Some(uri.as_str()),
                _ => None,
            })
            .collect();
        if refused.is_empty() {
            return;
        }
        if let Err(error) = self.forget_tracks(job, &refused).await {
            tracing::warn!(%error, "refused tracks cannot be forgotten");
        }
    }

    async fn forget_tracks(&self, job: &Job, refused: &HashSet<&str>) -> Result<(), StoreError> {
        let own = self.corrections.of(&job.owner).await?;
        let is_refused = |fate: &Fate| match fate {
            // Another song may have been found to be the same track.
            Fate::Matched { uri, .. } | Fate::Rejected { uri, .. } => refused.contains(uri.as_str()),
            Fate::Unmatched { .. } => false,
        };
        let songs: Vec<&SongSpec> = job
            .entries()
            .filter(|entry| entry.fate.as_ref().is_some_and(is_refused))
            .map(|entry| &entry.song)
            .collect();
        for song in songs {
            let kept = own.about(song);
            if let Some(kept) = kept.filter(|kept| kept.uses().is_some_and(|uri| refused.contains(uri))) {
                self.corrections.mark(kept, false).await;
            }
            let never = kept.map_or(&[][..], Kept::never);
            let subject = Subject::of(song, never);
            let found = self.store.find_record(Collection::Tracks, &subject.key).await?;
            let Some(record) = found else { continue };
            if Recalled::read(&record).is_some_and(|known| known.is_one_of(refused)) {
                // A conflict means that somebody has just learnt it anew.
                let _ = self.remove(&subject.key, &record).await?;
            }
        }
        Ok(())
    }

    /// Removes answers whose time is over, as many as `deadline` allows.
    pub(super) async fn forget_due(&self, deadline: Timestamp) {
        for _ in 0..FORGOTTEN_MAX / FORGOTTEN_PAGE {
            let now = self.system.now();
            if now >= deadline {
                return;
            }
            let due = match self
                .store
                .records_due(Collection::Tracks, now, FORGOTTEN_PAGE)
                .await
            {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(%error, "answers whose time is over cannot be listed");
                    return;
                }
            };
            let count = due.len();
            let mut removals: Vec<Write<'_>> = Vec::with_capacity(count);
            for (key, record) in due {
                removals.push(Box::pin(async move { self.remove(&key, &record).await }));
            }
            let removed = all(removals, "an answer cannot be forgotten").await;
            if count < FORGOTTEN_PAGE || !removed {
                return;
            }
        }
    }

    /// A conflict means that somebody has just learnt it anew.
    async fn remove(&self, key: &str, record: &Record) -> Result<Written, StoreError> {
        self.store
            .delete_record(Collection::Tracks, key, record.version)
            .await
    }
}

/// One write of several. Boxed, because the compiler cannot see that a stream of these futures by name may move between
/// threads.
type Write<'a> = BoxFuture<'a, Result<Written, StoreError>>;

/// Waits for all of `writes`; one line in the log for however many fail. Answers whether none did.
async fn all(writes: Vec<Write<'_>>, complaint: &'static str) -> bool {
    let mut writes = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE);
    let mut failed = Vec::new();
    while let Some(written) = writes.next().await {
        failed.extend(written.err());
    }
    if let Some(error) = failed.first() {
        tracing::warn!(%error, times = failed.len(), "{complaint}");
    }
    failed.is_empty()
}

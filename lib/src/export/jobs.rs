//! Where jobs are kept: made, claimed by one runner at a time, checkpointed, forgotten.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize as _, Serialize};
use serde_json::json;

use super::{
    ExportId,
    fate::Entry,
    halt::Halt,
    head::{Head, KEPT, LEASE, LEFT_TO_WRITE, Stage},
    job::{Job, PART_SONGS, Part, PartBody},
    request::Request,
};
use crate::{
    ids::UserId,
    store::{Collection, Record, Store, StoreError, Version, Written},
    system::{System, Timestamp},
};

/// Races over one job that are tried again; each lost one means that another runner got on with it.
const TRIES_MAX: usize = 4;

/// The jobs in the store.
#[derive(Clone, Debug)]
pub(super) struct Jobs {
    store: Arc<dyn Store>,
    system: System,
}

/// What trying to run a job came to.
#[derive(Debug)]
pub(super) enum Claimed {
    /// It is this runner's, until its lease runs out.
    Ours(Box<Job>),
    /// Somebody else runs it.
    Theirs(Box<Head>),
    /// It is done.
    Done(Box<Job>),
    /// There is none, or it is somebody else's.
    Absent,
}

impl Jobs {
    pub(super) fn new(store: Arc<dyn Store>, system: System) -> Self {
        Self { store, system }
    }

    /// The head of `owner`'s job, if there is one.
    pub(super) async fn find(
        &self,
        id: &ExportId,
        owner: &UserId,
    ) -> Result<Option<(Head, Version)>, StoreError> {
        let Some(record) = self.store.find_record(Collection::Exports, id.as_str()).await? else {
            return Ok(None);
        };
        if record.owner.as_ref() != Some(owner) {
            return Ok(None);
        }
        let head = Head::deserialize(&record.body).map_err(StoreError::unreadable)?;
        Ok(Some((head, record.version)))
    }

    /// Makes a job with the lease taken. The head comes first: its write decides who has the id, and a job whose
    /// songs are not all stored says so. `None` when the id is taken.
    pub(super) async fn make(
        &self,
        id: ExportId,
        owner: UserId,
        mut head: Head,
    ) -> Result<Option<Job>, StoreError> {
        head.leased_until = Some(self.system.now() + LEASE);
        let mut job = Job::new(id, owner, Version::ABSENT, head);
        match self.write_head(&job).await? {
            Written::As(version) => job.version = version,
            Written::Conflict => return Ok(None),
        }
        Ok(Some(job))
    }

    /// Stores the songs of a job that is being loaded, over those of an interrupted attempt.
    pub(super) async fn load(&self, job: &mut Job, request: &Request) -> Result<(), Halt> {
        job.parts.clear();
        for (number, songs) in request.songs.chunks(PART_SONGS).enumerate() {
            let id = part_id(&job.id, number);
            let entries = songs.iter().map(|song| Entry {
                song: song.clone(),
                fate: None,
            });
            let found = self.store.find_record(Collection::Exports, &id).await?;
            job.parts.push(Part {
                version: found.map_or(Version::ABSENT, |record| record.version),
                body: PartBody {
                    entries: entries.collect(),
                },
            });
            // Songs of one who was away would take away what became of them since: between reading and writing, so that
            // whoever has the job by then has written, too.
            self.hold(job).await?;
            self.save_part(job, number).await?;
        }
        job.head.stage = Stage::Resolve;
        job.head.blocked = None;
        self.save_head(job).await
    }

    /// Takes the job for this runner, if nobody has it.
    pub(super) async fn claim(&self, id: &ExportId, owner: &UserId) -> Result<Claimed, StoreError> {
        for _ in 0..TRIES_MAX {
            let Some((mut head, version)) = self.find(id, owner).await? else {
                return Ok(Claimed::Absent);
            };
            if head.stage != Stage::Done && head.is_leased(self.system.now()) {
                return Ok(Claimed::Theirs(Box::new(head)));
            }
            let done = head.stage == Stage::Done;
            if !done {
                head.leased_until = Some(self.system.now() + LEASE);
                head.parked = None;
                head.blocked = None;
            }
            let mut job = Job::new(id.clone(), owner.clone(), version, head);
            if done {
                return Ok(Claimed::Done(Box::new(self.with_parts(job).await?)));
            }
            if let Written::As(version) = self.write_head(&job).await? {
                job.version = version;
                return Ok(Claimed::Ours(Box::new(self.with_parts(job).await?)));
            }
        }
        Ok(self
            .find(id, owner)
            .await?
            .map_or(Claimed::Absent, |(head, _)| Claimed::Theirs(Box::new(head))))
    }

    /// Writes the head and takes the lease anew, unless the job is being put down.
    pub(super) async fn save_head(&self, job: &mut Job) -> Result<(), Halt> {
        if job.head.leased_until.is_some() {
            job.head.leased_until = Some(self.system.now() + LEASE);
        }
        match self.write_head(job).await? {
            Written::As(version) => {
                job.version = version;
                job.show(self.system.now());
                Ok(())
            }
            Written::Conflict => Err(Halt::Lost),
        }
    }

    /// Writes one part.
    pub(super) async fn save_part(&self, job: &mut Job, number: usize) -> Result<(), Halt> {
        let (id, owner) = (part_id(&job.id, number), job.owner.clone());
        let Some(part) = job.parts.get_mut(number) else {
            return Ok(());
        };
        let record = record(part.version, owner, None, &part.body)?;
        match self.store.write_record(Collection::Exports, &id, &record).await? {
            Written::As(version) => {
                part.version = version;
                Ok(())
            }
            Written::Conflict => Err(Halt::Lost),
        }
    }

    /// Makes sure, now, that the job is this runner's for as long as one more call takes: to be asked immediately
    /// before each one that must not be made twice. A runner that was asleep, or waited for its turn, finds out here
    /// that another one has the job.
    ///
    /// # Errors
    /// [`Halt::Lost`] if it is not.
    pub(super) async fn hold(&self, job: &mut Job) -> Result<(), Halt> {
        for _ in 0..TRIES_MAX {
            let needed_until = self.system.now() + LEFT_TO_WRITE;
            if job.head.leased_until.is_some_and(|until| until >= needed_until) {
                return Ok(());
            }
            // The write itself may be where the time goes, so its success alone says nothing.
            self.save_head(job).await?;
        }
        Err(Halt::Lost)
    }

    /// Notes that a playlist is `job`'s, for as long as jobs are kept; `false` if it is another export's already. Of
    /// several exports that find the same empty playlist, one gets it.
    pub(super) async fn claim_playlist(&self, job: &Job, playlist_id: &str) -> Result<bool, Halt> {
        let id = claim_id(playlist_id);
        let forget_at = self.system.now() + KEPT;
        let body = json!({"export": job.id});
        let claim = record(Version::ABSENT, job.owner.clone(), Some(forget_at), &body)?;
        let written = self.store.write_record(Collection::Exports, &id, &claim).await?;
        if matches!(written, Written::As(_)) {
            return Ok(true);
        }
        let found = self.store.find_record(Collection::Exports, &id).await?;
        Ok(found.is_some_and(|found| found.body == claim.body))
    }

    /// Forgets whose a playlist is, together with the export that it was made for.
    pub(super) async fn release_playlist(&self, playlist_id: &str) -> Result<(), StoreError> {
        let id = claim_id(playlist_id);
        if let Some(claim) = self.store.find_record(Collection::Exports, &id).await? {
            self.delete(&id, claim.version).await?;
        }
        Ok(())
    }

    /// Whether less than half of the lease is left.
    pub(super) fn lease_is_short(&self, job: &Job) -> bool {
        let soon = self.system.now() + LEASE / 2;
        job.head.leased_until.is_some_and(|until| until < soon)
    }

    /// The ids and owners of jobs that want to be looked at, earliest first.
    pub(super) async fn due(&self, limit: usize) -> Result<Vec<(ExportId, Record)>, StoreError> {
        let now = self.system.now();
        let due = self.store.records_due(Collection::Exports, now, limit).await?;
        Ok(due
            .into_iter()
            .map(|(id, record)| (ExportId(id), record))
            .collect())
    }

    /// Removes a job that nobody needs any more. A conflict means that somebody does.
    pub(super) async fn forget(&self, id: &ExportId, head_record: &Record) -> Result<(), StoreError> {
        let total = Head::deserialize(&head_record.body).map_or(0, |head| head.total);
        // The head last: who is interrupted here is due again.
        self.remove_parts(id, total).await?;
        self.delete(id.as_str(), head_record.version).await
    }

    /// Removes the songs of a job that has `total` of them.
    pub(super) async fn remove_parts(&self, id: &ExportId, total: usize) -> Result<(), StoreError> {
        for number in 0..total.div_ceil(PART_SONGS) {
            let id = part_id(id, number);
            if let Some(part) = self.store.find_record(Collection::Exports, &id).await? {
                self.delete(&id, part.version).await?;
            }
        }
        Ok(())
    }

    /// Removes a job's head, if nobody has written it since.
    pub(super) async fn remove_head(&self, id: &ExportId, read: Version) -> Result<Written, StoreError> {
        self.store
            .delete_record(Collection::Exports, id.as_str(), read)
            .await
    }

    /// Whether this is the id of something that is kept beside the jobs and only has to be forgotten when it is due. No
    /// job's id has a colon.
    pub(super) fn is_note(id: &ExportId) -> bool {
        id.as_str().contains(':')
    }

    /// Removes what nobody has touched since it was read.
    pub(super) async fn delete(&self, id: &str, read: Version) -> Result<(), StoreError> {
        let _ = self.store.delete_record(Collection::Exports, id, read).await?;
        Ok(())
    }

    /// The job with its songs.
    pub(super) async fn with_parts(&self, mut job: Job) -> Result<Job, StoreError> {
        // A job that is being loaded has no parts worth reading.
        let parts = match job.head.stage {
            Stage::Loading => 0,
            _ => job.head.total.div_ceil(PART_SONGS),
        };
        let ids: Vec<String> = (0..parts).map(|number| part_id(&job.id, number)).collect();
        let found = self.store.find_records(Collection::Exports, &ids).await?;
        let mut found: HashMap<String, Record> = found.into_iter().collect();
        for id in ids {
            let record = found.remove(&id);
            let record = record.ok_or_else(|| StoreError::unreadable("a part of an export is missing"))?;
            job.parts.push(Part {
                version: record.version,
                body: PartBody::deserialize(&record.body).map_err(StoreError::unreadable)?,
            });
        }
        // A runner that was killed between a part and the head leaves the head behind.
        job.head.resolved = job.entries().filter(|entry| entry.fate.is_some()).count();
        Ok(job)
    }

    async fn write_head(&self, job: &Job) -> Result<Written, StoreError> {
        let due_at = Some(job.head.due_at());
        let record = record(job.version, job.owner.clone(), due_at, &job.head)?;
        self.store
            .write_record(Collection::Exports, job.id.as_str(), &record)
            .await
    }
}

fn record(
    version: Version,
    owner: UserId,
    due_at: Option<Timestamp>,
    body: &impl Serialize,
) -> Result<Record, StoreError> {
    Ok(Record {
        version,
        owner: Some(owner),
        due_at,
        body: serde_json::to_value(body).map_err(StoreError::unreadable)?,
    })
}

/// A slash is in no export's id, so a part is never taken for a job.
fn part_id(id: &ExportId, number: usize) -> String {
    format!("{}/{number}", id.as_str())
}

/// Which export a playlist belongs to is kept under this.
fn claim_id(playlist_id: &str) -> String {
    format!("playlist:{playlist_id}")
}

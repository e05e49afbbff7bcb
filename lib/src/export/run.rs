//! Running a job from where it is to where it ends: done, parked or blocked; and the sweep that goes on with many.

use std::time::Duration;

use serde::Deserialize as _;

use super::{
    Blocked, ExportError, ExportId, Exporter,
    account::Account,
    create::create,
    fill::fill,
    halt::Halt,
    head::{Head, Parked, Stage},
    job::Job,
    jobs::{Claimed, Jobs},
    outcome::{Finished, Outcome},
    resolve::resolve,
    running::Audience,
    session::{Opened, Session},
};
use crate::{
    providers::spotify::Profile,
    store::{Record, StoreError},
    system::Timestamp,
};

/// What one sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs that were due.
    pub due: usize,
    /// Jobs that are finished now.
    pub finished: usize,
    /// Jobs that wait for another instant now.
    pub parked: usize,
    /// Jobs that wait for a person now.
    pub blocked: usize,
    /// Old jobs that were erased.
    pub forgotten: usize,
    /// Jobs that could not be handled.
    pub failed: usize,
    /// Whether there may be more that are due.
    pub more: bool,
}

impl Exporter {
    /// Goes on with jobs whose time has come, at most `limit` of them, for at most `budget` and one call more.
    /// One failure never stops the rest.
    ///
    /// # Errors
    /// [`StoreError`] when the jobs cannot be listed.
    pub async fn run_due(&self, limit: usize, budget: Duration) -> Result<Swept, StoreError> {
        let _errand = self.running.errand();
        let deadline = self.system.now() + budget;
        self.memory.forget_due(deadline).await;
        self.forget_idle_budgets().await;
        let due = self.jobs.due(limit).await?;
        let (notes, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|(id, _)| Jobs::is_note(id));
        let mut swept = Swept {
            due: due.len(),
            more: notes.len() + due.len() == limit,
            ..Swept::default()
        };
        for (id, record) in notes {
            self.jobs.delete(id.as_str(), record.version).await?;
        }
        for (id, record) in due {
            if self.system.now() >= deadline || self.running.is_stopping() {
                swept.more = true;
                break;
            }
            match self.run_one(&id, &record, deadline).await {
                Ok(None) => swept.forgotten += 1,
                Ok(Some(Outcome::Finished(_))) => swept.finished += 1,
                Ok(Some(Outcome::Unfinished(_))) => swept.parked += 1,
                Err(ExportError::Blocked { .. }) => swept.blocked += 1,
                Err(error) => {
                    tracing::warn!(%error, export = %id, "the sweep could not go on with an export");
                    swept.failed += 1;
                }
            }
        }
        Ok(swept)
    }

    async fn run_one(
        &self,
        id: &ExportId,
        record: &Record,
        deadline: Timestamp,
    ) -> Result<Option<Outcome>, ExportError> {
        let head = Head::deserialize(&record.body).map_err(StoreError::unreadable)?;
        let Some(owner) = &record.owner else {
            return Err(ExportError::NotFound);
        };
        if head.forget_at() <= self.system.now() {
            self.jobs.forget(id, record).await?;
            return Ok(None);
        }
        match self.jobs.claim(id, owner).await? {
            Claimed::Ours(job) => {
                let opened = self.open(job.head.mode, owner, deadline).await;
                let unseen = Audience::default();
                self.carry_on(*job, opened, &unseen, deadline).await.map(Some)
            }
            Claimed::Theirs(_) | Claimed::Done(_) | Claimed::Absent => {
                Ok(Some(self.look_as(id, owner).await?.outcome))
            }
        }
    }

    /// Runs a claimed job as far as it goes, through the operator's account where that may stand in.
    pub(super) async fn carry_on<'a>(
        &'a self,
        mut job: Job,
        mut opened: Result<Opened<'a>, Halt>,
        audience: &Audience,
        deadline: Timestamp,
    ) -> Result<Outcome, ExportError> {
        let _on_stage = self.running.enter(&job.id, audience);
        job.begin(audience, self.system.now());
        loop {
            let end = match opened {
                Ok((session, profile)) => {
                    let end = self.stages(&session, &profile, &mut job).await;
                    session.settle().await;
                    end
                }
                Err(halt) => Err(halt),
            };
            match end {
                Err(Halt::Blocked(blocked)) if self.falls_back(&job.head, blocked) => {
                    job.head.fall_back();
                    opened = Session::open(self, Account::Owner, deadline).await;
                }
                end => return self.put_down(job, end).await,
            }
        }
    }

    async fn stages(&self, session: &Session<'_>, profile: &Profile, job: &mut Job) -> Result<(), Halt> {
        let same = job.head.account_id.as_ref() == Some(&profile.account_id);
        if job.head.has_begun() && !same {
            return Err(Blocked::AccountChanged.into());
        }
        job.head.account_id = Some(profile.account_id.clone());
        session.check_quota().await?;
        let mut new = false;
        loop {
            match job.head.stage {
                Stage::Loading => return Err(Blocked::Incomplete.into()),
                Stage::Resolve => resolve(session, &self.jobs, &self.memory, job).await?,
                Stage::Create => {
                    create(session, &self.jobs, job, profile).await?;
                    new = true;
                }
                Stage::Fill => {
                    fill(session, &self.jobs, job, new).await?;
                    self.memory.forget_refused(job).await;
                }
                Stage::Done => return Ok(()),
            }
        }
    }

    /// Writes down how a run ended, and lets go of the job.
    pub(super) async fn put_down(&self, mut job: Job, end: Result<(), Halt>) -> Result<Outcome, ExportError> {
        job.head.leased_until = None;
        let saved = match &end {
            Ok(()) => {
                job.head.finished_at = Some(self.system.now());
                self.jobs.save_head(&mut job).await
            }
            Err(Halt::Parked { until, why }) => {
                job.head.parked = Some(Parked {
                    until: *until,
                    why: *why,
                });
                self.jobs.save_head(&mut job).await
            }
            Err(Halt::Blocked(blocked)) => {
                job.block(*blocked, self.system.now());
                self.jobs.save_head(&mut job).await
            }
            Err(Halt::Lost | Halt::Store(_)) => Ok(()),
        };
        match (end, saved) {
            (Err(Halt::Store(error)), _) | (_, Err(Halt::Store(error))) => Err(error.into()),
            (Ok(()), Ok(())) => Ok(Outcome::Finished(Box::new(Finished::of(&job)))),
            (Err(Halt::Blocked(blocked)), Ok(())) => Err(self.stopped(&job, blocked)),
            _ => Ok(self.look_as(&job.id, &job.owner).await?.outcome),
        }
    }

    fn stopped(&self, job: &Job, blocked: Blocked) -> ExportError {
        ExportError::Blocked {
            id: Some(job.id.clone()),
            blocked,
            can_fall_back: !job.head.has_begun() && self.could_fall_back(job.head.mode, blocked),
        }
    }
}

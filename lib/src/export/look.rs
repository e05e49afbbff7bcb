//! Looking at an export: how far it is, what became of it, and whether it could go on.

use super::{
    Caller, ExportError, ExportId, Exporter,
    account::Account,
    head::{Head, Stage},
    job::Job,
    outcome::{Finished, Outcome},
    progress::Progress,
    running::Audience,
};
use crate::{ids::UserId, store::StoreError, system::Timestamp};

/// What looking at an export shows.
#[derive(Debug)]
pub struct Seen {
    /// How far it is, or what became of it.
    pub outcome: Outcome,
    /// Whose it is.
    pub owner: UserId,
    /// Whether it would go on if somebody resumed it: its time has come, or what blocked it seems to be mended.
    pub is_ready: bool,
    /// Those who watch it, if it runs in this process.
    pub audience: Option<Audience>,
}

impl Exporter {
    /// How far an export of this caller's is, or what became of it. Changes nothing.
    ///
    /// # Errors
    /// [`ExportError`]; `NotFound` for everybody else's.
    pub async fn look(&self, id: &ExportId, caller: &Caller) -> Result<Seen, ExportError> {
        let who = self.recognize(caller, Timestamp::MAX).await?;
        match self.look_as(id, &who.owner).await {
            Err(ExportError::NotFound) => Err(self.absent(who.opened.as_ref())),
            seen => seen,
        }
    }

    /// The same for the `owner` that an earlier look has named: whoever looks every second must not ask Spotify every
    /// second whose a token is.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn look_as(&self, id: &ExportId, owner: &UserId) -> Result<Seen, ExportError> {
        let found = self.jobs.find(id, owner).await?;
        let (head, version) = found.ok_or(ExportError::NotFound)?;
        let is_ready = self.is_ready(&head, owner).await?;
        let audience = self.running.find(id);
        let live = audience.as_ref().and_then(Audience::latest);
        let outcome = if let Some(progress) = live.filter(|_| head.stage != Stage::Done) {
            Outcome::Unfinished(progress)
        } else {
            let job = Job::new(id.clone(), owner.clone(), version, head);
            self.outcome_of(job).await?
        };
        Ok(Seen {
            outcome,
            owner: owner.clone(),
            is_ready,
            audience,
        })
    }

    /// What the head of a job says; its songs are read only where they are wanted.
    async fn outcome_of(&self, job: Job) -> Result<Outcome, StoreError> {
        if job.head.stage == Stage::Done {
            let job = self.jobs.with_parts(job).await?;
            return Ok(Outcome::Finished(Box::new(Finished::of(&job))));
        }
        let now = self.system.now();
        Ok(Outcome::Unfinished(Progress::of(&job.id, &job.head, now)))
    }

    async fn is_ready(&self, head: &Head, owner: &UserId) -> Result<bool, StoreError> {
        let now = self.system.now();
        if head.stage == Stage::Done || head.is_leased(now) {
            return Ok(false);
        }
        let Some(blocked) = head.blocked else {
            return Ok(head.parked.is_none_or(|parked| parked.until <= now));
        };
        match (Account::of(head.mode, owner), head.blocked_at) {
            (Some(account), Some(since)) => self.accounts.seems_mended(&account, blocked, since).await,
            _ => Ok(false),
        }
    }
}

//! A list of songs becomes a playlist: looked up, created, filled, each step written down before the next.
//!
//! An export is a job in the store. Whoever runs it (a request, a later request, the sweep) has a lease on it, and
//! goes on from the last checkpoint. It ends finished, parked until an instant, or blocked until a person does
//! something; in each case nothing that was done is lost, and nothing is done twice.

mod account;
mod again;
mod blocked;
mod cancel;
mod create;
mod fate;
mod file;
mod fill;
mod forecast;
mod halt;
mod head;
mod id;
mod job;
mod jobs;
mod look;
mod memory;
mod outcome;
mod plan;
mod progress;
mod request;
mod resolve;
mod run;
mod running;
mod session;
mod tally;
mod whose;

use std::{sync::Arc, time::Duration};

pub use account::OwnerAccount;
pub use blocked::Blocked;
pub use cancel::Cancelled;
pub use file::{File, Format, UnknownFormat};
pub use forecast::{Budget, Calls, Fits, Forecast, Quota};
pub use head::{CurrentSong, Stage};
pub use id::{ExportId, InvalidExportId};
pub use look::Seen;
pub use memory::{
    CORRECTIONS_MAX, CorrectedSong, Correction, CorrectionDraft, CorrectionError, Corrections,
    InvalidCorrection, NEVER_MAX,
};
pub use outcome::{Candidate, Finished, How, Matched, Mode, Outcome, Rejected, Unmatched, Why};
pub use plan::Duplicate;
pub use progress::{Progress, WaitsFor};
pub use request::{Draft, InvalidRequest, Request, SongDraft, Through};
pub use run::Swept;
pub use running::{Audience, Errand};

use self::{
    account::{Account, Accounts},
    again::Again,
    halt::Halt,
    head::{Head, Stage as At},
    id::digest_of,
    jobs::{Claimed, Jobs},
    memory::Memory,
    running::Running,
    session::{Opened, Session},
    whose::Recognized,
};
use crate::{
    grants::Grants,
    ids::UserId,
    limits::{Closing, Ledger, Pacer, Refusal},
    metrics::Metrics,
    providers::spotify::{Spotify, WebApi},
    secret::AccessToken,
    store::{Store, StoreError},
    system::{System, Timestamp},
};

/// Makes playlists out of lists of songs.
#[derive(Debug)]
pub struct Exporter {
    system: System,
    jobs: Jobs,
    memory: Memory,
    again: Again,
    running: Running,
    accounts: Accounts,
    web_api: WebApi,
    pacer: Arc<Pacer>,
    ledger: Ledger,
    metrics: Metrics,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Somebody who is signed in; the tokens are those of their grants.
    User(UserId),
    /// Somebody who brings an access token of Spotify's.
    Bearer(AccessToken),
}

/// Why there is no [`Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The request cannot be carried out.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// This key came with another request before.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// There is no such export, or it is somebody else's.
    #[error("no such export")]
    NotFound,
    /// The operator has no account for exports.
    #[error("the operator has configured no account for exports")]
    OwnerNotConfigured,
    /// The operator's account is for people who are signed in.
    #[error("the operator's account is for people who are signed in")]
    OwnerNeedsSignIn,
    /// A person has to do something.
    #[error("{blocked}")]
    Blocked {
        /// The export that goes on afterwards; none if it had not begun.
        id: Option<ExportId>,
        /// What is wrong.
        blocked: Blocked,
        /// Whether the same request with `fallbackToOwner` would work.
        can_fall_back: bool,
    },
    /// Who the caller is cannot be found out right now.
    #[error("Spotify does not answer right now")]
    Unavailable {
        /// What the trouble is.
        why: Why,
        /// When to try again.
        retry_after: Duration,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Exporter {
    /// An exporter that keeps its jobs in `store` and calls Spotify at the pace of `pacer`.
    #[must_use]
    pub fn new(
        store: &Arc<dyn Store>,
        grants: Grants,
        spotify: &Spotify,
        pacer: Arc<Pacer>,
        system: &System,
        owner: Option<OwnerAccount>,
        metrics: Metrics,
    ) -> Self {
        Self {
            system: system.clone(),
            jobs: Jobs::new(Arc::clone(store), system.clone()),
            memory: Memory::new(Arc::clone(store), system.clone()),
            again: Again::new(Arc::clone(store), system.clone()),
            running: Running::default(),
            accounts: Accounts::new(grants, spotify.tokens.clone(), system.clone(), owner),
            web_api: spotify.web_api.clone(),
            pacer,
            ledger: Ledger::new(Arc::clone(store), system.clone()),
            metrics,
        }
    }

    /// As long as what this returns lives, the exporter is not idle: taken before work is handed to a task.
    #[must_use]
    pub fn errand(&self) -> Errand {
        self.running.errand()
    }

    /// Whether nothing is run here.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_idle()
    }

    /// Completes when nothing is run here.
    pub async fn idle(&self) {
        self.running.idle().await;
    }

    /// Makes every run end at its next call, written down and free for whoever goes on.
    pub fn stop(&self) {
        self.running.stop();
    }

    /// Whether the operator has an account that can stand in.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        self.accounts.owner().is_some()
    }

    /// What people corrected.
    #[must_use]
    pub fn corrections(&self) -> &Corrections {
        &self.memory.corrections
    }

    /// Begins the export of `request`, or goes on with the one that the same caller began under the same key (without
    /// a key: in the same words, within the last ten minutes), and runs it for at most `budget` and one call more.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn start(
        &self,
        request: &Request,
        caller: &Caller,
        budget: Duration,
    ) -> Result<Outcome, ExportError> {
        self.start_before(&Audience::default(), request, caller, budget)
            .await
    }

    /// [`Exporter::start`] while `audience` watches.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn start_before(
        &self,
        audience: &Audience,
        request: &Request,
        caller: &Caller,
        budget: Duration,
    ) -> Result<Outcome, ExportError> {
        let _errand = self.running.errand();
        let deadline = self.system.now() + budget;
        let who = self.recognize(caller, deadline).await?;
        let id = self.id_for(request, &who.owner).await?;
        if let Some((head, _)) = self.jobs.find(&id, &who.owner).await? {
            return self
                .go_on(&id, who, Some((request, &head)), audience, deadline)
                .await;
        }
        let owner = who.owner.clone();
        let (head, opened) = self.choose_account(request, caller, who, deadline).await?;
        let Some(mut job) = self.jobs.make(id.clone(), owner.clone(), head).await? else {
            // The same request came twice at the same moment, and the other one was quicker.
            let (head, _) = self.jobs.find(&id, &owner).await?.ok_or(ExportError::NotFound)?;
            let who = Recognized {
                owner,
                opened: Some(opened),
            };
            return self
                .go_on(&id, who, Some((request, &head)), audience, deadline)
                .await;
        };
        match self.jobs.load(&mut job, request).await {
            Ok(()) => self.carry_on(job, opened, audience, deadline).await,
            Err(halt) => self.put_down(job, Err(halt)).await,
        }
    }

    /// Goes on with an export that its caller began before.
    ///
    /// # Errors
    /// [`ExportError`]; `NotFound` for everybody else's.
    pub async fn resume(
        &self,
        id: &ExportId,
        caller: &Caller,
        budget: Duration,
    ) -> Result<Outcome, ExportError> {
        self.resume_before(&Audience::default(), id, caller, budget).await
    }

    /// [`Exporter::resume`] while `audience` watches.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn resume_before(
        &self,
        audience: &Audience,
        id: &ExportId,
        caller: &Caller,
        budget: Duration,
    ) -> Result<Outcome, ExportError> {
        let _errand = self.running.errand();
        let deadline = self.system.now() + budget;
        let who = self.recognize(caller, deadline).await?;
        self.go_on(id, who, None, audience, deadline).await
    }

    /// The same key by the same caller gives the same id; without a key the same words do, for a while.
    async fn id_for(&self, request: &Request, owner: &UserId) -> Result<ExportId, ExportError> {
        match &request.key {
            Some(key) => Ok(ExportId(digest_of(&[owner.as_str(), key]))),
            None => self.again.id_for(owner, &request.fingerprint()).await,
        }
    }

    async fn go_on<'a>(
        &'a self,
        id: &ExportId,
        who: Recognized<'a>,
        again: Option<(&Request, &Head)>,
        audience: &Audience,
        deadline: Timestamp,
    ) -> Result<Outcome, ExportError> {
        if let Some((request, head)) = again
            && request.fingerprint() != head.fingerprint
        {
            return Err(ExportError::KeyReused);
        }
        let now = self.system.now();
        let mut job = match self.jobs.claim(id, &who.owner).await? {
            Claimed::Ours(job) => *job,
            Claimed::Theirs(head) => return Ok(Outcome::Unfinished(Progress::of(id, &head, now))),
            Claimed::Done(job) => return Ok(Outcome::Finished(Box::new(Finished::of(&job)))),
            Claimed::Absent => return Err(self.absent(who.opened.as_ref())),
        };
        if let (At::Loading, Some((request, _))) = (job.head.stage, again)
            && let Err(halt) = self.jobs.load(&mut job, request).await
        {
            return self.put_down(job, Err(halt)).await;
        }
        let opened = match who.opened {
            Some(opened) if job.head.mode == Mode::Bearer => opened,
            _ => self.open(job.head.mode, &job.owner, deadline).await,
        };
        self.carry_on(job, opened, audience, deadline).await
    }

    async fn open(&self, mode: Mode, owner: &UserId, deadline: Timestamp) -> Result<Opened<'_>, Halt> {
        let account = Account::of(mode, owner).ok_or(Blocked::TokenExpired)?;
        Session::open(self, account, deadline).await
    }

    /// Whether the operator's account stands in now.
    fn falls_back(&self, head: &Head, blocked: Blocked) -> bool {
        head.may_fall_back() && self.could_fall_back(head.mode, blocked)
    }

    /// Whether it would, if the request allowed it.
    fn could_fall_back(&self, mode: Mode, blocked: Blocked) -> bool {
        let open = |owner: &OwnerAccount| mode != Mode::Bearer || owner.open_to_bearers;
        blocked.is_about_the_account() && mode != Mode::Owner && self.accounts.owner().is_some_and(open)
    }

    /// An export that did not begin.
    fn not_begun(&self, blocked: Blocked, mode: Mode) -> ExportError {
        ExportError::Blocked {
            id: None,
            blocked,
            can_fall_back: self.could_fall_back(mode, blocked),
        }
    }

    /// There is no such export of this caller's. Whose token is not accepted any more is told that instead: theirs may
    /// well be there.
    fn absent(&self, opened: Option<&Result<Opened<'_>, Halt>>) -> ExportError {
        match opened {
            Some(Err(Halt::Blocked(blocked))) => self.not_begun(*blocked, Mode::Bearer),
            _ => ExportError::NotFound,
        }
    }

    /// What is kept of apps that nobody uses any more must not stop the sweep.
    async fn forget_idle_budgets(&self) {
        if let Err(error) = self.pacer.forget_idle().await {
            tracing::warn!(%error, "idle budgets could not be dropped");
        }
    }

    /// Ends a run at its beginning while its app is known to be refused for longer than a call waits.
    async fn check_quota(&self, budget: &str) -> Result<(), Halt> {
        let closing = self.pacer.closing(budget).await?;
        let soon = self.system.now() + session::WAIT_MAX;
        match closing {
            Some(Closing { until, refusal }) if refusal == Refusal::Quota || until > soon => {
                let why = refusal.into();
                Err(Halt::Parked { until, why })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_can_move_between_threads() {
        fn is_send<T: Send>(_: impl FnOnce(&'static Exporter, &'static Request, &'static Caller) -> T) {}
        is_send(|exporter, request, caller| exporter.start(request, caller, Duration::ZERO));
        is_send(|exporter, _, _| exporter.run_due(1, Duration::ZERO));
    }
}

//! Calls to Spotify on behalf of one account: paced, within the time there is, with one renewal and one wait each.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    Blocked, Exporter,
    account::{Account, Live},
    halt::{Halt, Stop},
    head::Why,
    id::digest_of,
    job::Job,
    jobs::Jobs,
    tally::{Tally, outcome_of},
};
use crate::{
    ids::AppName,
    limits::{Calls, Class, Kind, NoTurn, Refusal, Throttled, Turn},
    metrics::CallOutcome,
    providers::spotify::{ApiError, Profile, WebApi},
    secret::AccessToken,
    system::Timestamp,
};

/// A pause that Spotify asks for is waited out up to this; a longer one parks the job (reference: rate limit).
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);

/// A turn that is further away is not waited for. Two pauses of the longest kind: another call's refusal may come while
/// this one waits.
const TURN_WAIT_MAX: Duration = Duration::from_mins(1);

/// A 429 that does not say how long: the longest that those that do usually say.
const RATE_LIMIT_UNSAID: Duration = Duration::from_secs(4);

/// A used-up quota that does not say how long; those that do say many hours, but one hour costs one call to find out.
const QUOTA_UNSAID: Duration = Duration::from_hours(1);

/// The longest pause believed; the longest seen was 24 h.
const PAUSE_MAX: Duration = Duration::from_hours(48);

/// Until it is known whose a token is, its calls share one pace with all that are not known.
const BEARERS_BUDGET: &str = "spotify:bearers";

/// One account's way to Spotify, for one run.
#[derive(Debug)]
pub(super) struct Session<'a> {
    exporter: &'a Exporter,
    account: Account,
    /// The app whose pace and quota the calls count against.
    budget: String,
    deadline: Timestamp,
    live: Mutex<Live>,
    tally: Tally,
}

/// A session, and whose account it is.
pub(super) type Opened<'a> = (Session<'a>, Profile);

impl<'a> Session<'a> {
    /// Opens `account` and asks Spotify whose it is, which also proves that it is of any use: people who are not on
    /// an app's list have tokens, too.
    pub(super) async fn open(
        exporter: &'a Exporter,
        account: Account,
        deadline: Timestamp,
    ) -> Result<Opened<'a>, Halt> {
        let live = exporter.accounts.token(&account).await?;
        let app = live.app.clone();
        let mut session = Self {
            exporter,
            account,
            budget: app.as_ref().map_or_else(|| BEARERS_BUDGET.to_owned(), budget_of),
            deadline,
            live: Mutex::new(live),
            tally: Tally::default(),
        };
        if app.is_some() {
            session.check_quota().await?;
        }
        let api = session.web_api();
        let profile = session
            .read(Kind::Profile, |token| async move { api.me(&token).await })
            .await;
        let profile = profile.map_err(|stop| session.ended(stop))?;
        if !exporter.accounts.is_the_right_one(&session.account, &profile) {
            tracing::error!("the operator's refresh token is not of the account that is configured");
            return Err(session.account.refused().into());
        }
        if app.is_none() {
            session.budget = format!("spotify:account:{}", digest_of(&[&profile.account_id]));
        }
        Ok((session, profile))
    }

    /// Ends the run while the app is known to be refused.
    pub(super) async fn check_quota(&self) -> Result<(), Halt> {
        self.exporter.check_quota(&self.budget).await
    }

    pub(super) fn web_api(&self) -> &'a WebApi {
        &self.exporter.web_api
    }

    pub(super) fn now(&self) -> Timestamp {
        self.exporter.system.now()
    }

    /// One call that may be repeated: once at once, as Spotify's staff advise for 5xx, then in a while.
    pub(super) async fn read<T, F, Fut>(&self, kind: Kind, work: F) -> Result<T, Stop>
    where
        F: Fn(AccessToken) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ApiError>> + Send,
        T: Send,
    {
        match self.attempt(kind, None, &work).await {
            Err(Stop::Api(error)) if error.is_ambiguous() => {}
            settled => return settled,
        }
        match self.attempt(kind, None, &work).await {
            Err(Stop::Api(error)) if error.is_ambiguous() => {
                tracing::warn!(%error, "a call to Spotify failed twice");
                Err(Halt::unavailable(self.now()).into())
            }
            settled => settled,
        }
    }

    /// One call about a playlist that nobody may make twice: at the last moment, after every wait, it is made sure that
    /// `job` is still this runner's.
    pub(super) async fn write<T, F, Fut>(&self, jobs: &Jobs, job: &mut Job, work: F) -> Result<T, Stop>
    where
        F: Fn(AccessToken) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ApiError>> + Send,
        T: Send,
    {
        self.attempt(Kind::Playlist, Some((jobs, job)), work).await
    }

    /// One call. It is made again only where Spotify said that it did nothing: after a 401 with a new token, after a
    /// 429 when its time is up; each once.
    async fn attempt<T, F, Fut>(
        &self,
        kind: Kind,
        mut held: Option<(&Jobs, &mut Job)>,
        work: F,
    ) -> Result<T, Stop>
    where
        F: Fn(AccessToken) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ApiError>> + Send,
        T: Send,
    {
        let (mut renewed, mut waited) = (false, false);
        loop {
            let turn = self.turn().await?;
            let live = self.live();
            if let Some((jobs, job)) = &mut held {
                jobs.hold(job).await?;
            }
            turn.spend();
            let answer = work(live.token).await;
            self.count(kind, outcome_of(&answer)).await;
            match answer {
                Ok(answer) => return Ok(answer),
                Err(ApiError::Unauthorized) if !renewed => {
                    renewed = true;
                    self.renew(live.generation).await?;
                }
                Err(ApiError::RateLimited { retry_after })
                    if !waited && retry_after.is_none_or(|pause| pause <= WAIT_MAX) =>
                {
                    waited = true;
                    let pause = retry_after.unwrap_or(RATE_LIMIT_UNSAID);
                    self.close(pause, Refusal::RateLimit).await;
                }
                Err(error) => return Err(self.refused(error).await),
            }
        }
    }

    /// What a call that nobody has an answer to means for the run.
    pub(super) fn ended(&self, stop: Stop) -> Halt {
        match stop {
            Stop::Halt(halt) => halt,
            Stop::Api(error) => {
                tracing::warn!(%error, "a call to Spotify failed");
                Halt::unavailable(self.now())
            }
        }
    }

    /// Waits for the app's turn, as long as the run has time.
    async fn turn(&self) -> Result<Turn, Halt> {
        let now = self.now();
        if now >= self.deadline || self.exporter.running.is_stopping() {
            let why = Why::TimeBudget;
            return Err(Halt::Parked { until: now, why });
        }
        let wait_max = self.deadline.since(now).min(TURN_WAIT_MAX);
        let turn = self
            .exporter
            .pacer
            .turn(&self.budget, Class::Interactive, wait_max)
            .await;
        turn.map_err(|none| match none {
            NoTurn::Throttled(throttled) => self.put_off(throttled),
            NoTurn::Store(error) => error.into(),
        })
    }

    fn put_off(&self, throttled: Throttled) -> Halt {
        let Throttled {
            retry_after,
            closed_by,
        } = throttled;
        let (after, why) = match closed_by {
            Some(refusal) => (retry_after, refusal.into()),
            // Short enough for another run; it is this one's time that is over.
            None if retry_after <= TURN_WAIT_MAX => (Duration::ZERO, Why::TimeBudget),
            None => (retry_after, Why::ThrottledHere),
        };
        let until = self.now() + after;
        Halt::Parked { until, why }
    }

    /// Leaves the app alone for a while, in every process. Where that cannot be stored, the next turn cannot be had
    /// either; it must not cost this run its checkpoint.
    async fn close(&self, pause: Duration, refusal: Refusal) {
        if let Err(error) = self.exporter.pacer.close(&self.budget, pause, refusal).await {
            tracing::warn!(%error, "a refusal of Spotify's could not be stored");
        }
    }

    async fn count(&self, kind: Kind, outcome: CallOutcome) {
        self.exporter.metrics.spotify_call(kind, outcome);
        match outcome {
            CallOutcome::RateLimited => {}
            CallOutcome::QuotaExceeded => self.write_down(self.tally.take(), Some(kind)).await,
            CallOutcome::Ok | CallOutcome::Refused | CallOutcome::Unavailable => {
                if let Some(calls) = self.tally.count(kind) {
                    self.write_down(calls, None).await;
                }
            }
        }
    }

    /// Writes down the calls that are not in the ledger yet: the run is over.
    pub(super) async fn settle(&self) {
        let calls = self.tally.take();
        if !calls.is_empty() {
            self.write_down(calls, None).await;
        }
    }

    /// A ledger that cannot be written makes the next forecast less certain, and stops nothing.
    async fn write_down(&self, calls: Calls, used_up: Option<Kind>) {
        if let Err(error) = self.exporter.ledger.note(&self.budget, &calls, used_up).await {
            tracing::warn!(%error, "the calls to Spotify could not be written down");
            self.tally.put_back(calls);
        }
    }

    fn live(&self) -> Live {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Two calls that fail together both come here; the number tells whose refusal is news.
    async fn renew(&self, refused: u64) -> Result<(), Halt> {
        if self.live().generation != refused {
            return Ok(());
        }
        let live = self.exporter.accounts.replaced(&self.account, refused).await?;
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
        Ok(())
    }

    async fn refused(&self, error: ApiError) -> Stop {
        let (retry_after, refusal) = match error {
            ApiError::Unauthorized => return self.account.refused().into(),
            ApiError::Forbidden(forbidden) => return Blocked::from(forbidden).into(),
            ApiError::RateLimited { retry_after } => {
                (retry_after.unwrap_or(RATE_LIMIT_UNSAID), Refusal::RateLimit)
            }
            ApiError::QuotaExceeded { retry_after } => (retry_after.unwrap_or(QUOTA_UNSAID), Refusal::Quota),
            other => return Stop::Api(other),
        };
        let pause = retry_after.min(PAUSE_MAX);
        self.close(pause, refusal).await;
        Halt::Parked {
            until: self.now() + pause,
            why: refusal.into(),
        }
        .into()
    }
}

/// The budget of an app. Who brings a token of their own says nothing of its app: one name for two apps would stop the
/// innocent, two names for one app only cost some politeness; what is not known to be the same is different.
pub(super) fn budget_of(app: &AppName) -> String {
    format!("spotify:{app}")
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // Spotify has no keys that are refused as such.
            Refusal::RateLimit | Refusal::Key => Self::RateLimited,
            Refusal::Quota => Self::QuotaExceeded,
        }
    }
}

//! Calls to Last.fm: each in its turn, two at a time, tried again where that can help, and what a refusal closes.

use std::{future::Future, time::Duration};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::CallError;
use crate::{
    ids::AppName,
    limits::{Class, FOR_GOOD, NoTurn, Pacer, Refusal, Throttled, Turn},
    metrics::{CallOutcome, LastfmCall, Metrics},
    providers::lastfm::{Lastfm, LastfmError},
    system::{System, Timestamp},
};

/// Calls under way at a time: what is asked of clients beside the rate (design §9; reference: Last.fm §8).
const IN_FLIGHT: usize = 2;

/// A turn waits for a place in flight no longer than this: five that come at once go one after the other then, and are no
/// more together than the bucket lets them be.
const TURN_HELD_MAX: Duration = Duration::from_secs(1);

/// A call that met trouble is made so often (reference: Last.fm §7: three tries).
const TRIES: u32 = 3;

/// The pause before the second try; doubled before the third (reference: Last.fm §7: 1 s, 2 s, 4 s).
const BACK_OFF: Duration = Duration::from_secs(1);

/// A refusal that does not say for how long: the bucket knows (`limits::LASTFM`).
const UNSAID: Duration = Duration::ZERO;

/// For how long somebody waits, and how urgent they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) class: Class,
    pub(super) ends: Timestamp,
}

impl Patience {
    fn left(self, system: &System) -> Duration {
        self.ends.since(system.now())
    }
}

/// The way to Last.fm.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) lastfm: Lastfm,
    /// Everybody who calls with this key shares it; another key is another bucket.
    bucket: String,
    pacer: Pacer,
    in_flight: Semaphore,
    metrics: Metrics,
    system: System,
}

impl Calls {
    pub(super) fn new(lastfm: Lastfm, pacer: Pacer, metrics: Metrics, system: System) -> Self {
        Self {
            bucket: format!("lastfm:{}", AppName::of_key(&lastfm.credentials().api_key)),
            lastfm,
            pacer,
            in_flight: Semaphore::new(IN_FLIGHT),
            metrics,
            system,
        }
    }

    /// What `work` gives, which is one call that may be made again.
    pub(super) async fn make<T, F, Fut>(
        &self,
        about: LastfmCall,
        patience: Patience,
        work: F,
    ) -> Result<T, CallError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, LastfmError>> + Send,
        T: Send,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            let permit = self.turn(patience).await?;
            let answer = work().await;
            drop(permit);
            self.metrics.lastfm_call(about, outcome_of(&answer));
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            tracing::debug!(?about, tries, %error, "a call to Last.fm gave nothing");
            let pause = BACK_OFF * 2_u32.pow(tries - 1) + self.jitter();
            let left = patience.left(&self.system);
            if !error.may_pass() || tries == TRIES || pause >= left {
                return Err(self.settle(error).await);
            }
            self.system.clock.sleep(pause).await;
        }
    }

    /// Waits for the turn, and for one of the places in flight. A turn that cannot be used soon is given back, or those that
    /// pile up while Last.fm is slow would all be used together when it is quick again; who has a place by then waits for
    /// another turn with it.
    async fn turn(&self, patience: Patience) -> Result<SemaphorePermit<'_>, CallError> {
        let turn = self.next_turn(patience).await?;
        if let Some(permit) = self.place(patience.left(&self.system).min(TURN_HELD_MAX)).await {
            turn.spend();
            return Ok(permit);
        }
        drop(turn);
        let permit = self.place(patience.left(&self.system)).await;
        let permit = permit.ok_or(CallError::Unavailable {
            retry_after: Some(BACK_OFF),
        })?;
        self.next_turn(patience).await?.spend();
        Ok(permit)
    }

    /// One of the places in flight, if there is one within `wait_max`.
    async fn place(&self, wait_max: Duration) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.in_flight.try_acquire() {
            return Some(place);
        }
        let place = self.system.within(wait_max, self.in_flight.acquire()).await;
        // Nobody closes it.
        place.and_then(Result::ok)
    }

    async fn next_turn(&self, patience: Patience) -> Result<Turn, CallError> {
        let wait_max = patience.left(&self.system);
        let turn = self.pacer.turn(&self.bucket, patience.class, wait_max).await;
        turn.map_err(|none| match none {
            NoTurn::Throttled(throttled) => throttled.into(),
            NoTurn::Store(error) => error.into(),
        })
    }

    /// What it means for whoever asked, and for everybody else who would.
    async fn settle(&self, error: LastfmError) -> CallError {
        match error {
            LastfmError::UnknownUser => CallError::UnknownUser { confirmed: false },
            LastfmError::Hidden => CallError::Hidden,
            LastfmError::SessionRevoked => CallError::SessionRevoked,
            LastfmError::TokenRefused => CallError::TokenRefused,
            LastfmError::KeyRefused { code } => {
                tracing::error!(
                    code,
                    "Last.fm refuses LASTFM_API_KEY; it is not used again until it is another"
                );
                self.close(FOR_GOOD, Refusal::Key).await;
                CallError::KeyRefused
            }
            LastfmError::SignatureRefused => {
                tracing::error!("Last.fm refuses what LASTFM_SHARED_SECRET signs");
                CallError::SecretRefused
            }
            LastfmError::RateLimited { retry_after } => {
                let pause = retry_after.unwrap_or(UNSAID);
                self.close(pause, Refusal::RateLimit).await;
                CallError::RateLimited {
                    retry_after: self.closed_for().await.unwrap_or(pause),
                }
            }
            LastfmError::Rejected(_) => {
                tracing::error!(%error, "Last.fm does not understand a call");
                CallError::Unavailable { retry_after: None }
            }
            LastfmError::Unavailable(_)
            | LastfmError::Unreadable
            | LastfmError::SomebodyElse
            | LastfmError::Unreachable(_) => {
                tracing::warn!(?error, "Last.fm is in trouble");
                CallError::Unavailable {
                    retry_after: Some(BACK_OFF * 2_u32.pow(TRIES)),
                }
            }
        }
    }

    /// Where it cannot be stored, the next turn cannot be had either.
    async fn close(&self, pause: Duration, refusal: Refusal) {
        if let Err(error) = self.pacer.close(&self.bucket, pause, refusal).await {
            tracing::warn!(%error, "a refusal of Last.fm's could not be stored");
        }
    }

    async fn closed_for(&self) -> Option<Duration> {
        let closing = self.pacer.closing(&self.bucket).await.ok()??;
        Some(closing.until.since(self.system.now()))
    }

    /// Up to half a second, so that those who failed together do not come back together.
    fn jitter(&self) -> Duration {
        let [byte] = self.system.entropy.bytes::<1>();
        Duration::from_millis(u64::from(byte) * 2)
    }
}

const fn outcome_of<T>(answer: &Result<T, LastfmError>) -> CallOutcome {
    match answer {
        Ok(_) => CallOutcome::Ok,
        Err(LastfmError::RateLimited { .. }) => CallOutcome::RateLimited,
        Err(error) if error.may_pass() => CallOutcome::Unavailable,
        Err(_) => CallOutcome::Refused,
    }
}

impl From<Throttled> for CallError {
    fn from(throttled: Throttled) -> Self {
        let retry_after = throttled.retry_after;
        match throttled.closed_by {
            None => Self::ThrottledHere { retry_after },
            Some(Refusal::RateLimit | Refusal::Quota) => Self::RateLimited { retry_after },
            Some(Refusal::Key) => Self::KeyRefused,
        }
    }
}

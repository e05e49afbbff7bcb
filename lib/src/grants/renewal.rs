//! Renewing one grant: claim it, ask the provider, settle what it answered.
//!
//! The answer can be lost at every step, and another process can be at the same step; the comments say what holds then.

use std::time::Duration;

use super::{
    GrantError, Grants, LEASE, LiveToken, Reason, WRITE_BUDGET,
    claiming::{Claim, Step},
    errand::{COME_AGAIN, Errand, Fresh, How, Outcome, Purpose, Stop, WATCH_EVERY},
    grant::Claimed,
    lease::Watch,
};
use crate::{
    ids::{Slot, UserId},
    metrics::RenewalOutcome,
    providers::TOKEN_CALL_TIMEOUT,
    store::GrantStatus,
    system::{BoxFuture, CLOCK_SKEW_MAX},
};

/// A waiter takes over from one dead holder; if the next one dies, too, the caller hears of it.
const HOLDERS_MAX: u32 = 2;

/// The outcomes of other runs that one caller takes notice of before it is told to come again.
const JOINS_MAX: usize = 3;

/// A claim that is older than this when its call is to begin is given back: the call, and writing down what came of it,
/// might outlive the lease. It happens to processes that are stopped or starved.
const CALL_WITHIN: Duration = LEASE
    .checked_sub(TOKEN_CALL_TIMEOUT)
    .expect("a lease outlives a call")
    .checked_sub(WRITE_BUDGET)
    .expect("a lease outlives a call and a write");

impl Grants {
    /// A token of a later generation than `stale`: by joining the renewal of this process, by waiting for the one of
    /// another, or by renewing.
    pub(super) async fn renewed_beyond(
        &self,
        user: &UserId,
        slot: Slot,
        stale: u64,
    ) -> Result<LiveToken, GrantError> {
        let errand = Errand {
            user: user.clone(),
            slot,
            stale,
            purpose: Purpose::Use,
        };
        let began = self.0.system.now();
        let outcome = self.run(errand).await;
        self.0.metrics.renewal_took(self.0.system.now().since(began));
        match outcome {
            // Nobody is handed a dead one.
            Ok(fresh) if fresh.token.expires_at <= self.0.system.now() => Err(COME_AGAIN),
            Ok(fresh) => Ok(fresh.token),
            Err(Stop::For(error)) => Err(error),
            Err(Stop::HeldElsewhere) => Err(COME_AGAIN),
        }
    }

    /// One renewal of this grant at a time in this process: who comes second gets the first one's outcome.
    pub(super) async fn run(&self, mut errand: Errand) -> Outcome {
        let key = (errand.user.clone(), errand.slot);
        let mut outcome = Err(Stop::HeldElsewhere);
        for _ in 0..JOINS_MAX {
            let start = || {
                let (grants, errand) = (self.clone(), errand.clone());
                let work: BoxFuture<'static, Outcome> = Box::pin(async move { grants.renew(&errand).await });
                work
            };
            let joined = self.0.renewals.join(key.clone(), &self.0.work, start).await;
            outcome = joined.outcome.unwrap_or(Err(Stop::For(GrantError::BrokeOff)));
            let has_died = outcome.as_ref().is_ok_and(|fresh| self.has_died(fresh));
            if let Ok(fresh) = &mut outcome
                && !joined.is_first
            {
                fresh.how = How::Joined;
            }
            match &outcome {
                // The run that was joined had set out for an older token than the one that is refused now.
                Ok(fresh) if fresh.token.generation <= errand.stale => {}
                // The machine was asleep for longer than a token lives, and this one died on its way.
                Ok(fresh) if has_died => {
                    errand.stale = fresh.token.generation;
                }
                // The run that was joined was the sweep's, which does not wait.
                Err(Stop::HeldElsewhere) if errand.purpose == Purpose::Use => {}
                _ => break,
            }
        }
        if let Ok(fresh) = &outcome {
            self.0.metrics.renewal(match fresh.how {
                How::Renewed => RenewalOutcome::Renewed,
                How::AlreadyFresh => RenewalOutcome::AlreadyFresh,
                How::Unwritten => RenewalOutcome::PersistFailed,
                How::Joined => RenewalOutcome::Joined,
                How::Overtaken => RenewalOutcome::LeaseLost,
            });
        }
        outcome
    }

    /// Whether a token is of no use any more by the time it gets here. Another process's clock said when it dies, unless
    /// this one bought it.
    fn has_died(&self, fresh: &Fresh) -> bool {
        let skew = match fresh.how {
            How::Renewed | How::Unwritten => Duration::ZERO,
            How::AlreadyFresh | How::Joined | How::Overtaken => CLOCK_SKEW_MAX,
        };
        fresh.token.expires_at <= self.0.system.now() + skew
    }

    async fn renew(&self, errand: &Errand) -> Outcome {
        let mut watch = Watch::default();
        while watch.holders() <= HOLDERS_MAX {
            if let Some(token) = self.unwritten_beyond(errand) {
                return token;
            }
            match self.next_step(errand, &watch).await? {
                Step::Done(grant) => {
                    let token = self.open(&errand.user, errand.slot, &grant)?;
                    let token = token.ok_or(GrantError::NeedsReauth(Reason::Unreadable))?;
                    let waited = watch.holders() > 0;
                    let how = if waited { How::Joined } else { How::AlreadyFresh };
                    return Ok(Fresh { token, how });
                }
                Step::Ours(claim) if self.0.system.now().since(claim.taken_at) > CALL_WITHIN => {
                    // We were asleep: the call might outlive the lease. Nothing is asked; who is awake may try.
                    self.settle(errand, &claim.holder, Claimed::given_back).await?;
                    watch.waited(&claim.holder, Duration::ZERO);
                }
                Step::Ours(claim) => return self.ask_and_settle(errand, &claim).await,
                Step::Wait(_) if errand.purpose != Purpose::Use => return Err(Stop::HeldElsewhere),
                Step::Wait(holder) => {
                    self.0.system.clock.sleep(WATCH_EVERY).await;
                    watch.waited(&holder, WATCH_EVERY);
                }
            }
        }
        Err(COME_AGAIN.into())
    }

    async fn ask_and_settle(&self, errand: &Errand, claim: &Claim) -> Outcome {
        let doubted = claim.grant.status == GrantStatus::Quarantined;
        if doubted && let Some(turn) = self.turn_to_probe(errand, claim).await? {
            return Err(turn.into());
        }
        let asked_at = self.0.system.now();
        let answer = self
            .0
            .spotify
            .tokens
            .refresh(&claim.app, &claim.refresh_token)
            .await;
        let now = self.0.system.now();
        self.0.metrics.token_call(now.since(asked_at));
        match answer {
            Ok(tokens) => {
                let kept = self.keep(errand, claim, tokens, asked_at).await;
                if doubted {
                    self.wave_is_over(errand, claim).await;
                }
                kept
            }
            Err(error) => self.settle_refusal(errand, claim, error, now).await,
        }
    }

    /// The token of whoever overtook us.
    pub(super) async fn winner(&self, errand: &Errand) -> Outcome {
        let grant = self.find(&errand.user, errand.slot).await?;
        if let Some(reason) = grant.refuses() {
            return Err(GrantError::NeedsReauth(reason).into());
        }
        let token = self.open(&errand.user, errand.slot, &grant)?;
        let token = token.filter(|token| token.generation > errand.stale);
        Ok(Fresh {
            token: token.ok_or(COME_AGAIN)?,
            how: How::Overtaken,
        })
    }

    /// Chance in `0.0..1.0`.
    pub(super) fn jitter(&self) -> f64 {
        f64::from(u16::from_le_bytes(self.0.system.entropy.bytes())) / f64::from(u16::MAX)
    }
}

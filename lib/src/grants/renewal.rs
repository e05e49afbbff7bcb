//! Renewing one grant: claim it, ask the provider, settle what it answered.
//!
//! The answer can be lost at every step, and another process can be at the same step; the comments say what holds then.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    GrantError, Grants, LEASE, LiveToken, Reason,
    grant::{Claimed, NotClaimed, Renewed},
};
use crate::{
    ids::{Slot, UserId},
    providers::{AppCredentials, TokenError, Tokens},
    secret::RefreshToken,
    store::{GrantStatus, StoreError, StoredGrant},
    system::{BoxFuture, Timestamp},
    vault::Place,
};

/// How often who waits for another process's renewal looks: its own delay on top of the provider's.
const WATCH_EVERY: Duration = Duration::from_millis(75);

/// How often a renewal that could not be written is tried again while its lease lasts.
const WRITE_AGAIN_EVERY: Duration = Duration::from_millis(500);

/// A waiter takes over from one dead holder; if the next one dies, too, the caller hears of it.
const TAKEOVERS_MAX: u32 = 2;

pub(super) type Outcome = Result<LiveToken, GrantError>;

/// Whose renewal a run is about.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) user: UserId,
    pub(super) slot: Slot,
    /// The generation that is not good enough any more.
    stale: u64,
    /// Whether somebody asked for the token, rather than the sweep.
    used: bool,
}

/// What the document says about an errand.
enum Step {
    /// Somebody has renewed it already.
    Done(StoredGrant),
    /// It is ours to renew.
    Ours(StoredGrant, String),
    /// Somebody else is at it.
    Wait,
}

impl Grants {
    /// A token of a later generation than `stale`: by joining the renewal of this process, by waiting for the one of
    /// another, or by renewing.
    pub(super) async fn renewed_beyond(&self, user: &UserId, slot: Slot, stale: u64) -> Outcome {
        self.run(Errand {
            user: user.clone(),
            slot,
            stale,
            used: true,
        })
        .await
    }

    /// The same for the sweep: it does not count as use.
    pub(super) async fn kept_warm(&self, user: &UserId, slot: Slot, stale: u64) -> Outcome {
        self.run(Errand {
            user: user.clone(),
            slot,
            stale,
            used: false,
        })
        .await
    }

    async fn run(&self, errand: Errand) -> Outcome {
        let key = (errand.user.clone(), errand.slot);
        let start = || {
            let (grants, errand) = (self.clone(), errand.clone());
            let work: BoxFuture<'static, Outcome> = Box::pin(async move { grants.renew(&errand).await });
            work
        };
        match self.0.renewals.join(key.clone(), start).await {
            // The run that was joined had set out for an older token than the one that is refused now.
            Ok(token) if token.generation <= errand.stale => self.0.renewals.join(key, start).await,
            outcome => outcome,
        }
    }

    async fn renew(&self, errand: &Errand) -> Outcome {
        let mut takeovers = 0;
        let mut waited = Duration::ZERO;
        loop {
            match self.next_step(errand).await? {
                Step::Done(grant) => {
                    let token = self.open(&errand.user, errand.slot, &grant)?;
                    return token.ok_or(GrantError::NeedsReauth(Reason::Unreadable));
                }
                Step::Ours(grant, holder) => return self.ask_and_settle(errand, &grant, &holder).await,
                Step::Wait if waited > LEASE => {
                    takeovers += 1;
                    waited = Duration::ZERO;
                    if takeovers >= TAKEOVERS_MAX {
                        return Err(GrantError::ProviderUnavailable {
                            retry_after: Some(WATCH_EVERY),
                        });
                    }
                }
                Step::Wait => {
                    self.0.system.clock.sleep(WATCH_EVERY).await;
                    waited += WATCH_EVERY;
                }
            }
        }
    }

    /// Reads the document and takes the claim if it is free. The claim is a compare-and-swap: of all processes that
    /// try, one succeeds, and the others read again and find it held.
    async fn next_step(&self, errand: &Errand) -> Result<Step, GrantError> {
        let now = self.0.system.now();
        let holder = BASE64_URL_SAFE_NO_PAD.encode(self.0.system.entropy.bytes::<16>());
        self.change(&errand.user, |document| {
            let grant = document
                .integrations
                .get_mut(&errand.slot)
                .ok_or(GrantError::NotConnected)?;
            if grant.generation > errand.stale && grant.refuses().is_none() {
                return Ok(Step::Done(grant.clone()));
            }
            match grant.clone().claim(holder.clone(), now) {
                Ok(claimed) => {
                    let claimed = if errand.used { claimed.used(now) } else { claimed };
                    *grant = claimed.into_grant();
                    Ok(Step::Ours(grant.clone(), holder.clone()))
                }
                Err(NotClaimed::HeldByOther) => Ok(Step::Wait),
                Err(NotClaimed::Over(reason)) => Err(GrantError::NeedsReauth(reason)),
                Err(NotClaimed::TooSoon {
                    app_at_fault: true, ..
                }) => Err(GrantError::AppError(Reason::ClientRefused)),
                Err(NotClaimed::TooSoon { at, .. }) => Err(GrantError::ProviderUnavailable {
                    retry_after: Some(at.since(now)),
                }),
            }
        })
        .await
    }

    async fn ask_and_settle(&self, errand: &Errand, grant: &StoredGrant, holder: &str) -> Outcome {
        let asked = self.ask(errand, grant).await;
        let now = self.0.system.now();
        match asked {
            Ok(tokens) => {
                let kept = self.keep(errand, holder, tokens, now).await;
                if grant.status == GrantStatus::Quarantined {
                    self.wave_is_over(errand, grant).await;
                }
                kept
            }
            Err(Failure::Here(error)) => {
                // Nothing was asked, so nothing is known: give the claim back.
                self.settle(errand, holder, Claimed::given_back).await?;
                Err(error)
            }
            Err(Failure::There(error)) => self.settle_refusal(errand, holder, error, now).await,
        }
    }

    async fn ask(&self, errand: &Errand, grant: &StoredGrant) -> Result<Tokens, Failure> {
        let app = self.app_of(errand, grant).map_err(Failure::Here)?;
        let sealed = grant.refresh_token_enc.as_deref().unwrap_or_default();
        let refresh_token: RefreshToken = self
            .0
            .vault
            .open(sealed, Place::grant(&errand.user, errand.slot))
            .map_err(|error| Failure::Here(error.into()))?;
        self.0
            .spotify
            .tokens
            .refresh(&app, &refresh_token)
            .await
            .map_err(Failure::There)
    }

    pub(super) fn app_of(&self, errand: &Errand, grant: &StoredGrant) -> Result<AppCredentials, GrantError> {
        match errand.slot {
            Slot::Spotify => self.0.operator_app.clone().ok_or(GrantError::NoOperatorApp),
            Slot::SpotifyByo => self.own_app(&errand.user, grant),
        }
    }

    /// The user's own app, as it is sealed in the grant.
    pub(crate) fn own_app(&self, user: &UserId, grant: &StoredGrant) -> Result<AppCredentials, GrantError> {
        let place = Place::grant(user, Slot::SpotifyByo);
        let client_id = self
            .0
            .vault
            .open(grant.client_id_enc.as_deref().unwrap_or_default(), place)?;
        let client_secret = grant
            .client_secret_enc
            .as_deref()
            .map(|sealed| self.0.vault.open(sealed, place))
            .transpose()?;
        Ok(AppCredentials {
            client_id,
            client_secret,
        })
    }

    /// Writes down what the provider gave. If somebody else took the grant over or replaced it meanwhile, theirs
    /// stands. If the store is down, the caller has the token all the same, and writing goes on while the lease does.
    async fn keep(&self, errand: &Errand, holder: &str, tokens: Tokens, now: Timestamp) -> Outcome {
        let place = Place::grant(&errand.user, errand.slot);
        let vault = &self.0.vault;
        let renewed = Renewed {
            access_token_enc: vault.seal(&tokens.access_token, place),
            refresh_token_enc: tokens
                .refresh_token
                .as_ref()
                .map(|token| vault.seal(token, place)),
            expires_at: now + tokens.expires_in,
            scopes: tokens.scopes,
        };
        let token = LiveToken {
            token: tokens.access_token,
            expires_at: renewed.expires_at,
            generation: errand.stale + 1,
        };
        match self.write_renewed(errand, holder, &renewed, now).await {
            Ok(Some(kept)) => Ok(LiveToken {
                generation: kept.generation,
                ..token
            }),
            Ok(None) => self.winner(errand).await,
            Err(error) => {
                tracing::error!(user = %vault.pseudonym(&errand.user), slot = %errand.slot, ?error,
                    "a renewed grant could not be written; trying on");
                let (grants, errand, holder) = (self.clone(), errand.clone(), holder.to_owned());
                tokio::spawn(
                    async move { grants.write_renewed_until(&errand, &holder, &renewed, now).await },
                );
                Ok(token)
            }
        }
    }

    async fn write_renewed(
        &self,
        errand: &Errand,
        holder: &str,
        renewed: &Renewed,
        now: Timestamp,
    ) -> Result<Option<StoredGrant>, GrantError> {
        self.settle(errand, holder, |claimed| claimed.renewed(renewed.clone(), now))
            .await
    }

    async fn write_renewed_until(
        &self,
        errand: &Errand,
        holder: &str,
        renewed: &Renewed,
        asked_at: Timestamp,
    ) {
        while self.0.system.now().since(asked_at) < LEASE {
            self.0.system.clock.sleep(WRITE_AGAIN_EVERY).await;
            if self
                .write_renewed(errand, holder, renewed, asked_at)
                .await
                .is_ok()
            {
                return;
            }
        }
        tracing::error!(user = %self.0.vault.pseudonym(&errand.user), slot = %errand.slot,
            "a renewed grant was not written before its lease ended");
    }

    /// Ends the claim of `holder` with `outcome`; `None` when it is not theirs any more, and then nothing is written.
    pub(super) async fn settle(
        &self,
        errand: &Errand,
        holder: &str,
        outcome: impl Fn(Claimed) -> StoredGrant,
    ) -> Result<Option<StoredGrant>, GrantError> {
        self.change(&errand.user, |document| {
            let Some(grant) = document.integrations.get_mut(&errand.slot) else {
                return Ok(None);
            };
            let Some(claimed) = grant.clone().held_by(holder) else {
                return Ok(None);
            };
            *grant = outcome(claimed);
            Ok(Some(grant.clone()))
        })
        .await
        .map_err(|error: StoreError| error.into())
    }

    /// The token of whoever overtook us.
    pub(super) async fn winner(&self, errand: &Errand) -> Outcome {
        let grant = self.find(&errand.user, errand.slot).await?;
        if let Some(reason) = grant.refuses() {
            return Err(GrantError::NeedsReauth(reason));
        }
        let token = self.open(&errand.user, errand.slot, &grant)?;
        token
            .filter(|token| token.generation > errand.stale)
            .ok_or(GrantError::ProviderUnavailable {
                retry_after: Some(WATCH_EVERY),
            })
    }

    /// Chance in `0.0..1.0`.
    pub(super) fn jitter(&self) -> f64 {
        f64::from(u16::from_le_bytes(self.0.system.entropy.bytes())) / f64::from(u16::MAX)
    }
}

/// Where a renewal failed: before anybody was asked, or by the provider's answer.
enum Failure {
    Here(GrantError),
    There(TokenError),
}

//! Taking the claim to renew a grant, and ending it: who holds one asks the provider, and nobody else does.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    GrantError, Grants, LEASE, Reason,
    errand::{Errand, Purpose},
    grant::{Claimed, NotClaimed},
    lease::Watch,
};
use crate::{
    ids::{Slot, UserId},
    providers::AppCredentials,
    secret::RefreshToken,
    store::StoredGrant,
    system::Timestamp,
    vault::Place,
};

/// How often a claim that may or may not stand is tried to be given back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(1);

/// A claim that stands, with what it takes to ask the provider.
pub(super) struct Claim {
    /// The grant as it was claimed.
    pub(super) grant: StoredGrant,
    /// The app through which it was given.
    pub(super) app: AppCredentials,
    /// Its refresh token.
    pub(super) refresh_token: RefreshToken,
    /// Our name in its lease.
    pub(super) holder: String,
    /// When we set out to take it, on our own clock.
    pub(super) taken_at: Timestamp,
}

/// What the document says about an errand.
pub(super) enum Step {
    /// Somebody has renewed it already.
    Done(StoredGrant),
    /// It is ours to renew.
    Ours(Claim),
    /// This holder is at it.
    Wait(String),
}

impl Grants {
    /// Reads the document and takes the claim if it is free. The claim is a compare-and-swap: of all processes that
    /// try, one succeeds, and the others read again and find it held.
    pub(super) async fn next_step(&self, errand: &Errand, watch: &Watch) -> Result<Step, GrantError> {
        let now = self.0.system.now();
        let holder = BASE64_URL_SAFE_NO_PAD.encode(self.0.system.entropy.bytes::<16>());
        let mut claims = false;
        let step = self.change(&errand.user, |document| {
            claims = false;
            let grant = document
                .integrations
                .get_mut(&errand.slot)
                .ok_or(GrantError::NotConnected)?;
            let is_dead = grant.refuses().is_some();
            if grant.generation > errand.stale && !is_dead {
                return Ok(Step::Done(grant.clone()));
            }
            let claimed = if errand.purpose == Purpose::Check && is_dead {
                grant.clone().claim_dead(holder.clone(), watch, now)
            } else {
                grant.clone().claim(holder.clone(), watch, now)
            };
            match claimed {
                Ok(claimed) => {
                    // Without the means to ask there is nothing to claim: an operator who lost a key or an app finds no
                    // grant written to.
                    let (app, refresh_token) = self.means(errand, grant)?;
                    let used = errand.purpose == Purpose::Use;
                    let claimed = if used { claimed.used(now) } else { claimed };
                    *grant = claimed.into_grant();
                    claims = true;
                    Ok(Step::Ours(Claim {
                        grant: grant.clone(),
                        app,
                        refresh_token,
                        holder: holder.clone(),
                        taken_at: now,
                    }))
                }
                Err(NotClaimed::HeldByOther { holder }) => Ok(Step::Wait(holder)),
                Err(NotClaimed::Over(reason)) => Err(GrantError::NeedsReauth(reason)),
                Err(NotClaimed::TooSoon {
                    app_at_fault: true, ..
                }) => Err(GrantError::AppError(Reason::ClientRefused)),
                Err(NotClaimed::TooSoon { at, .. }) => Err(GrantError::ProviderUnavailable {
                    retry_after: Some(at.since(now)),
                }),
            }
        });
        let step = step.await;
        if claims && matches!(step, Err(GrantError::Store(_))) {
            let (grants, errand) = (self.clone(), errand.clone());
            self.0
                .work
                .spawn(async move { grants.give_back_in_the_end(&errand, &holder, now).await });
        }
        step
    }

    /// What it takes to ask the provider: an app that is configured, and a refresh token that opens.
    fn means(
        &self,
        errand: &Errand,
        grant: &StoredGrant,
    ) -> Result<(AppCredentials, RefreshToken), GrantError> {
        let app = match errand.slot {
            Slot::Spotify => self.0.operator_app.clone().ok_or(GrantError::NoOperatorApp)?,
            Slot::SpotifyByo => self.own_app(&errand.user, grant)?,
        };
        let sealed = grant.refresh_token_enc.as_deref().unwrap_or_default();
        let place = Place::grant(&errand.user, errand.slot);
        Ok((app, self.0.vault.open(sealed, place)?))
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

    /// A claim whose writing failed may stand all the same, and then nobody knows that it is theirs: it is given back as
    /// soon as the database can be asked, unless its lease is over by then anyway.
    async fn give_back_in_the_end(&self, errand: &Errand, holder: &str, taken_at: Timestamp) {
        while self.0.system.now().since(taken_at) < LEASE {
            self.0.system.clock.sleep(GIVE_BACK_EVERY).await;
            if self.settle(errand, holder, Claimed::given_back).await.is_ok() {
                return;
            }
        }
    }

    /// Ends the claim of `holder` with `outcome`; `None` when it is not theirs any more, and then nothing is written.
    pub(super) async fn settle(
        &self,
        errand: &Errand,
        holder: &str,
        outcome: impl Fn(Claimed) -> StoredGrant,
    ) -> Result<Option<StoredGrant>, GrantError> {
        self.settle_if(errand, |grant| grant.held_by(holder), outcome)
            .await
    }

    /// Writes `outcome` if `fence` lets the grant through as it is stored now; else nothing, and `None`.
    pub(super) async fn settle_if(
        &self,
        errand: &Errand,
        fence: impl Fn(StoredGrant) -> Option<Claimed>,
        outcome: impl Fn(Claimed) -> StoredGrant,
    ) -> Result<Option<StoredGrant>, GrantError> {
        self.change(&errand.user, |document| {
            let Some(grant) = document.integrations.get_mut(&errand.slot) else {
                return Ok(None);
            };
            let Some(claimed) = fence(grant.clone()) else {
                return Ok(None);
            };
            *grant = outcome(claimed);
            Ok(Some(grant.clone()))
        })
        .await
    }
}

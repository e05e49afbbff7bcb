//! When the provider gives no token: what its answer says about the grant, about the app, or only about itself.

use std::time::Duration;

use super::{
    GrantError, Grants, Reason,
    breaker::Refusal,
    claiming::Claim,
    errand::{Errand, Outcome, Stop},
};
use crate::{
    metrics::RenewalOutcome,
    providers::TokenError,
    store::{GrantStatus, StoredGrant},
    system::Timestamp,
};

impl Grants {
    /// Ends the claim of `holder` with what the provider's `error` says about the grant.
    pub(super) async fn settle_refusal(
        &self,
        errand: &Errand,
        claim: &Claim,
        error: TokenError,
        now: Timestamp,
    ) -> Outcome {
        let holder = &claim.holder;
        let is_dead = claim.grant.refuses().is_some();
        tracing::warn!(user = %self.0.vault.pseudonym(&errand.user), slot = %errand.slot, ?error,
            "a renewal failed");
        let settled = match &error {
            TokenError::InvalidGrant { .. } if is_dead => {
                self.settle(errand, holder, |claimed| claimed.still_dead(now))
                    .await?
            }
            TokenError::InvalidGrant { .. } => self.settle_invalid_grant(errand, claim, now).await?,
            TokenError::InvalidClient { .. } if !is_dead => {
                self.settle(errand, holder, |claimed| claimed.app_refused(now))
                    .await?
            }
            TokenError::InvalidClient { .. }
            | TokenError::Unavailable { .. }
            | TokenError::Refused { .. }
            | TokenError::Unreadable
            | TokenError::Unreachable(_) => {
                let retry_after = retry_after(&error);
                let jitter = self.jitter();
                self.settle(errand, holder, |claimed| claimed.failed(retry_after, jitter, now))
                    .await?
            }
        };
        // Whose claim is gone has been overtaken: by a reconnect, a disconnect or a later renewal.
        let Some(grant) = settled else {
            return self.winner(errand).await;
        };
        if !is_dead {
            self.0.metrics.renewal(bucket(&error, grant.status));
        }
        Err(Stop::For(match (grant.refuses(), error) {
            (Some(reason), _) => GrantError::NeedsReauth(reason),
            (None, TokenError::InvalidClient { .. }) => GrantError::AppError(Reason::ClientRefused),
            (None, _) => GrantError::ProviderUnavailable {
                retry_after: grant.next_attempt_at.map(|at| at.since(now)),
            },
        }))
    }

    /// The provider called the grant dead: that is so, unless it says the same of too many at once.
    async fn settle_invalid_grant(
        &self,
        errand: &Errand,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Option<StoredGrant>, GrantError> {
        let holder = &claim.holder;
        let grant = self.find(&errand.user, errand.slot).await?;
        let Some(claimed) = grant.held_by(holder) else {
            // The refused token is not the grant's any more, so nothing was said about the grant.
            return Ok(None);
        };
        if claimed.refusal_is_final(now) {
            return self.settle(errand, holder, |claimed| claimed.revoked(now)).await;
        }
        let app = &claim.app.client_id;
        let refusal = Refusal {
            user: errand.user.clone(),
            slot: errand.slot,
            at: now,
        };
        if self.is_in_wave(app, &refusal).await? {
            let jitter = self.jitter();
            return self
                .settle(errand, holder, |claimed| claimed.quarantined(jitter, now))
                .await;
        }
        let settled = self
            .settle(errand, holder, |claimed| claimed.revoked(now))
            .await?;
        match settled {
            Some(revoked) => Ok(self.taken_back_since(app, &refusal).await?.or(Some(revoked))),
            None => Ok(None),
        }
    }

    /// A grant that was doubted works. If the breaker cannot be told, the next such renewal tells it.
    pub(super) async fn wave_is_over(&self, errand: &Errand, claim: &Claim) {
        let closed = self.close_breaker(&claim.app.client_id).await;
        if let Err(error) = closed {
            tracing::warn!(user = %self.0.vault.pseudonym(&errand.user), slot = %errand.slot, ?error,
                "a breaker could not be closed");
        }
    }
}

fn bucket(error: &TokenError, became: GrantStatus) -> RenewalOutcome {
    match error {
        TokenError::InvalidGrant { .. } if became == GrantStatus::Quarantined => RenewalOutcome::Quarantined,
        TokenError::InvalidGrant { .. } => RenewalOutcome::Revoked,
        TokenError::InvalidClient { .. } => RenewalOutcome::AppError,
        _ => RenewalOutcome::Transient,
    }
}

fn retry_after(error: &TokenError) -> Option<Duration> {
    match error {
        TokenError::Unavailable { retry_after, .. } => *retry_after,
        _ => None,
    }
}

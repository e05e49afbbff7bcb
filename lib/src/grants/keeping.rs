//! Writing down a token that the provider gave: whatever becomes of the caller, the lease or the database, it is not lost
//! while the process lives.

use std::time::Duration;

use super::{
    GrantError, Grants, LiveToken,
    grant::Renewed,
    renewal::{Claim, Errand, Fresh, How, Outcome},
};
use crate::{providers::Tokens, store::StoredGrant, system::Timestamp, vault::Place};

/// How soon a renewal that could not be written is tried again; the pause doubles each time.
const WRITE_AGAIN_FIRST: Duration = Duration::from_millis(250);

/// A database that comes back is noticed within this.
const WRITE_AGAIN_MAX: Duration = Duration::from_secs(4);

impl Grants {
    /// Writes down what the provider gave to who asked at `asked_at`. If somebody brought a newer token or another consent
    /// meanwhile, theirs stands. If the store is down, the caller has the token all the same, and writing goes on.
    pub(super) async fn keep(
        &self,
        errand: &Errand,
        claim: &Claim,
        tokens: Tokens,
        asked_at: Timestamp,
    ) -> Outcome {
        let place = Place::grant(&errand.user, errand.slot);
        let vault = &self.0.vault;
        let renewed = Renewed {
            access_token_enc: vault.seal(&tokens.access_token, place),
            refresh_token_enc: tokens
                .refresh_token
                .as_ref()
                .map(|token| vault.seal(token, place)),
            // Counted from the question: its life began no earlier.
            expires_at: asked_at + tokens.expires_in,
            scopes: tokens.scopes,
        };
        let claimed = claim.grant.generation;
        let how = match self.write_renewed(errand, claimed, &renewed).await {
            Ok(Some(_)) => How::Renewed,
            Ok(None) => return self.winner(errand).await,
            Err(error) => {
                tracing::error!(user = %vault.pseudonym(&errand.user), slot = %errand.slot, ?error,
                    "a renewed grant could not be written; trying on");
                let (grants, errand, renewed) = (self.clone(), errand.clone(), renewed.clone());
                let unwritten = self.0.metrics.unwritten_token();
                self.0.work.spawn(async move {
                    grants.write_renewed_in_the_end(&errand, claimed, &renewed).await;
                    drop(unwritten);
                });
                How::Unwritten
            }
        };
        let token = LiveToken {
            token: tokens.access_token,
            expires_at: renewed.expires_at,
            generation: claimed + 1,
        };
        Ok(Fresh { token, how })
    }

    /// The fence is the generation, not the lease: see [`StoredGrant::still_at`].
    async fn write_renewed(
        &self,
        errand: &Errand,
        claimed: u64,
        renewed: &Renewed,
    ) -> Result<Option<StoredGrant>, GrantError> {
        let now = self.0.system.now();
        self.settle_if(
            errand,
            |grant| grant.still_at(claimed),
            |grant| grant.renewed(renewed.clone(), now),
        )
        .await
    }

    /// Where the provider rotates, the old refresh token is worthless and the new one is here and nowhere else: so this
    /// ends with the process, not with the lease.
    async fn write_renewed_in_the_end(&self, errand: &Errand, claimed: u64, renewed: &Renewed) {
        let mut pause = WRITE_AGAIN_FIRST;
        loop {
            self.0.system.clock.sleep(pause).await;
            let user = self.0.vault.pseudonym(&errand.user);
            match self.write_renewed(errand, claimed, renewed).await {
                Ok(Some(_)) => {
                    tracing::info!(%user, slot = %errand.slot, "the renewed grant is written");
                    return;
                }
                // Written by an attempt whose answer was lost, or overtaken.
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(%user, slot = %errand.slot, ?error, "still not written");
                    pause = (pause * 2).min(WRITE_AGAIN_MAX);
                }
            }
        }
    }
}

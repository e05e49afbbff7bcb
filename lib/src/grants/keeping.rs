//! Writing down a token that the provider gave: whatever becomes of the caller, the lease or the database, it is not lost
//! while the process lives.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    GrantError, Grants, LiveToken,
    claiming::Claim,
    errand::{COME_AGAIN, Errand, Fresh, How, Outcome},
    grant::Renewed,
};
use crate::{
    ids::{AppName, Slot, UserId},
    providers::Tokens,
    store::StoredGrant,
    system::Timestamp,
    vault::Place,
};

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
        let token = LiveToken {
            token: tokens.access_token,
            expires_at: renewed.expires_at,
            generation: claimed + 1,
            app: Some(AppName::of(&claim.app.client_id)),
        };
        let how = match self.write_renewed(errand, claimed, &renewed).await {
            Ok(Some(_)) => How::Renewed,
            Ok(None) => return self.winner(errand).await,
            Err(error) => {
                tracing::error!(user = %vault.pseudonym(&errand.user), slot = %errand.slot, ?error,
                    "a renewed grant could not be written; trying on");
                let known = self.0.unwritten.insert(errand, token.clone());
                let counted = self.0.metrics.unwritten_token();
                let (grants, errand) = (self.clone(), errand.clone());
                self.0.work.spawn(async move {
                    grants.write_renewed_in_the_end(&errand, claimed, &renewed).await;
                    drop((known, counted));
                });
                How::Unwritten
            }
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

    /// The token that this process has of a grant and the database has not, while it lives: when the database cannot even
    /// be read, it is all there is to hand out.
    pub(super) fn unwritten_token(&self, user: &UserId, slot: Slot) -> Option<LiveToken> {
        let token = self.0.unwritten.of(&(user.clone(), slot))?;
        (token.expires_at > self.0.system.now()).then_some(token)
    }

    /// The token beyond `errand` that this process has and the database has not, if there is one. Asking the provider
    /// again meanwhile would be asking with a refresh token that it may have replaced.
    pub(super) fn unwritten_beyond(&self, errand: &Errand) -> Option<Outcome> {
        let token = self.0.unwritten.of(&key(errand))?;
        if token.generation <= errand.stale {
            return None;
        }
        if token.expires_at <= self.0.system.now() {
            return Some(Err(COME_AGAIN.into()));
        }
        let how = How::AlreadyFresh;
        Some(Ok(Fresh { token, how }))
    }
}

type Key = (UserId, Slot);

/// The tokens that wait to be written, for whoever asks for them meanwhile.
#[derive(Clone, Default)]
pub(super) struct Unwritten(Arc<Mutex<HashMap<Key, LiveToken>>>);

impl fmt::Debug for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unwritten({})", self.lock().len())
    }
}

impl Unwritten {
    fn of(&self, key: &Key) -> Option<LiveToken> {
        self.lock().get(key).cloned()
    }

    /// Knows the token until what this gives is dropped.
    fn insert(&self, errand: &Errand, token: LiveToken) -> Known {
        self.lock().insert(key(errand), token);
        Known {
            unwritten: self.clone(),
            key: key(errand),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, LiveToken>> {
        // Nothing inside the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(errand: &Errand) -> Key {
    (errand.user.clone(), errand.slot)
}

/// While this lives, its token is known. There is one at a time for a grant: while there is, nobody here asks for another.
struct Known {
    unwritten: Unwritten,
    key: Key,
}

impl Drop for Known {
    fn drop(&mut self) {
        self.unwritten.lock().remove(&self.key);
    }
}

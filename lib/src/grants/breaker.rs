//! The breaker: tells a provider that refuses a whole user base by mistake from one person who took the app away.
//!
//! Spotify has answered `invalid_grant` to every user of a service while all grants were sound, and whoever deleted on
//! sight lost them (reference: Spotify §5.4). So refusals are counted per client id, in the store, because every
//! instance sees only a few of them. It is touched when a grant is refused and when a doubted one is to be tried again; a
//! renewal of a healthy grant knows nothing of it.
//!
//! While it is open, a few probes find out for everybody: the doubted grants take turns, and a provider in trouble is not
//! asked by thousands of them.

use std::{collections::BTreeSet, mem, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    GrantError, Grants,
    claiming::Claim,
    errand::Errand,
    grant::{BACKOFF_MAX, Claimed, DOUBTED_FOR, pause_after},
    schedule::CONFLICTS_MAX,
};
use crate::{
    ids::{AppName, Slot, UserId},
    secret::ClientId,
    store::{Collection, StoreError, StoredGrant, Written},
    system::Timestamp,
};

/// Refusals further apart than this have nothing to do with each other.
const WINDOW: Duration = Duration::from_mins(5);

/// So many people do not remove an app within [`WINDOW`] of each other.
const WAVE_USERS: usize = 5;

/// Doubted grants that may ask in one round. One could be somebody who did take the app away.
const PROBES_PER_ROUND: u32 = 3;

/// Breakers share their collection with pacing and quotas.
const ID_PREFIX: &str = "breaker:";

/// Breakers that one sweep looks after; the next one goes on.
const TENDED_MAX: usize = 100;

/// One `invalid_grant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) user: UserId,
    pub(super) slot: Slot,
    pub(super) at: Timestamp,
}

/// What is remembered of the refusals of one client id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Breaker {
    /// Those that were believed and may turn out to be the beginning of a wave. User ids stand here, outside of the
    /// users' own documents and untouched by their erasure, so no longer than they are needed: until the wave is
    /// seen and they are taken back, or [`WINDOW`] is over. As a wave needs few, the list cannot grow.
    believed: Vec<Refusal>,
    /// When the wave was seen that the provider has not taken back.
    opened_at: Option<Timestamp>,
    /// Rounds of probes begun since then.
    rounds: u32,
    /// Grants that asked in this round.
    probes: u32,
    /// When the next round begins.
    next_round_at: Timestamp,
}

/// Whether a doubted grant may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It may.
    Now,
    /// Enough of them ask in this round; this is when the next one begins.
    Later(Timestamp),
}

impl Breaker {
    fn is_open(&self, now: Timestamp) -> bool {
        self.opened_at
            .is_some_and(|opened_at| now < opened_at + DOUBTED_FOR)
    }

    /// Counts a refusal: it is to be believed unless the breaker is open afterwards.
    fn count(&mut self, refusal: &Refusal) {
        let now = refusal.at;
        if self.is_open(now) {
            return;
        }
        self.forget_old(now);
        self.believed
            .retain(|earlier| (&earlier.user, earlier.slot) != (&refusal.user, refusal.slot));
        let users: BTreeSet<_> = self
            .believed
            .iter()
            .chain([refusal])
            .map(|refusal| &refusal.user)
            .collect();
        if users.len() >= WAVE_USERS {
            self.opened_at = Some(now);
            (self.rounds, self.probes, self.next_round_at) = (0, 0, now);
        } else {
            self.believed.push(refusal.clone());
        }
    }

    /// Takes a turn for a doubted grant. `jitter` is in `0.0..1.0`.
    fn take_turn(&mut self, jitter: f64, now: Timestamp) -> Turn {
        if !self.is_open(now) {
            return Turn::Now;
        }
        if self.next_round_at <= now {
            self.probes = 0;
            self.next_round_at = now + pause_after(self.rounds, jitter);
            self.rounds = self.rounds.saturating_add(1);
        }
        if self.probes >= PROBES_PER_ROUND {
            return Turn::Later(self.next_round_at);
        }
        self.probes += 1;
        Turn::Now
    }

    /// Forgets what cannot become part of a wave any more, and a wave that was doubted for long enough.
    fn forget_old(&mut self, now: Timestamp) {
        if !self.is_open(now) {
            self.close();
            self.believed.retain(|refusal| now.since(refusal.at) < WINDOW);
        }
    }

    /// Refusals are believed again.
    fn close(&mut self) {
        *self = Self {
            believed: mem::take(&mut self.believed),
            ..Self::default()
        };
    }

    /// When there is something to forget, or somebody to take back if whoever opened it died before doing so.
    fn due_at(&self) -> Option<Timestamp> {
        let believed = self.believed.iter().map(|refusal| refusal.at + WINDOW).max();
        believed.or(self.opened_at.map(|opened_at| opened_at + DOUBTED_FOR))
    }
}

/// Where the breaker of an app is kept.
fn id_of(app: &ClientId) -> String {
    format!("{ID_PREFIX}{}", AppName::of(app))
}

impl Grants {
    /// Counts a refusal, and answers whether it belongs to a wave and is not to be believed. The refusals of the same
    /// wave that were believed are taken back.
    pub(super) async fn is_in_wave(&self, app: &ClientId, refusal: &Refusal) -> Result<bool, GrantError> {
        let id = id_of(app);
        let breaker = self.change_breaker(&id, |breaker| breaker.count(refusal)).await?;
        let open = breaker.is_open(refusal.at);
        if open {
            self.take_back(&id, &breaker, refusal.at).await?;
        }
        Ok(open)
    }

    /// Takes back one refusal that was counted as believed, if a wave was seen between that and writing it down: who
    /// saw the wave could not find it then.
    pub(super) async fn taken_back_since(
        &self,
        app: &ClientId,
        refusal: &Refusal,
    ) -> Result<Option<StoredGrant>, GrantError> {
        let breaker = self.change_breaker(&id_of(app), |_| ()).await?;
        if !breaker.is_open(refusal.at) {
            return Ok(None);
        }
        self.doubt(refusal, refusal.at).await
    }

    /// Whether the doubted grant of this claim may ask. If not, the claim is given back, and the answer is what its caller
    /// is told.
    pub(super) async fn turn_to_probe(
        &self,
        errand: &Errand,
        claim: &Claim,
    ) -> Result<Option<GrantError>, GrantError> {
        let id = id_of(&claim.app.client_id);
        let (now, jitter) = (self.0.system.now(), self.jitter());
        let mut turn = Turn::Now;
        self.change_breaker(&id, |breaker| turn = breaker.take_turn(jitter, now))
            .await?;
        let Turn::Later(next_round_at) = turn else {
            return Ok(None);
        };
        // Not all at the beginning of the next round: few of them would get a turn in it, and each try is a write. Soon
        // after the breaker closes, everybody comes by.
        let until = next_round_at.max(now + BACKOFF_MAX.mul_f64(0.5 + 0.5 * jitter));
        self.settle(errand, &claim.holder, |claimed: Claimed| claimed.put_off(until))
            .await?;
        Ok(Some(GrantError::ProviderUnavailable {
            retry_after: Some(next_round_at.since(now)),
        }))
    }

    /// A doubted grant of this app was renewed: the wave is over, and refusals are believed again.
    pub(super) async fn close_breaker(&self, app: &ClientId) -> Result<(), GrantError> {
        let id = id_of(app);
        let now = self.0.system.now();
        let breaker = self.change_breaker(&id, |_| ()).await?;
        if breaker.is_open(now) {
            self.take_back(&id, &breaker, now).await?;
            self.change_breaker(&id, Breaker::close).await?;
        }
        Ok(())
    }

    /// What the sweep does for breakers: forgets people in time, and finishes what a process that died left undone.
    pub(super) async fn tend_breakers(&self, now: Timestamp) -> Result<(), GrantError> {
        let due = self
            .0
            .store
            .records_due(Collection::Budgets, now, TENDED_MAX)
            .await?;
        for (id, _) in due.iter().filter(|(id, _)| id.starts_with(ID_PREFIX)) {
            let breaker = self.change_breaker(id, |breaker| breaker.forget_old(now)).await?;
            if breaker.is_open(now) {
                self.take_back(id, &breaker, now).await?;
            }
        }
        Ok(())
    }

    /// Turns what was believed of an open `breaker` into doubt, and forgets who it was.
    async fn take_back(&self, id: &str, breaker: &Breaker, now: Timestamp) -> Result<(), GrantError> {
        for refusal in &breaker.believed {
            self.doubt(refusal, now).await?;
        }
        self.change_breaker(id, |stored| {
            stored
                .believed
                .retain(|refusal| !breaker.believed.contains(refusal));
        })
        .await?;
        Ok(())
    }

    /// The grant that this refusal ended, doubted; `None` when it has been replaced or disconnected.
    async fn doubt(&self, refusal: &Refusal, now: Timestamp) -> Result<Option<StoredGrant>, GrantError> {
        let jitter = self.jitter();
        self.change(&refusal.user, |document| {
            let Some(grant) = document.integrations.get_mut(&refusal.slot) else {
                return Ok(None);
            };
            let doubted = grant.clone().doubted(refusal.at, jitter, now);
            Ok(doubted.inspect(|doubted| grant.clone_from(doubted)))
        })
        .await
    }

    /// Changes a breaker by compare-and-swap; nothing is written when nothing changed.
    async fn change_breaker(
        &self,
        id: &str,
        mut decide: impl FnMut(&mut Breaker) + Send,
    ) -> Result<Breaker, StoreError> {
        for _ in 0..CONFLICTS_MAX {
            let found = self.0.store.find_record(Collection::Budgets, id).await?;
            let mut record = found.unwrap_or_default();
            // What cannot be read remembers nothing: the provider will refuse again.
            let before = Breaker::deserialize(&record.body).unwrap_or_default();
            let mut after = before.clone();
            decide(&mut after);
            if after == before {
                return Ok(after);
            }
            if after == Breaker::default() {
                // Nothing to remember: nothing to keep.
                let budgets = Collection::Budgets;
                match self.0.store.delete_record(budgets, id, record.version).await? {
                    Written::As(_) => return Ok(after),
                    Written::Conflict => continue,
                }
            }
            record.due_at = after.due_at();
            record.body = serde_json::to_value(&after).map_err(StoreError::unreadable)?;
            let written = self
                .0
                .store
                .write_record(Collection::Budgets, id, &record)
                .await?;
            if matches!(written, Written::As(_)) {
                return Ok(after);
            }
        }
        Err(StoreError::unavailable("a breaker is written to without end"))
    }
}

#[cfg(test)]
mod tests;

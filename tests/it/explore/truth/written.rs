//! What a write may change, and who may write it.

use patchbay::{
    grants::LEASE,
    secret::{AccessToken, RefreshToken},
    store::{GrantStatus, StoredGrant, UserDocument},
};

use super::{Claim, ms};
use crate::explore::{
    outside::{Life, State},
    provider::Name,
    world::SLOT,
};

/// How long the provider has to go on refusing a grant before its refresh token may go.
const KEPT_MS: i64 = 24 * 3600 * 1000;

/// The clocks of who saw the first refusal and who looks at the last may differ by this much.
const SKEW_MAX_MS: i64 = 30_000;

impl State {
    /// A process wrote Ana's document.
    pub fn written(&mut self, who: Life, before: &UserDocument, after: &UserDocument) {
        if after.version <= before.version {
            self.truth.wrong("a version did not grow");
        }
        match (before.integrations.get(&SLOT), after.integrations.get(&SLOT)) {
            (None, None) => {}
            (Some(_), None) => {
                let all = self.provider.consents.len();
                self.truth.ended_before(all);
            }
            (old, Some(new)) => {
                let turned = old.is_some_and(|old| old.status != new.status);
                self.truth.turns += usize::from(turned);
                let was_dead = old.is_some_and(|old| old.status == GrantStatus::NeedsReauth);
                let revived = was_dead && old.is_some_and(|old| old.authorized_at == new.authorized_at);
                self.truth.riches.recovered += usize::from(turned && revived);
                let was = old.and_then(|old| self.consent_of(old));
                match (old, self.consent_of(new)) {
                    // What has no tokens left is the same grant as before.
                    (Some(old), is) if is.is_none() || is == was => self.changed(who, old, new),
                    (_, is) => self.connected(who, is, new),
                }
            }
        }
        let generation = after.integrations.get(&SLOT).map_or(0, |grant| grant.generation);
        self.truth.highest_generation = self.truth.highest_generation.max(generation);
    }

    /// The consent that a grant's tokens are of, if it has any left.
    fn consent_of(&mut self, grant: &StoredGrant) -> Option<usize> {
        let refresh = self.refresh_token_of(grant);
        refresh
            .or_else(|| self.access_token_of(grant))
            .map(|name| name.consent)
    }

    pub fn refresh_token_of(&mut self, grant: &StoredGrant) -> Option<Name> {
        let sealed = grant.refresh_token_enc.as_deref()?;
        self.truth.open::<RefreshToken>(sealed)
    }

    fn access_token_of(&mut self, grant: &StoredGrant) -> Option<Name> {
        let sealed = grant.access_token_enc.as_deref()?;
        self.truth.open::<AccessToken>(sealed)
    }

    /// A consent took the slot.
    fn connected(&mut self, who: Life, consent: Option<usize>, new: &StoredGrant) {
        let Some(consent) = consent else {
            return self.truth.wrong(format!("{who:?} connects nothing"));
        };
        if consent < self.truth.over_below {
            let told = format!("{who:?} stores consent {consent}, which was disconnected or replaced");
            self.truth.wrong(told);
        }
        if new.generation <= self.truth.highest_generation {
            let told = format!("consent {consent} begins with generation {}", new.generation);
            self.truth.wrong(told);
        }
        self.truth.ended_before(consent);
    }

    /// The grant of one consent changed.
    fn changed(&mut self, who: Life, old: &StoredGrant, new: &StoredGrant) {
        let renewed = new.access_token_enc != old.access_token_enc && new.access_token_enc.is_some();
        if new.generation != old.generation + u64::from(renewed) {
            let told = format!(
                "{who:?} goes from generation {} to {}",
                old.generation, new.generation
            );
            self.truth.wrong(told);
        }
        self.refresh_token_changed(who, old, new);
        if renewed {
            let claimed = |claim: &Claim| claim.who == who && claim.generation == old.generation;
            if !self.truth.claims.values().any(claimed) {
                self.truth
                    .wrong(format!("{who:?} writes a token without having claimed the grant"));
            }
        }
        let erased = new.refresh_token_enc.is_none();
        let was = (old.status, old.failures, old.next_attempt_at);
        if !renewed && !erased && was != (new.status, new.failures, new.next_attempt_at) {
            let holder = old
                .lease
                .as_ref()
                .and_then(|lease| self.truth.claims.get(&lease.holder));
            if holder.is_none_or(|claim| claim.who != who) {
                self.truth
                    .wrong(format!("{who:?} writes a failure without holding the lease"));
            }
        }
        if new.status == GrantStatus::NeedsReauth && old.status != GrantStatus::NeedsReauth {
            let consent = self.consent_of(old);
            let refused = consent.is_some_and(|consent| self.provider.consents[consent].refusals > 0);
            if !refused {
                self.truth
                    .wrong(format!("{who:?} calls a grant dead that was never refused"));
            }
        }
        self.lease_changed(who, old, new);
    }

    /// A refresh token is replaced by a later one, and erased only when it is worthless or was refused for a day, to the
    /// end of it.
    fn refresh_token_changed(&mut self, who: Life, old: &StoredGrant, new: &StoredGrant) {
        let (was, is) = (self.refresh_token_of(old), self.refresh_token_of(new));
        match (was, is) {
            (Some(was), Some(is)) if is < was => {
                self.truth
                    .wrong(format!("{who:?} puts {is:?} in place of {was:?}"));
            }
            (Some(was), None) => self.erased(who, was),
            _ => {}
        }
    }

    fn erased(&mut self, who: Life, was: Name) {
        let Some(live) = self.provider.live_refresh_token(was.consent) else {
            return; // Revoked.
        };
        if was != live {
            return self.may_be_lost(was, live);
        }
        let refused = &self.provider.consents[was.consent].falsely_refused_ms;
        let first = refused.first().copied().unwrap_or(self.now_ms);
        let last = refused.last().copied().unwrap_or(self.now_ms);
        if last - first < KEPT_MS - SKEW_MAX_MS {
            self.truth.wrong(format!(
                "{who:?} erases {was:?}, which lives; refused at {refused:?}"
            ));
        }
    }

    fn lease_changed(&mut self, who: Life, old: &StoredGrant, new: &StoredGrant) {
        if old.lease == new.lease {
            return;
        }
        let skew_ms = self.truth.skews_ms[who.process];
        if let Some(lease) = &new.lease {
            let until_ms = lease.until.as_ms();
            let claim = Claim {
                who,
                generation: new.generation,
                taken_ms: until_ms - ms(LEASE) - skew_ms,
                until_ms,
                released: false,
            };
            self.truth.riches.overtaken += usize::from(old.lease.is_some());
            let overtaken = old
                .lease
                .as_ref()
                .and_then(|lease| self.truth.claims.get(&lease.holder));
            if overtaken.is_some_and(|earlier| claim.taken_ms < earlier.taken_ms + ms(LEASE)) {
                let told = format!("{who:?} takes over from {overtaken:?}, whose time is not over");
                self.truth.wrong(told);
            }
            self.truth.last_claim.insert(who, lease.holder.clone());
            self.truth.claims.insert(lease.holder.clone(), claim);
        }
        let earlier = old
            .lease
            .as_ref()
            .and_then(|lease| self.truth.claims.get_mut(&lease.holder));
        if let Some(earlier) = earlier {
            if earlier.who == who {
                earlier.released = true;
            } else if new.lease.is_none() && new.generation == old.generation {
                let told = format!("{who:?} takes away the claim of {earlier:?}");
                self.truth.wrong(told);
            }
        }
    }
}

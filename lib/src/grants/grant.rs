//! A grant as a state machine. Its states are consumed by the steps that leave them, and a step that is not possible
//! says why; what a renewal may do is reachable only through the claim to do it.

use std::time::Duration;

use super::{LEASE, Reason, lease::Watch};
use crate::{
    ids::Slot,
    providers::spotify::Profile,
    store::{GrantStatus, StoredGrant, StoredLease, UserDocument},
    system::Timestamp,
};

/// How long the refresh token of a grant that the provider called dead stays sealed before it is erased. Providers
/// have refused whole user bases by mistake and taken it back within hours.
const KEPT_AFTER_REFUSAL: Duration = Duration::from_hours(24);

/// How long the provider's word is doubted; after that it is final, for the wave and for each grant in it.
pub(super) const DOUBTED_FOR: Duration = Duration::from_hours(24);

/// A grant that the provider called dead is asked about again, so long after it was: a mistake of the provider's is found
/// without its person, within minutes where it was a short one. With the last one the refresh token goes.
const CHECKED_AGAIN_AFTER: [Duration; 4] = [
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
    KEPT_AFTER_REFUSAL,
];

/// The refresh token of a dead grant goes after this even if the provider could not be asked a last time.
const ERASED_AFTER: Duration = Duration::from_hours(48);

/// An app that was refused is tried again this often when somebody wants its token: its owner may have mended it.
const APP_RETRY: Duration = Duration::from_mins(1);

/// The first pause after a failed renewal; it doubles with each further failure.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// The longest pause between two attempts, unless the provider asks for more.
pub(super) const BACKOFF_MAX: Duration = Duration::from_mins(5);

/// More than a provider can reasonably ask for; a nonsensical `Retry-After` must not park a grant for years.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// What a finished authorization brings, sealed already.
#[derive(Debug)]
pub struct NewGrant {
    /// The sealed access token.
    pub access_token_enc: String,
    /// The sealed refresh token; without one the connection ends with its first token.
    pub refresh_token_enc: Option<String>,
    /// The sealed id of the user's own app.
    pub client_id_enc: Option<String>,
    /// The sealed secret of the user's own app.
    pub client_secret_enc: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// The access token's life.
    pub expires_in: Duration,
    /// The grant's own life, where the provider limits it.
    pub grant_life: Option<Duration>,
    /// Whose account it is.
    pub profile: Profile,
}

/// Puts a fresh consent into the slot, whatever was in it.
///
/// `asked_at` is when the provider was asked for it: its lives are counted from there. Its generation counts on from the
/// version of the document, which every write raises: no generation comes twice in a slot, not even after a disconnect, so
/// a renewal that set out for an older consent never takes this one for its own.
pub fn connect(document: &mut UserDocument, slot: Slot, new: NewGrant, asked_at: Timestamp) {
    let grant = StoredGrant {
        access_token_enc: Some(new.access_token_enc),
        refresh_token_enc: new.refresh_token_enc,
        client_id_enc: new.client_id_enc,
        client_secret_enc: new.client_secret_enc,
        token_type: "Bearer".to_owned(),
        scopes: new.scopes,
        expires_at: asked_at + new.expires_in,
        authorized_at: asked_at,
        grant_expires_at: new.grant_life.map(|life| asked_at + life),
        account_id: new.profile.account_id,
        spotify_user_id: new.profile.user_id,
        display_name: new.profile.display_name,
        avatar_url: new.profile.avatar_url,
        status: GrantStatus::Connected,
        status_reason: None,
        status_since: asked_at,
        generation: document.version.0 + 1,
        lease: None,
        failures: 0,
        announced: None,
        next_attempt_at: None,
        last_used_at: asked_at,
        updated_at: asked_at,
    };
    document.integrations.insert(slot, grant);
}

impl StoredGrant {
    /// Why no token of this grant may be handed out or renewed, if so.
    pub(super) fn refuses(&self) -> Option<Reason> {
        let reason = || self.status_reason.as_deref().and_then(Reason::named);
        match self.status {
            GrantStatus::NeedsReauth => Some(reason().unwrap_or(Reason::GrantRevoked)),
            GrantStatus::Connected | GrantStatus::AppError | GrantStatus::Quarantined => None,
        }
    }

    /// Takes the right to renew this grant, if it can be renewed and nobody else has it.
    pub(super) fn claim(self, holder: String, watch: &Watch, now: Timestamp) -> Result<Claimed, NotClaimed> {
        if let Some(reason) = self.refuses() {
            return Err(NotClaimed::Over(reason));
        }
        if let Some(at) = self.next_attempt_at
            && at > now
            && at.since(now) <= RETRY_AFTER_MAX
        {
            return Err(NotClaimed::TooSoon {
                at,
                app_at_fault: self.status == GrantStatus::AppError,
            });
        }
        self.claim_regardless(holder, watch, now)
    }

    /// Takes the right to ask once more about a grant that was called dead.
    pub(super) fn claim_dead(
        self,
        holder: String,
        watch: &Watch,
        now: Timestamp,
    ) -> Result<Claimed, NotClaimed> {
        match self.check_due_at() {
            Some(at) if at <= now => self.claim_regardless(holder, watch, now),
            _ => Err(NotClaimed::Over(self.refuses().unwrap_or(Reason::GrantRevoked))),
        }
    }

    fn claim_regardless(
        mut self,
        holder: String,
        watch: &Watch,
        now: Timestamp,
    ) -> Result<Claimed, NotClaimed> {
        if self.refresh_token_enc.is_none() {
            return Err(NotClaimed::Over(Reason::GrantExpired));
        }
        if let Some(lease) = &self.lease
            && !lease.is_over(now, watch)
        {
            return Err(NotClaimed::HeldByOther {
                holder: lease.holder.clone(),
            });
        }
        self.lease = Some(StoredLease {
            holder,
            until: now + LEASE,
        });
        Ok(Claimed(self))
    }

    /// The grant in the hands of `holder`, unless somebody took it over, replaced it or cleared the lease. Only then may
    /// anything bad be said about it.
    pub(super) fn held_by(self, holder: &str) -> Option<Claimed> {
        let held = self.lease.as_ref().is_some_and(|lease| lease.holder == holder);
        held.then_some(Claimed(self))
    }

    /// The grant in the hands of whoever brings a token that was bought with its refresh token, `generation`, even if
    /// their lease is over: as long as nobody brought a newer one, this one is the best there is, and where the provider
    /// rotates, the only one.
    pub(super) fn still_at(self, generation: u64) -> Option<Claimed> {
        (self.generation == generation).then_some(Claimed(self))
    }

    /// When a grant that was called dead is asked about again, if ever.
    pub(super) fn check_due_at(&self) -> Option<Timestamp> {
        let waits = self.status == GrantStatus::NeedsReauth && self.refresh_token_enc.is_some();
        self.next_attempt_at.filter(|_| waits)
    }

    /// The grant that a refusal at `refused_at` ended, as one that is doubted: the refusal turned out to be part of a
    /// wave. `None` when that is not what ended it, or nothing is left to doubt.
    pub(super) fn doubted(self, refused_at: Timestamp, jitter: f64, now: Timestamp) -> Option<Self> {
        let ended_by_it = self.status == GrantStatus::NeedsReauth && self.status_since == refused_at;
        (ended_by_it && self.refresh_token_enc.is_some()).then(|| Claimed(self).quarantined(jitter, now))
    }

    /// When the secrets of a dead grant go. One that is to be asked about again is not erased before somebody has tried
    /// to, and be it because nothing was running for days.
    pub(super) fn erased_at(&self) -> Option<Timestamp> {
        if self.status != GrantStatus::NeedsReauth || self.refresh_token_enc.is_none() {
            return None;
        }
        match self.next_attempt_at {
            None => Some(self.status_since + KEPT_AFTER_REFUSAL),
            Some(_) => (self.failures > 0).then_some(self.status_since + ERASED_AFTER),
        }
    }

    /// Erases the secrets of a grant that has been dead for long enough.
    pub(super) fn erase_if_long_dead(&mut self, now: Timestamp) {
        if self.erased_at().is_some_and(|at| at <= now) {
            self.erase();
        }
    }

    fn erase(&mut self) {
        self.refresh_token_enc = None;
        self.access_token_enc = None;
        self.next_attempt_at = None;
    }
}

/// Why a grant cannot be claimed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotClaimed {
    /// There is nothing left to renew.
    Over(Reason),
    /// Somebody is renewing it.
    HeldByOther { holder: String },
    /// The last attempt failed and the pause is not over.
    TooSoon { at: Timestamp, app_at_fault: bool },
}

/// A grant whose renewal is ours. Every step ends the claim.
#[derive(Debug)]
pub(super) struct Claimed(StoredGrant);

/// What a renewal brought, sealed already.
#[derive(Clone, Debug)]
pub(super) struct Renewed {
    pub(super) access_token_enc: String,
    /// `None` keeps the old one.
    pub(super) refresh_token_enc: Option<String>,
    pub(super) expires_at: Timestamp,
    pub(super) scopes: Option<Vec<String>>,
}

impl Claimed {
    /// Notes that a person, not the sweep, wanted the token.
    pub(super) fn used(mut self, now: Timestamp) -> Self {
        self.0.last_used_at = now;
        self
    }

    /// The claim as it is written.
    pub(super) fn into_grant(self) -> StoredGrant {
        self.0
    }

    /// Nobody was asked: whoever comes next may, and no time is lost.
    pub(super) fn given_back(self) -> StoredGrant {
        StoredGrant {
            lease: None,
            ..self.0
        }
    }

    /// The provider gave a token.
    pub(super) fn renewed(self, by: Renewed, now: Timestamp) -> StoredGrant {
        let mut grant = self.ended(GrantStatus::Connected, None, now);
        grant.access_token_enc = Some(by.access_token_enc);
        grant.refresh_token_enc = by.refresh_token_enc.or(grant.refresh_token_enc);
        grant.expires_at = by.expires_at;
        grant.scopes = by.scopes.unwrap_or(grant.scopes);
        grant.generation += 1;
        grant.failures = 0;
        grant.next_attempt_at = None;
        grant
    }

    /// The provider called it dead once more. Nothing is new, until it is the last time.
    pub(super) fn still_dead(self, now: Timestamp) -> StoredGrant {
        let reason = self.0.refuses();
        let mut grant = self.ended(GrantStatus::NeedsReauth, reason, now);
        grant.failures = 0;
        let again = CHECKED_AGAIN_AFTER.map(|after| grant.status_since + after);
        match again.into_iter().find(|at| *at > now) {
            Some(at) => grant.next_attempt_at = Some(at),
            None => grant.erase(),
        }
        grant
    }

    /// A doubted grant whose turn to ask has not come: others of the same app find out for it.
    pub(super) fn put_off(self, until: Timestamp) -> StoredGrant {
        StoredGrant {
            lease: None,
            next_attempt_at: Some(until),
            ..self.0
        }
    }

    /// Whether the provider has to be believed if it calls this grant dead: its time is over anyway, or it was doubted
    /// for long enough.
    pub(super) fn refusal_is_final(&self, now: Timestamp) -> bool {
        let doubted_since = (self.0.status == GrantStatus::Quarantined).then_some(self.0.status_since);
        self.is_past_its_life(now) || doubted_since.is_some_and(|since| since + DOUBTED_FOR <= now)
    }

    fn is_past_its_life(&self, now: Timestamp) -> bool {
        self.0.grant_expires_at.is_some_and(|end| end <= now)
    }

    /// The provider called the grant dead, together with too many others to be believed. Nothing is given up; it is
    /// tried again on the schedule of failures, first after seconds, then after minutes. `jitter` is in `0.0..1.0`.
    pub(super) fn quarantined(self, jitter: f64, now: Timestamp) -> StoredGrant {
        let mut grant = self.ended(GrantStatus::Quarantined, Some(Reason::Quarantined), now);
        grant.next_attempt_at = Some(now + pause_after(grant.failures, jitter));
        grant.failures = grant.failures.saturating_add(1);
        grant
    }

    /// The provider called the grant dead. Its access token goes at once, its refresh token a day later; unless it was
    /// its time to die, it is asked about again until then.
    pub(super) fn revoked(self, now: Timestamp) -> StoredGrant {
        let expected = self.is_past_its_life(now);
        let reason = if expected {
            Reason::GrantExpired
        } else {
            Reason::GrantRevoked
        };
        let [first, ..] = CHECKED_AGAIN_AFTER;
        let mut grant = self.ended(GrantStatus::NeedsReauth, Some(reason), now);
        grant.access_token_enc = None;
        grant.failures = 0;
        grant.next_attempt_at = (!expected).then_some(now + first);
        grant
    }

    /// The provider refused the app. The grant is kept as it is: mending the app revives it.
    pub(super) fn app_refused(self, now: Timestamp) -> StoredGrant {
        let mut grant = self.ended(GrantStatus::AppError, Some(Reason::ClientRefused), now);
        grant.failures = grant.failures.saturating_add(1);
        grant.next_attempt_at = Some(now + APP_RETRY);
        grant
    }

    /// The attempt failed for a reason that says nothing about the grant. `jitter` is in `0.0..1.0`.
    pub(super) fn failed(self, retry_after: Option<Duration>, jitter: f64, now: Timestamp) -> StoredGrant {
        let status = self.0.status;
        let reason = match status {
            GrantStatus::Connected => Some(Reason::RenewalFailing),
            _ => self.0.status_reason.as_deref().and_then(Reason::named),
        };
        let mut grant = self.ended(status, reason, now);
        let pause =
            pause_after(grant.failures, jitter).max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX));
        grant.failures = grant.failures.saturating_add(1);
        grant.next_attempt_at = Some(now + pause);
        grant
    }

    fn ended(self, status: GrantStatus, reason: Option<Reason>, now: Timestamp) -> StoredGrant {
        let mut grant = self.0;
        if grant.status != status {
            grant.status_since = now;
        }
        grant.status = status;
        grant.status_reason = reason.map(|reason| reason.as_str().to_owned());
        grant.lease = None;
        grant.updated_at = now;
        grant
    }
}

/// Half of the doubled pause is fixed and half is chance, so that many processes do not come back in step.
pub(super) fn pause_after(failures: u32, jitter: f64) -> Duration {
    let full = BACKOFF_FIRST
        .saturating_mul(1 << failures.min(16))
        .min(BACKOFF_MAX);
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;

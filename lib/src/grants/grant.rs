//! A grant as a state machine. Its states are consumed by the steps that leave them, and a step that is not possible
//! says why; what a renewal may do is reachable only through the claim to do it.

use std::{fmt, time::Duration};

use super::{LEASE, breaker::DOUBTED_FOR};
use crate::{
    providers::spotify::Profile,
    store::{GrantStatus, StoredGrant, StoredLease},
    system::Timestamp,
};

/// How long the refresh token of a grant that the provider called dead stays sealed before it is erased. Providers
/// have refused whole user bases by mistake and taken it back within hours.
pub(super) const KEPT_AFTER_REFUSAL: Duration = Duration::from_hours(24);

/// An app that was refused is tried again this often: its owner may have mended it.
const APP_RETRY: Duration = Duration::from_hours(1);

/// The first pause after a failed renewal; it doubles with each further failure.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// The longest pause between two attempts, unless the provider asks for more.
const BACKOFF_MAX: Duration = Duration::from_mins(5);

/// More than a provider can reasonably ask for; a nonsensical `Retry-After` must not park a grant for years.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Why a grant is not simply connected, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The provider's limit on a grant's life is over.
    GrantExpired,
    /// The provider refused the refresh token: the person removed the app, or changed their password.
    GrantRevoked,
    /// The provider refused the app: wrong secret, deleted app.
    ClientRefused,
    /// The last renewal failed for a reason that may pass.
    RenewalFailing,
    /// The access token has run out; the next use renews it.
    RenewalDue,
    /// Refused together with many others; not believed yet.
    Quarantined,
    /// What is stored cannot be used.
    Unreadable,
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::GrantExpired,
        Self::GrantRevoked,
        Self::ClientRefused,
        Self::RenewalFailing,
        Self::RenewalDue,
        Self::Quarantined,
        Self::Unreadable,
    ];

    /// The code that is stored and answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrantExpired => "grant_expired",
            Self::GrantRevoked => "grant_revoked",
            Self::ClientRefused => "client_refused",
            Self::RenewalFailing => "renewal_failing",
            Self::RenewalDue => "renewal_due",
            Self::Quarantined => "quarantined",
            Self::Unreadable => "unreadable",
        }
    }

    fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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

/// A fresh consent takes the slot, whatever was in it; the generation goes on counting, so that whoever watches the
/// old grant sees it move.
#[must_use]
pub fn connect(new: NewGrant, before: Option<&StoredGrant>, now: Timestamp) -> StoredGrant {
    StoredGrant {
        access_token_enc: Some(new.access_token_enc),
        refresh_token_enc: new.refresh_token_enc,
        client_id_enc: new.client_id_enc,
        client_secret_enc: new.client_secret_enc,
        token_type: "Bearer".to_owned(),
        scopes: new.scopes,
        expires_at: now + new.expires_in,
        authorized_at: now,
        grant_expires_at: new.grant_life.map(|life| now + life),
        account_id: new.profile.account_id,
        spotify_user_id: new.profile.user_id,
        display_name: new.profile.display_name,
        avatar_url: new.profile.avatar_url,
        status: GrantStatus::Connected,
        status_reason: None,
        status_since: now,
        generation: before.map_or(0, |grant| grant.generation) + 1,
        lease: None,
        failures: 0,
        next_attempt_at: None,
        last_used_at: now,
        updated_at: now,
        announced: None,
        checks: 0,
    }
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
    pub(super) fn claim(mut self, holder: String, now: Timestamp) -> Result<Claimed, NotClaimed> {
        if let Some(reason) = self.refuses() {
            return Err(NotClaimed::Over(reason));
        }
        if self.refresh_token_enc.is_none() {
            return Err(NotClaimed::Over(Reason::GrantExpired));
        }
        if let Some(lease) = &self.lease
            && lease.until > now
        {
            return Err(NotClaimed::HeldByOther);
        }
        if let Some(at) = self.next_attempt_at
            && at > now
        {
            return Err(NotClaimed::TooSoon {
                at,
                app_at_fault: self.status == GrantStatus::AppError,
            });
        }
        self.lease = Some(StoredLease {
            holder,
            until: now + LEASE,
        });
        Ok(Claimed(self))
    }

    /// The grant in the hands of `holder`, unless somebody took it over, replaced it or cleared the lease.
    pub(super) fn held_by(self, holder: &str) -> Option<Claimed> {
        let held = self.lease.as_ref().is_some_and(|lease| lease.holder == holder);
        held.then_some(Claimed(self))
    }

    /// The grant that a refusal at `refused_at` ended, as one that is doubted: the refusal turned out to be part of a
    /// wave. `None` when that is not what ended it, or nothing is left to doubt.
    pub(super) fn doubted(self, refused_at: Timestamp, jitter: f64, now: Timestamp) -> Option<Self> {
        let ended_by_it = self.status == GrantStatus::NeedsReauth && self.status_since == refused_at;
        (ended_by_it && self.refresh_token_enc.is_some()).then(|| Claimed(self).quarantined(jitter, now))
    }

    /// What the sweep erases: the secrets of a grant that has been dead for long enough.
    pub(super) fn erase_if_long_dead(&mut self, now: Timestamp) {
        if self.status == GrantStatus::NeedsReauth && self.status_since + KEPT_AFTER_REFUSAL <= now {
            self.refresh_token_enc = None;
            self.access_token_enc = None;
        }
    }
}

/// Why a grant cannot be claimed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotClaimed {
    /// There is nothing left to renew.
    Over(Reason),
    /// Somebody is renewing it.
    HeldByOther,
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

    /// The provider called the grant dead. Its access token goes at once, its refresh token a day later.
    pub(super) fn revoked(self, now: Timestamp) -> StoredGrant {
        let reason = if self.is_past_its_life(now) {
            Reason::GrantExpired
        } else {
            Reason::GrantRevoked
        };
        let mut grant = self.ended(GrantStatus::NeedsReauth, Some(reason), now);
        grant.access_token_enc = None;
        grant.next_attempt_at = None;
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
fn pause_after(failures: u32, jitter: f64) -> Duration {
    let full = BACKOFF_FIRST
        .saturating_mul(1 << failures.min(16))
        .min(BACKOFF_MAX);
    full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;

//! The truth about a connection, from what is stored and the time alone.

use std::time::Duration;

use super::Reason;
use crate::{
    store::{GrantStatus, StoredGrant},
    system::{CLOCK_SKEW_MAX, Timestamp},
};

/// While somebody renews, the next answer is worth waiting for only shortly.
const POLL_WHILE_RENEWING: Duration = Duration::from_secs(1);
/// Something is amiss that passes by itself.
const POLL_WHILE_DEGRADED: Duration = Duration::from_secs(5);
/// Nothing changes before the token does, but people disconnect elsewhere.
const POLL_WHILE_HEALTHY: Duration = Duration::from_secs(30);
/// Nothing changes until a person acts.
const POLL_WHILE_BROKEN: Duration = Duration::from_mins(1);

/// How a connection is, in the words of the status answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// There is a token that lives now, and nothing is known against it.
    Healthy,
    /// It may not work this minute, but nobody has to do anything.
    Degraded,
    /// The person has to consent again.
    NeedsReauth,
    /// The app's owner has to mend the app.
    AppError,
}

impl Health {
    /// The word in the status answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::NeedsReauth => "needs_reauth",
            Self::AppError => "app_error",
        }
    }
}

/// What can be said of a grant at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How it is.
    pub health: Health,
    /// Why it is not healthy.
    pub reason: Option<Reason>,
    /// Days until the provider ends the grant, begun ones counted; 0 when it is over.
    pub days_left: Option<u64>,
    /// When to ask again.
    pub next_poll_after: Duration,
}

impl Standing {
    /// The same grant, known to be sealed under a key that is lost. Whoever has to consent again anyway is told that.
    pub(super) fn unreadable(self) -> Self {
        if self.health == Health::NeedsReauth {
            return self;
        }
        Self {
            health: Health::AppError,
            reason: Some(Reason::Unreadable),
            next_poll_after: POLL_WHILE_BROKEN,
            ..self
        }
    }
}

/// How `grant` stands at `now`. Never healthy without a token that lives.
pub(super) fn standing(grant: &StoredGrant, now: Timestamp) -> Standing {
    let (health, reason) = health(grant, now);
    let being_renewed = grant.lease.as_ref().is_some_and(|lease| lease.until > now);
    let next_poll_after = match health {
        Health::NeedsReauth | Health::AppError => POLL_WHILE_BROKEN,
        _ if being_renewed => POLL_WHILE_RENEWING,
        Health::Degraded => POLL_WHILE_DEGRADED,
        Health::Healthy => POLL_WHILE_HEALTHY,
    };
    Standing {
        health,
        reason,
        days_left: grant
            .days_left(now)
            .map(|days| if health == Health::NeedsReauth { 0 } else { days }),
        next_poll_after,
    }
}

fn health(grant: &StoredGrant, now: Timestamp) -> (Health, Option<Reason>) {
    if let Some(reason) = grant.refuses() {
        return (Health::NeedsReauth, Some(reason));
    }
    // Who wrote the end down may have had another clock; the provider certainly has.
    let lives = grant.expires_at > now + CLOCK_SKEW_MAX && grant.access_token_enc.is_some();
    match grant.status {
        GrantStatus::AppError => (Health::AppError, Some(Reason::ClientRefused)),
        GrantStatus::Quarantined => (Health::Degraded, Some(Reason::Quarantined)),
        _ if !lives && grant.refresh_token_enc.is_none() => (Health::NeedsReauth, Some(Reason::GrantExpired)),
        _ if grant.failures > 0 => (Health::Degraded, Some(Reason::RenewalFailing)),
        _ if !lives => (Health::Degraded, Some(Reason::RenewalDue)),
        _ => (Health::Healthy, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

    fn live() -> StoredGrant {
        StoredGrant {
            access_token_enc: Some(String::new()),
            refresh_token_enc: Some(String::new()),
            expires_at: NOW + Duration::from_mins(1),
            ..StoredGrant::default()
        }
    }

    #[test]
    fn healthy_means_a_living_token_and_nothing_against_it() {
        let cases = [
            (live(), Health::Healthy, None),
            (
                StoredGrant {
                    expires_at: NOW,
                    ..live()
                },
                Health::Degraded,
                Some(Reason::RenewalDue),
            ),
            (
                StoredGrant {
                    access_token_enc: None,
                    ..live()
                },
                Health::Degraded,
                Some(Reason::RenewalDue),
            ),
            (
                StoredGrant {
                    failures: 1,
                    ..live()
                },
                Health::Degraded,
                Some(Reason::RenewalFailing),
            ),
            (
                StoredGrant {
                    expires_at: NOW,
                    refresh_token_enc: None,
                    ..live()
                },
                Health::NeedsReauth,
                Some(Reason::GrantExpired),
            ),
            (
                StoredGrant {
                    status: GrantStatus::NeedsReauth,
                    ..live()
                },
                Health::NeedsReauth,
                Some(Reason::GrantRevoked),
            ),
            (
                StoredGrant {
                    status: GrantStatus::AppError,
                    ..live()
                },
                Health::AppError,
                Some(Reason::ClientRefused),
            ),
            (
                StoredGrant {
                    status: GrantStatus::Quarantined,
                    ..live()
                },
                Health::Degraded,
                Some(Reason::Quarantined),
            ),
        ];
        for (grant, health, reason) in cases {
            let grant = StoredGrant {
                grant_expires_at: Some(NOW + Duration::from_hours(48)),
                ..grant
            };
            let standing = standing(&grant, NOW);
            assert_eq!((standing.health, standing.reason), (health, reason), "{grant:?}");
            let days = if health == Health::NeedsReauth { 0 } else { 2 };
            assert_eq!(
                standing.days_left,
                Some(days),
                "what is over has no days left: {grant:?}"
            );
        }
    }
}

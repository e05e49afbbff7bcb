//! Why a grant is not simply connected.

use std::fmt;

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

    pub(super) fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! How the providers differ where OAuth lets them: which refusals end a grant, who rotates, how long a grant lives.
//!
//! Data with sources, so that a provider is a constant and not a branch. `reference` is the project's collection of
//! the providers' pages and of what others saw; what it calls unconfirmed is said to be so here.

use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// What one provider's token endpoint means by its answers, and what it does to the grants given by it.
#[derive(Debug)]
pub struct GrantRules {
    /// Refusals that end a grant although their code is not `invalid_grant`, which always does (RFC 6749 §5.2).
    pub dead_token: &'static [Wording],
    /// Codes that blame the app beside `invalid_client` and `unauthorized_client`: the grant is kept until the app's
    /// owner, or an administrator, has changed something.
    pub app_at_fault: &'static [&'static str],
    /// Whether a renewal may spend the refresh token that it was asked with. Then no token call is repeated blindly:
    /// after an answer that was lost the old token may be worthless, and only asking again tells.
    pub may_rotate: bool,
    /// How long a grant lives from consent on, however often it is renewed.
    pub grant_life: Option<Duration>,
    /// How long a grant lives without being renewed.
    pub idle_life: Option<Duration>,
}

/// A refusal in a provider's own words.
#[derive(Debug)]
pub struct Wording {
    /// `error`.
    pub code: &'static str,
    /// `error_description`, without a dot at its end: that has come and gone.
    pub description: &'static str,
}

/// What nobody documents otherwise (RFC 6749 §5.2, §6): only `invalid_grant` ends a grant, any answer may bring a new
/// refresh token, and nothing is said about lives.
pub const RFC_6749: GrantRules = GrantRules {
    dead_token: &[],
    app_at_fault: &[],
    may_rotate: true,
    grant_life: None,
    idle_life: None,
};

/// Spotify (reference: Spotify §5.3 errors, §6 life cycle).
///
/// `invalid_request` is our fault there, and says nothing about the token. Apps without a secret were given a new
/// refresh token each time until mid-2026; today's page only says that it depends on the grant. A grant ends six
/// months after consent (Spotify's blog, 2026-06-18); months are not defined there, and 180 days is the shortest
/// reading.
pub const SPOTIFY: GrantRules = GrantRules {
    may_rotate: true,
    grant_life: Some(DAY.saturating_mul(180)),
    ..RFC_6749
};

/// Discord (reference: Discord §A3 and its table of failures).
///
/// Every renewal spends the old token, without a documented grace. Removal, ban and expiry are answered alike. The
/// wording of 2020 called a burnt token an invalid request; other invalid requests do not name the token so. The life
/// of an unused grant is not documented.
pub const DISCORD: GrantRules = GrantRules {
    dead_token: &[Wording {
        code: "invalid_request",
        description: "Invalid \"refresh_token\" in request",
    }],
    may_rotate: true,
    ..RFC_6749
};

/// Google (reference: Google §B3 failures, §B4 when a refresh token dies).
///
/// A refresh token stays what it is, and dies unused after six months, read as 180 days. Grants of an app in testing
/// end after seven days and those given for a time by the person with that time: not a rule of the provider, so it is
/// read from `refresh_token_expires_in` of the answer, which is documented for the latter and unconfirmed for the
/// former. A demand to sign in anew (`invalid_rapt`) is an `invalid_grant`, too. The wordings are unconfirmed but for
/// "Token has been expired or revoked."; none of them is needed.
pub const GOOGLE: GrantRules = GrantRules {
    app_at_fault: &[
        "deleted_client",
        "redirect_uri_mismatch",
        "admin_policy_enforced",
        "org_internal",
    ],
    may_rotate: false,
    idle_life: Some(DAY.saturating_mul(180)),
    ..RFC_6749
};

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The code or refresh token is worthless.
    Grant,
    /// The app is not accepted, whichever grant asks.
    App,
    /// Neither, so our request.
    Request,
}

impl GrantRules {
    /// What this provider means by `code` with `description`.
    pub(super) fn fault(&self, code: &str, description: &str) -> Fault {
        let description = description.strip_suffix('.').unwrap_or(description);
        let is_dead_token = |wording: &Wording| wording.code == code && wording.description == description;
        match code {
            "invalid_grant" => Fault::Grant,
            "invalid_client" | "unauthorized_client" => Fault::App,
            _ if self.dead_token.iter().any(is_dead_token) => Fault::Grant,
            _ if self.app_at_fault.contains(&code) => Fault::App,
            _ => Fault::Request,
        }
    }

    /// How long a grant lives whose first answer gave its refresh token so long, if it did: the shorter of the two.
    #[must_use]
    pub fn life_of_new(&self, refresh_token_expires_in: Option<Duration>) -> Option<Duration> {
        self.grant_life.into_iter().chain(refresh_token_expires_in).min()
    }
}

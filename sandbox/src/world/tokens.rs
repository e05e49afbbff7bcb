//! Consents, authorization codes, grants, access and refresh tokens, and what ends each.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Refused, Rotation, World};

mod issue;

pub(crate) use issue::{Approval, CodeExchange, Issued, RefreshField, TokenRefusal};

struct Code {
    client_id: String,
    user: String,
    redirect_uri: String,
    scopes: Vec<String>,
    challenge: Option<String>,
    issued_ms: i64,
    used: bool,
    /// The moment the person agreed, which a bounce does not move.
    consented_ms: i64,
}

struct Consent {
    scopes: Vec<String>,
    at_ms: i64,
}

pub(super) struct Grant {
    pub(super) client_id: String,
    user: String,
    scopes: Vec<String>,
    consented_ms: i64,
    /// Obtained with a PKCE challenge: may be refreshed without the secret.
    pkce: bool,
    refresh_token: String,
    revoked: bool,
}

struct Access {
    client_id: String,
    user: Option<String>,
    scopes: Vec<String>,
    expires_ms: i64,
    grant: Option<usize>,
}

/// Everything that was ever issued. Nothing is forgotten: an old token must be answered as old, not as unknown.
#[derive(Default)]
pub(super) struct Tokens {
    consents: BTreeMap<(String, String), Consent>,
    codes: HashMap<String, Code>,
    grants: Vec<Grant>,
    /// Refresh token to grant; a token that is not the grant's present one was rotated away.
    refresh: HashMap<String, usize>,
    access: HashMap<String, Access>,
}

/// Tokens as [`World::issue_grant`] hands them out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// Good for an hour, or what [`super::Settings::token_ttl_s`] says.
    pub access_token: String,
    /// Good for six months, or what [`super::Settings::grant_life_days`] says.
    pub refresh_token: String,
}

/// A grant as a test may look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantView {
    /// The app it was given to.
    pub client_id: String,
    /// Who gave it.
    pub user: String,
    /// What for, space separated.
    pub scope: String,
    /// Epoch milliseconds of the consent, from which it has six months.
    pub consented_at_ms: i64,
    /// The refresh token that works now.
    pub refresh_token: String,
    /// True once the person, or a rotated password, ended it.
    pub revoked: bool,
}

/// Whose token a request to the Web API carries.
pub(crate) struct Bearer {
    pub client_id: String,
    /// Absent for a client-credentials token.
    pub user: Option<String>,
    pub scopes: Vec<String>,
    pub expired: bool,
}

impl Tokens {
    pub(super) fn revoke(&mut self, which: impl Fn(&Grant) -> bool) {
        self.grants
            .iter_mut()
            .filter(|grant| which(grant))
            .for_each(|grant| grant.revoked = true);
    }

    pub(super) fn forget_app(&mut self, client_id: &str) {
        self.revoke(|grant| grant.client_id == client_id);
        self.access.retain(|_, access| access.client_id != client_id);
        self.codes.retain(|_, code| code.client_id != client_id);
        self.consents.retain(|(app, _), _| app != client_id);
    }
}

impl World {
    /// The scopes somebody has agreed to give this app, if they ever did.
    pub(crate) fn consented_scopes(&self, client_id: &str, user: &str) -> Option<&[String]> {
        let consent = self
            .tokens
            .consents
            .get(&(client_id.to_owned(), user.to_owned()))?;
        Some(&consent.scopes)
    }

    /// A grant out of thin air, as if `user` had just gone through the consent page; refreshable with and without the
    /// secret.
    ///
    /// # Errors
    /// No such app or user.
    pub fn issue_grant(&mut self, client_id: &str, user: &str, scopes: &str) -> Result<TokenPair, Refused> {
        self.user_or_refuse(user)?;
        self.app(client_id)
            .ok_or_else(|| Refused::NoSuchApp(client_id.to_owned()))?;
        let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
        let consented_ms = self.now_ms();
        let key = (client_id.to_owned(), user.to_owned());
        self.tokens.consents.insert(
            key,
            Consent {
                scopes: scopes.clone(),
                at_ms: consented_ms,
            },
        );
        let grant = self.add_grant(client_id, user, scopes, consented_ms, true);
        let refresh_token = self.tokens.grants[grant].refresh_token.clone();
        Ok(TokenPair {
            access_token: self.add_access(grant),
            refresh_token,
        })
    }

    /// Whose access token this is; `None` for one that was never issued, or died with its grant or app.
    pub(crate) fn bearer(&self, token: &str) -> Option<Bearer> {
        let access = self.tokens.access.get(token)?;
        let ended = access
            .grant
            .is_some_and(|grant| self.tokens.grants[grant].revoked);
        if ended && self.settings.revocation_ends_access_tokens {
            return None;
        }
        Some(Bearer {
            client_id: access.client_id.clone(),
            user: access.user.clone(),
            scopes: access.scopes.clone(),
            expired: self.now_ms() >= access.expires_ms,
        })
    }

    /// A user removes every app on the account page, or changes the password: their refresh tokens die, and the next
    /// authorization shows the consent page again.
    pub fn revoke_user(&mut self, user: &str) {
        self.tokens.revoke(|grant| grant.user == user);
        self.tokens.consents.retain(|(_, who), _| who != user);
    }

    /// [`World::revoke_user`] for everybody.
    pub fn revoke_all(&mut self) {
        self.tokens.revoke(|_| true);
        self.tokens.consents.clear();
    }

    /// Access tokens stop working now, whatever they were promised; refresh tokens stay.
    pub fn expire_access_tokens(&mut self) {
        let now = self.now_ms();
        self.tokens
            .access
            .values_mut()
            .for_each(|access| access.expires_ms = access.expires_ms.min(now));
    }

    /// Every grant ever given, oldest first.
    pub fn grants(&self) -> impl Iterator<Item = GrantView> {
        self.tokens.grants.iter().map(|grant| GrantView {
            client_id: grant.client_id.clone(),
            user: grant.user.clone(),
            scope: grant.scopes.join(" "),
            consented_at_ms: grant.consented_ms,
            refresh_token: grant.refresh_token.clone(),
            revoked: grant.revoked,
        })
    }

    /// How refresh answers treat the refresh token.
    pub fn set_rotation(&mut self, rotation: Rotation) {
        self.settings.rotation = rotation;
    }

    /// Life of access tokens issued from now on, in seconds.
    pub fn set_token_ttl_s(&mut self, seconds: i64) {
        self.settings.token_ttl_s = seconds;
    }

    fn add_grant(
        &mut self,
        client_id: &str,
        user: &str,
        scopes: Vec<String>,
        consented_ms: i64,
        pkce: bool,
    ) -> usize {
        let index = self.tokens.grants.len();
        let refresh_token = format!("AQ{}", self.random.base62(129));
        self.tokens.refresh.insert(refresh_token.clone(), index);
        self.tokens.grants.push(Grant {
            client_id: client_id.to_owned(),
            user: user.to_owned(),
            scopes,
            consented_ms,
            pkce,
            refresh_token,
            revoked: false,
        });
        index
    }

    fn add_access(&mut self, grant: usize) -> String {
        let token = format!("BQ{}", self.random.base62(180));
        let expires_ms = self.now_ms() + self.settings.token_ttl_s * 1000;
        let Grant {
            client_id,
            user,
            scopes,
            ..
        } = &self.tokens.grants[grant];
        let access = Access {
            client_id: client_id.clone(),
            user: Some(user.clone()),
            scopes: scopes.clone(),
            expires_ms,
            grant: Some(grant),
        };
        self.tokens.access.insert(token.clone(), access);
        token
    }
}

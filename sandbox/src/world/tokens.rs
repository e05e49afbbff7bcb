//! Consents, authorization codes, grants, access and refresh tokens, and what ends each.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Refused, Rotation, World};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What a person agreed to on the consent page.
pub(crate) struct Approval<'a> {
    pub client_id: &'a str,
    pub user: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
    /// The PKCE challenge, method S256.
    pub challenge: Option<&'a str>,
    /// False for a bounce past the consent page.
    pub asked: bool,
}

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

/// What a token request carried, for a code.
pub(crate) struct CodeExchange<'a> {
    pub client_id: &'a str,
    /// True if the right secret came along.
    pub proved: bool,
    pub code: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: Option<&'a str>,
}

/// What stands under `refresh_token` in an answer.
pub(crate) enum RefreshField {
    Absent,
    Null,
    Token(String),
}

/// A successful token answer, before it is written as JSON.
pub(crate) struct Issued {
    pub access_token: String,
    pub expires_in_s: i64,
    pub refresh_token: RefreshField,
    pub scope: Option<String>,
}

/// An error answer of the token endpoint (reference: §5.3).
#[derive(Debug)]
pub(crate) struct TokenRefusal {
    pub error: &'static str,
    pub description: Option<String>,
}

impl TokenRefusal {
    pub(crate) fn new(error: &'static str, description: &str) -> Self {
        Self {
            error,
            description: Some(description.to_owned()),
        }
    }

    pub(crate) fn bare(error: &'static str) -> Self {
        Self {
            error,
            description: None,
        }
    }

    fn grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }
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

    /// Notes the consent and makes a code for it.
    pub(crate) fn approve(&mut self, approval: &Approval<'_>) -> String {
        let now = self.now_ms();
        let key = (approval.client_id.to_owned(), approval.user.to_owned());
        let standing = self.tokens.consents.get(&key).map(|consent| consent.at_ms);
        let keeps_clock = !approval.asked && !self.settings.silent_bounce_renews_life;
        let consented_ms = standing.filter(|_| keeps_clock).unwrap_or(now);
        let consent = Consent {
            scopes: approval.scopes.to_vec(),
            at_ms: consented_ms,
        };
        self.tokens.consents.insert(key, consent);
        if approval.asked && self.settings.consent_ends_older_grants {
            self.tokens
                .revoke(|grant| grant.client_id == approval.client_id && grant.user == approval.user);
        }
        let code = format!("AQ{}", self.random.base62(150));
        let entry = Code {
            client_id: approval.client_id.to_owned(),
            user: approval.user.to_owned(),
            redirect_uri: approval.redirect_uri.to_owned(),
            scopes: approval.scopes.to_vec(),
            challenge: approval.challenge.map(str::to_owned),
            issued_ms: now,
            used: false,
            consented_ms,
        };
        self.tokens.codes.insert(code.clone(), entry);
        code
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

    /// Swaps a code for tokens.
    pub(crate) fn exchange_code(&mut self, exchange: &CodeExchange<'_>) -> Result<Issued, TokenRefusal> {
        let now = self.now_ms();
        let ttl_ms = self.settings.code_ttl_s * 1000;
        let code = self.tokens.codes.get_mut(exchange.code);
        let code = code
            .filter(|code| !code.used && code.client_id == exchange.client_id)
            .ok_or_else(|| TokenRefusal::grant("Invalid authorization code"))?;
        if now - code.issued_ms > ttl_ms {
            return Err(TokenRefusal::grant("Authorization code expired"));
        }
        if code.redirect_uri != exchange.redirect_uri {
            return Err(TokenRefusal::grant("Invalid redirect URI"));
        }
        match (&code.challenge, exchange.verifier) {
            (Some(challenge), Some(verifier)) if verifies(challenge, verifier) => {}
            (Some(_), None) => {
                return Err(TokenRefusal::new(
                    "invalid_request",
                    "code_verifier must be supplied",
                ));
            }
            (Some(_), Some(_)) => return Err(TokenRefusal::grant("code_verifier was incorrect")),
            (None, _) if exchange.proved => {}
            (None, _) => return Err(TokenRefusal::bare("invalid_client")),
        }
        code.used = true;
        let (user, scopes, pkce) = (code.user.clone(), code.scopes.clone(), code.challenge.is_some());
        let consented_ms = code.consented_ms;
        let grant = self.add_grant(exchange.client_id, &user, scopes, consented_ms, pkce);
        let refresh_token = self.tokens.grants[grant].refresh_token.clone();
        Ok(self.issued(grant, RefreshField::Token(refresh_token)))
    }

    /// Renews a grant.
    pub(crate) fn refresh(
        &mut self,
        client_id: &str,
        proved: bool,
        token: &str,
    ) -> Result<Issued, TokenRefusal> {
        let revoked = |text: &Option<String>| TokenRefusal {
            error: "invalid_grant",
            description: text.clone(),
        };
        let index = self.tokens.refresh.get(token).copied();
        let index = index
            .filter(|&index| self.tokens.grants[index].client_id == client_id)
            .ok_or_else(|| TokenRefusal::grant("Invalid refresh token"))?;
        let grant = &self.tokens.grants[index];
        if !proved && !grant.pkce {
            return Err(TokenRefusal::bare("invalid_client"));
        }
        if grant.revoked || grant.refresh_token != token || self.settings.spurious_invalid_grant {
            return Err(revoked(&self.settings.revoked_grant_text));
        }
        if self.now_ms() >= grant.consented_ms + self.settings.grant_life_days * DAY_MS {
            return Err(revoked(&self.settings.expired_grant_text));
        }
        let refresh_token = match self.settings.rotation {
            Rotation::None => RefreshField::Absent,
            Rotation::EmptyString => RefreshField::Token(String::new()),
            Rotation::Null => RefreshField::Null,
            Rotation::RotateSingleUse => RefreshField::Token(self.rotate(index)),
        };
        Ok(self.issued(index, refresh_token))
    }

    /// A token for an app alone.
    pub(crate) fn client_credentials(&mut self, client_id: &str) -> Issued {
        let access_token = format!("BQ{}", self.random.base62(100));
        let access = Access {
            client_id: client_id.to_owned(),
            user: None,
            scopes: Vec::new(),
            expires_ms: self.now_ms() + self.settings.token_ttl_s * 1000,
            grant: None,
        };
        self.tokens.access.insert(access_token.clone(), access);
        Issued {
            access_token,
            expires_in_s: self.settings.token_ttl_s,
            refresh_token: RefreshField::Absent,
            scope: None,
        }
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

    fn rotate(&mut self, grant: usize) -> String {
        let token = format!("AQ{}", self.random.base62(129));
        self.tokens.refresh.insert(token.clone(), grant);
        self.tokens.grants[grant].refresh_token.clone_from(&token);
        token
    }

    fn issued(&mut self, grant: usize, refresh_token: RefreshField) -> Issued {
        Issued {
            access_token: self.add_access(grant),
            expires_in_s: self.settings.token_ttl_s,
            refresh_token,
            scope: Some(self.tokens.grants[grant].scopes.join(" ")),
        }
    }
}

/// RFC 7636, sections 4.1 and 4.6, method S256.
fn verifies(challenge: &str, verifier: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(allowed)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

//! What the token endpoint does: consent to code, code to tokens, refresh token to access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Access, Code, Consent};
use crate::world::{Rotation, SpentToken, World};

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
    pub refresh_token_expires_in: Option<Value>,
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

impl World {
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
        if grant.revoked || self.settings.spurious_invalid_grant {
            return Err(revoked(&self.settings.revoked_grant_text));
        }
        if grant.refresh_token != token {
            return Err(match self.settings.spent_token {
                SpentToken::AsRevoked => revoked(&self.settings.revoked_grant_text),
                SpentToken::Discord => TokenRefusal::grant("Invalid \"refresh_token\" in request"),
                SpentToken::DiscordBare => TokenRefusal::bare("invalid_grant"),
                SpentToken::Discord2020 => {
                    TokenRefusal::new("invalid_request", "Invalid \"refresh_token\" in request.")
                }
            });
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
            refresh_token_expires_in: None,
        }
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
            refresh_token_expires_in: self.settings.refresh_token_expires_in.clone(),
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

//! The web login: tokens, which live an hour and work once, and the sessions they become, which last until revoked.

use super::Lastfm;
use crate::world::Refused;

/// Tokens and session keys have this many characters (reference: Last.fm §10a).
const CHARS: usize = 32;

/// A token on its way from the consent page, or to it.
pub(super) struct Token {
    api_key: String,
    /// Who agreed; nobody yet, for a token of `auth.getToken`.
    listener: Option<String>,
    issued_s: i64,
}

/// A standing permission.
pub(super) struct Session {
    api_key: String,
    /// In lower case, as listeners are kept.
    listener: String,
}

/// Why a token becomes no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    /// It never was one, was somebody else's, or has worked already.
    Invalid,
    /// Nobody agreed.
    Unauthorized,
    Expired,
}

impl Lastfm {
    /// A session key out of thin air, as if that person had agreed to that application.
    ///
    /// # Errors
    /// No such key or account.
    pub fn issue_session(&mut self, api_key: &str, name: &str) -> Result<String, Refused> {
        if !self.keys.contains_key(api_key) {
            return Err(Refused::NoSuchApp(api_key.to_owned()));
        }
        let listener = self.listener_mut(name)?.name.to_ascii_lowercase();
        // Letters of both cases and digits: the reference says hex, and a key seen in the wild was not
        // (https://github.com/arkq/cmusfm/issues/34).
        let key = self.random.base62(CHARS);
        let session = Session {
            api_key: api_key.to_owned(),
            listener,
        };
        self.sessions.insert(key.clone(), session);
        Ok(key)
    }

    /// Somebody takes every permission back: their session keys are answered error 9 from now on.
    ///
    /// # Errors
    /// No such account.
    pub fn revoke_sessions(&mut self, name: &str) -> Result<(), Refused> {
        let listener = self.listener_mut(name)?.name.to_ascii_lowercase();
        self.sessions.retain(|_, session| session.listener != listener);
        Ok(())
    }

    /// The name of the account that a session key of this application speaks for.
    pub(crate) fn session(&self, api_key: &str, session_key: &str) -> Option<&str> {
        let session = self.sessions.get(session_key)?;
        let listener = self.listeners.get(&session.listener)?;
        (session.api_key == api_key).then_some(listener.name.as_str())
    }

    /// A token; with a name, that person has agreed already.
    pub(crate) fn issue_token(&mut self, api_key: &str, name: Option<&str>, now_s: i64) -> String {
        let token = self.random.base62(CHARS);
        let entry = Token {
            api_key: api_key.to_owned(),
            listener: name.map(str::to_ascii_lowercase),
            issued_s: now_s,
        };
        self.tokens.insert(token.clone(), entry);
        token
    }

    /// Somebody agrees to a token that the application got beforehand. Answers whether there is such a token.
    pub(crate) fn authorize_token(&mut self, api_key: &str, token: &str, name: &str) -> bool {
        let token = self
            .tokens
            .get_mut(token)
            .filter(|token| token.api_key == api_key);
        let Some(token) = token else {
            return false;
        };
        token.listener = Some(name.to_ascii_lowercase());
        true
    }

    /// Turns a token into a session: the name of who agreed, and the session key.
    pub(crate) fn exchange_token(
        &mut self,
        api_key: &str,
        token: &str,
        now_s: i64,
        ttl_s: i64,
    ) -> Result<(String, String), TokenRefusal> {
        let entry = self.tokens.get(token).filter(|token| token.api_key == api_key);
        let entry = entry.ok_or(TokenRefusal::Invalid)?;
        if now_s - entry.issued_s >= ttl_s {
            return Err(TokenRefusal::Expired);
        }
        let name = entry.listener.clone().ok_or(TokenRefusal::Unauthorized)?;
        let name = self.user(&name).map(|listener| listener.name.clone());
        let name = name.ok_or(TokenRefusal::Invalid)?;
        self.tokens.remove(token);
        let key = self.issue_session(api_key, &name);
        key.map(|key| (name, key)).map_err(|_| TokenRefusal::Invalid)
    }
}

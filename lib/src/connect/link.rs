//! Linking a Last.fm account: by its name, which proves nothing, or by Last.fm's own page, which proves that it is the
//! person's and gives a key to what they hide from others.
//!
//! Last.fm's page brings back no `state` (reference: Last.fm §10a), so ours is in the address that it comes back to; from
//! there on the way back is the one of every other connection.

use url::Url;

use super::{
    Arrival, Connector, Finished, Flow, PENDING_LIFE, Refusal, Started, browser_binding, fingerprint,
    ladder::{Entered, FinishError},
    start::InvalidReturnTo,
    state::State,
};
use crate::{
    ids::UserId,
    listening::CallError,
    secret::{LoginToken, Secret as _},
    store::{StoreError, StoredLastfm, StoredPendingLink, UserDocument, Version},
    vault::Place,
};

/// Where Last.fm sends the browser back to, below our own address.
const CALLBACK_PATH: &str = "/api/lastfm/callback";

/// Names have 2 to 15 characters today. Nothing is known of the longest old one, and this is too long for any.
const NAME_CHARS_MAX: usize = 64;

/// Tokens have 32 characters (reference: Last.fm §10a); what is longer than this is none.
const TOKEN_BYTES_MAX: usize = 128;

/// What Last.fm's page sends the browser back with, and what the browser brings itself.
#[derive(Debug, Default)]
pub struct LinkCallback {
    /// Who comes back.
    pub arrival: Arrival,
    /// `token`.
    pub token: Option<LoginToken>,
}

/// Why no account was linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No name, nor the address of an account's page.
    #[error("the name cannot be one")]
    InvalidName,
    /// The operator has no shared secret, so nobody can prove anything.
    #[error("accounts cannot be proven here")]
    CannotVerify,
    /// The return path leads out of the host application.
    #[error(transparent)]
    InvalidReturnTo(#[from] InvalidReturnTo),
    /// Another window has linked, unlinked or erased while Last.fm was asked, and stands.
    #[error("somebody else has decided meanwhile")]
    Overtaken,
    /// Last.fm has not told.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Connector {
    /// Links the account that was typed: its name, or the address of its page. Whose it is stays open, unless the same
    /// account was proven before.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn link_by_name(&self, user: &UserId, typed: &str) -> Result<StoredLastfm, LinkError> {
        let name = account_name(typed, self.listening.site()).ok_or(LinkError::InvalidName)?;
        let before = self.grants.look(user).await?;
        let account = self.listening.profile(&name).await?.name;
        if !names(before.lastfm.as_ref(), &account) {
            self.listening.forget(user).await?;
        }
        let linked = self
            .grants
            .change(user, |document| {
                if is_overtaken(&before, document, &account) {
                    return Err(LinkError::Overtaken);
                }
                Ok(self.put_link(document, &account, None))
            })
            .await?;
        if names(before.lastfm.as_ref(), &account) {
            self.listening.look_again(user).await?;
        } else {
            // Again: a question about the other account may have been under way.
            self.listening.forget(user).await?;
        }
        Ok(linked)
    }

    /// Starts the way to Last.fm's own page.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn start_link(&self, user: &UserId, return_to: Option<&str>) -> Result<Started, LinkError> {
        if !self.listening.is_available() {
            return Err(CallError::NotConfigured.into());
        }
        let return_to = self.return_path(return_to)?;
        let state = State::new(user, Flow::Lastfm, &self.system).sign(&self.vault);
        let url = self.login_page(&state).ok_or(LinkError::CannotVerify)?;
        let binding = browser_binding(&self.system);
        let now = self.system.now();
        let pending = StoredPendingLink {
            state_hash: fingerprint(&state),
            binding_hash: fingerprint(binding.expose()),
            return_to,
            created_at: now,
            expires_at: now + PENDING_LIFE,
        };
        self.grants
            .change(user, |document| {
                document.pending_link = Some(pending.clone());
                Ok::<_, StoreError>(())
            })
            .await?;
        Ok(Started {
            url,
            flow: Flow::Lastfm,
            binding,
            findings: Vec::new(),
        })
    }

    fn login_page(&self, state: &str) -> Option<Url> {
        let mut callback = self.settings.app_url.join(CALLBACK_PATH).ok()?;
        callback.query_pairs_mut().append_pair("state", state);
        self.listening.login_url(&callback)
    }

    /// Finishes what [`start_link`](Self::start_link) began.
    ///
    /// # Errors
    /// [`FinishError`].
    pub async fn finish_link(&self, callback: LinkCallback) -> Result<Finished, FinishError> {
        let entered = self.enter(&callback.arrival).await?;
        let proven = self.prove(&entered, callback.token).await;
        self.leave(entered, proven).await
    }

    async fn prove(
        &self,
        entered: &Entered<StoredPendingLink>,
        token: Option<LoginToken>,
    ) -> Result<(), Refusal> {
        let user = &entered.user;
        // Last.fm has no word for a person who declines: they come back without a token, or not at all.
        let token = token
            .filter(|token| !token.expose().is_empty())
            .ok_or(Refusal::AccessDenied)?;
        if token.expose().len() > TOKEN_BYTES_MAX {
            return Err(CallError::TokenRefused.into());
        }
        let session = self.listening.session(&token).await?;
        let session_key_enc = self.vault.seal(&session.key, Place::lastfm(user));
        // Of another account, or of what this one hid until now.
        self.listening.forget(user).await?;
        self.grants
            .change(user, |document| {
                entered.redeem(document)?;
                self.put_link(document, &session.name, Some(session_key_enc.clone()));
                Ok::<_, Refusal>(())
            })
            .await?;
        if let Err(error) = self.listening.forget(user).await {
            tracing::warn!(
                ?error,
                "what was asked about another account meanwhile is not forgotten"
            );
        }
        Ok(())
    }

    /// Puts the account into `document`. Without a new key, what was proven of the same account before stays.
    fn put_link(
        &self,
        document: &mut UserDocument,
        account: &str,
        session_key_enc: Option<String>,
    ) -> StoredLastfm {
        let now = self.system.now();
        let same = document
            .lastfm
            .take()
            .filter(|link| is_same(&link.username, account));
        let linked = StoredLastfm {
            username: account.to_owned(),
            connected_at: same.as_ref().map_or(now, |link| link.connected_at),
            verified: session_key_enc.is_some() || same.as_ref().is_some_and(|link| link.verified),
            session_key_enc: session_key_enc.or(same.and_then(|link| link.session_key_enc)),
            updated_at: Some(now),
        };
        document.lastfm = Some(linked.clone());
        linked
    }

    /// Forgets the account, a way to Last.fm's page that is under way, and all that was kept of its listening.
    ///
    /// # Errors
    /// [`StoreError`]; asking again then forgets what is left.
    pub async fn unlink(&self, user: &UserId) -> Result<(), StoreError> {
        self.grants
            .change(user, |document| {
                document.lastfm = None;
                document.pending_link = None;
                Ok::<_, StoreError>(())
            })
            .await?;
        self.listening.forget(user).await
    }
}

/// Whether the account in `document` was changed since `before`, or its person erased, by somebody who wanted something
/// else than `account`.
fn is_overtaken(before: &UserDocument, document: &UserDocument, account: &str) -> bool {
    let erased = before.version != Version::ABSENT && document.version == Version::ABSENT;
    let changed = document.lastfm != before.lastfm && !names(document.lastfm.as_ref(), account);
    erased || changed
}

fn names(link: Option<&StoredLastfm>, account: &str) -> bool {
    link.is_some_and(|link| is_same(&link.username, account))
}

/// Last.fm tells names apart by their letters, and not by whether they are capital ones.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The name in what a person typed or pasted; `None` when there cannot be one in it.
fn account_name(typed: &str, site: &Url) -> Option<String> {
    let typed = typed.trim();
    let name = if typed.contains(['/', ':']) {
        name_in_address(typed, site)?
    } else {
        typed.to_owned()
    };
    let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let fine = (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_name_char);
    fine.then_some(name)
}

/// The name in the address of an account's page, or of a page below it, in any of the site's languages:
/// `https://www.last.fm/de/user/RJ/library`.
fn name_in_address(typed: &str, site: &Url) -> Option<String> {
    let url = if typed.contains("://") {
        Url::parse(typed).ok()?
    } else {
        Url::parse(&format!("https://{typed}")).ok()?
    };
    let host = url.host_str()?;
    let is_lastfm = host == "last.fm" || host.ends_with(".last.fm") || url.origin() == site.origin();
    if !is_lastfm {
        return None;
    }
    let mut parts = url.path_segments()?;
    parts.find(|part| *part == "user")?;
    parts.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_what_people_type_and_paste() {
        let site = "http://127.0.0.1:8788".parse().expect("an address");
        for (typed, name) in [
            ("RJ", Some("RJ")),
            ("  some_one-42\n", Some("some_one-42")),
            ("4chords", Some("4chords")),
            ("https://www.last.fm/user/RJ", Some("RJ")),
            ("http://last.fm/user/RJ/", Some("RJ")),
            ("www.last.fm/user/RJ/library?page=2#top", Some("RJ")),
            ("https://www.last.fm/de/user/RJ", Some("RJ")),
            (" last.fm/user/RJ ", Some("RJ")),
            ("http://127.0.0.1:8788/user/RJ", Some("RJ")),
            ("http://127.0.0.1:8789/user/RJ", None),
            ("", None),
            (" \t ", None),
            ("two words", None),
            ("a/b", None),
            ("../user", None),
            ("a\u{0}b", None),
            ("name\u{1f600}", None),
            ("n\u{e4}me", None),
            ("me@example.com", None),
            ("a&method=auth.getSession", None),
            ("https://open.spotify.com/user/RJ", None),
            ("https://www.last.fm/music/Cher", None),
            ("https://www.last.fm/user/", None),
            ("https://www.last.fm/user/a%20b", None),
            ("https://www.last.fm.example/user/RJ", None),
            ("https://example.com/www.last.fm/user/RJ", None),
            ("https://notlast.fm/user/RJ", None),
            ("spotify:user:RJ", None),
        ] {
            assert_eq!(account_name(typed, &site).as_deref(), name, "{typed:?}");
        }
        assert!(account_name(&"a".repeat(64), &site).is_some());
        assert!(account_name(&"a".repeat(65), &site).is_none());
        assert!(account_name(&"a".repeat(1000), &site).is_none());
    }
}

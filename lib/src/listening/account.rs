//! Whose listening is asked about: the linked account, and what stands in the way of reading it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CallError, Listening, ListeningError, shelf::version_of};
use crate::{
    ids::UserId,
    secret::SessionKey,
    store::{Edit, StoreError, StoredLastfm, UserChange, Version, Written},
    system::Timestamp,
    vault::Place,
};

/// Who hides their listening is not asked about for so long; linking the account again asks at once (reference: Last.fm
/// §10: "re-check at most daily").
const HIDDEN_FOR: Duration = Duration::from_hours(24);

/// "No such user" is believed when it is said again so much later: under load it has been said of people who exist
/// (reference: Last.fm §7).
pub const CONFIRM_AFTER: Duration = Duration::from_mins(1);

/// Who is confirmed to be gone is not asked about for so long.
const GONE_FOR: Duration = Duration::from_hours(1);

/// What stands in the way is remembered for so long: longer than any of the spans above.
const STANDING_LIFE: Duration = Duration::from_hours(7 * 24);

/// The record of [`Standing`].
const STANDING: &str = "standing";

/// Races over one document that are tried again.
const TRIES_MAX: usize = 8;

/// A person's linked account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) user: UserId,
    pub(super) username: String,
    pub(super) verified: bool,
    /// Reads as the account itself, where its person has allowed that.
    pub(super) session: Option<SessionKey>,
}

/// What is read of an account. Who hides their listening hides their plays; what they play most is there for everybody
/// (reference: Last.fm §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Plays,
    Lists,
}

/// What stands in the way of reading an account, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Standing {
    username: String,
    hidden_at: Option<Timestamp>,
    missing_since: Option<Timestamp>,
    gone_at: Option<Timestamp>,
}

impl Listening {
    /// The account that `user` has linked.
    pub(super) async fn account(&self, user: &UserId) -> Result<Account, ListeningError> {
        let document = self.0.store.find_user(user).await.map_err(CallError::from)?;
        let link = document.lastfm.ok_or(ListeningError::NotLinked)?;
        let session = link.session_key_enc.as_deref().and_then(|sealed| {
            let opened = self.0.vault.open(sealed, Place::lastfm(user));
            opened
                .inspect_err(|error| tracing::error!(?error, "a session key of Last.fm's does not open"))
                .ok()
        });
        Ok(Account {
            user: user.clone(),
            username: link.username,
            verified: link.verified,
            session,
        })
    }

    /// Whether `account` is still the one that its person has linked.
    pub(super) async fn is_linked(&self, account: &Account) -> Result<bool, StoreError> {
        let document = self.0.store.find_user(&account.user).await?;
        Ok(document
            .lastfm
            .is_some_and(|link| link.username == account.username))
    }

    /// Runs `work`, which asks about a `part` of `account`, unless it is known to be in vain; and remembers what stood in its way.
    pub(super) async fn reading<T>(
        &self,
        account: &Account,
        part: Part,
        work: impl Future<Output = Result<T, CallError>> + Send,
    ) -> Result<T, CallError> {
        let kept = self.0.shelf.find::<Standing>(&account.user, STANDING).await?;
        let version = version_of(kept.as_ref());
        let before = kept
            .map(|kept| kept.content)
            .filter(|standing| standing.username == account.username)
            .unwrap_or_else(|| Standing {
                username: account.username.clone(),
                ..Standing::default()
            });
        let could_be_hidden = part == Part::Plays && account.session.is_none();
        before.in_the_way(could_be_hidden, self.0.system.now())?;
        let outcome = work.await;
        let mut after = before.clone();
        let outcome = after.learn(outcome, could_be_hidden, self.0.system.now());
        if after != before {
            self.remember(account, version, &after).await;
        }
        if matches!(outcome, Err(CallError::SessionRevoked)) {
            self.forget_session(account).await?;
        }
        outcome
    }

    async fn remember(&self, account: &Account, read: Version, standing: &Standing) {
        let user = &account.user;
        let kept = if standing.is_clear() {
            self.0.shelf.drop_read(user, STANDING, read).await
        } else {
            let put = self
                .0
                .shelf
                .put(user, STANDING, read, standing, STANDING_LIFE)
                .await;
            put.map(drop)
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "what stands in the way of an account cannot be remembered");
        }
    }

    /// Asks at once the next time, whatever stood in the way: the account was just linked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_again(&self, user: &UserId) -> Result<(), StoreError> {
        match self.0.shelf.find::<Standing>(user, STANDING).await? {
            Some(kept) => {
                self.0
                    .shelf
                    .drop_read(user, STANDING, version_of(Some(&kept)))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Drops the session key that its person has taken back; the account stays linked.
    async fn forget_session(&self, account: &Account) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            let document = self.0.store.find_user(&account.user).await?;
            let Some(link) = document.lastfm.filter(|link| link.username == account.username) else {
                return Ok(());
            };
            let change = UserChange {
                lastfm: Edit::Put(StoredLastfm {
                    session_key_enc: None,
                    ..link
                }),
                // What is no business of this room stays as it is.
                next_due_at: document.next_due_at,
                dead: document.dead,
                ..UserChange::default()
            };
            let written = self.0.store.write_user(&account.user, document.version, &change);
            if matches!(written.await?, Written::As(_)) {
                return Ok(());
            }
        }
        Err(StoreError::unavailable("a document is written to without end"))
    }
}

impl Standing {
    fn in_the_way(&self, could_be_hidden: bool, now: Timestamp) -> Result<(), CallError> {
        let within = |at: Option<Timestamp>, span| at.is_some_and(|at| now.since(at) < span);
        if could_be_hidden && within(self.hidden_at, HIDDEN_FOR) {
            return Err(CallError::Hidden);
        }
        if within(self.gone_at, GONE_FOR) {
            return Err(CallError::UnknownUser { confirmed: true });
        }
        if within(self.missing_since, CONFIRM_AFTER) {
            return Err(CallError::UnknownUser { confirmed: false });
        }
        Ok(())
    }

    fn learn<T>(
        &mut self,
        outcome: Result<T, CallError>,
        could_be_hidden: bool,
        now: Timestamp,
    ) -> Result<T, CallError> {
        match outcome {
            Ok(answer) => {
                *self = Self {
                    username: std::mem::take(&mut self.username),
                    hidden_at: self.hidden_at.filter(|_| !could_be_hidden),
                    ..Self::default()
                };
                Ok(answer)
            }
            Err(CallError::Hidden) => {
                if could_be_hidden {
                    self.hidden_at = Some(now);
                }
                Err(CallError::Hidden)
            }
            Err(CallError::UnknownUser { .. }) => {
                let confirmed = self.missing_since.is_some();
                self.missing_since.get_or_insert(now);
                self.gone_at = confirmed.then_some(now);
                Err(CallError::UnknownUser { confirmed })
            }
            // Nothing was learnt of the account.
            Err(error) => Err(error),
        }
    }

    fn is_clear(&self) -> bool {
        self.hidden_at.is_none() && self.missing_since.is_none() && self.gone_at.is_none()
    }
}

//! A grant's life: the one way to get a live access token, what is true of a connection, and the sweep that keeps
//! connections warm.
//!
//! Many callers in many processes may want the same token at once; one of them renews it. The claim to do so is a
//! lease written into the user's document by compare-and-swap, so the database is the only thing that the processes
//! share, and nothing is locked while the provider is asked.

mod breaker;
mod claiming;
mod clock;
mod errand;
mod events;
mod grant;
mod health;
mod keeping;
mod lease;
mod reason;
mod refusal;
mod renewal;
mod schedule;
mod sweep;

use std::{sync::Arc, time::Duration};

pub use grant::{NewGrant, connect};
pub use health::{Health, Standing};
pub use reason::Reason;
pub use sweep::{SweepLimits, SweepSummary};

use tokio_util::task::TaskTracker;

use self::errand::Outcome;
use crate::{
    ids::{AppName, Slot, UserId},
    joining::Joining,
    metrics::Metrics,
    providers::{AppCredentials, TOKEN_CALL_TIMEOUT, spotify::Spotify},
    secret::AccessToken,
    store::{Store, StoreError, StoredGrant, UserDocument},
    system::{CLOCK_SKEW_MAX, System, Timestamp},
    vault::{OpenError, Place, Vault},
};

/// How long a claim to renew stands. A holder that dies blocks the others for this long at most, and one that lives
/// must be done by then: the provider's time-out and the time to write fit into it.
pub const LEASE: Duration = Duration::from_secs(30);

/// Time kept for writing what the provider answered.
const WRITE_BUDGET: Duration = Duration::from_secs(5);

const _: () = assert!(
    TOKEN_CALL_TIMEOUT.as_secs() + WRITE_BUDGET.as_secs() < LEASE.as_secs(),
    "a renewal must be over before its lease is"
);

/// A token that works now, as far as anyone can know.
#[derive(Clone, Debug)]
pub struct LiveToken {
    /// The token.
    pub token: AccessToken,
    /// When it dies.
    pub expires_at: Timestamp,
    /// How often the grant's token was replaced before: names this token without showing it.
    pub generation: u64,
    /// The app that it is charged to; `None` when that cannot be told: the token is good all the same.
    pub app: Option<AppName>,
}

/// Why there is no live token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GrantError {
    /// The slot is empty.
    #[error("nothing is connected")]
    NotConnected,
    /// The provider ended the grant: the person has to consent again.
    #[error("the grant is over: {0}")]
    NeedsReauth(Reason),
    /// The provider refuses the app: its owner has to mend it.
    #[error("the app is refused: {0}")]
    AppError(Reason),
    /// The provider cannot be asked now; the grant is as good as it was.
    #[error("the provider cannot renew the token now")]
    ProviderUnavailable {
        /// When asking again may help.
        retry_after: Option<Duration>,
    },
    /// The operator's app, through which the grant was given, is not configured any more.
    #[error("the operator's app is not configured")]
    NoOperatorApp,
    /// A stored secret does not open: the key ring lost a key, or somebody changed the document.
    #[error("a stored secret does not open")]
    Sealed(#[from] OpenError),
    /// The database failed.
    #[error("the store failed")]
    Store(#[source] Arc<StoreError>),
    /// The renewal ended without an outcome: a bug of ours, reported by the panic's own log line.
    #[error("the renewal broke off")]
    BrokeOff,
}

impl From<StoreError> for GrantError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl GrantError {
    /// Whether the access token is as good as it was: then the life that it has left is still worth handing out.
    /// An app that is refused a renewal loses none of the tokens it has.
    const fn spares_the_token(&self) -> bool {
        match self {
            Self::ProviderUnavailable { .. }
            | Self::AppError(_)
            | Self::NoOperatorApp
            | Self::Store(_)
            | Self::BrokeOff => true,
            Self::NotConnected | Self::NeedsReauth(_) | Self::Sealed(_) => false,
        }
    }
}

/// Every grant, whoever's. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Grants(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    spotify: Spotify,
    system: System,
    /// The app behind [`Slot::Spotify`].
    operator_app: Option<AppCredentials>,
    /// A token with less life than this is renewed before it is handed out.
    margin: Duration,
    renewals: Joining<(UserId, Slot), Outcome>,
    unwritten: keeping::Unwritten,
    /// Everything that runs whether or not somebody still waits for it.
    work: TaskTracker,
    metrics: Metrics,
}

impl Grants {
    /// The grants kept in `store`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        spotify: Spotify,
        system: System,
        operator_app: Option<AppCredentials>,
        margin: Duration,
        metrics: Metrics,
    ) -> Self {
        let renewals = Joining::default();
        Self(Arc::new(Inner {
            store,
            vault,
            spotify,
            system,
            operator_app,
            margin,
            renewals,
            unwritten: keeping::Unwritten::default(),
            work: TaskTracker::new(),
            metrics,
        }))
    }

    /// Completes when no renewal is under way and no token waits to be written: what a process that is told to stop waits
    /// for, as long as it may.
    pub async fn idle(&self) {
        self.0.work.close();
        self.0.work.wait().await;
        self.0.work.reopen();
    }

    /// Whether that is so now.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.work.is_empty()
    }

    /// What is stored of a user: one indexed read, nothing is decrypted, nobody is asked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look(&self, user: &UserId) -> Result<UserDocument, StoreError> {
        self.0.store.find_user(user).await
    }

    /// How `grant` stands now. Nothing is decrypted for it; but what is sealed under a key that the ring has lost is
    /// known to be of no use.
    #[must_use]
    pub fn standing(&self, grant: &StoredGrant) -> Standing {
        let standing = health::standing(grant, self.0.system.now());
        let mut sealed = [
            &grant.access_token_enc,
            &grant.refresh_token_enc,
            &grant.client_id_enc,
            &grant.client_secret_enc,
        ]
        .into_iter()
        .flatten();
        if sealed.all(|sealed| self.0.vault.has_key_for(sealed)) {
            standing
        } else {
            standing.unreadable()
        }
    }

    /// A token with at least `min_life` left, renewed if need be.
    ///
    /// A token beyond the margin is handed out as it is, without a write or a call. One that has `min_life` left
    /// while somebody is renewing it is handed out at once, too: a failed or slow renewal never costs the life that
    /// is left.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn live_token(
        &self,
        user: &UserId,
        slot: Slot,
        min_life: Duration,
    ) -> Result<LiveToken, GrantError> {
        let found = match self.find(user, slot).await {
            Err(GrantError::Store(error)) => {
                let token = self.unwritten_token(user, slot);
                return token.ok_or(GrantError::Store(error));
            }
            found => found?,
        };
        let now = self.0.system.now();
        let being_renewed = found.lease.as_ref().is_some_and(|lease| lease.until > now);
        let beyond_margin = found.expires_at.since(now) > self.0.margin.max(min_life);
        if (being_renewed || beyond_margin)
            && let Some(token) = self.left(user, slot, &found, min_life)?
        {
            return Ok(token);
        }
        match self.renewed_beyond(user, slot, found.generation).await {
            Err(error) if error.spares_the_token() => {
                // Failing may have taken long enough for something to happen.
                let found = match self.find(user, slot).await {
                    Err(GrantError::Store(_)) => found,
                    found => found?,
                };
                self.left(user, slot, &found, min_life)?.ok_or(error)
            }
            outcome => outcome,
        }
    }

    /// The stored token, if it surely has more than `min_life` left: whoever wrote down when it dies may have had another
    /// clock.
    fn left(
        &self,
        user: &UserId,
        slot: Slot,
        grant: &StoredGrant,
        min_life: Duration,
    ) -> Result<Option<LiveToken>, GrantError> {
        let lives = grant.expires_at.since(self.0.system.now() + CLOCK_SKEW_MAX) > min_life;
        if lives && grant.refuses().is_none() {
            self.open(user, slot, grant)
        } else {
            Ok(None)
        }
    }

    /// A token that is not the one of `refused_generation`, which the provider's API did not accept although it
    /// should still live. Renews it, unless somebody did already.
    ///
    /// # Errors
    /// [`GrantError`].
    pub async fn replaced_token(
        &self,
        user: &UserId,
        slot: Slot,
        refused_generation: u64,
    ) -> Result<LiveToken, GrantError> {
        self.renewed_beyond(user, slot, refused_generation).await
    }

    /// Forgets a grant and what was pending for its slot, at once and whatever is going on: a renewal that is under
    /// way finds its claim gone and writes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn disconnect(&self, user: &UserId, slot: Slot) -> Result<(), StoreError> {
        self.change(user, |document| {
            document.integrations.remove(&slot);
            document.pending.remove(&slot);
            Ok(())
        })
        .await
    }

    async fn find(&self, user: &UserId, slot: Slot) -> Result<StoredGrant, GrantError> {
        let mut document = self.0.store.find_user(user).await?;
        document
            .integrations
            .remove(&slot)
            .ok_or(GrantError::NotConnected)
    }

    /// The stored token as it is, if there is one to hand out.
    fn open(&self, user: &UserId, slot: Slot, grant: &StoredGrant) -> Result<Option<LiveToken>, GrantError> {
        let Some(sealed) = &grant.access_token_enc else {
            return Ok(None);
        };
        let token = self.0.vault.open(sealed, Place::grant(user, slot))?;
        Ok(Some(LiveToken {
            token,
            expires_at: grant.expires_at,
            generation: grant.generation,
            app: self.app_of(user, slot, grant),
        }))
    }

    /// The app through which `grant` was given; `None` where that cannot be known any more.
    #[must_use]
    pub fn app_of(&self, user: &UserId, slot: Slot, grant: &StoredGrant) -> Option<AppName> {
        let client_id = match slot {
            Slot::Spotify => self.0.operator_app.as_ref()?.client_id.clone(),
            Slot::SpotifyByo => {
                let sealed = grant.client_id_enc.as_deref()?;
                self.0.vault.open(sealed, Place::grant(user, slot)).ok()?
            }
        };
        Some(AppName::of(&client_id))
    }
}

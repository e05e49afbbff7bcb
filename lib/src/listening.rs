//! What people listen to, as Last.fm knows it: what they played lately and most, and whether they played what they were
//! asked to.
//!
//! Last.fm allows one key a few calls a second, however many processes use it, so every call waits for its turn
//! (`calls`), what was read once is kept (`shelf`, `history`), and the same question from many callers at once is asked
//! once. When it cannot be asked, the last known answer is told, with its age and the reason.

mod account;
mod calls;
mod evidence;
mod history;
mod lookup;
mod question;
mod reading;
mod recent;
mod shelf;
mod top;
mod verify;

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;

pub use crate::limits::Class;
pub use account::CONFIRM_AFTER;
pub use evidence::{Counted, NearMiss};
pub use question::{InvalidQuestion, TARGETS_MAX, Target, WINDOW_READ_MAX, Window};
pub use recent::{RECENT_MAX, Recent};
pub use top::{TOP_MAX, Top, TopQuestion};
pub use verify::{TargetVerdict, Verdict, VerdictSource};

use self::{
    account::Account,
    calls::{Calls, Patience},
    shelf::Shelf,
};
use crate::{
    ids::UserId,
    joining::Joining,
    limits::Pacer,
    metrics::{LastfmCall, Metrics},
    providers::lastfm::{Lastfm, Profile, Session},
    secret::LoginToken,
    store::{Store, StoreError},
    system::{BoxFuture, System, Timestamp},
    vault::Vault,
};

/// A question is answered within so long, from what is known if need be: a function has 30 s (vercel.json).
const QUESTION_TIME: Duration = Duration::from_secs(20);

/// Questions whose songs are compared at a time, each on a thread of its own: more would only wait for a processor, and keep
/// their memory meanwhile.
const JUDGED_AT_ONCE: usize = 4;

/// The present is known well enough for so long (reference: Last.fm §9: recent tracks 30–60 s).
const FRESH: Duration = Duration::from_secs(30);

/// Questions about people's listening. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Listening(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Nothing can be asked without a key.
    calls: Option<Calls>,
    store: Arc<dyn Store>,
    shelf: Shelf,
    vault: Arc<Vault>,
    system: System,
    /// Where people's pages are.
    site: Url,
    running: Joining<(UserId, String), Result<(), CallError>>,
    judges: Semaphore,
    work: TaskTracker,
}

/// Why Last.fm could not be asked, or what it said.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The operator has no key.
    #[error("no key to Last.fm is configured")]
    NotConfigured,
    /// Nobody has this name.
    #[error("no such user")]
    UnknownUser {
        /// Said twice, [`CONFIRM_AFTER`] apart. Once is not enough to believe it.
        confirmed: bool,
    },
    /// The person hides what they listen to.
    #[error("the person hides their listening")]
    Hidden,
    /// The person has taken back what let us read as them; it is forgotten by now.
    #[error("the session key was taken back")]
    SessionRevoked,
    /// What Last.fm's page sent the browser back with is not accepted.
    #[error("the login token is not accepted")]
    TokenRefused,
    /// The operator's key is unknown or suspended.
    #[error("the key is refused")]
    KeyRefused,
    /// What the operator's shared secret signs is refused.
    #[error("the shared secret is refused")]
    SecretRefused,
    /// More is asked here than Last.fm allows, and the queue is longer than the caller would wait.
    #[error("too many calls wait here")]
    ThrottledHere {
        /// How long the wait would be now.
        retry_after: Duration,
    },
    /// Last.fm said that it is asked too much.
    #[error("Last.fm refuses for a while")]
    RateLimited {
        /// When it may be asked again.
        retry_after: Duration,
    },
    /// Last.fm does not answer, or not in a way that can be understood.
    #[error("Last.fm does not answer properly")]
    Unavailable {
        /// When asking again may help.
        retry_after: Option<Duration>,
    },
    /// The database failed.
    #[error("the store failed")]
    Store(#[source] Arc<StoreError>),
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum ListeningError {
    /// The caller has linked no account.
    #[error("no Last.fm account is linked")]
    NotLinked,
    /// The question makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidQuestion),
    /// Last.fm was not to be asked, and nothing is known from before.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// An answer, and how good it is.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub told: T,
    /// Whose listening it is, as Last.fm writes it.
    pub username: String,
    /// Whether the person proved that the account is theirs.
    pub verified: bool,
    /// The account's page.
    pub profile_url: Url,
    /// When Last.fm said so.
    pub as_of: Timestamp,
    /// Why it is not newer; `None` when it is as new as it should be.
    pub problem: Option<CallError>,
}

impl Listening {
    /// Questions to `lastfm`, if there is a key to ask it with; its answers are kept in `store`, in at most `bytes_max` bytes.
    #[must_use]
    pub fn new(
        lastfm: Option<Lastfm>,
        pacer: Pacer,
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        system: System,
        metrics: Metrics,
        (site, bytes_max): (Url, u64),
    ) -> Self {
        let calls = lastfm.map(|lastfm| Calls::new(lastfm, pacer, metrics, system.clone()));
        Self(Arc::new(Inner {
            calls,
            shelf: Shelf::new(Arc::clone(&store), system.clone(), bytes_max),
            store,
            vault,
            system,
            site,
            running: Joining::default(),
            judges: Semaphore::new(JUDGED_AT_ONCE),
            work: TaskTracker::new(),
        }))
    }

    /// Whether there is a key to ask Last.fm with.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.0.calls.is_some()
    }

    /// Whether people can prove that an account is theirs, which takes the shared secret, too.
    #[must_use]
    pub fn can_verify(&self) -> bool {
        let credentials = self.0.calls.as_ref().map(|calls| calls.lastfm.credentials());
        credentials.is_some_and(|credentials| credentials.shared_secret.is_some())
    }

    /// Last.fm's page on which a person proves that an account is theirs; `None` where nothing could be proven.
    #[must_use]
    pub fn login_url(&self, callback: &Url) -> Option<Url> {
        let calls = self.0.calls.as_ref().filter(|_| self.can_verify())?;
        Some(calls.lastfm.login_url(callback))
    }

    /// Where people's pages are.
    #[must_use]
    pub fn site(&self) -> &Url {
        &self.0.site
    }

    /// The page of an account.
    #[must_use]
    pub fn profile_url(&self, username: &str) -> Url {
        below(&self.0.site, &["user", username])
    }

    /// The page of a song.
    #[must_use]
    pub fn song_url(&self, artist: &str, title: &str) -> Url {
        below(&self.0.site, &["music", artist, "_", title])
    }

    /// Who has this name.
    ///
    /// # Errors
    /// [`CallError`]; `UnknownUser` when nobody has.
    pub async fn profile(&self, name: &str) -> Result<Profile, CallError> {
        let calls = self.calls()?;
        let patience = self.patience(Class::Interactive);
        let profile = calls.make(LastfmCall::Profile, patience, || calls.lastfm.info(name));
        profile.await.map_err(|error| match error {
            // Nothing is lost by believing it: the name was just typed.
            CallError::UnknownUser { .. } => CallError::UnknownUser { confirmed: true },
            error => error,
        })
    }

    /// Whose account it is that allowed `token`, and the key that reads as it. The token is used up by it.
    ///
    /// # Errors
    /// [`CallError`]; `TokenRefused` for one that is not good, or not any more.
    pub async fn session(&self, token: &LoginToken) -> Result<Session, CallError> {
        let calls = self.calls()?;
        let patience = self.patience(Class::Interactive);
        calls
            .make(LastfmCall::Session, patience, || calls.lastfm.session(token))
            .await
    }

    /// Forgets everything that was read of the account that `user` has, or had, linked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget(&self, user: &UserId) -> Result<(), StoreError> {
        self.0.shelf.forget(user).await
    }

    /// Forgets what nobody has asked about in a long time, and what is more than may be kept. Answers how many records.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tidy(&self) -> Result<u64, StoreError> {
        self.0.shelf.tidy().await
    }

    /// Completes when nothing is being read.
    pub async fn idle(&self) {
        self.0.work.close();
        self.0.work.wait().await;
        self.0.work.reopen();
    }

    /// Whether nothing is being read.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.work.is_empty()
    }

    fn calls(&self) -> Result<&Calls, CallError> {
        self.0.calls.as_ref().ok_or(CallError::NotConfigured)
    }

    fn patience(&self, class: Class) -> Patience {
        Patience {
            class,
            ends: self.0.system.now() + QUESTION_TIME,
        }
    }

    /// Lets one of those who want `what` of `user` at the same time do the `work`, and the others wait for it. It goes on
    /// without them, so that what it has read is kept. Answers whether the caller is the one who did it, too.
    async fn together(
        &self,
        user: &UserId,
        what: &str,
        work: impl FnOnce(Self) -> BoxFuture<'static, Result<(), CallError>>,
    ) -> (Result<(), CallError>, bool) {
        let key = (user.clone(), what.to_owned());
        let start = || work(self.clone());
        let joined = self.0.running.join(key, &self.0.work, start).await;
        let broke_off = Err(CallError::Unavailable { retry_after: None });
        (joined.outcome.unwrap_or(broke_off), joined.is_first)
    }

    fn answer<T>(
        &self,
        account: Account,
        told: T,
        as_of: Timestamp,
        problem: Option<CallError>,
    ) -> Answer<T> {
        Answer {
            told,
            profile_url: self.profile_url(&account.username),
            username: account.username,
            verified: account.verified,
            as_of,
            problem,
        }
    }
}

/// `base` with `segments` appended to its path, the way Last.fm writes names: a blank is a plus.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // A base that cannot have a path does not get past the configuration.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        path.extend(
            segments
                .iter()
                .map(|segment| segment.replace('+', "%2B").replace(' ', "+")),
        );
    }
    url
}

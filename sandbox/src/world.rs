//! The data model: everything the sandbox remembers, and the one lock's worth of state behind its HTTP face.

use std::collections::{BTreeMap, HashMap};

use crate::catalog::{Catalog, Track};
use crate::server::Clock;

mod apps;
mod demo;
mod faults;
mod journal;
mod lastfm;
mod limits;
mod playlists;
mod random;
mod settings;
mod tokens;
mod users;

pub use apps::{App, Mode};
pub use demo::{DEMO_APP, DemoApp, OWN_APP};
pub(crate) use faults::When;
pub use faults::{Fault, FaultKind, Matcher};
pub use journal::Seen;
pub use lastfm::{
    BadPeriod, DEMO_LASTFM, DemoLastfm, Escaping, KeyOrder, Lastfm, LastfmSettings, ListShape, Listener,
    MeterCount, MeterRule, OverCap, Pictures, Play, Song, Transport, WindowEdges,
};
pub(crate) use lastfm::{Counted, Kind, LoginRefusal};
pub(crate) use limits::Refusal as LimitRefusal;
pub use limits::{Bucket, RateLimit};
pub(crate) use playlists::{Details, WriteError};
pub use playlists::{Playlist, PlaylistRow};
pub(crate) use random::Random;
pub use settings::{FixedFlag, ItemNames, LongQuery, NotRegistered, Rotation, Settings, SpentToken};
pub(crate) use tokens::{Approval, CodeExchange, Issued, RefreshField, TokenRefusal};
pub use tokens::{GrantView, TokenPair};
pub use users::User;

/// A change to the world that the real dashboard would not let anybody make.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// No app has this client id.
    #[error("there is no app {0}")]
    NoSuchApp(String),
    /// Nobody has this id.
    #[error("there is no user {0}")]
    NoSuchUser(String),
    /// The id is in use.
    #[error("{0} is taken")]
    Taken(String),
    /// A development-mode app has five places, the owner's among them.
    #[error("app {0} already has its five users")]
    AllowListFull(String),
    /// The shape is wrong; the text says what of.
    #[error("{0}")]
    Malformed(String),
}

/// The state of one sandbox. Reached through [`crate::Sandbox::world`]; the control face calls the same methods.
pub struct World {
    /// How it behaves where the real one is undocumented, or where a test wants it worse.
    pub settings: Settings,
    /// Last.fm's side: who listens to what, sessions, the meter.
    pub lastfm: Lastfm,
    base_url: String,
    clock: Clock,
    offset_ms: i64,
    random: Random,
    catalog: Catalog,
    default_mode: Mode,
    apps: BTreeMap<String, App>,
    users: BTreeMap<String, User>,
    tokens: tokens::Tokens,
    /// Browser sessions of the consent page: cookie value to user id.
    sessions: HashMap<String, String>,
    playlists: BTreeMap<String, Playlist>,
    faults: faults::Faults,
    limits: limits::Limits,
    journal: journal::Journal,
}

impl World {
    pub(crate) fn new(base_url: String, clock: Clock, seed: u64, catalog: Catalog, mode: Mode) -> Self {
        let mut world = Self {
            settings: Settings::default(),
            lastfm: Lastfm::new(seed),
            base_url,
            clock,
            offset_ms: 0,
            random: Random::new(seed),
            catalog,
            default_mode: mode,
            apps: BTreeMap::new(),
            users: BTreeMap::new(),
            tokens: tokens::Tokens::default(),
            sessions: HashMap::new(),
            playlists: BTreeMap::new(),
            faults: faults::Faults::default(),
            limits: limits::Limits::default(),
            journal: journal::Journal::default(),
        };
        demo::furnish(&mut world);
        let now_s = world.now_s();
        lastfm::furnish(&mut world.lastfm, &world.catalog, now_s);
        world
    }

    /// The sandbox's own clock: epoch milliseconds, moved by [`World::advance_ms`].
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        (self.clock)() + self.offset_ms
    }

    /// The same in UNIX seconds, as Last.fm counts.
    #[must_use]
    pub fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Time travel: everything that expires sees the new time at once.
    pub fn advance_ms(&mut self, by_ms: i64) {
        self.offset_ms += by_ms;
    }

    /// Where the sandbox is reached, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The tracks that exist.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Adds a track.
    ///
    /// # Errors
    /// [`Refused::Malformed`] with the rule of [`Catalog::add`] that it breaks.
    pub fn add_track(&mut self, track: Track) -> Result<(), Refused> {
        self.catalog.add(track).map_err(Refused::Malformed)
    }

    /// Makes a track vanish; playlists keep a row for it whose item is null. Answers whether it was there.
    pub fn remove_track(&mut self, id: &str) -> bool {
        self.catalog.remove(id).is_some()
    }

    /// A new browser session for the consent page.
    pub(crate) fn sign_in(&mut self, user: &str) -> String {
        let session = self.random.base62(32);
        self.sessions.insert(session.clone(), user.to_owned());
        session
    }

    pub(crate) fn signed_in(&self, session: &str) -> Option<&User> {
        self.sessions.get(session).and_then(|id| self.users.get(id))
    }
}

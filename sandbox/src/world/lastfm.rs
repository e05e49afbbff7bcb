//! Last.fm's part of the world: who listens to what, which applications may ask, and how often they have.
//!
//! Everything here is told the time where it needs it, in UNIX seconds as Last.fm counts; [`World::now_ms`] is the
//! clock. A play of the future stays unseen until the clock has reached it.
//!
//! [`World::now_ms`]: super::World::now_ms

use std::collections::{BTreeMap, HashMap};

use super::Refused;
use super::random::Random;

mod counts;
mod demo;
mod listeners;
mod meter;
mod sessions;
mod settings;

pub(crate) use counts::{Counted, Kind};
pub(super) use demo::furnish;
pub use demo::{DEMO_LASTFM, DemoLastfm};
pub use listeners::{Listener, Play, Song};
pub use meter::MeterCount;
pub(crate) use sessions::TokenRefusal as LoginRefusal;
pub use settings::{
    BadPeriod, Escaping, KeyOrder, LastfmSettings, ListShape, MeterRule, OverCap, Pictures, Transport,
    WindowEdges,
};

/// An application's account with the API.
struct Key {
    /// What the journal calls it; the key itself is not written there.
    label: String,
    secret: String,
    suspended: bool,
}

/// Listeners, applications, sessions and the meter. Reached as [`super::World::lastfm`].
pub struct Lastfm {
    /// Its own, so that what happens here does not change what ids the Spotify side gives out.
    random: Random,
    /// By name in lower case, which is how they are looked up.
    listeners: BTreeMap<String, Listener>,
    keys: BTreeMap<String, Key>,
    tokens: HashMap<String, sessions::Token>,
    sessions: HashMap<String, sessions::Session>,
    meter: meter::Meter,
}

impl Lastfm {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            // Any other constant would do: the two generators only must not run in step.
            random: Random::new(seed ^ 0x1a57_f00d),
            listeners: BTreeMap::new(),
            keys: BTreeMap::new(),
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            meter: meter::Meter::default(),
        }
    }

    /// Registers an application: its key and shared secret, and what the journal calls it.
    ///
    /// # Errors
    /// The key is empty or taken.
    pub fn add_key(&mut self, api_key: &str, secret: &str, label: &str) -> Result<(), Refused> {
        if api_key.is_empty() {
            return Err(Refused::Malformed("the API key is empty".to_owned()));
        }
        if self.keys.contains_key(api_key) {
            return Err(Refused::Taken(api_key.to_owned()));
        }
        let key = Key {
            label: label.to_owned(),
            secret: secret.to_owned(),
            suspended: false,
        };
        self.keys.insert(api_key.to_owned(), key);
        Ok(())
    }

    /// Suspends an application, or lets it ask again: while suspended, every call is answered error 26.
    ///
    /// # Errors
    /// No such key.
    pub fn suspend_key(&mut self, api_key: &str, suspended: bool) -> Result<(), Refused> {
        self.keys
            .get_mut(api_key)
            .ok_or_else(|| Refused::NoSuchApp(api_key.to_owned()))?
            .suspended = suspended;
        Ok(())
    }

    /// What the journal calls an application; `None` if there is none with this key.
    pub(crate) fn label(&self, api_key: &str) -> Option<&str> {
        self.keys.get(api_key).map(|key| key.label.as_str())
    }

    pub(crate) fn secret(&self, api_key: &str) -> Option<&str> {
        self.keys.get(api_key).map(|key| key.secret.as_str())
    }

    pub(crate) fn is_suspended(&self, api_key: &str) -> bool {
        self.keys.get(api_key).is_some_and(|key| key.suspended)
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.random.below(1000) < u64::from(per_mille)
    }

    /// The randomness for the order of one answer's keys.
    pub(crate) fn order(&mut self) -> Random {
        Random::new(self.random.next())
    }
}

//! A whole service per test: its own sandbox, its own database in memory, a stopped clock, seeded entropy.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::Router;
use patchbay::{
    app::{App, Ports},
    config::Config,
    ids::{Slot, UserId},
    providers::Internet,
    store::{SqliteStore, Store, StoredGrant, UserDocument},
    system::System,
};
use sandbox::{DEMO_APP, DEMO_LASTFM, Options, Sandbox};

use super::{browser::Browser, clock::ManualClock, entropy::SeededEntropy};

/// Where the host application would be; nothing listens there.
pub const APP_URL: &str = "http://127.0.0.1:8787";

/// 32 bytes of nothing in particular.
pub const KEY_RING: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A JWT key that is long enough and good for nothing.
pub const JWT_SECRET: &str = "an-hs256-key-for-the-tests-and-nothing-else";

/// The sweep's password.
pub const CRON_SECRET: &str = "a-cron-secret-for-the-tests";

/// A running service and what surrounds it.
pub struct TestApp {
    pub app: App,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    pub sandbox: Sandbox,
}

/// What a test wants different.
#[derive(Default)]
pub struct Setup {
    variables: HashMap<&'static str, String>,
    store: Option<Arc<dyn Store>>,
    clock: Option<Arc<ManualClock>>,
    sandbox: Option<Sandbox>,
    seed: u64,
}

impl Setup {
    /// Sets a variable; an empty value unsets it.
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.insert(name, value.into());
        self
    }

    /// Talks to `sandbox`.
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// Keeps documents in `store`.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Runs on `clock`.
    pub fn clock(mut self, clock: Arc<ManualClock>) -> Self {
        self.clock = Some(clock);
        self
    }

    pub async fn start(self) -> TestApp {
        let clock = self.clock.unwrap_or_default();
        let sandbox = match self.sandbox {
            Some(sandbox) => sandbox,
            None => sandbox_on(clock.clone()).await,
        };
        let mut variables = HashMap::from([
            ("APP_URL", APP_URL.to_owned()),
            ("DATABASE_URL", "sqlite::memory:".to_owned()),
            ("SPOTIFY_ACCOUNTS_URL", sandbox.accounts_url()),
            ("SPOTIFY_API_URL", sandbox.api_url()),
            ("SPOTIFY_CLIENT_ID", DEMO_APP.client_id.to_owned()),
            ("SPOTIFY_CLIENT_SECRET", DEMO_APP.client_secret.to_owned()),
            ("LASTFM_API_URL", sandbox.lastfm_api_url()),
            ("LASTFM_SITE_URL", sandbox.lastfm_site_url()),
            ("LASTFM_API_KEY", DEMO_LASTFM.api_key.to_owned()),
            ("LASTFM_SHARED_SECRET", DEMO_LASTFM.shared_secret.to_owned()),
            ("SPOTIFY_USER_SECRET_KEY", KEY_RING.to_owned()),
            ("AUTH_JWT_SECRET", JWT_SECRET.to_owned()),
            ("LOCAL_SIGN_IN", "on".to_owned()),
            ("CRON_SECRET", CRON_SECRET.to_owned()),
        ]);
        variables.extend(self.variables);
        let config =
            Config::parse(|name| variables.get(name).cloned()).expect("the test's variables are fine");
        let store = self.store.unwrap_or_else(|| {
            let store = SqliteStore::in_memory().expect("memory is always there");
            Arc::new(store.with_clock(clock.clone()))
        });
        let system = System {
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(self.seed)),
        };
        let ports = Ports {
            store: store.clone(),
            transport: Arc::new(Internet::default()),
            system,
        };
        let app = App::over(ports, config, None);
        TestApp {
            router: app.router(),
            app,
            clock,
            store,
            sandbox,
        }
    }
}

async fn sandbox_on(clock: Arc<ManualClock>) -> Sandbox {
    let options = Options {
        auto_approve: true,
        clock: Arc::new(move || clock.now_ms()),
        seed: 7,
        ..Options::default()
    };
    Sandbox::start(options)
        .await
        .expect("a sandbox starts on any free port")
}

/// The id of who signs in locally by this name.
pub fn local_user(name: &str) -> UserId {
    format!("local:{name}").parse().expect("a user id")
}

impl TestApp {
    /// The usual service.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// A browser that nobody is signed in with.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser with a fresh local sign-in.
    pub async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        browser
            .post("/api/session", serde_json::json!({"name": name}))
            .await
            .expect(200);
        browser
    }

    /// A browser whose person has connected through the operator's app.
    pub async fn connected(&self, name: &str) -> Browser {
        let mut browser = self.signed_in(name).await;
        browser.connect("/api/spotify/auth-url").await;
        browser
    }

    /// The same service, with the sandbox that it was pointed at.
    pub fn with_sandbox(self, sandbox: Sandbox) -> Self {
        Self { sandbox, ..self }
    }

    /// Moves the service's and the sandbox's time.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Another process of the same deployment: the same database and time, its own chance, and its own provider
    /// unless it is given this one's.
    pub fn another_process(&self) -> Setup {
        Setup {
            seed: 2,
            ..Setup::default()
        }
        .store(self.store.clone())
        .clock(self.clock.clone())
    }

    /// What is stored of who signs in locally by this name.
    pub async fn document(&self, name: &str) -> UserDocument {
        self.store
            .find_user(&local_user(name))
            .await
            .expect("the store works")
    }

    /// Their grant through the operator's app.
    pub async fn grant(&self, name: &str) -> StoredGrant {
        let mut document = self.document(name).await;
        document
            .integrations
            .remove(&Slot::Spotify)
            .expect("something is connected")
    }

    /// How often a token was renewed, or was to be.
    pub fn renewals(&self) -> usize {
        self.sandbox.world().count_grant_type("refresh_token")
    }
}

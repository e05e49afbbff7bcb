//! The first run: no Spotify app, no keys, no database to install. A sandbox fills every gap, Last.fm's too.

use std::{collections::HashMap, net::SocketAddr};

use patchbay::{
    http::{Demo, DemoAccount, DemoApp},
    secret::Secret as _,
    system::RealEntropy,
    vault::KeyRing,
};
use sandbox::{DEMO_APP, DEMO_LASTFM, OWN_APP, Options, Sandbox};

use super::{Environment, Failure};

/// A sandbox that runs, and what it makes of the configuration.
pub(crate) struct FirstRun {
    /// Runs until it is dropped.
    pub(crate) sandbox: Sandbox,
    /// What the page tells the newcomer.
    pub(crate) demo: Demo,
    /// Whether documents outlive it, in a database of the newcomer's.
    pub(crate) keeps_documents: bool,
    overlay: HashMap<&'static str, String>,
}

impl FirstRun {
    /// Starts a sandbox for a service that listens on `address`.
    pub(crate) async fn start(address: SocketAddr, environment: &Environment) -> Result<Self, Failure> {
        // The next port, so that its address is easy to guess; any other when that one is taken.
        let beside = Options {
            port: address.port().saturating_add(1),
            ..Options::default()
        };
        let sandbox = match Sandbox::start(beside).await {
            Ok(sandbox) => sandbox,
            Err(_) => Sandbox::start(Options::default()).await?,
        };
        // Nobody's browser is to look for made-up pictures where the real ones are.
        sandbox.world().settings.lastfm.covers = false;
        let (_, ring) = KeyRing::generate(&RealEntropy);
        let mut overlay = HashMap::from([
            ("APP_URL", format!("http://{address}")),
            ("PORT", address.port().to_string()),
            ("SPOTIFY_ACCOUNTS_URL", sandbox.accounts_url()),
            ("SPOTIFY_API_URL", sandbox.api_url()),
            ("SPOTIFY_CLIENT_ID", DEMO_APP.client_id.to_owned()),
            ("SPOTIFY_CLIENT_SECRET", DEMO_APP.client_secret.to_owned()),
            ("SPOTIFY_USER_SECRET_KEY", ring.expose().to_owned()),
            // The sandbox forgets everything when it ends; a database that did not would be full of dead grants.
            ("DATABASE_URL", "sqlite::memory:".to_owned()),
            ("LOCAL_SIGN_IN", "on".to_owned()),
        ]);
        // Who has a key to the real Last.fm reads there, and does not send it to a sandbox.
        let plays_lastfm = environment.get("LASTFM_API_KEY").is_none();
        if plays_lastfm {
            overlay.extend([
                ("LASTFM_API_URL", sandbox.lastfm_api_url()),
                ("LASTFM_SITE_URL", sandbox.lastfm_site_url()),
                ("LASTFM_API_KEY", DEMO_LASTFM.api_key.to_owned()),
                ("LASTFM_SHARED_SECRET", DEMO_LASTFM.shared_secret.to_owned()),
            ]);
        }
        let own_app = DemoApp {
            client_id: OWN_APP.client_id.to_owned(),
            client_secret: OWN_APP.client_secret.to_owned(),
        };
        let demo = Demo {
            sandbox_url: sandbox.url().to_owned(),
            own_app,
            lastfm: plays_lastfm.then(|| DemoAccount {
                username: DEMO_LASTFM.username.to_owned(),
            }),
        };
        Ok(Self {
            sandbox,
            demo,
            keeps_documents: ["DATABASE_URL", "MONGODB_URI"]
                .iter()
                .any(|name| environment.get(name).is_some()),
            overlay,
        })
    }

    /// What fills the gap that the environment leaves at `name`.
    pub(crate) fn fill(&self, name: &str) -> Option<String> {
        self.overlay.get(name).cloned()
    }
}

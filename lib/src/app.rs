//! The service, put together: the one file that knows every room and picks the engine.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;
use url::Url;

use crate::{
    config::{Config, ConfigErrors, LocalSignIn},
    connect::{self, Connector},
    export::{Exporter, OwnerAccount},
    grants::Grants,
    http::{
        self, Demo, Pass, Readiness, Services,
        caller::{Callers, JwksSource},
    },
    limits::{self, Pace, Pacer},
    listening::Listening,
    metrics::Metrics,
    providers::{HttpClient, Internet, Limits, Transport, lastfm::Lastfm, spotify::Spotify},
    store::{BoxError, Store, StoreError},
    system::System,
    vault::Vault,
};

/// The service, ready to answer.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The database is not usable.
    #[error("the database cannot be opened; check DATABASE_URL: {0}")]
    Store(#[from] StoreError),
}

/// Everything that the service reaches outside of its process, as ports: a test brings its own.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The database, open.
    pub store: Arc<dyn Store>,
    /// The way to the providers.
    pub transport: Arc<dyn Transport>,
    /// Time and chance.
    pub system: System,
}

impl App {
    /// The service that `config` describes, on this clock and entropy.
    ///
    /// # Errors
    /// [`StartError::Store`] when the database cannot be opened.
    pub fn new(config: Config, system: System, demo: Option<Demo>) -> Result<Self, StartError> {
        let ports = Ports {
            store: config.database.open()?,
            transport: Arc::new(Internet::default()),
            system: system.clone(),
        };
        // No other process can see such a database, so what would be shared through it need not be there.
        let is_alone = config.database.is_in_memory();
        let pacer = move |pace, store| {
            if is_alone {
                Pacer::alone(pace, system.clone())
            } else {
                Pacer::new(pace, store, system.clone())
            }
        };
        Ok(Self::with(ports, config, demo, pacer))
    }

    /// The service over these ports; which database `config` names does not matter then.
    #[must_use]
    pub fn over(ports: Ports, config: Config, demo: Option<Demo>) -> Self {
        let system = ports.system.clone();
        Self::with(ports, config, demo, |pace, store| {
            Pacer::new(pace, store, system.clone())
        })
    }

    fn with(
        ports: Ports,
        config: Config,
        demo: Option<Demo>,
        pacer: impl Fn(Pace, Arc<dyn Store>) -> Pacer,
    ) -> Self {
        let Ports {
            store,
            transport,
            system,
        } = ports;
        let vault = Vault::new(config.key_ring, system.entropy.clone());
        let vault = match &config.state_secret {
            Some(secret) => vault.with_state_secret(secret),
            None => vault,
        };
        let vault = Arc::new(vault);
        let client = HttpClient::new(transport, system.clone());
        let spotify = Spotify::new(&client, &config.spotify.accounts_url, &config.spotify.api_url);
        let metrics = Metrics::new();
        let grants = Grants::new(
            store.clone(),
            vault.clone(),
            spotify.clone(),
            system.clone(),
            config.spotify.app.clone(),
            config.refresh_margin,
            metrics.clone(),
        );
        let lastfm = config.lastfm;
        let client_of = |credentials| Lastfm::new(&client, &lastfm.api_url, &lastfm.site_url, credentials);
        let listening = Listening::new(
            lastfm.credentials.map(client_of),
            pacer(limits::LASTFM, store.clone()),
            store.clone(),
            vault.clone(),
            system.clone(),
            metrics.clone(),
            (lastfm.site_url.clone(), lastfm.stored_bytes_max),
        );
        let connector = Connector::new(
            grants.clone(),
            vault.clone(),
            spotify.clone(),
            listening.clone(),
            system.clone(),
            connect::Settings {
                operator_app: config.spotify.app.clone(),
                redirect_uri: config.spotify.redirect_uri,
                scopes: config.spotify.scopes,
                app_url: config.app_url.clone(),
            },
        );
        let owner = config
            .spotify
            .owner
            .zip(config.spotify.app)
            .map(|(owner, app)| OwnerAccount {
                app,
                refresh_token: owner.refresh_token,
                account_id: owner.owner_id,
                open_to_bearers: owner.anyone,
            });
        let turns = Arc::new(pacer(limits::SPOTIFY, store.clone()));
        let exporter = Exporter::new(
            &store,
            grants.clone(),
            &spotify,
            turns,
            &system,
            owner,
            metrics.clone(),
        );
        let jwks = config.auth.jwks_url.clone().map(|url| -> Arc<dyn JwksSource> {
            Arc::new(JwksOver {
                client: client.clone(),
                url,
            })
        });
        let origins = config.allowed_origins;
        let callers = Callers::new(&config.auth, &config.app_url, &origins, vault, jwks);
        let settings = http::Settings {
            app_url: config.app_url,
            allowed_origins: origins,
            local_sign_in: config.auth.local_sign_in != LocalSignIn::Off,
            cron_secret: config.cron_secret,
            admin_token: config.admin_token,
            demo,
        };
        let services = Services {
            callers,
            connector,
            grants,
            exporter,
            listening,
            store,
            metrics,
            readiness: Readiness::default(),
            system,
            settings,
        };
        Self {
            services: Arc::new(services),
        }
    }

    /// The whole API as a router.
    pub fn router(&self) -> Router {
        http::router(&self.services)
    }

    /// One pass of everything that happens without anybody asking: see [`Services::pass`].
    ///
    /// # Errors
    /// [`StoreError`] when what is due cannot be read.
    pub async fn pass(&self, time: Duration) -> Result<Pass, StoreError> {
        self.services.pass(time).await
    }

    /// Whether nothing is under way: no renewal, no token that waits to be written, no export.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.services.exporter.is_idle()
            && self.services.grants.is_idle()
            && self.services.listening.is_idle()
    }

    /// Whether an export is run here.
    #[must_use]
    pub fn is_exporting(&self) -> bool {
        !self.services.exporter.is_idle()
    }

    /// Completes when nothing is under way; see [`Grants::idle`].
    pub async fn idle(&self) {
        // Exports first: they begin renewals.
        self.services.exporter.idle().await;
        self.services.grants.idle().await;
        self.services.listening.idle().await;
    }

    /// Lets exports end at their next call, written down, so that whoever comes next goes on at once.
    pub fn wind_down(&self) {
        self.services.exporter.stop();
    }

    /// The grants, for tests of the protocol.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.services.grants
    }

    /// What opens connections, for the same tests.
    #[must_use]
    pub fn connector(&self) -> &Connector {
        &self.services.connector
    }
}

/// The identity provider's keys, fetched like everything else from outside.
#[derive(Debug)]
struct JwksOver {
    client: HttpClient,
    url: Url,
}

/// A key set is a few kilobytes, and a request waits for it.
const JWKS_LIMITS: Limits = Limits {
    timeout: Duration::from_secs(5),
    body_bytes_max: 256 * 1024,
};

#[async_trait]
impl JwksSource for JwksOver {
    async fn fetch(&self) -> Result<String, BoxError> {
        let request = ::http::Request::get(self.url.as_str()).body(Vec::new())?;
        let answer = self.client.send(request, JWKS_LIMITS).await?;
        if !answer.status.is_success() {
            return Err(format!("the key set's address answers {}", answer.status).into());
        }
        Ok(String::from_utf8(answer.body)?)
    }
}

//! The front door: one file per route, who is calling, and the one place where errors become answers.
//!
//! The files follow the paths: `GET /api/spotify/status` is `http/spotify/status.rs`. A handler extracts, calls one
//! room, and responds.

mod body;
pub mod caller;
mod coming_back;
mod connections;
mod cookies;
mod cron;
mod envelope;
mod extract;
mod health;
mod lastfm;
mod me;
mod metrics;
mod operator;
mod playlist;
mod problem;
mod session;
mod spotify;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use self::caller::Callers;
pub use self::{cron::Pass, health::Readiness};
use crate::{
    config::Origin, connect::Connector, export::Exporter, grants::Grants, listening::Listening,
    metrics::Metrics, secret::Passphrase, store::Store, system::System,
};

/// Everything that a route may use.
#[derive(Debug)]
pub struct Services {
    /// Who is calling.
    pub callers: Callers,
    /// Opening and finishing connections.
    pub connector: Connector,
    /// Live tokens and the truth about them.
    pub grants: Grants,
    /// Songs into playlists.
    pub exporter: Exporter,
    /// What people listen to.
    pub listening: Listening,
    /// For `/health` and for forgetting people; the rooms have their own.
    pub store: Arc<dyn Store>,
    /// What has been counted.
    pub metrics: Metrics,
    /// What `/health` said last.
    pub readiness: Readiness,
    /// Time and chance.
    pub system: System,
    /// What the operator has decided about the front door.
    pub settings: Settings,
}

/// What the operator has decided about the front door.
#[derive(Debug)]
pub struct Settings {
    /// Our own public origin: where people come back to, and whether cookies are `Secure`.
    pub app_url: Url,
    /// Origins, beside our own, whose pages may call.
    pub allowed_origins: Vec<Origin>,
    /// Whether people may just say who they are.
    pub local_sign_in: bool,
    /// Opens the sweep; without one it stays shut.
    pub cron_secret: Option<Passphrase>,
    /// Opens what only the operator may see; without one it stays shut.
    pub admin_token: Option<Passphrase>,
    /// The sandbox that a newcomer's first run brings along.
    pub demo: Option<Demo>,
}

/// What the page tells a newcomer about the sandbox.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demo {
    /// Where the sandbox can be looked at.
    pub sandbox_url: String,
    /// The app to register as "one's own"; public knowledge, good for nothing but the sandbox.
    pub own_app: DemoApp,
    /// The account to link, where the sandbox plays Last.fm, too.
    pub lastfm: Option<DemoAccount>,
}

/// The sandbox's account for trying Last.fm.
#[derive(Clone, Debug, serde::Serialize)]
pub struct DemoAccount {
    /// Its name.
    pub username: String,
}

/// The sandbox's app for trying the own-app flow.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoApp {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

/// What every handler shares.
type Shared = axum::extract::State<Arc<Services>>;

/// The whole API. Every function and the binary serve this one router.
pub fn router(services: &Arc<Services>) -> Router {
    let cors = cors(&services.settings.allowed_origins);
    let router = Router::new()
        .route("/health", get(health::ready))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/api/metrics", get(metrics::get))
        .route(
            "/api/session",
            get(session::get).post(session::post).delete(session::delete),
        )
        .route("/api/me", get(me::get).delete(me::delete))
        .route("/api/spotify/auth-url", get(spotify::auth_url::get))
        .route(
            "/api/spotify/client-credentials",
            post(spotify::client_credentials::post),
        )
        .route("/api/spotify/reconnect-byo", post(spotify::reconnect_byo::post))
        .route("/api/spotify/callback", get(spotify::callback::get))
        .route("/api/spotify/status", get(spotify::status::get))
        .route("/api/spotify/disconnect", post(spotify::disconnect::post))
        .route("/api/spotify/disconnect-byo", post(spotify::disconnect::post_byo))
        .route("/api/lastfm/recent", get(lastfm::recent::get))
        .route("/api/lastfm/top", get(lastfm::top::get))
        .route("/api/lastfm/played", get(lastfm::verify::played))
        .route("/api/lastfm/verify", post(lastfm::verify::post))
        .route("/api/lastfm/auth-url", get(lastfm::auth_url::get))
        .route("/api/lastfm/callback", get(lastfm::callback::get))
        .route(
            "/api/connections/lastfm",
            get(connections::lastfm::get)
                .post(connections::lastfm::post)
                .delete(connections::lastfm::delete),
        )
        .route(
            "/api/playlist/export",
            get(playlist::export::get)
                .post(playlist::export::post)
                .delete(playlist::export::delete),
        )
        .route(
            "/api/playlist/corrections",
            get(playlist::corrections::get)
                .put(playlist::corrections::put)
                .delete(playlist::corrections::delete),
        )
        .route(
            "/api/cron/refresh",
            get(cron::refresh::run).post(cron::refresh::run),
        )
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(Arc::clone(services));
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    // Outermost, so that the answer to a browser's preflight is in it, too.
    envelope::around(router, services)
}

/// Pages of other origins may call where the operator names them, and nowhere else.
fn cors(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER])
        .allow_credentials(true);
    Some(layer)
}

//! The configuration: every variable read once, from a lookup, into types; all problems told together.
//!
//! The lookup is [`environment`] at the two edges and a table in tests. No message holds a value: a problem names the
//! variable and the remedy.

mod addresses;
mod read;
mod reader;
#[cfg(test)]
mod tests;
mod variables;

use std::{net::IpAddr, time::Duration};

use url::Url;

pub use addresses::{AddressFault, Origin, RedirectUriFault, SPOTIFY_CALLBACK_PATH, redirect_uri};
pub use read::PORT_DEFAULT;
pub use reader::{ConfigErrors, Problem};
pub use variables::Variable;

use self::{reader::Reader, variables as var};
use crate::{
    providers::{AppCredentials, lastfm},
    secret::{Passphrase, RefreshToken},
    store::DatabaseUrl,
    vault::KeyRing,
};

/// The whole configuration.
#[derive(Debug)]
pub struct Config {
    /// `HOST`: the address to listen on.
    pub host: IpAddr,
    /// `PORT`: the port to listen on.
    pub port: u16,
    /// `APP_URL`: our own public origin.
    pub app_url: Url,
    /// `DATABASE_URL`: which engine, and where.
    pub database: DatabaseUrl,
    /// `SPOTIFY_USER_SECRET_KEY`: the master keys of the vault.
    pub key_ring: KeyRing,
    /// `SPOTIFY_STATE_SECRET`: signs states in place of the ring.
    pub state_secret: Option<Passphrase>,
    /// Everything about Spotify.
    pub spotify: Spotify,
    /// Everything about Last.fm.
    pub lastfm: Lastfm,
    /// Who may call, and how they prove it.
    pub auth: Auth,
    /// `ALLOWED_ORIGINS`: other origins whose pages may call, besides our own.
    pub allowed_origins: Vec<Origin>,
    /// `CRON_SECRET`: opens the sweep.
    pub cron_secret: Option<Passphrase>,
    /// `ADMIN_TOKEN`: opens the operator's routes.
    pub admin_token: Option<Passphrase>,
    /// `REFRESH_MARGIN_S`: a token with less than this left is renewed.
    pub refresh_margin: Duration,
}

/// What concerns Spotify.
#[derive(Debug)]
pub struct Spotify {
    /// `SPOTIFY_CLIENT_ID`, `SPOTIFY_CLIENT_SECRET`: the operator's app. Without it there is only BYO.
    pub app: Option<AppCredentials>,
    /// `SPOTIFY_REDIRECT_URI`: where the browser comes back to, as registered in every app, BYO ones too.
    pub redirect_uri: Url,
    /// `SPOTIFY_SCOPES`: what is asked for.
    pub scopes: Vec<String>,
    /// `SPOTIFY_ACCOUNTS_URL`: the accounts service.
    pub accounts_url: Url,
    /// `SPOTIFY_API_URL`: the Web API, with its `/v1`.
    pub api_url: Url,
    /// `SPOTIFY_PLAYLIST_REFRESH_TOKEN`, `SPOTIFY_PLAYLIST_OWNER_ID` and `SPOTIFY_PLAYLIST_FOR`: the operator's own account, for exports of
    /// people who have none connected.
    pub owner: Option<Owner>,
}

/// The operator's own Spotify account.
#[derive(Debug)]
pub struct Owner {
    /// Its refresh token, got through the operator's app.
    pub refresh_token: RefreshToken,
    /// Its Spotify user id.
    pub owner_id: String,
    /// `SPOTIFY_PLAYLIST_FOR`: whether callers who are not signed in may export to it, too.
    pub anyone: bool,
}

/// What concerns Last.fm.
#[derive(Debug)]
pub struct Lastfm {
    /// `LASTFM_API_KEY`, `LASTFM_SHARED_SECRET`: the operator's account with its API. Without it there is no Last.fm.
    pub credentials: Option<lastfm::Credentials>,
    /// `LASTFM_API_URL`: the API, with its `/2.0/`.
    pub api_url: Url,
    /// `LASTFM_SITE_URL`: where people say that an account is theirs; ends with a slash.
    pub site_url: Url,
    /// `LASTFM_STORED_MB_MAX`: how many bytes of what Last.fm told are kept, of all people together.
    pub stored_bytes_max: u64,
}

/// How callers prove who they are.
#[derive(Debug)]
pub struct Auth {
    /// `AUTH_JWT_SECRET`: the key of HS256 tokens.
    pub jwt_secret: Option<Passphrase>,
    /// `AUTH_JWKS_URL`: where the public keys of the other algorithms are.
    pub jwks_url: Option<Url>,
    /// `AUTH_ISSUER`: the `iss` that tokens must have. Always there beside a JWKS address.
    pub issuer: Option<String>,
    /// `AUTH_AUDIENCE`: the `aud` that tokens must have. Always there beside a JWKS address.
    pub audience: Option<String>,
    /// `LOCAL_SIGN_IN`: whether people may just say who they are.
    pub local_sign_in: LocalSignIn,
}

/// Whether people may just say who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalSignIn {
    /// No.
    #[default]
    Off,
    /// Yes, because only this machine can reach the service.
    On,
    /// Yes, because the operator trusts everybody who can reach the service.
    TrustedNetwork,
}

impl Config {
    /// Every variable that [`parse`](Self::parse) reads, in the order of `.env.example`.
    pub const VARIABLES: &[Variable] = var::ALL;

    /// Whether nothing says which Spotify to use, on a machine of one's own: the binary then brings a sandbox and
    /// fills the other gaps before it calls [`parse`](Self::parse).
    pub fn wants_demo(lookup: impl Fn(&str) -> Option<String>) -> bool {
        let reader = Reader::new(&lookup);
        let chosen = [
            var::SPOTIFY_CLIENT_ID,
            var::SPOTIFY_ACCOUNTS_URL,
            var::SPOTIFY_API_URL,
        ];
        !chosen.into_iter().any(|variable| reader.is_set(variable)) && !read::is_deployed(&reader)
    }

    /// Reads the configuration. Blanks around a value are dropped, an empty value counts as none.
    ///
    /// # Errors
    ///
    /// Every problem there is, not just the first.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(&lookup);
        let config = read::config(&mut reader);
        reader.finish(config)
    }
}

/// The lookup in the process environment; a value that is no text counts as none.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the lookup that everything else is given"
)]
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

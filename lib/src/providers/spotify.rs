//! Spotify: where consent is given, the token endpoint, and the few calls of the Web API that patchbay makes.
//!
//! Facts and their sources: Spotify's developer pages as of November 2026, named at each rule. Old and new field
//! names are both understood, because their roll-out is uneven.

mod error;
mod web_api;
mod wire;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

pub use error::{ApiError, Forbidden};
pub use web_api::{CALL_TIMEOUT, WebApi};
pub use wire::{ListedPlaylist, NewPlaylist, Playlist, Profile, Track};

use super::{HttpClient, TokenEndpoint, rules};
use crate::{
    secret::{ClientId, CodeVerifier, Secret as _},
    system::Entropy,
};

/// One playlist takes 10 000 items (documented; 11 000 were seen, and then 500s).
pub const PLAYLIST_ITEMS_MAX: usize = 10_000;

/// One call adds at most 100 items (reference: add-items-to-playlist).
pub const ITEMS_PER_CALL_MAX: usize = 100;

/// Spotify, as one app or another sees it.
#[derive(Clone, Debug)]
pub struct Spotify {
    authorize: Url,
    /// The token endpoint.
    pub tokens: TokenEndpoint,
    /// The Web API.
    pub web_api: WebApi,
}

/// What the consent page is asked for.
#[derive(Debug)]
pub struct Authorize<'a> {
    /// The app that asks.
    pub client_id: &'a ClientId,
    /// Where the answer goes; must be registered with the app to the byte.
    pub redirect_uri: &'a Url,
    /// What is asked for.
    pub scopes: &'a [String],
    /// What comes back unchanged.
    pub state: &'a str,
    /// Whose hash goes along (RFC 7636 §4.2).
    pub verifier: &'a CodeVerifier,
    /// Show the page even to somebody who agreed before. Only that surely restarts the six months.
    pub show_dialog: bool,
}

impl Spotify {
    /// Spotify at these two addresses: the accounts service (without a path) and the Web API (with its `/v1`).
    #[must_use]
    pub fn new(http: &HttpClient, accounts: &Url, api: &Url) -> Self {
        Self {
            authorize: below(accounts, &["authorize"]),
            tokens: TokenEndpoint::new(http.clone(), below(accounts, &["api", "token"]), &rules::SPOTIFY),
            web_api: WebApi::new(http.clone(), api.clone()),
        }
    }

    /// The address of the consent page (reference: code-flow, code-pkce-flow).
    #[must_use]
    pub fn authorize_url(&self, ask: &Authorize<'_>) -> Url {
        let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&oauth2::PkceCodeVerifier::new(
            ask.verifier.expose().to_owned(),
        ));
        let mut url = self.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", ask.client_id.expose())
            .append_pair("redirect_uri", ask.redirect_uri.as_str())
            .append_pair("scope", &ask.scopes.join(" "))
            .append_pair("state", ask.state)
            .append_pair("code_challenge_method", "S256")
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("show_dialog", if ask.show_dialog { "true" } else { "false" });
        url
    }
}

/// A fresh PKCE verifier: 32 random bytes as 43 characters (RFC 7636 §4.1 recommends just this).
#[must_use]
pub fn code_verifier(entropy: &dyn Entropy) -> CodeVerifier {
    CodeVerifier::from_plain(BASE64_URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
}

/// `base` with `segments` appended to its path, each percent-encoded.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // A base that cannot have a path (`mailto:`) does not get past the configuration; it would stay as it is here.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

//! Starting and finishing an authorization: signed state, PKCE, the browser it belongs to, and whose account it is.
//!
//! What a start leaves behind is one pending record in the user's document. What finishes it has to bring the state
//! that names the record, the cookie of the browser that started it, and a code that the provider takes; the record
//! matches nothing any more before the code is used, so nothing works twice, and has to be there still at the end, so
//! that whoever disconnects or is erased meanwhile stays so.

mod doctor;
mod finish;
mod ladder;
mod link;
mod start;
mod state;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

pub use doctor::{Finding, FindingCode};
pub use finish::{Callback, Refusal};
pub use ladder::{Arrival, FinishError, Finished};
pub use link::{LinkCallback, LinkError};
pub use start::{InvalidReturnTo, OwnApp, StartError, StartOptions, Started};
pub use state::Flow;

use crate::{
    grants::Grants,
    listening::Listening,
    providers::{AppCredentials, spotify::Spotify},
    secret::{BrowserBinding, Secret as _},
    system::System,
    vault::Vault,
};

/// How long a person may take on the consent page. Spotify's own code lives about as long.
pub const PENDING_LIFE: Duration = Duration::from_mins(10);

/// Opens and closes connections.
#[derive(Clone, Debug)]
pub struct Connector {
    grants: Grants,
    vault: Arc<Vault>,
    spotify: Spotify,
    listening: Listening,
    system: System,
    settings: Settings,
}

/// What the operator has decided about connecting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The app behind the standard flow, if there is one.
    pub operator_app: Option<AppCredentials>,
    /// Where Spotify sends people back to; registered with every app, to the byte.
    pub redirect_uri: Url,
    /// What people are asked for, unless they register an app for less.
    pub scopes: Vec<String>,
    /// The host application: return paths stay inside it.
    pub app_url: Url,
}

impl Connector {
    /// A connector that keeps its pending records and grants through `grants`.
    #[must_use]
    pub fn new(
        grants: Grants,
        vault: Arc<Vault>,
        spotify: Spotify,
        listening: Listening,
        system: System,
        settings: Settings,
    ) -> Self {
        Self {
            grants,
            vault,
            spotify,
            listening,
            system,
            settings,
        }
    }

    /// What the operator has decided about connecting.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// What is stored of something that only its bearer may know.
fn fingerprint(value: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(value))
}

/// Whether `value` is what `stored` is the fingerprint of, in constant time.
fn matches(stored: &str, value: &str) -> bool {
    stored.as_bytes().ct_eq(fingerprint(value).as_bytes()).into()
}

/// A fresh value for the cookie that ties an authorization to the browser that started it.
fn browser_binding(system: &System) -> BrowserBinding {
    BrowserBinding::from_plain(BASE64_URL_SAFE_NO_PAD.encode(system.entropy.bytes::<32>()))
}

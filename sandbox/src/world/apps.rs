//! Apps as the developer dashboard keeps them: credentials, redirect URIs, mode, owner, allow-list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Refused, World};

/// Users a development-mode app may have, its owner among them (reference: §9.2).
const DEVELOPMENT_USERS_MAX: usize = 5;

/// Which set of rules Spotify applies to an app (reference: §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Every app of an ordinary developer since 2026: allow-list, owner's Premium, fewer endpoints and fields.
    #[default]
    Development,
    /// The old, wide API, granted to large organisations.
    Extended,
}

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "development" => Ok(Self::Development),
            "extended" => Ok(Self::Extended),
            _ => Err(format!("{text:?} is neither development nor extended")),
        }
    }
}

/// One app of the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// 32 hex characters. Left empty, [`World::add_app`] makes one up.
    #[serde(default)]
    pub client_id: String,
    /// Absent for an app that only ever uses PKCE.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// What the consent page calls it.
    #[serde(default)]
    pub name: String,
    /// Registered redirect URIs; a loopback IP literal without a port matches every port.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Absent: the mode the sandbox was started with.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// User id of the developer account: its Premium counts, and its quota.
    pub owner: String,
    /// User ids of the allow-list.
    #[serde(default)]
    pub allowed: BTreeSet<String>,
}

impl App {
    /// An app of `owner` with a secret of eight times `5ec7`, and the demo callback on any loopback port.
    #[must_use]
    pub fn new(client_id: &str, owner: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: Some("5ec7".repeat(8)),
            name: format!("App {}", client_id.get(..6).unwrap_or(client_id)),
            redirect_uris: vec!["http://127.0.0.1/api/spotify/callback".to_owned()],
            mode: None,
            owner: owner.to_owned(),
            allowed: BTreeSet::new(),
        }
    }

    /// True if `uri` may be used: byte for byte a registered one, or one of a loopback IP literal registered without
    /// a port, with any port (reference: §3).
    #[must_use]
    pub fn redirects_to(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|registered| registered == uri || *registered == without_loopback_port(uri))
    }
}

/// `http://127.0.0.1:8080/x` → `http://127.0.0.1/x`; everything else as it is.
fn without_loopback_port(uri: &str) -> String {
    for host in ["http://127.0.0.1", "http://[::1]"] {
        if let Some(rest) = uri.strip_prefix(host).and_then(|rest| rest.strip_prefix(':')) {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                return format!("{host}{}", &rest[digits..]);
            }
        }
    }
    uri.to_owned()
}

impl World {
    /// Registers an app and answers its client id.
    ///
    /// # Errors
    /// The id is malformed or taken, the owner does not exist, or the allow-list is too long.
    pub fn add_app(&mut self, mut app: App) -> Result<String, Refused> {
        if app.client_id.is_empty() {
            app.client_id = self.random.hex(32);
        }
        if app.client_id.len() != 32 || !app.client_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refused::Malformed("clientId is not 32 hex characters".to_owned()));
        }
        if self.apps.contains_key(&app.client_id) {
            return Err(Refused::Taken(app.client_id));
        }
        for user in app.allowed.iter().chain([&app.owner]) {
            self.user_or_refuse(user)?;
        }
        let client_id = app.client_id.clone();
        let full = self.mode_of(&app) == Mode::Development && places_taken(&app) > DEVELOPMENT_USERS_MAX;
        if full {
            return Err(Refused::AllowListFull(client_id));
        }
        self.apps.insert(client_id.clone(), app);
        Ok(client_id)
    }

    /// The app with this client id.
    #[must_use]
    pub fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.get(client_id)
    }

    /// Every app, by client id.
    pub fn apps(&self) -> impl Iterator<Item = &App> {
        self.apps.values()
    }

    /// Puts a user on an app's allow-list (dashboard → Users Management).
    ///
    /// # Errors
    /// No such app or user, or five users already in development mode.
    pub fn allow(&mut self, client_id: &str, user: &str) -> Result<(), Refused> {
        self.user_or_refuse(user)?;
        let mut app = self
            .app(client_id)
            .cloned()
            .ok_or_else(|| Refused::NoSuchApp(client_id.to_owned()))?;
        app.allowed.insert(user.to_owned());
        if self.mode_of(&app) == Mode::Development && places_taken(&app) > DEVELOPMENT_USERS_MAX {
            return Err(Refused::AllowListFull(client_id.to_owned()));
        }
        self.apps.insert(client_id.to_owned(), app);
        Ok(())
    }

    /// Takes a user off an app's allow-list.
    ///
    /// # Errors
    /// No such app.
    pub fn disallow(&mut self, client_id: &str, user: &str) -> Result<(), Refused> {
        self.app_mut(client_id)?.allowed.remove(user);
        Ok(())
    }

    /// Gives an app a new secret and answers it; the old one stops working at once. Refresh tokens survive unless
    /// [`super::Settings::secret_rotation_ends_grants`] says otherwise.
    ///
    /// # Errors
    /// No such app.
    pub fn rotate_secret(&mut self, client_id: &str) -> Result<String, Refused> {
        let secret = self.random.hex(32);
        self.app_mut(client_id)?.client_secret = Some(secret.clone());
        if self.settings.secret_rotation_ends_grants {
            self.tokens.revoke(|grant| grant.client_id == client_id);
        }
        Ok(secret)
    }

    /// Deletes an app: its id is unknown from now on, and its access tokens are worth nothing.
    ///
    /// # Errors
    /// No such app.
    pub fn delete_app(&mut self, client_id: &str) -> Result<(), Refused> {
        self.apps
            .remove(client_id)
            .ok_or_else(|| Refused::NoSuchApp(client_id.to_owned()))?;
        self.tokens.forget_app(client_id);
        Ok(())
    }

    /// Registers one more redirect URI.
    ///
    /// # Errors
    /// No such app.
    pub fn add_redirect_uri(&mut self, client_id: &str, uri: &str) -> Result<(), Refused> {
        self.app_mut(client_id)?.redirect_uris.push(uri.to_owned());
        Ok(())
    }

    /// Moves an app between development and extended mode.
    ///
    /// # Errors
    /// No such app.
    pub fn set_mode(&mut self, client_id: &str, mode: Mode) -> Result<(), Refused> {
        self.app_mut(client_id)?.mode = Some(mode);
        Ok(())
    }

    /// True while the app's owner has Premium, without which a development-mode app is refused everything.
    #[must_use]
    pub fn owner_premium(&self, app: &App) -> bool {
        self.user(&app.owner).is_some_and(|owner| owner.premium)
    }

    pub(crate) fn mode_of(&self, app: &App) -> Mode {
        app.mode.unwrap_or(self.default_mode)
    }

    /// True if the app may act for this user.
    pub(crate) fn is_registered(&self, app: &App, user: &str) -> bool {
        let owner = app.owner == user && self.settings.owner_always_allowed;
        self.mode_of(app) == Mode::Extended || owner || app.allowed.contains(user)
    }

    fn app_mut(&mut self, client_id: &str) -> Result<&mut App, Refused> {
        self.apps
            .get_mut(client_id)
            .ok_or_else(|| Refused::NoSuchApp(client_id.to_owned()))
    }
}

fn places_taken(app: &App) -> usize {
    app.allowed.len() + usize::from(!app.allowed.contains(&app.owner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_literal_without_a_port_matches_every_port_and_nothing_else() {
        let app = App::new("00", "ana");
        assert!(app.redirects_to("http://127.0.0.1:3000/api/spotify/callback"));
        assert!(app.redirects_to("http://127.0.0.1/api/spotify/callback"));
        for other in [
            "http://127.0.0.1:3000/api/spotify/callback/",
            "http://127.0.0.1:/api/spotify/callback",
            "http://localhost:3000/api/spotify/callback",
            "https://127.0.0.1:3000/api/spotify/callback",
            "http://127.0.0.1:3000@evil.example/api/spotify/callback",
        ] {
            assert!(!app.redirects_to(other), "{other}");
        }
    }
}

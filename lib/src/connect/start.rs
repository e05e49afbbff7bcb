//! Starting an authorization: the pending record, and the address of the consent page.

use url::Url;

use super::{Connector, Finding, Flow, PENDING_LIFE, browser_binding, fingerprint, state::State};
use crate::{
    grants::GrantError,
    ids::{Slot, UserId},
    providers::{
        AppCredentials,
        spotify::{Authorize, code_verifier},
    },
    secret::{BrowserBinding, ClientId, ClientSecret},
    store::{StoreError, StoredPending},
    vault::Place,
};

/// The longest return path, in bytes.
const RETURN_TO_BYTES_MAX: usize = 512;

/// More scopes than Spotify has.
const SCOPES_MAX: usize = 40;

/// What the person wants beside connecting.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// Where in the host application to go afterwards: a path with an optional query.
    pub return_to: Option<String>,
    /// Whether another account than the connected one may take the slot.
    pub switch_account: bool,
}

/// A user's own app, as they typed it.
#[derive(Clone, Debug)]
pub struct OwnApp {
    /// Its id.
    pub client_id: ClientId,
    /// Its secret; without one the app is a public client and PKCE speaks for it.
    pub client_secret: Option<ClientSecret>,
    /// Asked for instead of the operator's list.
    pub scopes: Option<Vec<String>>,
}

/// An authorization that waits for the person.
#[derive(Debug)]
pub struct Started {
    /// The consent page.
    pub url: Url,
    /// What the callback is for.
    pub flow: Flow,
    /// Goes into a cookie of the browser that asked.
    pub binding: BrowserBinding,
    /// What the doctor noticed and let pass.
    pub findings: Vec<Finding>,
}

/// A return path that leads out of the host application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the return path is not a path of the host application")]
pub struct InvalidReturnTo;

/// Why an authorization was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no operator app.
    #[error("the standard flow is not configured")]
    NoOperatorApp,
    /// There is no own app to reconnect with.
    #[error("no app of the user's own is registered")]
    NoOwnApp,
    /// The return path leads out of the host application.
    #[error(transparent)]
    InvalidReturnTo(#[from] InvalidReturnTo),
    /// A scope that cannot be one.
    #[error("the scopes are not scope names")]
    InvalidScopes,
    /// The doctor found what would make the flow fail.
    #[error("the app is not set up")]
    Doctor(Vec<Finding>),
    /// The stored app could not be read.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Connector {
    /// Starts the standard flow, through the operator's app.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_standard(&self, user: &UserId, options: StartOptions) -> Result<Started, StartError> {
        let app = self
            .settings
            .operator_app
            .clone()
            .ok_or(StartError::NoOperatorApp)?;
        self.start(user, Slot::Spotify, &app, self.settings.scopes.clone(), options)
            .await
    }

    /// Registers a user's own app and starts its flow. What is connected already stays until this one is finished.
    ///
    /// # Errors
    /// [`StartError`]; `Doctor` with everything that is known to be wrong with the app.
    pub async fn start_own(
        &self,
        user: &UserId,
        own: OwnApp,
        options: StartOptions,
    ) -> Result<Started, StartError> {
        let scopes = own.scopes.unwrap_or_else(|| self.settings.scopes.clone());
        check_scopes(&scopes)?;
        let app = AppCredentials {
            client_id: own.client_id,
            client_secret: own.client_secret,
        };
        let findings = self.examine(&app).await;
        if findings.iter().any(|finding| finding.code.is_fatal()) {
            return Err(StartError::Doctor(findings));
        }
        let started = self.start(user, Slot::SpotifyByo, &app, scopes, options).await?;
        Ok(Started { findings, ..started })
    }

    /// Starts the flow of the own app that is registered already.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn restart_own(&self, user: &UserId, options: StartOptions) -> Result<Started, StartError> {
        let mut document = self.grants.look(user).await?;
        let grant = document
            .integrations
            .remove(&Slot::SpotifyByo)
            .ok_or(StartError::NoOwnApp)?;
        let app = self.grants.own_app(user, &grant)?;
        self.start(
            user,
            Slot::SpotifyByo,
            &app,
            self.settings.scopes.clone(),
            options,
        )
        .await
    }

    async fn start(
        &self,
        user: &UserId,
        slot: Slot,
        app: &AppCredentials,
        scopes: Vec<String>,
        options: StartOptions,
    ) -> Result<Started, StartError> {
        let return_to = self.return_path(options.return_to.as_deref())?;
        let state = State::new(user, Flow::Grant(slot), &self.system).sign(&self.vault);
        let verifier = code_verifier(&*self.system.entropy);
        let binding = browser_binding(&self.system);
        let place = Place::pending(user, slot);
        let own = slot == Slot::SpotifyByo;
        let now = self.system.now();
        let pending = StoredPending {
            state_hash: fingerprint(&state),
            binding_hash: fingerprint(crate::secret::Secret::expose(&binding)),
            code_verifier_enc: self.vault.seal(&verifier, place),
            client_id_enc: own.then(|| self.vault.seal(&app.client_id, place)),
            client_secret_enc: app
                .client_secret
                .as_ref()
                .filter(|_| own)
                .map(|secret| self.vault.seal(secret, place)),
            scopes,
            return_to,
            switch_account: options.switch_account,
            created_at: now,
            expires_at: now + PENDING_LIFE,
        };
        let reconnecting = self
            .grants
            .change(user, |document| {
                document.pending.insert(slot, pending.clone());
                Ok::<_, StoreError>(document.integrations.contains_key(&slot))
            })
            .await?;
        let url = self.spotify.authorize_url(&Authorize {
            client_id: &app.client_id,
            redirect_uri: &self.settings.redirect_uri,
            scopes: &pending.scopes,
            state: &state,
            verifier: &verifier,
            // Whether a silent bounce restarts the six months is not known; a reconnect has to.
            show_dialog: reconnecting,
        });
        Ok(Started {
            url,
            flow: Flow::Grant(slot),
            binding,
            findings: Vec::new(),
        })
    }

    /// A path inside the host application, never an address elsewhere (RFC 9700 §4.11: no open redirector).
    pub(super) fn return_path(&self, wanted: Option<&str>) -> Result<String, InvalidReturnTo> {
        let Some(path) = wanted else {
            return Ok("/".to_owned());
        };
        if path.len() > RETURN_TO_BYTES_MAX || !path.starts_with('/') {
            return Err(InvalidReturnTo);
        }
        // Browsers read `//host` and `/\host` as another host; so does the parser, and then the origin differs.
        let target = self.settings.app_url.join(path).map_err(|_| InvalidReturnTo)?;
        if target.origin() != self.settings.app_url.origin() {
            return Err(InvalidReturnTo);
        }
        Ok(path.to_owned())
    }
}

fn check_scopes(scopes: &[String]) -> Result<(), StartError> {
    let named = |scope: &String| {
        (1..=64).contains(&scope.len())
            && scope
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let fine = (1..=SCOPES_MAX).contains(&scopes.len()) && scopes.iter().all(named);
    fine.then_some(()).ok_or(StartError::InvalidScopes)
}

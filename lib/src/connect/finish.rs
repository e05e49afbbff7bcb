//! Finishing an authorization: a ladder of named refusals, then the exchange, then whose account it is.

use url::Url;

use super::{Connector, matches, state::State, state::StateError};
use crate::{
    grants::{self, NewGrant},
    ids::{Slot, UserId},
    providers::{
        AppCredentials, TokenError, Tokens,
        spotify::{ApiError, Forbidden, Profile},
    },
    secret::{AuthorizationCode, BrowserBinding, CodeVerifier, Secret as _},
    store::{StoreError, StoredPending},
    system::Timestamp,
    vault::{OpenError, Place},
};

/// What the provider sends the browser back with, and what the browser brings itself.
#[derive(Debug, Default)]
pub struct Callback {
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<AuthorizationCode>,
    /// `error`.
    pub error: Option<String>,
    /// The binding cookies, by slot: which one counts, the state tells.
    pub bindings: Vec<(Slot, BrowserBinding)>,
    /// Who is signed in with this browser, where that is known.
    pub signed_in: Option<UserId>,
}

/// A connection that stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub slot: Slot,
    /// Where the person goes on.
    pub return_to: Url,
}

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct FinishError {
    /// Why.
    pub refusal: Refusal,
    /// What for, where that is known.
    pub slot: Option<Slot>,
    /// Where the person goes on; nowhere when the state is not ours.
    pub return_to: Option<Url>,
    /// Whether the pending record was used up. Otherwise who it belongs to can still finish it, whatever came here.
    pub used_up: bool,
}

/// The rungs of the ladder.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No `state`.
    #[error("the callback has no state")]
    MissingState,
    /// Not our state, or an altered one.
    #[error("the state is not ours")]
    InvalidState,
    /// The state's ten minutes are over.
    #[error("the state is too old")]
    StateExpired,
    /// The browser does not have the cookie of the one that started.
    #[error("another browser started this")]
    WrongBrowser,
    /// Somebody else is signed in now.
    #[error("another person is signed in")]
    OtherPerson,
    /// The state names no pending record: it was used, or replaced by a later start.
    #[error("the state was used or replaced")]
    StateUsed,
    /// The person pressed cancel.
    #[error("the person declined")]
    AccessDenied,
    /// The provider reports anything else.
    #[error("the provider reports an error")]
    ProviderError,
    /// Neither code nor error.
    #[error("the callback has no code")]
    MissingCode,
    /// The provider does not take the code.
    #[error("the code was refused")]
    CodeRefused,
    /// The provider does not take the app.
    #[error("the app was refused")]
    ClientRefused,
    /// The provider cannot be asked.
    #[error("the provider cannot be asked")]
    ProviderUnavailable,
    /// The quota of the app is used up, so nobody can be looked up.
    #[error("the app's quota is used up")]
    QuotaExceeded,
    /// Consent worked, but the app does not know the person.
    #[error("the person is not on the app's user list")]
    NotOnAllowList,
    /// The app's owner has no Premium.
    #[error("the app's owner needs Premium")]
    OwnerNeedsPremium,
    /// The provider does not let the token ask who it is.
    #[error("the first call was refused")]
    Forbidden,
    /// The slot belongs to another account, and nobody asked to change that.
    #[error("another account is connected")]
    DifferentAccount,
    /// The app was configured away between start and finish.
    #[error("the operator's app is not configured")]
    NoOperatorApp,
    /// What was sealed at the start does not open.
    #[error("the pending record does not open")]
    Sealed(#[from] OpenError),
    /// The database failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Connector {
    /// Finishes what a start began.
    ///
    /// # Errors
    /// [`FinishError`].
    pub async fn finish(&self, callback: Callback) -> Result<Finished, FinishError> {
        let now = self.system.now();
        let state_text = callback.state.as_deref().filter(|state| !state.is_empty());
        let state = state_text
            .ok_or(Refusal::MissingState)
            .and_then(|text| State::verify(text, &self.vault, now).map_err(Refusal::from))
            .map_err(|refusal| FinishError {
                // Ours, only late: its person is at the end of Spotify's page and wants to be told on ours.
                return_to: matches!(refusal, Refusal::StateExpired).then(|| self.settings.app_url.clone()),
                refusal,
                slot: None,
                used_up: false,
            })?;
        let (user, slot) = (state.user, state.slot);
        let refused = |refusal: Refusal, used: Option<&StoredPending>| FinishError {
            // Overtaken by a newer start of the same browser, the cookie is that one's.
            used_up: used.is_some() && !matches!(refusal, Refusal::StateUsed),
            refusal,
            slot: Some(slot),
            return_to: self
                .settings
                .app_url
                .join(used.map_or("/", |used| &used.return_to))
                .ok(),
        };
        let pending = self
            .take_pending(&user, slot, state_text.unwrap_or_default(), &callback, now)
            .await
            .map_err(|refusal| refused(refusal, None))?;
        let return_to = self.settings.app_url.join(&pending.return_to);
        let return_to = return_to.unwrap_or_else(|_| self.settings.app_url.clone());
        match self.connect(&user, slot, &pending, callback).await {
            Ok(()) => Ok(Finished {
                user,
                slot,
                return_to,
            }),
            Err(refusal) => {
                self.drop_taken(&user, slot, &pending).await;
                Err(refused(refusal, Some(&pending)))
            }
        }
    }

    /// The pending record, taken: of two callbacks with one state, one gets it. What stays of it until the end matches
    /// no callback; if it is gone by then, the person has disconnected, been erased or started anew meanwhile.
    async fn take_pending(
        &self,
        user: &UserId,
        slot: Slot,
        state: &str,
        callback: &Callback,
        now: Timestamp,
    ) -> Result<StoredPending, Refusal> {
        if callback
            .signed_in
            .as_ref()
            .is_some_and(|signed_in| signed_in != user)
        {
            return Err(Refusal::OtherPerson);
        }
        let binding = callback
            .bindings
            .iter()
            .find(|(bound, _)| *bound == slot)
            .map(|(_, binding)| binding);
        let binding = binding.ok_or(Refusal::WrongBrowser)?;
        self.grants
            .change(user, |document| {
                let pending = document.pending.get(&slot).ok_or(Refusal::StateUsed)?;
                if !matches(&pending.state_hash, state) {
                    return Err(Refusal::StateUsed);
                }
                if !matches(&pending.binding_hash, binding.expose()) {
                    return Err(Refusal::WrongBrowser);
                }
                if pending.expires_at <= now {
                    return Err(Refusal::StateExpired);
                }
                let mut taken = pending.clone();
                taken.state_hash.clear();
                taken.binding_hash.clear();
                let pending = document.pending.insert(slot, taken);
                pending.ok_or(Refusal::StateUsed)
            })
            .await
    }

    /// Drops what stayed of a pending record that led to nothing. If that fails, the sweep drops it.
    async fn drop_taken(&self, user: &UserId, slot: Slot, pending: &StoredPending) {
        let dropped = self.grants.change(user, |document| {
            document
                .pending
                .retain(|at, found| *at != slot || !is_same(found, pending));
            Ok::<_, StoreError>(())
        });
        if let Err(error) = dropped.await {
            tracing::warn!(%slot, ?error, "a pending record that led to nothing stays until it is swept");
        }
    }

    async fn connect(
        &self,
        user: &UserId,
        slot: Slot,
        pending: &StoredPending,
        callback: Callback,
    ) -> Result<(), Refusal> {
        match callback.error.as_deref() {
            Some("access_denied") => return Err(Refusal::AccessDenied),
            Some(_) => return Err(Refusal::ProviderError),
            None => {}
        }
        let code = callback
            .code
            .filter(|code| !code.expose().is_empty())
            .ok_or(Refusal::MissingCode)?;
        let app = self.app_of(user, slot, pending)?;
        let verifier: CodeVerifier = self
            .vault
            .open(&pending.code_verifier_enc, Place::pending(user, slot))?;
        // The lives of what is given begin no earlier.
        let asked_at = self.system.now();
        let tokens = self
            .spotify
            .tokens
            .exchange(&app, &code, &self.settings.redirect_uri, &verifier)
            .await?;
        let profile = self.spotify.web_api.me(&tokens.access_token).await?;
        let consent = Consent {
            app,
            tokens,
            profile,
            asked_at,
        };
        self.keep(user, slot, pending, consent).await
    }

    fn app_of(&self, user: &UserId, slot: Slot, pending: &StoredPending) -> Result<AppCredentials, Refusal> {
        let place = Place::pending(user, slot);
        match (slot, &pending.client_id_enc) {
            (Slot::Spotify, _) => self.settings.operator_app.clone().ok_or(Refusal::NoOperatorApp),
            (Slot::SpotifyByo, client_id) => {
                let client_id = self.vault.open(client_id.as_deref().unwrap_or_default(), place)?;
                let client_secret = pending
                    .client_secret_enc
                    .as_deref()
                    .map(|sealed| self.vault.open(sealed, place))
                    .transpose()?;
                Ok(AppCredentials {
                    client_id,
                    client_secret,
                })
            }
        }
    }

    async fn keep(
        &self,
        user: &UserId,
        slot: Slot,
        pending: &StoredPending,
        consent: Consent,
    ) -> Result<(), Refusal> {
        let Consent {
            app,
            tokens,
            profile,
            asked_at,
        } = consent;
        let place = Place::grant(user, slot);
        let own = slot == Slot::SpotifyByo;
        let seal = |token: &_| self.vault.seal(token, place);
        let access_token_enc = self.vault.seal(&tokens.access_token, place);
        let refresh_token_enc = tokens.refresh_token.as_ref().map(seal);
        let client_id_enc = own.then(|| self.vault.seal(&app.client_id, place));
        let client_secret = app.client_secret.as_ref().filter(|_| own);
        let client_secret_enc = client_secret.map(|secret| self.vault.seal(secret, place));
        let rules = self.spotify.tokens.rules();
        let grant_life = rules.life_of_new(tokens.refresh_token_expires_in);
        // An answer that names no scopes means those that were asked for (RFC 6749 §5.1).
        let scopes = tokens.scopes.unwrap_or_else(|| pending.scopes.clone());
        self.grants
            .change(user, |document| {
                let taken = document
                    .pending
                    .get(&slot)
                    .filter(|taken| is_same(taken, pending));
                taken.ok_or(Refusal::StateUsed)?;
                document.pending.remove(&slot);
                let before = document.integrations.get(&slot);
                let other = before.is_some_and(|grant| grant.account_id != profile.account_id);
                if other && !pending.switch_account {
                    return Err(Refusal::DifferentAccount);
                }
                let new = NewGrant {
                    access_token_enc: access_token_enc.clone(),
                    refresh_token_enc: refresh_token_enc.clone(),
                    client_id_enc: client_id_enc.clone(),
                    client_secret_enc: client_secret_enc.clone(),
                    scopes: scopes.clone(),
                    expires_in: tokens.expires_in,
                    grant_life,
                    profile: profile.clone(),
                };
                grants::connect(document, slot, new, asked_at);
                Ok(())
            })
            .await
    }
}

/// What a person agreed to, as the provider tells it.
struct Consent {
    app: AppCredentials,
    tokens: Tokens,
    profile: Profile,
    /// When the code was offered for the tokens.
    asked_at: Timestamp,
}

/// Whether both are of the same start: every verifier is sealed with a nonce of its own.
fn is_same(one: &StoredPending, other: &StoredPending) -> bool {
    one.code_verifier_enc == other.code_verifier_enc
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Forged => Self::InvalidState,
            StateError::Expired => Self::StateExpired,
        }
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        tracing::warn!(?error, "a code could not be exchanged");
        match error {
            TokenError::InvalidGrant { .. } | TokenError::Refused { .. } => Self::CodeRefused,
            TokenError::InvalidClient { .. } => Self::ClientRefused,
            TokenError::Unavailable { .. } | TokenError::Unreadable | TokenError::Unreachable(_) => {
                Self::ProviderUnavailable
            }
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        tracing::warn!(?error, "the first call with a new token failed");
        match error {
            ApiError::Forbidden(Forbidden::NotOnAllowList) => Self::NotOnAllowList,
            ApiError::Forbidden(Forbidden::OwnerNeedsPremium) => Self::OwnerNeedsPremium,
            ApiError::Forbidden(_) | ApiError::NotFound | ApiError::Rejected { .. } => Self::Forbidden,
            ApiError::QuotaExceeded { .. } => Self::QuotaExceeded,
            ApiError::Unauthorized
            | ApiError::RateLimited { .. }
            | ApiError::Unavailable { .. }
            | ApiError::Unreadable
            | ApiError::Unreachable(_) => Self::ProviderUnavailable,
        }
    }
}

//! Finishing an authorization: a ladder of named refusals, then the exchange, then whose account it is.

use super::{Arrival, Connector, FinishError, Finished, ladder::Entered, state::StateError};
use crate::{
    grants::{self, NewGrant},
    ids::{Slot, UserId},
    listening::CallError,
    providers::{
        AppCredentials, TokenError, Tokens,
        spotify::{ApiError, Forbidden, Profile},
    },
    secret::{AuthorizationCode, CodeVerifier, Secret as _},
    store::{StoreError, StoredPending},
    system::Timestamp,
    vault::{OpenError, Place},
};

/// What the provider sends the browser back with, and what the browser brings itself.
#[derive(Debug, Default)]
pub struct Callback {
    /// Who comes back.
    pub arrival: Arrival,
    /// `code`.
    pub code: Option<AuthorizationCode>,
    /// `error`.
    pub error: Option<String>,
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
    /// Last.fm does not say whose account it is.
    #[error(transparent)]
    Lastfm(#[from] CallError),
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
        let entered = self.enter(&callback.arrival).await?;
        let connected = self.connect(&entered, callback).await;
        self.leave(entered, connected).await
    }

    async fn connect(&self, entered: &Entered<StoredPending>, callback: Callback) -> Result<(), Refusal> {
        let (user, slot, pending) = (&entered.user, entered.at, &entered.pending);
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
        self.keep(entered, consent).await
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

    async fn keep(&self, entered: &Entered<StoredPending>, consent: Consent) -> Result<(), Refusal> {
        let (user, slot, pending) = (&entered.user, entered.at, &entered.pending);
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
                entered.redeem(document)?;
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

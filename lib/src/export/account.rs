//! Whose access token an export uses, and a new one when Spotify refuses it.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;

use super::{
    blocked::Blocked,
    halt::Halt,
    head::{Mode, Why},
};
use crate::{
    grants::{GrantError, Grants, Health, LiveToken},
    ids::{AppName, Slot, UserId},
    providers::{AppCredentials, TokenEndpoint, TokenError, spotify::Profile},
    secret::{AccessToken, RefreshToken},
    store::StoreError,
    system::{System, Timestamp},
};

/// A token that dies sooner is renewed first, so that the calls of one checkpoint are made with one token.
const LIFE_MIN: Duration = Duration::from_mins(1);

/// The next try after the token endpoint did not answer and did not say when.
const TOKEN_PAUSE: Duration = Duration::from_mins(1);

/// The operator's own Spotify account, which exports may go to when their caller has none.
#[derive(Debug)]
pub struct OwnerAccount {
    /// The operator's app.
    pub app: AppCredentials,
    /// The account's refresh token (`SPOTIFY_PLAYLIST_REFRESH_TOKEN`).
    pub refresh_token: RefreshToken,
    /// The account's id (`SPOTIFY_PLAYLIST_OWNER_ID`); a token of any other account is not used.
    pub account_id: String,
    /// Whether callers who only bring a Spotify token may use it, too.
    pub open_to_bearers: bool,
}

/// One account to work through.
#[derive(Clone, Debug)]
pub(super) enum Account {
    /// A connected one.
    Grant { user: UserId, slot: Slot },
    /// The one whose token the caller brought.
    Bearer(AccessToken),
    /// The operator's.
    Owner,
}

/// A token in use, with the number by which a refusal of it is told from a refusal of its successor.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) token: AccessToken,
    pub(super) generation: u64,
    /// Whose pace and quota its calls count against, where that is known.
    pub(super) app: Option<AppName>,
}

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct Accounts {
    grants: Grants,
    tokens: TokenEndpoint,
    system: System,
    owner: Option<OwnerAccount>,
    /// Held across the token call: whoever else wants the owner's token waits for the same answer.
    owner_token: Mutex<Option<OwnerToken>>,
}

#[derive(Clone, Debug)]
struct OwnerToken {
    live: Live,
    expires_at: Timestamp,
}

impl Accounts {
    pub(super) fn new(
        grants: Grants,
        tokens: TokenEndpoint,
        system: System,
        owner: Option<OwnerAccount>,
    ) -> Self {
        Self {
            grants,
            tokens,
            system,
            owner,
            owner_token: Mutex::default(),
        }
    }

    pub(super) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(super) fn owner(&self) -> Option<&OwnerAccount> {
        self.owner.as_ref()
    }

    /// A token that is good for a while, as far as anyone knows.
    pub(super) async fn token(&self, account: &Account) -> Result<Live, Halt> {
        match account {
            Account::Grant { user, slot } => {
                let live = self.grants.live_token(user, *slot, LIFE_MIN).await;
                live.map(Live::from).map_err(|error| self.grant_halt(&error))
            }
            Account::Bearer(token) => Ok(Live {
                token: token.clone(),
                generation: 0,
                app: None,
            }),
            Account::Owner => self.owner_token(None).await,
        }
    }

    /// Another token, after Spotify refused that of `refused`.
    pub(super) async fn replaced(&self, account: &Account, refused: u64) -> Result<Live, Halt> {
        match account {
            Account::Grant { user, slot } => {
                let live = self.grants.replaced_token(user, *slot, refused).await;
                live.map(Live::from).map_err(|error| self.grant_halt(&error))
            }
            Account::Bearer(_) => Err(Blocked::TokenExpired.into()),
            Account::Owner => self.owner_token(Some(refused)).await,
        }
    }

    /// Whether what `account` was blocked by at `since` seems to be mended. Asks nobody outside.
    pub(super) async fn seems_mended(
        &self,
        account: &Account,
        blocked: Blocked,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let Account::Grant { user, slot } = account else {
            return Ok(false);
        };
        if !blocked.may_be_mended_by_connecting() {
            return Ok(false);
        }
        let document = self.grants.look(user).await?;
        Ok(document.integrations.get(slot).is_some_and(|grant| {
            let health = self.grants.standing(grant).health;
            let is_usable = matches!(health, Health::Healthy | Health::Degraded);
            is_usable && (blocked.is_a_state_of_the_grant() || grant.authorized_at > since)
        }))
    }

    /// Whether `profile` is who `account` has to be.
    pub(super) fn is_the_right_one(&self, account: &Account, profile: &Profile) -> bool {
        match (account, &self.owner) {
            (Account::Owner, Some(owner)) => {
                [&profile.account_id, &profile.user_id].contains(&&owner.account_id)
            }
            _ => true,
        }
    }

    async fn owner_token(&self, refused: Option<u64>) -> Result<Live, Halt> {
        let owner = self.owner.as_ref().ok_or(Blocked::OwnerUnavailable)?;
        let mut kept = self.owner_token.lock().await;
        let last = kept.as_ref().map_or(0, |token| token.live.generation);
        if let Some(token) = kept.as_ref()
            && token.expires_at > self.system.now() + LIFE_MIN
            && refused != Some(token.live.generation)
        {
            return Ok(token.live.clone());
        }
        let answer = self.tokens.refresh(&owner.app, &owner.refresh_token).await;
        let tokens = answer.map_err(|error| self.owner_halt(&error))?;
        let live = Live {
            token: tokens.access_token,
            generation: last + 1,
            app: Some(AppName::of(&owner.app.client_id)),
        };
        *kept = Some(OwnerToken {
            live: live.clone(),
            expires_at: self.system.now() + tokens.expires_in,
        });
        Ok(live)
    }

    fn owner_halt(&self, error: &TokenError) -> Halt {
        tracing::warn!(%error, "no access token for the operator's account");
        let retry_after = match error {
            TokenError::InvalidGrant { .. }
            | TokenError::InvalidClient { .. }
            | TokenError::Refused { .. } => {
                return Blocked::OwnerUnavailable.into();
            }
            TokenError::Unavailable { retry_after, .. } => *retry_after,
            TokenError::Unreadable | TokenError::Unreachable(_) => None,
        };
        self.no_token_for(retry_after)
    }

    fn grant_halt(&self, error: &GrantError) -> Halt {
        // An empty slot is an everyday answer; the export tries the other one.
        if !matches!(error, GrantError::NotConnected) {
            tracing::warn!(?error, "no access token for an export");
        }
        match error {
            GrantError::NotConnected => Blocked::NotConnected.into(),
            // Connecting again writes secrets that do open.
            GrantError::NeedsReauth(_) | GrantError::Sealed(_) => Blocked::NeedsReauth.into(),
            GrantError::AppError(_) | GrantError::NoOperatorApp => Blocked::AppError.into(),
            GrantError::ProviderUnavailable { retry_after } => self.no_token_for(*retry_after),
            GrantError::BrokeOff => self.no_token_for(None),
            GrantError::Store(error) => Halt::Store(Arc::clone(error)),
        }
    }

    fn no_token_for(&self, retry_after: Option<Duration>) -> Halt {
        Halt::Parked {
            until: self.system.now() + retry_after.unwrap_or(TOKEN_PAUSE),
            why: Why::ProviderUnavailable,
        }
    }
}

impl From<LiveToken> for Live {
    fn from(live: LiveToken) -> Self {
        Self {
            token: live.token,
            generation: live.generation,
            app: live.app,
        }
    }
}

impl Account {
    /// Whose account a job of `mode` goes through; a bearer's is in nobody's keeping.
    pub(super) fn of(mode: Mode, user: &UserId) -> Option<Self> {
        let grant = |slot| Self::Grant {
            user: user.clone(),
            slot,
        };
        match mode {
            Mode::Byo => Some(grant(Slot::SpotifyByo)),
            Mode::Standard => Some(grant(Slot::Spotify)),
            Mode::Owner => Some(Self::Owner),
            Mode::Bearer => None,
        }
    }

    /// What its token being refused for good means.
    pub(super) const fn refused(&self) -> Blocked {
        match self {
            Self::Grant { .. } => Blocked::NeedsReauth,
            Self::Bearer(_) => Blocked::TokenExpired,
            Self::Owner => Blocked::OwnerUnavailable,
        }
    }
}

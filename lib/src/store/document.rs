//! What is stored of a grant and of the Last.fm link: the wire shape of the `users` documents, in the field names existing deployments have.
//!
//! Only this file knows them. Sealed values are text here; what they mean is the vault's and the owning room's affair.

use serde::{Deserialize, Serialize};

use crate::{ids::Slot, system::Timestamp};

/// What is known of a grant's health, as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantStatus {
    /// As far as anyone knows, it works.
    #[default]
    Connected,
    /// The provider said it is over: the person has to consent again.
    NeedsReauth,
    /// The app is at fault, not the grant: its owner has to mend it.
    AppError,
    /// Refused in a wave of refusals over unrelated users, so not believed yet.
    Quarantined,
}

/// Who is renewing a grant, and until when they may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLease {
    /// A random name of the holder; only who took the lease knows it.
    pub holder: String,
    /// After this the lease is nobody's.
    pub until: Timestamp,
}

/// `integrations.<slot>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredGrant {
    /// The sealed access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_enc: Option<String>,
    /// The sealed refresh token; stays a while after the provider refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_enc: Option<String>,
    /// The sealed id of the user's own app (BYO only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_enc: Option<String>,
    /// The sealed secret of the user's own app, where it has one (BYO only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_enc: Option<String>,
    /// `Bearer`, always so far.
    pub token_type: String,
    /// What the person consented to.
    pub scopes: Vec<String>,
    /// When the access token dies.
    pub expires_at: Timestamp,
    /// When the person consented.
    pub authorized_at: Timestamp,
    /// When the refresh token dies, where the provider puts an end to it; refreshing never moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_expires_at: Option<Timestamp>,
    /// The provider's stable id of the account; reconnecting compares it.
    pub account_id: String,
    /// The provider's public user id.
    pub spotify_user_id: String,
    /// The account's display name, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The account's picture, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// What is known of its health.
    pub status: GrantStatus,
    /// Why, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Since when.
    pub status_since: Timestamp,
    /// How often the token was replaced: who waits for a renewal watches this number.
    pub generation: u64,
    /// Who is renewing it right now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<StoredLease>,
    /// Renewals that failed in a row.
    pub failures: u32,
    /// No renewal is tried before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When somebody last asked for the token; coarse, so that reading does not mean writing.
    pub last_used_at: Timestamp,
    /// When patchbay last changed it.
    pub updated_at: Timestamp,
    /// The smallest threshold of days left (30, 14, 7, 1) that was announced for this consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced: Option<u16>,
}

/// `pending.<slot>`: an authorization that was started and not finished.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredPending {
    /// SHA-256 of the state that the provider will bring back, base64url.
    pub state_hash: String,
    /// SHA-256 of the cookie that the same browser will bring back, base64url.
    pub binding_hash: String,
    /// The sealed PKCE verifier.
    pub code_verifier_enc: String,
    /// The sealed id of the app being registered (BYO only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_enc: Option<String>,
    /// The sealed secret of the app being registered, where it has one (BYO only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_enc: Option<String>,
    /// What was asked for.
    pub scopes: Vec<String>,
    /// Where in the host application the person goes back to.
    pub return_to: String,
    /// Whether another account than the connected one may take the slot.
    pub switch_account: bool,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it is worthless.
    pub expires_at: Timestamp,
}

/// `integrations.lastfm`: the Last.fm account whose listening a person wants read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLastfm {
    /// The account, as Last.fm writes it.
    pub username: String,
    /// Since when it is this account.
    #[serde(default)]
    pub connected_at: Timestamp,
    /// Whether the person has shown on Last.fm's own page that it is theirs. A typed name shows nothing.
    #[serde(default)]
    pub verified: bool,
    /// The sealed session key, which reads as that account; there only where the person gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key_enc: Option<String>,
    /// When patchbay last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// `pending.lastfm`: a person who is on their way to Last.fm's page and back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredPendingLink {
    /// SHA-256 of the state in the address that Last.fm will send the browser back to, base64url.
    pub state_hash: String,
    /// SHA-256 of the cookie that the same browser will bring back, base64url.
    pub binding_hash: String,
    /// Where in the host application the person goes back to.
    pub return_to: String,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it is worthless.
    pub expires_at: Timestamp,
}

/// One of `patchbay.outbox`: something that happened to a grant, written together with the change that made it happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredEvent {
    /// Follows from what happened, so that telling it twice is seen; becomes the id of the record in `events`.
    pub id: String,
    /// To which grant.
    pub slot: Slot,
    /// What, as a stable code.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Why, as a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many days the grant had left, where that is what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<u64>,
}

//! The knobs: one field for every behaviour that is undocumented, has changed before, or is wanted worse.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lastfm::LastfmSettings;
use super::limits::{Bucket, RateLimit};

/// What a refresh answer does with the refresh token (reference: §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// No `refresh_token` in the answer; the old one stays good. Normal since mid-2026.
    #[default]
    None,
    /// A new one each time; the old one is answered as [`Settings::spent_token`] says from then on.
    RotateSingleUse,
    /// `"refresh_token": ""`; the old one stays good.
    EmptyString,
    /// `"refresh_token": null`; the old one stays good.
    Null,
}

/// What a refresh token that rotation has spent is answered (reference: Spotify §6; Discord §A3, its table of failures).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpentToken {
    /// Spotify's way: as one that was revoked.
    #[default]
    AsRevoked,
    /// Discord's: `invalid_grant` and `Invalid "refresh_token" in request`.
    Discord,
    /// The same code without a word beside it.
    DiscordBare,
    /// Discord's of 2020: `invalid_request`, and a dot at the end of the sentence.
    Discord2020,
}

/// How a user who is not on the allow-list is refused (reference: §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotRegistered {
    /// The sentence of 2026 as plain text.
    #[default]
    Text2026,
    /// The sentence of 2026 in the regular JSON shape.
    Json2026,
    /// The sentence of 2024 as plain text.
    Text2024,
    /// The sentence of 2021 to 2023 as plain text.
    Text2021,
}

/// A playlist flag that should follow the caller's wish, and sometimes has not (reference: §10.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedFlag {
    /// Stored and answered as asked.
    #[default]
    Honoured,
    /// Stored as asked, answered as true.
    True,
    /// Stored as asked, answered as false.
    False,
    /// Accepted and not stored: a list is public whatever was asked.
    Ignored,
}

/// The names a playlist's contents go by in a development-mode answer (reference: §9.4). Extended mode has the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemNames {
    /// `items` and `item`.
    #[default]
    New,
    /// `tracks` and `track`.
    Legacy,
    /// All four.
    Both,
}

/// What becomes of a search query over [`Settings::query_chars_max`] (reference: §11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LongQuery {
    /// Answered all the same.
    Accepted,
    /// 404 `Not found.`, as in 2022.
    NotFound,
    /// 400, as in 2024.
    #[default]
    BadRequest,
}

/// Every knob, with the real service's present behaviour as its default where that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch of the control face"
)]
pub struct Settings {
    /// Answer `/authorize` at once, as if somebody had pressed Agree.
    pub auto_approve: bool,
    /// Who presses it: a user id. Absent: the app's owner.
    pub auto_approve_as: Option<String>,
    /// Life of an access token. Real: 3600.
    pub token_ttl_s: i64,
    /// Life of an authorization code. Real: undocumented.
    pub code_ttl_s: i64,
    /// Life of a refresh token, from the consent on. Real: "six months"; 180 days is the strictest reading.
    pub grant_life_days: i64,
    /// `error_description` for a refresh token past that life; null leaves it out. Real: unpublished.
    pub expired_grant_text: Option<String>,
    /// `error_description` for a revoked refresh token; null leaves it out.
    pub revoked_grant_text: Option<String>,
    /// What a refresh answer does with the refresh token.
    pub rotation: Rotation,
    /// What a refresh token that rotation has spent is answered.
    pub spent_token: SpentToken,
    /// `refresh_token_expires_in` of token answers, as it is written there: seconds, or what a client has to stand; null
    /// leaves it out. Google says it of grants for a time. What ends a grant is [`Settings::grant_life_days`].
    pub refresh_token_expires_in: Option<Value>,
    /// Every refresh is answered `invalid_grant`, though the grants are sound: the day Spotify was wrong (§5.4).
    pub spurious_invalid_grant: bool,
    /// A bounce without the consent page gives a grant a new life. Real: unknown.
    pub silent_bounce_renews_life: bool,
    /// A new consent kills the refresh tokens of the one before. Real: unknown.
    pub consent_ends_older_grants: bool,
    /// Rotating a secret kills the app's refresh tokens. Real: believed not.
    pub secret_rotation_ends_grants: bool,
    /// Revoking kills access tokens at once. Real: they may live on for up to an hour.
    pub revocation_ends_access_tokens: bool,
    /// The owner of an app needs no place on its allow-list. Real: usually.
    pub owner_always_allowed: bool,
    /// How somebody who is not on the allow-list is refused.
    pub not_registered: NotRegistered,
    /// 401 bodies name the cause, as before July 2026.
    pub legacy_401: bool,
    /// The wording of `/authorize`'s error pages before 2026.
    pub legacy_authorize_errors: bool,
    /// Calls per app in a rolling 30 s; absent: no limit.
    pub rate_limit: Option<RateLimit>,
    /// Calls per developer account and bucket in a rolling 24 h; a bucket that is absent has no limit.
    pub quota: BTreeMap<Bucket, u32>,
    /// Whether playlists keep and tell their `public` flag.
    pub public_flag: FixedFlag,
    /// The names of a playlist's contents in development mode.
    pub item_names: ItemNames,
    /// Largest `limit` of `GET /playlists/{id}/items`. Documented: 50; clients have used 100.
    pub items_limit_max: usize,
    /// An `isrc:` search finds nothing.
    pub isrc_outage: bool,
    /// Search pages begin with a null row.
    pub null_search_items: bool,
    /// What a query that is too long is answered.
    pub long_query: LongQuery,
    /// The longest query that is not too long, in characters.
    pub query_chars_max: usize,
    /// Tracks that are there for whoever asks for them, and refused as unknown where they are added: what takes them
    /// away has not got everywhere yet.
    pub half_gone_tracks: BTreeSet<String>,
    /// How long a new playlist is missing from its owner's list. Real: unpublished.
    pub playlist_list_lag_s: i64,
    /// A playlist this long answers 500 to further items.
    pub playlist_items_max: usize,
    /// Status for a description over 300 characters or with a newline. Real: 500 or 400.
    pub description_refusal: u16,
    /// The knobs of Last.fm's side.
    pub lastfm: LastfmSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auto_approve: false,
            auto_approve_as: None,
            token_ttl_s: 3600,
            code_ttl_s: 600,
            grant_life_days: 180,
            expired_grant_text: Some("Refresh token revoked".to_owned()),
            revoked_grant_text: Some("Refresh token revoked".to_owned()),
            rotation: Rotation::None,
            spent_token: SpentToken::AsRevoked,
            refresh_token_expires_in: None,
            spurious_invalid_grant: false,
            silent_bounce_renews_life: false,
            consent_ends_older_grants: false,
            secret_rotation_ends_grants: false,
            revocation_ends_access_tokens: false,
            owner_always_allowed: true,
            not_registered: NotRegistered::Text2026,
            legacy_401: false,
            legacy_authorize_errors: false,
            rate_limit: None,
            quota: BTreeMap::new(),
            public_flag: FixedFlag::Honoured,
            item_names: ItemNames::New,
            items_limit_max: 50,
            isrc_outage: false,
            null_search_items: false,
            long_query: LongQuery::BadRequest,
            query_chars_max: 250,
            half_gone_tracks: BTreeSet::new(),
            playlist_list_lag_s: 0,
            playlist_items_max: 11_000,
            description_refusal: 400,
            lastfm: LastfmSettings::default(),
        }
    }
}

//! The knobs of Last.fm's side (reference: Last.fm §12, and what its text marks as unconfirmed).

use serde::{Deserialize, Serialize};

/// How an error travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// With the HTTP status of its code.
    #[default]
    Status,
    /// As HTTP 200 with an error body.
    Always200,
}

/// What a list looks like when it has one item, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListShape {
    /// Always an array.
    #[default]
    Array,
    /// One item stands there bare; none is an empty array.
    BareObject,
    /// One item is an array; with none, the field is missing.
    AbsentWhenEmpty,
    /// One item stands there bare; with none, the field is missing.
    BareOrAbsent,
}

/// Which plays a window from `from` to `to` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowEdges {
    /// `[from, to)`, as seen live.
    #[default]
    FromInclusive,
    /// `(from, to)`, as documented.
    Documented,
}

/// What a `limit` above the cap does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverCap {
    /// It counts as the cap.
    #[default]
    Clamped,
    /// Error 6.
    Refused,
}

/// What a `period` that does not exist does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadPeriod {
    /// It counts as `overall`.
    #[default]
    Overall,
    /// Error 6.
    Refused,
}

/// The order of the keys of a JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOrder {
    /// Another one in every answer.
    #[default]
    Shuffled,
    /// As the XML has them.
    Plain,
}

/// How JSON strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Escaping {
    /// `\/`, and other scripts as they are.
    #[default]
    Slashes,
    /// `\/`, and other scripts as `\uXXXX`.
    Unicode,
    /// Only what JSON must have.
    Plain,
}

/// What stands for a picture there is not: those of artists, tracks and people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pictures {
    /// The address of the grey star.
    #[default]
    Star,
    /// An empty string.
    Empty,
}

/// So many calls in so long a rolling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MeterRule {
    /// Calls that pass.
    pub calls: u32,
    /// The window, in milliseconds.
    pub window_ms: i64,
}

impl Default for MeterRule {
    /// The terms: five calls a second, averaged over five minutes (reference: Last.fm §8).
    fn default() -> Self {
        Self {
            calls: 1500,
            window_ms: 300_000,
        }
    }
}

/// Every knob of Last.fm's side, with the real service's present behaviour as its default where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch of the control face"
)]
pub struct LastfmSettings {
    /// Who agrees on the page of the web login when [`super::super::Settings::auto_approve`] is on; absent: the first
    /// of all by name.
    pub auto_approve_as: Option<String>,
    /// Life of a token of the web login. Real: 60 minutes.
    pub token_ttl_s: i64,
    /// How an error travels.
    pub error_transport: Transport,
    /// What a list looks like with one item, or none. Real: arrays seen in 2026, bare objects in 2021.
    pub list_shape: ListShape,
    /// What is playing stands on every page, not on the first alone.
    pub now_playing_everywhere: bool,
    /// Which plays a window has.
    pub window_edges: WindowEdges,
    /// The largest `limit` of `user.getRecentTracks`. Real: 200 proven, 1000 said.
    pub limit_cap: usize,
    /// The largest `limit` of the top lists and the weekly chart. Real: 1000 said.
    pub top_limit_cap: usize,
    /// What a `limit` above its cap does. Real: unknown.
    pub over_cap: OverCap,
    /// What an unknown `period` does. Real: unknown.
    pub bad_period: BadPeriod,
    /// The order of JSON keys.
    pub key_order: KeyOrder,
    /// How JSON strings are written.
    pub escaping: Escaping,
    /// `user.getInfo` counts artists, tracks and albums, too. Real: in newer answers.
    pub extra_counters: bool,
    /// The `country` of somebody who named none. Real: this text, or nothing.
    pub unset_country: String,
    /// `subscriber` of a session is a string. Real: a number, a string in places.
    pub subscriber_text: bool,
    /// What stands for a picture there is not.
    pub pictures: Pictures,
    /// Albums have covers, as in the real service: addresses there that lead nowhere, so that a page which shows them asks a
    /// stranger. Off, albums are like all the rest.
    pub covers: bool,
    /// The next answer about somebody is about somebody else; then false again.
    pub wrong_user_once: bool,
    /// The next so many calls about somebody are answered as if nobody had that name.
    pub spurious_not_found: u32,
    /// So many calls in a thousand end in error 8.
    pub failures_per_mille: u32,
    /// Calls of one key, and calls of one address.
    pub meter: MeterRule,
    /// A second rule beside [`LastfmSettings::meter`].
    pub burst: Option<MeterRule>,
    /// `Retry-After` of error 29, in seconds; absent: none. Real: never seen.
    pub retry_after_s: Option<u64>,
}

impl Default for LastfmSettings {
    fn default() -> Self {
        Self {
            auto_approve_as: None,
            token_ttl_s: 3600,
            error_transport: Transport::default(),
            list_shape: ListShape::default(),
            now_playing_everywhere: false,
            window_edges: WindowEdges::default(),
            limit_cap: 200,
            top_limit_cap: 1000,
            over_cap: OverCap::default(),
            bad_period: BadPeriod::default(),
            key_order: KeyOrder::default(),
            escaping: Escaping::default(),
            extra_counters: false,
            unset_country: "None".to_owned(),
            subscriber_text: false,
            pictures: Pictures::default(),
            covers: true,
            wrong_user_once: false,
            spurious_not_found: 0,
            failures_per_mille: 0,
            meter: MeterRule::default(),
            burst: None,
            retry_after_s: None,
        }
    }
}

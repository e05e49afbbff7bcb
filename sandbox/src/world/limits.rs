//! Two different 429s: calls per app in a rolling 30 s, and calls per developer account and bucket in a rolling day.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::World;

/// The rate limit's window (reference: §8).
const RATE_WINDOW_MS: i64 = 30_000;
/// The quota's window: observed to roll over about a day (reference: §8).
const QUOTA_WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

/// A rate limit, and how its refusal looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Calls of one app in any 30 s.
    pub calls: u32,
    /// Whether the refusal says when to come back.
    #[serde(default = "yes")]
    pub retry_after: bool,
    /// JSON body, or the text `Too many requests`.
    #[serde(default = "yes")]
    pub json: bool,
}

impl RateLimit {
    /// `calls` in 30 s, refused in JSON with `Retry-After`.
    #[must_use]
    pub fn of(calls: u32) -> Self {
        Self {
            calls,
            retry_after: true,
            json: true,
        }
    }
}

fn yes() -> bool {
    true
}

/// Groups of endpoints that share a quota. Spotify does not publish its own; these are a guess with the observed
/// property that `/me` still answers when another bucket is empty (reference: §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// `/search`.
    Search,
    /// Everything about playlists, reads and writes.
    Playlists,
    /// Tracks, albums, artists.
    Catalog,
    /// `/me` and what is left.
    Profile,
}

impl Bucket {
    /// The bucket of a path below `/v1`.
    pub(crate) fn of(path: &str) -> Self {
        let path = path.strip_prefix("/v1").unwrap_or(path);
        if path.starts_with("/search") {
            Self::Search
        } else if path.contains("/playlists") {
            Self::Playlists
        } else if path.starts_with("/tracks") || path.starts_with("/albums") || path.starts_with("/artists") {
            Self::Catalog
        } else {
            Self::Profile
        }
    }
}

#[derive(Default)]
pub(super) struct Limits {
    by_app: HashMap<String, VecDeque<i64>>,
    by_developer: HashMap<(String, Bucket), VecDeque<i64>>,
    exhausted_until: HashMap<(String, Bucket), i64>,
}

/// Why a call may not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Rate { limit: RateLimit, retry_after_s: i64 },
    Quota { retry_after_s: i64 },
}

impl World {
    /// Counts one call of an app, or refuses it. A refused call is not counted.
    pub(crate) fn count_call(&mut self, client_id: &str, path: &str) -> Result<(), Refusal> {
        let now = self.now_ms();
        let bucket = Bucket::of(path);
        let developer = self
            .app(client_id)
            .map(|app| app.owner.clone())
            .unwrap_or_default();
        let key = (developer, bucket);
        if let Some(&until) = self
            .limits
            .exhausted_until
            .get(&key)
            .filter(|&&until| until > now)
        {
            return Err(Refusal::Quota {
                retry_after_s: seconds_up(until - now),
            });
        }
        let rolling_day = self.limits.by_developer.entry(key).or_default();
        prune(rolling_day, QUOTA_WINDOW_MS, now);
        if let Some(&calls) = self.settings.quota.get(&bucket) {
            room(rolling_day, calls, QUOTA_WINDOW_MS, now)
                .map_err(|retry_after_s| Refusal::Quota { retry_after_s })?;
        }
        let half_minute = self.limits.by_app.entry(client_id.to_owned()).or_default();
        prune(half_minute, RATE_WINDOW_MS, now);
        if let Some(limit) = self.settings.rate_limit {
            room(half_minute, limit.calls, RATE_WINDOW_MS, now)
                .map_err(|retry_after_s| Refusal::Rate { limit, retry_after_s })?;
        }
        rolling_day.push_back(now);
        half_minute.push_back(now);
        Ok(())
    }

    /// Empties a developer account's bucket for so long: the next call is answered `QUOTA_EXCEEDED`.
    pub fn exhaust_quota(&mut self, developer: &str, bucket: Bucket, for_ms: i64) {
        let until = self.now_ms() + for_ms;
        self.limits
            .exhausted_until
            .insert((developer.to_owned(), bucket), until);
    }

    /// Forgets all counted calls and exhausted buckets.
    pub fn reset_limits(&mut self) {
        self.limits = Limits::default();
    }
}

/// Drops what left the window.
fn prune(calls: &mut VecDeque<i64>, window_ms: i64, now: i64) {
    while calls.front().is_some_and(|&at| at + window_ms <= now) {
        calls.pop_front();
    }
}

/// Says, if there is no room for one more call, in how many seconds there will be.
fn room(calls: &VecDeque<i64>, allowed: u32, window_ms: i64, now: i64) -> Result<(), i64> {
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    if calls.len() < allowed {
        return Ok(());
    }
    // The call that has to leave first: with a limit lowered in mid-flight, not the oldest one.
    let first = calls
        .len()
        .checked_sub(allowed.max(1))
        .and_then(|index| calls.get(index));
    Err(seconds_up(first.map_or(window_ms, |&at| at + window_ms - now)))
}

fn seconds_up(ms: i64) -> i64 {
    (ms + 999) / 1000
}

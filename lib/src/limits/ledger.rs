//! What an app was asked within a day, and after how much of it the provider refused.
//!
//! Spotify says nothing of what is left of a quota, nor how large it is (reference: quota). So calls are counted here, in
//! hours that add up to a rolling day, as its window seems to be, and a refusal tells what the day before it held.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Level, pacer};
use crate::{
    store::{Collection, Record, Store, StoreError, Written},
    system::{System, Timestamp},
};

/// Ledgers share their collection with buckets and breakers.
pub(super) const ID_PREFIX: &str = "ledger:";

/// The quota's window (reference: "looks rolling ~24 h").
const WINDOW: Duration = Duration::from_hours(24);

const HOUR_MS: i64 = 60 * 60 * 1000;

/// A refusal that is older says little about today: Spotify has changed its quotas within weeks (reference: quota).
const REFUSAL_KEPT: Duration = Duration::from_hours(30 * 24);

/// Races over one ledger that are tried again.
const TRIES_MAX: usize = 8;

/// The groups of calls that have quotas of their own, as far as is known: unpublished, guessed from which calls still
/// worked while others were refused (reference: quota).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Searching.
    Search,
    /// Looking at a track.
    Catalog,
    /// Everything about playlists.
    Playlist,
    /// Whose the token is.
    Profile,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Search, Self::Catalog, Self::Playlist, Self::Profile];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Catalog => "catalog",
            Self::Playlist => "playlist",
            Self::Profile => "profile",
        }
    }
}

/// Calls, by kind.
pub type Calls = BTreeMap<Kind, u32>;

/// The ledgers in the store.
#[derive(Clone, Debug)]
pub struct Ledger {
    store: Arc<dyn Store>,
    system: System,
}

/// What is known of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Calls within the last 24 hours; of the oldest hour as a whole.
    pub spent: Calls,
    /// Calls of a kind within the 24 hours before its quota was said to be used up, where that has happened lately.
    pub refused_after: Calls,
    /// Until when the provider refuses everything now, if it does.
    pub closed_until: Option<Timestamp>,
}

/// One app's calls, as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Book {
    /// Hours since the epoch in which there were calls.
    hours: BTreeMap<i64, Calls>,
    refusals: BTreeMap<Kind, RefusedAfter>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RefusedAfter {
    calls: u32,
    at: Timestamp,
}

impl Ledger {
    /// The ledgers in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, system: System) -> Self {
        Self { store, system }
    }

    /// Notes `calls` that were made for `budget` lately, and whether a quota is `used_up` after them: one write.
    ///
    /// # Errors
    /// [`StoreError`]; then they may be noted or not, and who notes them again rather counts them twice than not at all.
    pub async fn note(&self, budget: &str, calls: &Calls, used_up: Option<Kind>) -> Result<(), StoreError> {
        let id = id_of(budget);
        for _ in 0..TRIES_MAX {
            let found = self.store.find_record(Collection::Budgets, &id).await?;
            let record = found.unwrap_or_default();
            let mut book = read(&record);
            book.note(calls, used_up, self.system.now());
            let record = Record {
                due_at: book.kept_until(),
                body: serde_json::to_value(&book).map_err(StoreError::unreadable)?,
                ..record
            };
            let written = self.store.write_record(Collection::Budgets, &id, &record).await?;
            if matches!(written, Written::As(_)) {
                return Ok(());
            }
        }
        Err(StoreError::unavailable("a ledger is written to without end"))
    }

    /// What is known of `budget`, in one question.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look(&self, budget: &str) -> Result<Known, StoreError> {
        let (ledger, bucket) = (id_of(budget), pacer::id_of(budget));
        let ids = [ledger.clone(), bucket];
        let found = self.store.find_records(Collection::Budgets, &ids).await?;
        let now = self.system.now();
        let mut known = Known::default();
        for (id, record) in found {
            if id == ledger {
                let book = read(&record);
                known.spent = book.spent(now);
                known.refused_after = book.refused_after(now);
            } else if let Ok(level) = Level::deserialize(&record.body) {
                known.closed_until = level.closed(now).map(|(until, _)| until);
            }
        }
        Ok(known)
    }
}

impl Book {
    fn note(&mut self, calls: &Calls, used_up: Option<Kind>, now: Timestamp) {
        self.forget_old(now);
        if !calls.is_empty() {
            let hour = self.hours.entry(hour_of(now)).or_default();
            for (kind, count) in calls {
                let noted = hour.entry(*kind).or_default();
                *noted = noted.saturating_add(*count);
            }
        }
        let Some(kind) = used_up else { return };
        // Within a day of the first one the quota has not been filled again: what was spent meanwhile is no measure.
        let is_news = self
            .refusals
            .get(&kind)
            .is_none_or(|before| now.since(before.at) >= WINDOW);
        if is_news {
            let calls = self.spent(now).get(&kind).copied().unwrap_or(0);
            self.refusals.insert(kind, RefusedAfter { calls, at: now });
        }
    }

    fn spent(&self, now: Timestamp) -> Calls {
        let mut spent = Calls::new();
        let begins = hour_of(now - WINDOW);
        for (kind, count) in self.hours.range(begins..).flat_map(|(_, calls)| calls) {
            let sum = spent.entry(*kind).or_default();
            *sum = sum.saturating_add(*count);
        }
        spent
    }

    fn refused_after(&self, now: Timestamp) -> Calls {
        let lately = self
            .refusals
            .iter()
            .filter(|(_, refused)| now.since(refused.at) < REFUSAL_KEPT);
        lately.map(|(kind, refused)| (*kind, refused.calls)).collect()
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.hours = self.hours.split_off(&hour_of(now - WINDOW));
        self.refusals
            .retain(|_, refused| now.since(refused.at) < REFUSAL_KEPT);
    }

    /// When nothing in it counts any more.
    fn kept_until(&self) -> Option<Timestamp> {
        let last_hour = self.hours.keys().next_back();
        let hour_ends = last_hour.map(|hour| Timestamp::from_ms((hour + 1) * HOUR_MS) + WINDOW);
        let refusals = self.refusals.values().map(|refused| refused.at + REFUSAL_KEPT);
        refusals.chain(hour_ends).max()
    }
}

const fn hour_of(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(HOUR_MS)
}

fn id_of(budget: &str) -> String {
    format!("{ID_PREFIX}{budget}")
}

/// What cannot be read counts nothing: a forecast knows less then.
fn read(record: &Record) -> Book {
    Book::deserialize(&record.body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64, minutes: i64) -> Timestamp {
        Timestamp::from_ms(hours * HOUR_MS + minutes * 60_000)
    }

    fn calls(search: u32, playlist: u32) -> Calls {
        [(Kind::Search, search), (Kind::Playlist, playlist)].into()
    }

    #[test]
    fn a_day_is_summed_up_and_what_is_older_is_forgotten() {
        let mut book = Book::default();
        book.note(&calls(20, 1), None, at(1_000, 5));
        book.note(&calls(20, 2), None, at(1_000, 55));
        book.note(&calls(7, 0), None, at(1_010, 0));
        assert_eq!(book.spent(at(1_010, 0)), calls(47, 3));
        assert_eq!(book.spent(at(1_024, 59)), calls(47, 3), "not a call too few");
        assert_eq!(book.spent(at(1_025, 0)), calls(7, 0));
        assert_eq!(book.kept_until(), Some(at(1_035, 0)));
        book.note(&calls(1, 0), None, at(1_040, 0));
        assert_eq!(book.hours.len(), 1);
    }

    #[test]
    fn a_refusal_tells_what_the_day_before_it_held() {
        let mut book = Book::default();
        book.note(&calls(300, 9), None, at(1_000, 0));
        book.note(&calls(100, 1), Some(Kind::Search), at(1_020, 0));
        let after = Calls::from([(Kind::Search, 400)]);
        assert_eq!(book.refused_after(at(1_020, 0)), after);
        book.note(&calls(2, 0), Some(Kind::Search), at(1_043, 59));
        assert_eq!(book.refused_after(at(1_044, 0)), after, "it was the same quota");
        book.note(&calls(50, 0), Some(Kind::Search), at(1_060, 0));
        assert_eq!(book.refused_after(at(1_060, 0)), [(Kind::Search, 52)].into());
        let month_later = at(1_060 + 30 * 24, 0);
        assert_eq!(book.kept_until(), Some(month_later));
        assert_eq!(book.refused_after(month_later), Calls::new());
    }

    #[test]
    fn what_is_stored_of_it_is_read_back() {
        let mut book = Book::default();
        book.note(&calls(3, 4), Some(Kind::Playlist), at(490_000, 7));
        let stored = serde_json::to_value(&book).expect("JSON");
        assert_eq!(stored["hours"]["490000"]["search"], 3);
        assert_eq!(serde_json::from_value::<Book>(stored).expect("a book"), book);
    }
}

//! The meter: calls of each key and of each address, in rolling windows.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::{Lastfm, LastfmSettings, MeterRule};

/// What one key, or one address, has asked since the meter was last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterCount {
    /// Calls that passed the meter.
    pub calls: u64,
    /// Calls that it refused with error 29.
    pub refused: u64,
}

#[derive(Default)]
struct Counter {
    count: MeterCount,
    /// When the calls came that may still matter; epoch milliseconds, oldest first.
    recent_ms: VecDeque<i64>,
}

impl Counter {
    fn has_room(&self, rule: MeterRule, now_ms: i64) -> bool {
        let left = self
            .recent_ms
            .partition_point(|&at| at + rule.window_ms <= now_ms);
        self.recent_ms.len() - left < usize::try_from(rule.calls).unwrap_or(usize::MAX)
    }

    fn prune(&mut self, window_ms: i64, now_ms: i64) {
        while self.recent_ms.front().is_some_and(|&at| at + window_ms <= now_ms) {
            self.recent_ms.pop_front();
        }
    }
}

#[derive(Default)]
pub(super) struct Meter {
    keys: BTreeMap<String, Counter>,
    addresses: BTreeMap<String, Counter>,
}

impl Lastfm {
    /// What this key has asked.
    #[must_use]
    pub fn meter(&self, api_key: &str) -> MeterCount {
        self.meter
            .keys
            .get(api_key)
            .map(|counter| counter.count)
            .unwrap_or_default()
    }

    /// What callers from this address have asked, whatever key they named.
    #[must_use]
    pub fn meter_of_address(&self, address: &str) -> MeterCount {
        let counter = self.meter.addresses.get(address);
        counter.map(|counter| counter.count).unwrap_or_default()
    }

    /// Forgets all counted calls.
    pub fn reset_meter(&mut self) {
        self.meter = Meter::default();
    }

    /// Every key that asked, by what the journal calls it.
    pub(crate) fn metered_keys(&self) -> impl Iterator<Item = (&str, MeterCount)> {
        let named = |key: &String| self.keys.get(key).map(|key| key.label.as_str());
        let keys = self.meter.keys.iter();
        keys.filter_map(move |(key, counter)| Some((named(key)?, counter.count)))
    }

    /// Every address that asked.
    pub(crate) fn metered_addresses(&self) -> impl Iterator<Item = (&str, MeterCount)> {
        let addresses = self.meter.addresses.iter();
        addresses.map(|(address, counter)| (address.as_str(), counter.count))
    }

    /// Counts one call of a key from an address; false if either has no room left. A refused call takes no room.
    pub(crate) fn count_call(
        &mut self,
        settings: &LastfmSettings,
        api_key: &str,
        address: &str,
        now_ms: i64,
    ) -> bool {
        let rules = [Some(settings.meter), settings.burst];
        let rules = || rules.into_iter().flatten();
        let window_ms = rules().map(|rule| rule.window_ms).max().unwrap_or(0);
        let key = self.meter.keys.entry(api_key.to_owned()).or_default();
        let address = self.meter.addresses.entry(address.to_owned()).or_default();
        key.prune(window_ms, now_ms);
        address.prune(window_ms, now_ms);
        let passes = rules().all(|rule| key.has_room(rule, now_ms) && address.has_room(rule, now_ms));
        for counter in [key, address] {
            if passes {
                counter.count.calls += 1;
                counter.recent_ms.push_back(now_ms);
            } else {
                counter.count.refused += 1;
            }
        }
        passes
    }
}

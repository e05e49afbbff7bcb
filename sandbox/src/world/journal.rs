//! The list of requests seen: names of what came, never values, so that it can be printed anywhere.

use std::collections::BTreeMap;

use serde::Serialize;

use super::World;

/// Requests kept; older ones are dropped so that a sandbox left running does not grow for ever.
const KEPT_MAX: usize = 10_000;

/// One request, as the sandbox saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Counted from 0, never reused.
    pub number: u64,
    /// Epoch milliseconds on the sandbox's clock.
    pub at_ms: i64,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// Absent while it waits, and for ever if the caller went away or the connection was dropped.
    pub status: Option<u16>,
    /// The app it spoke for, as far as its credentials or token say; of Last.fm's keys, only what they are called.
    pub client_id: Option<String>,
    /// The user its token belongs to; whom a call of Last.fm's API asks about.
    pub user: Option<String>,
    /// The names in the query string and the form or JSON object, sorted.
    pub fields: Vec<String>,
    /// Which grant a token request asked for: beside the next, the one value that is kept.
    pub grant_type: Option<String>,
    /// Which of Last.fm's methods was called, in its own spelling; `unknown` for one the sandbox does not have.
    pub lastfm_method: Option<String>,
    /// True if no route of the sandbox answers this: a call nobody expected.
    pub unexpected: bool,
}

#[derive(Default)]
pub(super) struct Journal {
    seen: std::collections::VecDeque<Seen>,
    next: u64,
}

impl World {
    /// Every request since the last [`World::clear_requests`], in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.journal.seen.iter().cloned().collect()
    }

    /// How many requests with this method and path prefix were seen.
    #[must_use]
    pub fn count(&self, method: &str, path_prefix: &str) -> usize {
        let same = |seen: &&Seen| seen.method == method && seen.path.starts_with(path_prefix);
        self.journal.seen.iter().filter(same).count()
    }

    /// How many token requests asked for this `grant_type`.
    #[must_use]
    pub fn count_grant_type(&self, grant_type: &str) -> usize {
        self.journal
            .seen
            .iter()
            .filter(|seen| seen.grant_type.as_deref() == Some(grant_type))
            .count()
    }

    /// How many calls of this method of Last.fm's were seen.
    #[must_use]
    pub fn count_lastfm(&self, method: &str) -> usize {
        let same = |seen: &&Seen| seen.lastfm_method.as_deref() == Some(method);
        self.journal.seen.iter().filter(same).count()
    }

    /// Requests by `"METHOD /path"`.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<String, usize> {
        let mut counters = BTreeMap::new();
        for seen in &self.journal.seen {
            *counters
                .entry(format!("{} {}", seen.method, seen.path))
                .or_default() += 1;
        }
        counters
    }

    /// The requests that no route answers; a test may end by asserting that there are none.
    #[must_use]
    pub fn unexpected(&self) -> Vec<Seen> {
        self.journal
            .seen
            .iter()
            .filter(|seen| seen.unexpected)
            .cloned()
            .collect()
    }

    /// Forgets the requests seen.
    pub fn clear_requests(&mut self) {
        self.journal.seen.clear();
    }

    /// Notes an arrival and answers its number.
    pub(crate) fn note_arrival(&mut self, mut seen: Seen) -> u64 {
        let number = self.journal.next;
        self.journal.next += 1;
        seen.number = number;
        seen.at_ms = self.now_ms();
        if self.journal.seen.len() == KEPT_MAX {
            self.journal.seen.pop_front();
        }
        self.journal.seen.push_back(seen);
        number
    }

    /// Notes how a request was answered, unless the list was cleared in between.
    pub(crate) fn note_answer(&mut self, number: u64, status: u16, unexpected: bool) {
        if let Some(seen) = self
            .journal
            .seen
            .iter_mut()
            .rev()
            .find(|seen| seen.number == number)
        {
            seen.status = Some(status);
            seen.unexpected = unexpected;
        }
    }
}

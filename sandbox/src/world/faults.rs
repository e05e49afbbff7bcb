//! Faults and holds: what goes wrong on purpose, where, how often, and requests that wait until told.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::World;

/// Which requests a fault is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// Absent: every method.
    #[serde(default)]
    pub method: Option<String>,
    /// How the path begins: `/api/token`, `/v1/playlists/`.
    pub path: String,
    /// A method of Last.fm's, which all share one path; absent: every one.
    #[serde(default)]
    pub lastfm_method: Option<String>,
}

impl Matcher {
    fn matches(&self, method: &str, path: &str, lastfm_method: Option<&str>) -> bool {
        self.method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.starts_with(&self.path)
            && self
                .lastfm_method
                .as_deref()
                .is_none_or(|wanted| lastfm_method.is_some_and(|method| method.eq_ignore_ascii_case(wanted)))
    }
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// For which requests.
    #[serde(flatten)]
    pub matcher: Matcher,
    /// How often; absent: until it is removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that lasts, for one method and the paths that begin so.
    #[must_use]
    pub fn on(method: &str, path: &str, kind: FaultKind) -> Self {
        Self {
            matcher: Matcher {
                method: Some(method.to_owned()),
                path: path.to_owned(),
                lastfm_method: None,
            },
            times: None,
            kind,
        }
    }

    /// A fault that lasts, for one method of Last.fm's API, `user.getRecentTracks`.
    #[must_use]
    pub fn on_lastfm(method: &str, kind: FaultKind) -> Self {
        Self {
            matcher: Matcher {
                method: None,
                path: "/2.0".to_owned(),
                lastfm_method: Some(method.to_owned()),
            },
            times: None,
            kind,
        }
    }

    /// The same, but only for the next so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// Answer this; do no work.
    Status {
        /// The HTTP status.
        status: u16,
        /// `text/html`, `application/json`, …
        content_type: String,
        /// The body as it is sent.
        body: String,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    /// Answer this status, and nothing but this `Retry-After`, as it is: a date, a number, or nonsense. Do no work.
    RetryAfter {
        /// The HTTP status.
        status: u16,
        /// The header's value.
        value: String,
    },
    /// Say nothing until the caller gives up, or [`World::release_hangs`] turns it into an empty 504.
    Hang,
    /// Do the work, but later by so many milliseconds of real time.
    DelayMs(u64),
    /// Do the work, then answer this status with a gateway's JSON: what happened is not what is said.
    CommitThenStatus(u16),
    /// Do the work, then close the connection without an answer.
    CommitThenDrop,
    /// Close the connection without an answer; do no work.
    DropConnection,
    /// Answer 200 with a page of HTML; do no work.
    Garbage200,
}

impl FaultKind {
    /// A status with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::with_body(status, "application/json", body)
    }

    /// A status with a text body.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::with_body(status, "text/plain", body)
    }

    /// A status with a page of HTML, as gateways answer.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::with_body(
            status,
            "text/html",
            "<html><body><h1>Service unavailable</h1></body></html>",
        )
    }

    fn with_body(status: u16, content_type: &str, body: &str) -> Self {
        Self::Status {
            status,
            content_type: content_type.to_owned(),
            body: body.to_owned(),
            retry_after_s: None,
        }
    }
}

/// On which side of the work a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    BeforeWork,
    BeforeAnswer,
}

struct Hold {
    path: String,
    when: When,
    /// How many it takes; whoever comes later passes.
    room: usize,
    open: watch::Sender<bool>,
    arrivals: watch::Sender<usize>,
}

/// A closed gate: wait until it opens, or has been removed.
pub(crate) struct Gate(watch::Receiver<bool>);

impl Gate {
    pub(crate) async fn opened(mut self) {
        // An error means that the hold is gone, which opens it as well.
        let _ = self.0.wait_for(|&open| open).await;
    }
}

pub(super) struct Faults {
    list: Vec<(u64, Fault)>,
    next_id: u64,
    holds: Vec<Hold>,
    hangs: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            next_id: 1,
            holds: Vec::new(),
            hangs: watch::Sender::new(0),
        }
    }
}

impl World {
    /// Adds a fault and answers its number. Of several that match, the oldest acts.
    pub fn fault(&mut self, fault: Fault) -> u64 {
        let id = self.faults.next_id;
        self.faults.next_id += 1;
        self.faults.list.push((id, fault));
        id
    }

    /// The faults that are left, with their numbers.
    pub fn faults(&self) -> impl Iterator<Item = &(u64, Fault)> {
        self.faults.list.iter()
    }

    /// Removes one fault; answers whether it was there.
    pub fn remove_fault(&mut self, id: u64) -> bool {
        let before = self.faults.list.len();
        self.faults.list.retain(|(other, _)| *other != id);
        self.faults.list.len() < before
    }

    /// Removes all faults and lets what hangs go.
    pub fn clear_faults(&mut self) {
        self.faults.list.clear();
        self.release_hangs();
    }

    /// Requests that hang now are answered an empty 504.
    pub fn release_hangs(&mut self) {
        self.faults.hangs.send_modify(|round| *round += 1);
    }

    /// Makes requests whose path begins so wait, before anything is done for them, until [`World::release`].
    pub fn hold(&mut self, path: &str) {
        self.add_hold(path, When::BeforeWork, usize::MAX);
    }

    /// The same for the next such request alone: those behind it overtake it.
    pub fn hold_next(&mut self, path: &str) {
        self.add_hold(path, When::BeforeWork, 1);
    }

    /// Lets requests whose path begins so do their work, and holds the answer back until [`World::release`].
    pub fn hold_answer(&mut self, path: &str) {
        self.add_hold(path, When::BeforeAnswer, usize::MAX);
    }

    /// The same for the next such answer alone.
    pub fn hold_next_answer(&mut self, path: &str) {
        self.add_hold(path, When::BeforeAnswer, 1);
    }

    /// Ends the holds of exactly this path; who waits goes on. Answers how many holds there were.
    pub fn release(&mut self, path: &str) -> usize {
        let before = self.faults.holds.len();
        self.faults.holds.retain(|hold| {
            let released = hold.path == path;
            if released {
                hold.open.send_replace(true);
            }
            !released
        });
        before - self.faults.holds.len()
    }

    fn add_hold(&mut self, path: &str, when: When, room: usize) {
        let hold = Hold {
            path: path.to_owned(),
            when,
            room,
            open: watch::Sender::new(false),
            arrivals: watch::Sender::new(0),
        };
        self.faults.holds.push(hold);
    }

    /// The hold a request meets, if any; it is counted as arrived there.
    pub(crate) fn meet_hold(&mut self, path: &str, when: When) -> Option<Gate> {
        let takes_it = |hold: &&Hold| {
            hold.when == when && path.starts_with(&hold.path) && *hold.arrivals.borrow() < hold.room
        };
        let hold = self.faults.holds.iter().find(takes_it)?;
        hold.arrivals.send_modify(|count| *count += 1);
        Some(Gate(hold.open.subscribe()))
    }

    /// How many requests have come to the hold of exactly this path, as a value to watch.
    pub(crate) fn arrivals(&self, path: &str) -> Option<watch::Receiver<usize>> {
        self.faults
            .holds
            .iter()
            .find(|hold| hold.path == path)
            .map(|hold| hold.arrivals.subscribe())
    }

    /// The fault that acts on a request, used up by one.
    pub(crate) fn take_fault(
        &mut self,
        method: &str,
        path: &str,
        lastfm_method: Option<&str>,
    ) -> Option<FaultKind> {
        let index = self.faults.list.iter().position(|(_, fault)| {
            fault.times != Some(0) && fault.matcher.matches(method, path, lastfm_method)
        })?;
        let fault = &mut self.faults.list[index].1;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.faults.list.remove(index);
            }
        }
        Some(kind)
    }

    pub(crate) fn hangs(&self) -> watch::Receiver<u64> {
        self.faults.hangs.subscribe()
    }
}

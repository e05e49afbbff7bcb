//! Reading a person's plays: page after page of a window that does not move, until what is known reaches from the wanted
//! moment to the present.
//!
//! A play is told when it is over and bears the moment when it began, and a device that was offline tells it days later.
//! So what was read is not simply done with: a second look begins some time before the first one's end, and Last.fm's own
//! count of the whole stretch, which comes with every page, shows whether anything was added or taken back further down.

use std::time::Duration;

use super::{
    CallError,
    account::Account,
    calls::{Calls, Patience},
    history::History,
};
use crate::{
    metrics::LastfmCall,
    providers::lastfm::{PLAYS_PER_PAGE_MAX, Play, RecentAsk, RecentPage},
    system::Timestamp,
};

/// A second look begins so long before the first one's end: longer than what most devices play before they tell of it.
const OVERLAP_S: i64 = 30 * 60;

/// Pages that one question reads at most, 10,000 plays; the next one goes on.
const PAGES_MAX: u32 = 50;

/// A look so soon after the last one asks for pages that are smaller.
const SOON: Duration = Duration::from_hours(2);

/// Nobody plays more in [`SOON`], and a page of them has a quarter of the bytes.
const PLAYS_PER_PAGE_SOON: u32 = 50;

/// What reads one account's plays, for one question.
pub(super) struct Reading<'a> {
    pub(super) calls: &'a Calls,
    pub(super) account: &'a Account,
    pub(super) patience: Patience,
}

/// A window of plays, in whole seconds: from the first to before the second.
#[derive(Clone, Copy)]
struct Window {
    from_s: i64,
    to_s: i64,
    per_page: u32,
}

/// Plays of a window, the newest first, as pages bring them.
struct Pages {
    window: Window,
    next: u32,
    /// How many plays Last.fm counts in it.
    total: Option<u64>,
    /// Everything from this second on was read.
    reached_s: i64,
    /// Plays of the seconds that were not read to their end: a page may end within one.
    rest: Vec<Play>,
}

impl Pages {
    fn of(window: Window) -> Self {
        Self {
            reached_s: window.to_s,
            window,
            next: 1,
            total: None,
            rest: Vec::new(),
        }
    }

    fn is_at_its_end(&self) -> bool {
        self.reached_s <= self.window.from_s
    }

    /// Takes the next page: the plays of the seconds that are complete now.
    fn take(&mut self, page: RecentPage) -> Vec<Play> {
        let is_last = match page.pages {
            Some(pages) => u64::from(self.next) >= pages,
            None => page.plays.is_empty(),
        };
        self.next += 1;
        self.total = self.total.or(page.total);
        let oldest_s = page.plays.last().map(|play| play.at.as_s());
        let mut plays = std::mem::take(&mut self.rest);
        plays.extend(page.plays);
        self.reached_s = match oldest_s {
            Some(oldest_s) if !is_last => (oldest_s + 1).clamp(self.window.from_s, self.reached_s),
            _ => self.window.from_s,
        };
        let (complete, rest) = plays
            .into_iter()
            .partition(|play| play.at.as_s() >= self.reached_s);
        self.rest = rest;
        complete
    }
}

impl Reading<'_> {
    /// Makes `history` reach from `since_s` to `now`; `None` begins it. What was read is in it, whatever happens; answers
    /// whether that is everything.
    pub(super) async fn go_on(
        &self,
        history: &mut Option<History>,
        since_s: i64,
        (last_look, now): (Timestamp, Timestamp),
    ) -> Result<bool, CallError> {
        // The second that is running now may get more plays, and is read again by the next look.
        let to_s = now.as_s() + 1;
        let known = if let Some(known) = history {
            if !self.catch_up(known, to_s, now.since(last_look) < SOON).await? {
                return Ok(false);
            }
            known
        } else {
            history.insert(History::empty(to_s))
        };
        if since_s < known.since_s() {
            return self.go_back(known, since_s).await;
        }
        Ok(true)
    }

    /// Reads from what is known back to `since_s`.
    async fn go_back(&self, history: &mut History, since_s: i64) -> Result<bool, CallError> {
        let is_first_look = history.since_s() == history.until_s();
        let mut pages = Pages::of(Window {
            from_s: since_s,
            to_s: history.since_s(),
            per_page: PLAYS_PER_PAGE_MAX,
        });
        while !pages.is_at_its_end() {
            if !self.put_next(&mut pages, history).await? {
                return Ok(false);
            }
        }
        if is_first_look && let Some(total) = pages.total {
            history.compared(total);
        }
        Ok(true)
    }

    /// Reads from the present back to what is known.
    async fn catch_up(&self, history: &mut History, to_s: i64, soon: bool) -> Result<bool, CallError> {
        let mut pages = Pages::of(Window {
            from_s: history.since_s(),
            to_s,
            per_page: if soon {
                PLAYS_PER_PAGE_SOON
            } else {
                PLAYS_PER_PAGE_MAX
            },
        });
        let known_s = (history.until_s() - OVERLAP_S).max(history.since_s());
        let mut fresh = Vec::new();
        while pages.reached_s > known_s {
            let Some(plays) = self.next(&mut pages).await? else {
                // So much was played since that the gap stays open: what is beyond it is read again.
                *history = History::empty(to_s);
                history.put(pages.reached_s, to_s, &fresh);
                return Ok(false);
            };
            fresh.extend(plays);
        }
        history.put(pages.reached_s, to_s, &fresh);
        let Some(total) = pages.total else { return Ok(true) };
        if pages.is_at_its_end() || !history.was_compared() {
            history.compared(total);
        } else if history.missing(total) != 0
            && let Err(error) = self.look_further(history, pages.reached_s, total).await
        {
            // The present is known; the next look tries this again.
            tracing::debug!(%error, "what was added to the past could not be looked for");
        }
        Ok(true)
    }

    /// Something was added or taken back before `before_s`: reads on until the count is right.
    async fn look_further(&self, history: &mut History, before_s: i64, total: u64) -> Result<(), CallError> {
        let mut pages = Pages::of(Window {
            from_s: history.since_s(),
            to_s: before_s,
            per_page: PLAYS_PER_PAGE_MAX,
        });
        while !pages.is_at_its_end() && history.missing(total) != 0 {
            if !self.put_next(&mut pages, history).await? {
                break;
            }
        }
        // Looked at or not: the next look has to find something new.
        history.compared(total);
        Ok(())
    }

    /// Reads one page more into `history`; `false` when there were enough.
    async fn put_next(&self, pages: &mut Pages, history: &mut History) -> Result<bool, CallError> {
        let before_s = pages.reached_s;
        let Some(plays) = self.next(pages).await? else {
            return Ok(false);
        };
        history.put(pages.reached_s, before_s, &plays);
        Ok(true)
    }

    /// The next page; `None` when there were enough.
    async fn next(&self, pages: &mut Pages) -> Result<Option<Vec<Play>>, CallError> {
        if pages.next > PAGES_MAX {
            return Ok(None);
        }
        let Window {
            from_s,
            to_s,
            per_page,
        } = pages.window;
        let ask = RecentAsk {
            user: &self.account.username,
            session: self.account.session.as_ref(),
            from: Some(Timestamp::from_s(from_s)),
            to: Some(Timestamp::from_s(to_s)),
            limit: per_page,
            page: pages.next,
        };
        let lastfm = &self.calls.lastfm;
        let page = self
            .calls
            .make(LastfmCall::Recent, self.patience, || lastfm.recent_tracks(&ask))
            .await?;
        Ok(Some(pages.take(page)))
    }
}

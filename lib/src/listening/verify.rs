//! Whether somebody played what they were asked to: one look at a window of their plays answers for every song.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Answer, CallError, Counted, FRESH, Listening, ListeningError, NearMiss, Target, Window,
    account::{Account, Part},
    calls::Patience,
    evidence::{Evidence, Played, judge},
    history::{History, StoredHistory},
    lookup::Subject,
    question,
    reading::Reading,
    shelf::version_of,
};
use crate::{
    ids::UserId,
    limits::Class,
    metrics::LastfmCall,
    providers::lastfm::TopItem,
    store::Version,
    system::{BoxFuture, Timestamp},
};

/// What was read of somebody is kept for so long after the last look at it.
const HISTORY_LIFE: Duration = Duration::from_hours(45 * 24);

/// The record of what was read of somebody.
const HISTORY: &str = "history";

/// A window that is over is done with when somebody has looked so long after its end: what is playing then has been told,
/// and what devices tell days later is found when somebody asks about a later window.
const SETTLED_AFTER: Duration = Duration::from_hours(1);

/// A run that was joined may have set out for a later beginning.
const JOINS_MAX: usize = 3;

/// Songs that Last.fm's chart of a window names at most (reference: Last.fm §6.2).
const CHART_ROWS_MAX: u32 = 1000;

/// The chart of a window that goes on is good for so long, as that of the running week (reference: Last.fm §9).
const CHART_FRESH: Duration = Duration::from_hours(1);

/// The chart of a window that is over stays as it is (reference: Last.fm §9: "finished weekly charts for ever"); for as long
/// as it is kept.
const CHART_LIFE: Duration = Duration::from_hours(90 * 24);

/// What became of one song.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetVerdict {
    /// What was asked about.
    pub target: Target,
    /// How often it was played.
    pub played: u32,
    /// Whether that is enough.
    pub done: bool,
    /// When it was played last, if it was and that is known.
    pub last_played_at: Option<Timestamp>,
    /// The moments that counted, where they are known, the latest first.
    pub moments: Vec<Timestamp>,
    /// What counted, the most played first.
    pub counted: Vec<Counted>,
    /// What came near and did not count, the nearest first.
    pub near_misses: Vec<NearMiss>,
}

/// Where a verdict comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictSource {
    /// Every play was looked at.
    Plays,
    /// Last.fm's own chart of the window, which knows no moments, and at most a thousand songs.
    Chart,
}

/// What became of all songs.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// In the order of the question.
    pub targets: Vec<TargetVerdict>,
    /// The window that was asked about.
    pub window: Window,
    /// The part of it that is known; nothing can be said of the rest.
    pub covered: Window,
    /// Whether all of it is known that is over.
    pub whole: bool,
    /// How many plays there are in it.
    pub plays: u64,
    /// Where this comes from.
    pub source: VerdictSource,
}

impl Verdict {
    /// Whether every song was played as often as was asked.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.targets.iter().all(|target| target.done)
    }
}

/// What is known of a window.
struct Evident {
    played: Vec<Played>,
    covered: Window,
    whole: bool,
    source: VerdictSource,
    as_of: Timestamp,
    problem: Option<CallError>,
}

/// What was read of somebody, and when it last reached the present.
struct Known {
    history: History,
    as_of: Timestamp,
}

/// A row of a chart, as it is stored: title, artist, plays.
#[derive(Debug, Serialize, Deserialize)]
struct Row(String, String, u64);

impl Listening {
    /// How often the account that `user` has linked played each of `targets` within `window`.
    ///
    /// # Errors
    /// [`ListeningError`], when nothing is known of the window, or the question makes no sense.
    pub async fn verify(
        &self,
        user: &UserId,
        window: Window,
        targets: Vec<Target>,
        class: Class,
    ) -> Result<Answer<Verdict>, ListeningError> {
        question::check(&targets)?;
        self.calls()?;
        let account = self.account(user).await?;
        let evident = if window.is_read(self.0.system.now()) {
            self.plays_in(&account, window, class).await?
        } else {
            self.chart_of(&account, window, class).await?
        };
        let Evident {
            played,
            covered,
            whole,
            source,
            as_of,
            problem,
        } = evident;
        let plays = played.iter().map(|song| u64::from(song.song.plays)).sum();
        // Comparing names takes its time; whoever else is answered here must not wait for it. Nobody closes the semaphore.
        let _judge = self.0.judges.acquire().await.ok();
        let judging = tokio::task::spawn_blocking(move || {
            let evidence = judge(&played, &targets);
            let verdicts = targets.into_iter().zip(evidence);
            verdicts
                .map(|(target, evidence)| verdict(target, evidence))
                .collect()
        });
        let targets = judging
            .await
            .map_err(|_| CallError::Unavailable { retry_after: None })?;
        let verdict = Verdict {
            targets,
            window,
            covered,
            whole,
            plays,
            source,
        };
        Ok(self.answer(account, verdict, as_of, problem))
    }

    /// Every play of a window, from what was read before and what has to be read now.
    async fn plays_in(
        &self,
        account: &Account,
        window: Window,
        class: Class,
    ) -> Result<Evident, ListeningError> {
        let patience = self.patience(class);
        let (since_s, until_s) = window.seconds();
        let mut problem = None;
        let mut known = self.known(account).await?;
        for _ in 0..JOINS_MAX {
            if known.as_ref().is_some_and(|known| self.is_enough(known, window)) {
                break;
            }
            let (read, was_ours) = self
                .together(&account.user, HISTORY, |listening| {
                    let account = account.clone();
                    let work: BoxFuture<'static, _> =
                        Box::pin(async move { listening.read_on(&account, since_s, patience).await });
                    work
                })
                .await;
            problem = read.err();
            known = self.known(account).await?;
            if was_ours || problem.is_some() {
                break;
            }
        }
        let Some(Known { history, as_of }) = known else {
            return Err(problem
                .unwrap_or(CallError::Unavailable { retry_after: None })
                .into());
        };
        // The second that was running when it was read last is not over for anybody.
        let read_to_s = history.until_s().min(as_of.as_s());
        let covered = Window {
            since: Timestamp::from_s(since_s.max(history.since_s())),
            until: Timestamp::from_s(until_s.min(read_to_s)),
        };
        if covered.since >= covered.until
            && let Some(problem) = problem
        {
            return Err(problem.into());
        }
        let plays = history.between(since_s, until_s);
        Ok(Evident {
            played: plays.into_iter().map(Played::from).collect(),
            whole: history.since_s() <= since_s,
            covered,
            source: VerdictSource::Plays,
            as_of,
            problem,
        })
    }

    /// Whether nothing has to be read to know `window`.
    fn is_enough(&self, known: &Known, window: Window) -> bool {
        let (since_s, _) = window.seconds();
        let is_new = self.0.system.now().since(known.as_of) < FRESH;
        let is_settled = known.as_of >= window.until + SETTLED_AFTER;
        known.history.since_s() <= since_s && (is_new || is_settled)
    }

    async fn known(&self, account: &Account) -> Result<Option<Known>, CallError> {
        let (known, _) = self.known_as(account).await?;
        Ok(known)
    }

    /// What is known, and the version of the record that it would replace: also where that is of another account.
    async fn known_as(&self, account: &Account) -> Result<(Option<Known>, Version), CallError> {
        let kept = self.0.shelf.find::<StoredHistory>(&account.user, HISTORY).await?;
        let version = version_of(kept.as_ref());
        let stored = kept.map(|kept| kept.content);
        let ours = stored.filter(|stored| stored.username == account.username);
        let known = ours.and_then(|stored| {
            let (history, as_of) = (stored.history()?, stored.as_of);
            Some(Known { history, as_of })
        });
        Ok((known, version))
    }

    /// Reads what is missing between `since_s` and now. What was read is kept, whatever happens.
    async fn read_on(&self, account: &Account, since_s: i64, patience: Patience) -> Result<(), CallError> {
        let calls = self.calls()?;
        let (before, version) = self.known_as(account).await?;
        let now = self.0.system.now();
        let last_look = before.as_ref().map_or(now, |before| before.as_of);
        let mut history = before.as_ref().map(|before| before.history.clone());
        let reading = Reading {
            calls,
            account,
            patience,
        };
        let outcome = self
            .reading(
                account,
                Part::Plays,
                reading.go_on(&mut history, since_s, (last_look, now)),
            )
            .await;
        if let Some(history) = history
            && before.is_none_or(|before| before.history != history)
            && (outcome.is_ok() || history.since_s() < history.until_s())
        {
            let reached_now = history.until_s() > now.as_s();
            let as_of = if reached_now { now } else { last_look };
            let stored = StoredHistory::of(&history, &account.username, as_of);
            self.keep(account, HISTORY, version, &stored, HISTORY_LIFE)
                .await?;
        }
        outcome.map(drop)
    }

    /// Last.fm's own chart of a window that is too long to be read.
    async fn chart_of(
        &self,
        account: &Account,
        window: Window,
        class: Class,
    ) -> Result<Evident, ListeningError> {
        let patience = self.patience(class);
        let now = self.0.system.now();
        let (since_s, until_s) = window.seconds();
        let is_over = window.until + SETTLED_AFTER <= now;
        let subject = Subject {
            name: if is_over {
                format!("chart/{since_s}/{until_s}")
            } else {
                format!("chart/{since_s}")
            },
            part: Part::Lists,
            fresh: if is_over { CHART_LIFE } else { CHART_FRESH },
            life: CHART_LIFE,
        };
        let span = (Timestamp::from_s(since_s), Timestamp::from_s(until_s).min(now));
        let known = self.look_up(
            account,
            subject,
            move |listening, account| -> BoxFuture<'static, _> {
                Box::pin(async move { ask_chart(&listening, &account, span, patience).await })
            },
        );
        let (rows, as_of, problem) = known.await?;
        let whole = u32::try_from(rows.len()).is_ok_and(|rows| rows < CHART_ROWS_MAX);
        let played = rows.into_iter().map(|Row(title, artist, plays)| Played {
            song: Counted {
                title,
                artist,
                album: None,
                plays: u32::try_from(plays).unwrap_or(u32::MAX),
                played_at: None,
            },
            moments: Vec::new(),
        });
        Ok(Evident {
            played: played.collect(),
            covered: Window {
                since: span.0,
                until: span.1.min(as_of),
            },
            whole,
            source: VerdictSource::Chart,
            as_of,
            problem,
        })
    }
}

async fn ask_chart(
    listening: &Listening,
    account: &Account,
    (from, to): (Timestamp, Timestamp),
    patience: Patience,
) -> Result<Vec<Row>, CallError> {
    let calls = listening.calls()?;
    let rows = calls
        .make(LastfmCall::Chart, patience, || {
            calls
                .lastfm
                .weekly_track_chart(&account.username, from, to, CHART_ROWS_MAX)
        })
        .await?;
    let row = |item: TopItem| Some(Row(item.name, item.artist?, item.play_count));
    Ok(rows.into_iter().filter_map(row).collect())
}

fn verdict(target: Target, evidence: Evidence) -> TargetVerdict {
    TargetVerdict {
        done: evidence.played >= target.count,
        target,
        played: evidence.played,
        last_played_at: evidence.last_played_at,
        moments: evidence.moments,
        counted: evidence.counted,
        near_misses: evidence.near,
    }
}

//! Who may go now, who waits, and for how long: the queue before a bucket, and what is taken out of it.
//!
//! A process speaks for all of its callers at once: it says who of them waits, in the order in which they came, and hears
//! of each whether they may go. First come, first served within a class; [`Class::Background`] comes after everybody else.
//! Who is told to wait is not awaited: somebody behind them whose token is there too goes, and takes nothing from them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Class, Level, Pace, TRIAL_MS, Throttled};
use crate::system::Timestamp;

/// A process with callers that wait asks again so often at least: to hear that somebody before them has hung up, or that
/// the bucket is closed. Within it the bucket of Last.fm's pace just fills; so hardly a token is lost while a process
/// does not know yet that its turn has come.
pub const LOOK_EVERY_MS: i64 = 1_000;

/// A process that is late by more has crashed or sleeps: its callers lose their places, all of them at once, so that those
/// behind do not wait for each in turn. Until then the tokens pile up that are theirs.
pub const GRACE_MS: i64 = 1_000;

/// Callers that wait before one bucket; a number far from what any patience is long enough for.
pub const WAITING_MAX: usize = 1_000;

/// How long a process may use a token that it took beside the one it needed; long enough for the second call of a pair.
pub const LEASE_MS: i64 = 400;

/// Patience that is as good as endless: a thousand years, which every engine can still count in.
pub const PATIENCE_MAX_MS: i64 = 1_000 * 365 * 24 * 60 * 60 * 1_000;

/// [`Level::spare_ms`] when no call came since.
pub const SPARE_MAX_MS: i64 = PATIENCE_MAX_MS;

/// One who waits, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The name of the process that speaks for them.
    pub process: u64,
    /// Their number in it.
    pub number: u64,
    /// Whether they are of [`Class::Background`].
    pub background: bool,
    /// Nobody waits longer than this.
    pub patient_until: Timestamp,
    /// When the process asks again, or sooner.
    pub due_at: Timestamp,
}

/// A caller who wants a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Their number in the process; no other caller of it ever has the same.
    pub number: u64,
    /// Who the call is for.
    pub class: Class,
    /// How long they would wait from now on. What was said first counts, as long as they stand in the queue.
    pub patience: Duration,
}

/// What a process asks: complete, so that it can be asked again. Whoever of it stands in the queue and is not named here
/// has hung up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// Its name, which it chose by chance; below 2^52, so that every reader of JSON reads it exactly.
    pub process: u64,
    /// Its callers, in the order in which they came; at most [`WAITING_MAX`].
    pub waiting: Vec<Ticket>,
    /// Tokens that it gives back. The last one that was taken comes first.
    pub unused: Vec<Token>,
    /// Whether it would take one more token, to use within [`LEASE_MS`].
    pub beside: bool,
}

/// A token that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// When.
    pub taken_at: Timestamp,
    /// [`Level::full_at`] right after that.
    pub full_at: Timestamp,
    /// [`Level::closings`] then.
    pub closings: u64,
}

/// What a process is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// [`Level::closings`].
    pub closings: u64,
    /// One row for each caller that it spoke for.
    pub told: Vec<(u64, Told)>,
    /// When it has to ask again; `None` when nobody of it waits.
    pub look_after: Option<Duration>,
    /// For how long it may use one more token, counted from before it asked.
    pub beside: Option<Duration>,
}

/// What a caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// They may go, now.
    Go(Token),
    /// They wait, and so long as things stand now.
    Wait(Duration),
    /// It would be longer than they would wait: they do not stand in the queue.
    Throttled(Throttled),
}

impl Ticket {
    /// [`Waiting::patient_until`].
    #[must_use]
    pub fn patience_ms(&self) -> i64 {
        i64::try_from(self.patience.as_millis()).map_or(PATIENCE_MAX_MS, |ms| ms.min(PATIENCE_MAX_MS))
    }
}

impl Pace {
    /// How long a token that was taken beside another may be used; 0 where there is none. It is booked as if it were used
    /// at the end, so it keeps the proof; and it must be to be had by [`Class::Background`], so that it keeps the room.
    #[must_use]
    pub fn lease_ms(self) -> i64 {
        self.tolerance_ms(Class::Background).min(LEASE_MS)
    }
}

impl Answer {
    /// Adds those of `ask` who found no place in the queue.
    #[must_use]
    pub fn with_those_left_out(mut self, pace: Pace, ask: &Ask) -> Self {
        if self.told.len() == ask.waiting.len() {
            return self;
        }
        let queue = u32::try_from(WAITING_MAX).unwrap_or(u32::MAX);
        let throttled = Throttled {
            retry_after: Duration::from_millis(pace.spacing_ms.into()) * queue,
            closed_by: None,
        };
        for ticket in &ask.waiting {
            if !self.told.iter().any(|(number, _)| *number == ticket.number) {
                self.told.push((ticket.number, Told::Throttled(throttled)));
            }
        }
        self
    }
}

impl Level {
    /// Lets those callers of one process go whose turn has come: the level afterwards, and what each of them is told.
    #[must_use]
    pub fn take_turns(mut self, pace: Pace, ask: &Ask, now: Timestamp) -> (Self, Answer) {
        let spacing_ms = self.spacing_ms_at(pace, now);
        for token in &ask.unused {
            self.refill(*token, spacing_ms, now);
        }
        self.queue_up(ask, now);

        let line = Line::new(&self, pace, spacing_ms, now);
        let closed_by = self.closed(now).map(|(_, refusal)| refusal);
        let mut told = Vec::with_capacity(ask.waiting.len());
        // Each of these stands before the next, gone or not: who has just gone has moved the line on.
        let (mut ahead, mut gone) = (0, 0);
        for class in [Class::Interactive, Class::Background] {
            for one in self.waiting.iter().filter(|one| one.class() == class) {
                if one.process == ask.process {
                    let wait_ms = line.wait_ms(class, ahead);
                    let wait = Duration::from_millis(wait_ms.unsigned_abs());
                    let answer = if wait_ms == 0 {
                        gone += 1;
                        Told::Go(Token {
                            taken_at: now,
                            full_at: Timestamp::from_ms(line.full_after(gone)),
                            closings: self.closings,
                        })
                    } else if now + wait <= one.patient_until {
                        Told::Wait(wait)
                    } else {
                        Told::Throttled(Throttled {
                            retry_after: wait,
                            closed_by,
                        })
                    };
                    told.push((one.number, answer));
                    if matches!(answer, Told::Throttled(_)) {
                        continue;
                    }
                }
                ahead += 1;
            }
        }

        let mut answer = Answer {
            closings: self.closings,
            told,
            look_after: None,
            beside: None,
        };
        answer.look_after = self.let_stay(ask.process, &answer, now);
        if gone > 0 {
            self.take(&line, gone);
            if ask.beside && self.waiting.is_empty() && line.is_full() {
                answer.beside = self.take_beside(pace, spacing_ms, now);
            }
        }
        (self, answer.with_those_left_out(pace, ask))
    }

    /// Takes a token back that nobody used.
    pub fn give_back(&mut self, pace: Pace, token: Token, now: Timestamp) {
        let spacing_ms = self.spacing_ms_at(pace, now);
        self.refill(token, spacing_ms, now);
    }

    /// The last token is there again as if nobody had taken it. For one before it, the slots of all calls since are moved to
    /// begin earlier by one spacing, unless one of them would begin before its call: then the bucket was nearly full when
    /// that came, and would be no fuller now.
    fn refill(&mut self, token: Token, spacing_ms: i64, now: Timestamp) {
        if token.closings != self.closings || token.taken_at < self.tight_at {
            return;
        }
        let is_last = token.full_at == self.full_at && token.taken_at >= self.shifted_at;
        if !is_last {
            if self.spare_ms < spacing_ms {
                return;
            }
            let from_now_on = now + Duration::from_millis(1);
            self.shifted_at = from_now_on;
            self.spare_ms -= spacing_ms;
            if self.spare_ms < spacing_ms {
                self.tight_at = from_now_on;
                self.spare_ms = SPARE_MAX_MS;
            }
        }
        self.full_at = Timestamp::from_ms(self.full_at.as_ms().saturating_sub(spacing_ms));
    }

    /// The queue without the dead and those who hung up, and with those who are new.
    fn queue_up(&mut self, ask: &Ask, now: Timestamp) {
        let overdue = now - Duration::from_millis(GRACE_MS.unsigned_abs());
        let dead: Vec<u64> = self
            .waiting
            .iter()
            .filter(|one| one.due_at < overdue && one.process != ask.process)
            .map(|one| one.process)
            .collect();
        self.waiting.retain(|one| {
            if one.process == ask.process {
                ask.waiting.iter().any(|ticket| ticket.number == one.number)
            } else {
                !dead.contains(&one.process)
            }
        });
        let stood = self.waiting.len();
        for ticket in &ask.waiting {
            let stands = |one: &Waiting| one.process == ask.process && one.number == ticket.number;
            if self.waiting.len() < WAITING_MAX && !self.waiting[..stood].iter().any(stands) {
                self.waiting.push(Waiting {
                    process: ask.process,
                    number: ticket.number,
                    background: ticket.class == Class::Background,
                    patient_until: Timestamp::from_ms(now.as_ms().saturating_add(ticket.patience_ms())),
                    due_at: now,
                });
            }
        }
    }

    /// Keeps those of the process in the queue who wait, until it asks again: when that is.
    fn let_stay(&mut self, process: u64, answer: &Answer, now: Timestamp) -> Option<Duration> {
        let waits = |number: u64| {
            let told = answer.told.iter().find(|(told, _)| *told == number);
            matches!(told, Some((_, Told::Wait(_))))
        };
        self.waiting
            .retain(|one| one.process != process || waits(one.number));
        let first = answer.told.iter().filter_map(|(_, told)| match told {
            Told::Wait(wait) => Some(*wait),
            Told::Go(_) | Told::Throttled(_) => None,
        });
        let look_after = first.min()?.min(self.looks_after(process, now));
        for one in self.waiting.iter_mut().filter(|one| one.process == process) {
            one.due_at = now + look_after;
        }
        Some(look_after)
    }

    /// When a process looks at the latest. Where another one is late, right when that one is given up: the tokens that have
    /// piled up until then are as many as the bucket of Last.fm's pace holds.
    fn looks_after(&self, process: u64, now: Timestamp) -> Duration {
        let given_up_after = Duration::from_millis(GRACE_MS.unsigned_abs() + 1);
        let late = self
            .waiting
            .iter()
            .filter(|one| one.due_at < now && one.process != process);
        let given_up_at = late.map(|one| (one.due_at + given_up_after).since(now)).min();
        let look_every = Duration::from_millis(LOOK_EVERY_MS.unsigned_abs());
        given_up_at.map_or(look_every, |given_up| given_up.min(look_every))
    }

    /// Takes tokens for so many who went; at least one.
    fn take(&mut self, line: &Line, gone: i64) {
        self.full_at = Timestamp::from_ms(line.full_after(gone));
        self.on_trial = false;
        let spare_ms = line.first_begins_ms() - line.now_ms;
        if spare_ms >= line.spacing_ms {
            self.spare_ms = self.spare_ms.min(spare_ms);
        } else {
            self.tight_at = Timestamp::from_ms(line.now_ms);
            self.spare_ms = if gone > 1 {
                spare_ms + line.spacing_ms
            } else {
                SPARE_MAX_MS
            };
        }
    }

    /// One more token, if all of them were there: booked as if it were used as late as it may be.
    fn take_beside(&mut self, pace: Pace, spacing_ms: i64, now: Timestamp) -> Option<Duration> {
        let lease_ms = pace.lease_ms();
        let begins_ms = self.full_at.as_ms().max(now.as_ms() + lease_ms);
        let latest_ms = now.as_ms() + pace.tolerance_ms(Class::Background);
        if lease_ms == 0 || begins_ms > latest_ms {
            return None;
        }
        self.full_at = Timestamp::from_ms(begins_ms + spacing_ms);
        // Its slot cannot begin any earlier, so nothing that was taken before it can be given back.
        self.tight_at = now + Duration::from_millis(1);
        self.spare_ms = SPARE_MAX_MS;
        Some(Duration::from_millis(lease_ms.unsigned_abs()))
    }
}

impl Waiting {
    fn class(&self) -> Class {
        if self.background {
            Class::Background
        } else {
            Class::Interactive
        }
    }
}

/// How the slots of those who go next follow each other, from one moment on.
struct Line {
    pace: Pace,
    spacing_ms: i64,
    now_ms: i64,
    full_at_ms: i64,
    on_trial: bool,
    halved: bool,
}

impl Line {
    fn new(level: &Level, pace: Pace, spacing_ms: i64, now: Timestamp) -> Self {
        Self {
            pace,
            spacing_ms,
            now_ms: now.as_ms(),
            full_at_ms: level.full_at.as_ms(),
            on_trial: level.on_trial,
            halved: spacing_ms > i64::from(pace.spacing_ms),
        }
    }

    /// When the next slot begins, if its caller goes now.
    fn first_begins_ms(&self) -> i64 {
        let alone_ms = if self.on_trial {
            self.now_ms + self.pace.tolerance_ms(Class::Interactive)
        } else {
            self.now_ms
        };
        self.full_at_ms.max(alone_ms)
    }

    /// When the bucket is full again after so many calls more.
    fn full_after(&self, calls: i64) -> i64 {
        if calls == 0 {
            return self.full_at_ms.max(self.now_ms);
        }
        let first_ms = if self.on_trial {
            self.spacing_ms.max(TRIAL_MS)
        } else {
            self.spacing_ms
        };
        self.first_begins_ms() + first_ms + (calls - 1) * self.spacing_ms
    }

    /// How long somebody waits before whom so many others go.
    fn wait_ms(&self, class: Class, ahead: i64) -> i64 {
        (self.full_after(ahead) - self.pace.tolerance_ms(class) - self.now_ms).max(0)
    }

    /// Whether all tokens are there, at the full rate.
    fn is_full(&self) -> bool {
        self.full_at_ms <= self.now_ms && !self.on_trial && !self.halved
    }
}

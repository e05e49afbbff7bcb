//! The desk of one bucket in this process: who stands before it, and what is to be given back.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot},
};

use super::{
    NoTurn, Office, Place, clerk,
    turn::{Holds, Lease, Standing, Turn},
};
use crate::{
    pace::{Answer, Ask, Class, Level, Refusal, Throttled, Ticket, Token, Told, WAITING_MAX},
    store::StoreError,
    system::Timestamp,
};

/// The state of this process's side of one bucket.
#[derive(Debug)]
pub(super) struct Desk {
    id: String,
    office: Arc<Office>,
    // Never held across an await, nor while anybody is told anything: a turn that nobody takes comes back here.
    state: Mutex<State>,
    /// Rings when there is something to ask before the time that was set for it.
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    waiting: Vec<Waiter>,
    /// What is to be given back.
    unused: Vec<Token>,
    lease: Option<Lease>,
    last_number: u64,
    /// The last that was heard of.
    closings: u64,
    /// Whether a clerk looks after all this.
    is_attended: bool,
    /// Whether the bucket takes somebody of this process to wait.
    is_in_the_queue: bool,
    /// Whether something has come up since the last question.
    has_news: bool,
    /// The bucket itself, where it is kept here.
    level: Level,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    class: Class,
    patience_ends: Timestamp,
    tell: oneshot::Sender<Result<Turn, NoTurn>>,
}

/// What becomes of somebody who comes.
pub(super) enum Came {
    Served(Turn),
    Refused(Throttled),
    Waits(Standing),
}

impl Desk {
    pub(super) fn new(id: String, office: Arc<Office>) -> Self {
        Self {
            id,
            office,
            state: Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// The bucket's id in the store.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn office(&self) -> &Office {
        &self.office
    }

    /// Somebody wants a turn: now, if that is known here, else they wait for what the clerk hears.
    pub(super) fn come(self: Arc<Self>, class: Class, wait_max: Duration) -> Came {
        let now = self.office.system.now();
        let mut state = self.lock();
        if state.waiting.len() >= WAITING_MAX {
            let queue = u32::try_from(WAITING_MAX).unwrap_or(u32::MAX);
            let retry_after = Duration::from_millis(self.office.pace.spacing_ms.into()) * queue;
            let closed_by = None;
            return Came::Refused(Throttled {
                retry_after,
                closed_by,
            });
        }
        state.last_number += 1;
        let number = state.last_number;
        if state.waiting.is_empty() {
            let served = match self.office.place {
                Place::Store(_) => state.use_lease(now).map(|lease| Ok(Holds::Lease(lease))),
                Place::Here => state.serve_one(&self.office, number, class, wait_max, now),
            };
            if let Some(served) = served {
                drop(state);
                return match served {
                    Ok(holds) => Came::Served(Turn::new(self, holds)),
                    Err(throttled) => Came::Refused(throttled),
                };
            }
        }
        let (tell, told) = oneshot::channel();
        state.waiting.push(Waiter {
            number,
            class,
            patience_ends: now + wait_max,
            tell,
        });
        self.call_clerk(&mut state);
        drop(state);
        Came::Waits(Standing::new(self, number, told))
    }

    /// What is to be asked now; `None` when nobody waits, as the bucket knows, and nothing is to be given back: then the
    /// clerk has gone.
    pub(super) fn next_ask(&self) -> Option<Ask> {
        let now = self.office.system.now();
        let mut state = self.lock();
        state.has_news = false;
        if state.waiting.is_empty() && state.unused.is_empty() && !state.is_in_the_queue {
            state.is_attended = false;
            return None;
        }
        let tickets = state.waiting.iter().map(|waiter| Ticket {
            number: waiter.number,
            class: waiter.class,
            patience: waiter.patience_ends.since(now),
        });
        let waiting: Vec<Ticket> = tickets.collect();
        let mut unused = mem::take(&mut state.unused);
        unused.sort_by_key(|token| (token.taken_at, token.full_at));
        unused.reverse();
        Some(Ask {
            process: self.office.process,
            beside: waiting.len() == 1,
            waiting,
            unused,
        })
    }

    /// The bucket's answer, where the bucket is here.
    pub(super) fn ask_here(&self, ask: &Ask) -> Answer {
        let now = self.office.system.now();
        self.lock().ask(&self.office, ask, now)
    }

    /// Passes on what the bucket said to a question that was sent at `asked_at`.
    pub(super) fn hear(self: &Arc<Self>, answer: Answer, asked_at: Timestamp) {
        let mut state = self.lock();
        state.hear_of_closings(answer.closings);
        state.is_in_the_queue = answer.look_after.is_some();
        if let Some(span) = answer.beside {
            state.lease = Some(Lease {
                from: asked_at,
                until: asked_at + span,
                closings: answer.closings,
            });
        }
        let mut served = Vec::new();
        for (number, told) in answer.told {
            let outcome = match told {
                Told::Go(token) => Ok(Holds::Token(token)),
                Told::Wait(_) => continue,
                Told::Throttled(throttled) => Err(throttled),
            };
            let place = state.waiting.iter().position(|waiter| waiter.number == number);
            match (place, outcome) {
                (Some(place), outcome) => served.push((state.waiting.remove(place), outcome)),
                // They have hung up while it was asked.
                (None, Ok(Holds::Token(token))) => {
                    state.unused.push(token);
                    state.has_news = true;
                }
                (None, _) => {}
            }
        }
        drop(state);
        for (waiter, outcome) in served {
            let turn = outcome.map(|holds| Turn::new(Arc::clone(self), holds));
            // Who does not listen any more drops the turn, and with that gives it back.
            drop(waiter.tell.send(turn.map_err(NoTurn::from)));
        }
    }

    /// Tells those who were asked for that there is no answer. Whom the bucket takes to wait, it soon forgets.
    pub(super) fn hear_nothing(&self, ask: &Ask, error: StoreError) {
        let error = Arc::new(error);
        let is_asked_for = |waiter: &mut Waiter| ask.waiting.iter().any(|one| one.number == waiter.number);
        let mut state = self.lock();
        state.is_in_the_queue = false;
        let told: Vec<Waiter> = state.waiting.extract_if(.., is_asked_for).collect();
        drop(state);
        for waiter in told {
            let error = StoreError::unavailable(Arc::clone(&error));
            // Who does not listen any more need not know.
            drop(waiter.tell.send(Err(error.into())));
        }
    }

    /// The clerk ends without having been sent home: nobody would ask for those who wait.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_attended = false;
        let left = mem::take(&mut state.waiting);
        drop(state);
        drop(left);
    }

    /// Waits until something comes up.
    pub(super) async fn news(&self) {
        while !self.lock().has_news {
            self.bell.notified().await;
        }
    }

    /// Closes the bucket that is here.
    pub(super) fn close(&self, pause: Duration, refusal: Refusal) {
        let now = self.office.system.now();
        let mut state = self.lock();
        let level = mem::take(&mut state.level);
        state.level = level.close(self.office.pace, now, pause, refusal);
    }

    /// The provider has refused: what was taken in advance is void, and who waits has to hear of it.
    pub(super) fn hear_of_closing(&self) {
        let mut state = self.lock();
        state.lease = None;
        self.ring(&mut state);
    }

    /// The bucket that is here.
    pub(super) fn level(&self) -> Level {
        self.lock().level.clone()
    }

    /// Whether it says nothing.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let state = self.lock();
        let is_left = state.waiting.is_empty() && state.unused.is_empty() && !state.is_attended;
        let has_lease = state.lease.is_some_and(|lease| lease.until > now);
        is_left && !has_lease && state.level.says_nothing_from() <= now
    }

    /// Somebody does not wait any more: they have hung up, or were told.
    pub(super) fn leave(&self, number: u64) {
        let mut state = self.lock();
        let place = state.waiting.iter().position(|waiter| waiter.number == number);
        // Told already, unless it is found.
        let left = place.map(|place| state.waiting.remove(place));
        if left.is_some() {
            self.ring(&mut state);
        }
        drop(state);
        drop(left);
    }

    /// Somebody has a turn that they do not use.
    pub(super) fn take_back(self: &Arc<Self>, holds: Holds) {
        let now = self.office.system.now();
        let mut state = self.lock();
        match (holds, &self.office.place) {
            (Holds::Lease(lease), _) => {
                if lease.closings == state.closings {
                    state.lease = Some(lease);
                }
            }
            (Holds::Token(token), Place::Here) => {
                state.level.give_back(self.office.pace, token, now);
                self.ring(&mut state);
            }
            (Holds::Token(token), Place::Store(_)) => {
                // More than that many are not worth a word.
                if state.unused.len() < WAITING_MAX {
                    state.unused.push(token);
                    self.call_clerk(&mut state);
                }
            }
        }
    }

    /// Lets somebody ask, now.
    fn call_clerk(self: &Arc<Self>, state: &mut State) {
        if state.is_attended {
            self.ring(state);
        } else if let Ok(runtime) = Handle::try_current() {
            state.is_attended = true;
            runtime.spawn(clerk::attend(Arc::clone(self)));
        }
    }

    fn ring(&self, state: &mut State) {
        state.has_news = true;
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ask(&mut self, office: &Office, ask: &Ask, now: Timestamp) -> Answer {
        let (level, answer) = mem::take(&mut self.level).take_turns(office.pace, ask, now);
        self.level = level;
        answer
    }

    /// Somebody comes to a bucket that is here, and before which nobody stands; `None` when they have to wait.
    fn serve_one(
        &mut self,
        office: &Office,
        number: u64,
        class: Class,
        patience: Duration,
        now: Timestamp,
    ) -> Option<Result<Holds, Throttled>> {
        let ticket = Ticket {
            number,
            class,
            patience,
        };
        let ask = Ask {
            process: office.process,
            waiting: vec![ticket],
            ..Ask::default()
        };
        match self.ask(office, &ask, now).told.pop() {
            Some((_, Told::Go(token))) => Some(Ok(Holds::Token(token))),
            Some((_, Told::Throttled(throttled))) => Some(Err(throttled)),
            Some((_, Told::Wait(_))) | None => None,
        }
    }

    /// The token that was taken in advance, while it may be used. A clock that was set back tells nothing.
    fn use_lease(&mut self, now: Timestamp) -> Option<Lease> {
        let lease = self.lease.take()?;
        let may_be_used = lease.from <= now && now < lease.until && lease.closings == self.closings;
        may_be_used.then_some(lease)
    }

    fn hear_of_closings(&mut self, closings: u64) {
        if closings != self.closings {
            self.closings = closings;
            self.lease = None;
        }
    }
}

//! The world of a case: processes and what is outside of them, moved one step at a time.

use std::time::Duration;

use patchbay::{
    connect::{Arrival, Callback, StartOptions},
    grants::SweepLimits,
    ids::{Slot, UserId},
    providers::TransportError,
    secret::{AuthorizationCode, Secret as _},
};

use super::{
    case::{Case, Step, Verdict},
    outside::{Life, Outside, State, Waiting, What},
    process::{KEYS_MAX, Process},
    truth::{End, Riches, SLOW_MS},
};

/// So many things happen while the gate is open before a world counts as one that never comes to rest.
const EVENTS_MAX: usize = 20_000;

const S: i64 = 1000;
const HOUR: i64 = 3600 * S;

/// What the world does at the end, with everything mended, before it is looked at: long enough for a grant that was
/// called dead to be asked about again for the last time.
const CONVALESCENCE_MS: [i64; 8] = [
    2 * 60 * S,
    11 * 60 * S,
    HOUR,
    6 * HOUR,
    12 * HOUR,
    6 * HOUR,
    2 * HOUR,
    2 * HOUR,
];

pub fn ana() -> UserId {
    "ana".parse().expect("an id")
}

pub const SLOT: Slot = Slot::Spotify;

pub struct World {
    outside: Outside,
    processes: Vec<Process>,
    skews_s: Vec<u8>,
    /// How many keys the operator has put in front so far.
    keys: usize,
}

impl World {
    /// Runs a case to its end: what happened in it, or the first thing that was not as it has to be.
    pub fn run(case: &Case) -> Result<Riches, String> {
        let mut world = Self::begin(case)?;
        for (number, step) in case.steps.iter().enumerate() {
            world.step(*step);
            world
                .look()
                .map_err(|error| format!("after step {number}, {step:?}: {error}"))?;
        }
        world.heal();
        world.look().map_err(|error| format!("while healing: {error}"))?;
        world.end();
        world.look().map_err(|error| format!("at the end: {error}"))?;
        Ok(world.state(|state| state.truth.riches))
    }

    /// One connected grant, and nothing under way.
    fn begin(case: &Case) -> Result<Self, String> {
        let mut world = Self {
            outside: Outside::new(
                case.rotates,
                case.skews_s.iter().map(|s| i64::from(*s) * S).collect(),
            ),
            processes: Vec::new(),
            skews_s: case.skews_s.clone(),
            keys: 1,
        };
        for process in 0..case.skews_s.len() {
            world.start(Life { process, number: 0 });
        }
        world.step(Step::Connect { process: 0 });
        world.live(0);
        world.look()?;
        if world.state(|state| state.grant().is_none()) {
            return Err("nothing was connected to begin with".to_owned());
        }
        Ok(world)
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.outside.lock())
    }

    fn start(&mut self, who: Life) {
        let skew_ms = i64::from(self.skews_s[who.process]) * S;
        let process = Process::start(&self.outside, who, skew_ms, self.keys);
        if who.process < self.processes.len() {
            self.processes[who.process] = process;
        } else {
            self.processes.push(process);
        }
    }

    fn process(&self, number: u8) -> &Process {
        &self.processes[usize::from(number) % self.processes.len()]
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Want { process, life_s } => want(self.process(process), life_s),
            Step::Replace { process } => replace(self.process(process)),
            Step::Sweep { process } => sweep(self.process(process)),
            Step::Disconnect { process } => disconnect(self.process(process)),
            Step::Connect { process } => connect(self.process(process)),
            Step::Let { nth, verdict } => self.let_nth(nth, verdict),
            Step::Live { ms } => self.live(i64::from(ms)),
            Step::Stall { s } => self.stall(i64::from(s) * S),
            Step::Crash { process } => self.crash(usize::from(process) % self.processes.len()),
            Step::Pause { process } => {
                let process = usize::from(process) % self.processes.len();
                self.processes[process].is_paused = true;
                let who = self.processes[process].view.who;
                self.state(|state| state.truth.disturbed(who, state.now_ms));
            }
            Step::Resume => self.resume(),
            Step::StoreWorks(works) => self.state(|state| state.store_works = works),
            Step::Rotate(rotates) => self.state(|state| state.provider.rotates = rotates),
            Step::Bad { fault, times } => self.state(|state| state.provider.fault = Some((fault, times))),
            Step::Revoke => self.state(|state| state.provider.revoke()),
            Step::NewKey { process } => {
                self.keys = (self.keys + 1).min(KEYS_MAX);
                self.state(|state| state.truth.keys_differ = true);
                self.crash(usize::from(process) % self.processes.len());
            }
        }
        self.turn();
    }

    fn resume(&mut self) {
        for process in &mut self.processes {
            process.is_paused = false;
        }
    }

    fn crash(&mut self, process: usize) {
        let who = self.processes[process].view.who;
        self.state(|state| state.truth.died(who));
        self.start(Life {
            number: who.number + 1,
            ..who
        });
    }

    fn let_nth(&self, nth: u8, verdict: Verdict) {
        let waiting = self.state(|state| {
            let nth = usize::from(nth).checked_rem(state.gate.len())?;
            Some(state.gate.remove(nth))
        });
        if let Some(waiting) = waiting {
            self.state(|state| state.decide(waiting, verdict));
        }
    }

    /// The gate is open for so long: whoever waits goes through in order, and between that time passes.
    fn live(&self, ms: i64) {
        let until_ms = self.state(|state| state.now_ms) + ms;
        for _ in 0..EVENTS_MAX {
            self.turn();
            let moved = self.state(|state| {
                if !state.gate.is_empty() {
                    let waiting = state.gate.remove(0);
                    state.decide(waiting, Verdict::Through);
                    return true;
                }
                let next = state.next_timer(until_ms);
                state.move_to(next.unwrap_or(until_ms));
                next.is_some()
            });
            if !moved {
                return;
            }
        }
        self.state(|state| state.truth.wrong("the world does not come to rest"));
    }

    /// The gate is shut for so long.
    fn stall(&self, ms: i64) {
        let until_ms = self.state(|state| state.now_ms) + ms;
        loop {
            self.turn();
            let next = self.state(|state| {
                let next = state.next_timer(until_ms);
                state.move_to(next.unwrap_or(until_ms));
                next
            });
            if next.is_none() {
                return self.turn();
            }
        }
    }

    fn turn(&self) {
        self.processes.iter().for_each(Process::turn);
    }

    /// What has to be true at any moment.
    fn look(&self) -> Result<(), String> {
        for process in self.processes.iter().filter(|process| !process.is_paused) {
            if let Some(grant) = self.state(|state| state.grant()) {
                let standing = process.app.grants().standing(&grant);
                self.state(|state| state.seen(process.view.who, &grant, standing));
            }
        }
        self.state(|state| state.truth.verdict())
    }

    /// Everything is mended, and then time passes as on good days.
    fn heal(&mut self) {
        self.state(|state| {
            state.store_works = true;
            state.provider.fault = None;
        });
        self.resume();
        for process in 0..self.processes.len() {
            if self.processes[process].keys < self.keys {
                self.crash(process);
            }
        }
        self.live(0);
        for span_ms in CONVALESCENCE_MS {
            self.live(span_ms);
            self.processes.iter().for_each(sweep);
            self.live(0);
        }
    }

    /// What has to be true in the end: whoever asks gets a token that works, unless the provider really ended the grant.
    fn end(&self) {
        self.state(State::must_be_settled);
        for process in &self.processes {
            let (app, view) = (process.app.clone(), process.view.clone());
            process.spawn(async move {
                let outcome = app
                    .grants()
                    .live_token(&ana(), SLOT, Duration::from_mins(1))
                    .await;
                view.outside.lock().handed_out_in_the_end(view.who, &outcome);
                app.grants().idle().await;
                view.outside.lock().truth.idle += 1;
            });
            self.live(60 * S);
        }
        let all = self.processes.len();
        self.state(|state| state.must_be_quiet(all));
        self.state(State::must_have_kept_what_lives);
    }
}

fn want(process: &Process, life_s: u16) {
    let (app, view) = (process.app.clone(), process.view.clone());
    process.spawn(async move {
        let wish = view.outside.lock().wish(Duration::from_secs(life_s.into()));
        let outcome = app.grants().live_token(&ana(), SLOT, wish.min_life).await;
        view.outside.lock().handed_out(view.who, wish, &outcome);
    });
}

fn replace(process: &Process) {
    let (app, view) = (process.app.clone(), process.view.clone());
    process.spawn(async move {
        let wish = view.outside.lock().wish_for_another();
        let refused = view.outside.lock().grant().map_or(0, |grant| grant.generation);
        let outcome = app.grants().replaced_token(&ana(), SLOT, refused).await;
        view.outside.lock().handed_out(view.who, wish, &outcome);
    });
}

fn disconnect(process: &Process) {
    let (app, view) = (process.app.clone(), process.view.clone());
    process.spawn(async move {
        let before = view.outside.lock().provider.consents.len();
        if app.grants().disconnect(&ana(), SLOT).await.is_ok() {
            view.outside.lock().truth.ended_before(before);
        }
    });
}

/// Ana's browser: to the consent page, where she agrees at once, and back.
fn connect(process: &Process) {
    let (app, view) = (process.app.clone(), process.view.clone());
    process.spawn(async move {
        let started = app
            .connector()
            .start_standard(&ana(), StartOptions::default())
            .await;
        let Ok(started) = started else { return };
        let state = started.url.query_pairs().find(|(name, _)| name == "state");
        let code = view.outside.lock().provider.consent();
        let callback = Callback {
            arrival: Arrival {
                state: state.map(|(_, value)| value.into_owned()),
                bindings: vec![(started.flow, started.binding)],
                signed_in: None,
            },
            code: Some(AuthorizationCode::from_plain(code)),
            error: None,
        };
        // A refusal is told to the browser, and whether it is right is seen in the store.
        let _ = app.connector().finish(callback).await;
    });
}

fn sweep(process: &Process) {
    let app = process.app.clone();
    process.spawn(async move {
        let limits = SweepLimits {
            time: Duration::from_mins(1),
            concurrency: 2,
        };
        // An error is a store that failed on order; what is due stays due.
        let _ = app.grants().sweep(limits).await;
    });
}

impl State {
    /// Decides about something that waited.
    fn decide(&mut self, waiting: Waiting, verdict: Verdict) {
        let Waiting {
            who,
            since_ms,
            renewal,
            what,
        } = waiting;
        let verdict = match what {
            What::Stored(_) if !self.store_works => Verdict::Failed,
            _ => verdict,
        };
        if verdict != Verdict::Through || self.now_ms - since_ms >= SLOW_MS {
            self.truth.disturbed(who, self.now_ms);
        }
        match what {
            What::Stored(call) => {
                let before = self.shelves.user(&ana());
                call(&mut self.shelves, verdict);
                let after = self.shelves.user(&ana());
                if before.version != after.version {
                    self.written(who, &before, &after);
                }
            }
            What::Going(request, answer) => {
                if verdict == Verdict::Failed {
                    let _ = answer.send(Err(broken()));
                    return;
                }
                let reply = self.provider.act(&request, self.now_ms);
                if verdict == Verdict::Lost {
                    let _ = answer.send(Err(broken()));
                    return;
                }
                let what = What::Coming(reply, answer);
                self.gate.push(Waiting {
                    who,
                    since_ms,
                    renewal,
                    what,
                });
            }
            What::Coming(reply, answer) => {
                if verdict != Verdict::Through {
                    let _ = answer.send(Err(broken()));
                    return;
                }
                let arrived = answer.send(Ok(reply.response)).is_ok();
                if let Some(fresh) = reply.fresh.filter(|_| arrived) {
                    self.provider.consents[fresh.consent].handed_to[fresh.number] = Some(who);
                }
                let end = if arrived && reply.has_tokens {
                    End::Renewed
                } else {
                    End::Failed
                };
                self.truth.answered(renewal, end);
            }
        }
    }
}

fn broken() -> TransportError {
    TransportError::Broken("the connection broke".into())
}

//! The whole day of a bucket, simulated: several processes, of which each speaks for its callers as a clerk does; callers
//! that come, hang up while they wait, and do not use what they got; processes that crash; refusals. Every question is
//! checked. The clocks of the processes are nowhere in it: all they tell the bucket are spans.

use proptest::prelude::*;

use super::*;

/// The longest that a clerk is late: the machine is busy, the network slow. Less than the grace.
const LATE_MAX_MS: u64 = 60;

/// A small generator is enough to choose what happens (Knuth's constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("a small number")
    }

    fn ms(&mut self, limit: u64) -> i64 {
        i64::try_from(self.below(limit)).expect("a small number")
    }

    fn is_one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

#[derive(Default)]
struct Process {
    name: u64,
    waiting: Vec<Caller>,
    /// Taken, and about to be given back.
    held: Vec<Token>,
    unused: Vec<Token>,
    /// May be used from when to when.
    lease: Option<(i64, i64)>,
    asks_at: Option<i64>,
}

#[derive(Clone, Copy)]
struct Caller {
    ticket: Ticket,
    /// When the bucket heard of them first, and in which order.
    came: Option<u64>,
    patience_ends: i64,
    /// When they were told to come, at the latest, and [`Day::idle_ms`] then.
    promised: Option<(i64, i64)>,
}

/// What happens how often.
#[derive(Clone, Copy, Debug)]
struct Habits {
    /// Milliseconds between two arrivals, at most.
    gap_max_ms: u64,
    patience_max_ms: u64,
    /// One caller in so many does each of these.
    hangs_up: u64,
    does_not_use_it: u64,
    is_background: u64,
    /// One arrival in so many comes with this.
    crash: u64,
    refusal: u64,
    /// With many others.
    burst: u64,
}

struct Day {
    pace: Pace,
    habits: Habits,
    level: Level,
    now_ms: i64,
    processes: Vec<Process>,
    dice: Dice,
    last_number: u64,
    last_name: u64,
    came: u64,
    /// The moments of the calls, as the database sees them.
    calls: Vec<i64>,
    /// Milliseconds in which somebody waited.
    contended_ms: i64,
    /// Those of them in which the bucket ran over, because whose turn it was had not come yet.
    idle_ms: i64,
}

impl Day {
    fn new(pace: Pace, habits: Habits, processes: usize, seed: u64) -> Self {
        let mut day = Self {
            pace,
            habits,
            level: Level::default(),
            now_ms: 1_000_000,
            processes: Vec::new(),
            dice: Dice(seed),
            last_number: 0,
            last_name: 0,
            came: 0,
            calls: Vec::new(),
            contended_ms: 0,
            idle_ms: 0,
        };
        for _ in 0..processes {
            let process = day.started();
            day.processes.push(process);
        }
        day
    }

    fn started(&mut self) -> Process {
        self.last_name += 1;
        Process {
            name: self.last_name,
            ..Process::default()
        }
    }

    fn live(&mut self, arrivals: usize) {
        for _ in 0..arrivals {
            let until = self.now_ms + self.dice.ms(self.habits.gap_max_ms);
            self.pass(until);
            self.happen();
        }
    }

    /// Lets the clerks work until then.
    fn pass(&mut self, until: i64) {
        loop {
            let next = (0..self.processes.len())
                .filter_map(|at| Some((self.processes[at].asks_at?, at)))
                .min()
                .filter(|(asks_at, _)| *asks_at <= until);
            let (now, process) = next.map_or((until, None), |(asks_at, at)| (asks_at, Some(at)));
            if !self.level.waiting.is_empty() {
                self.contended_ms += now - self.now_ms;
                let full_ms = self.level.full_at.as_ms();
                let runs_over_from = if self.level.on_trial {
                    full_ms - self.pace.tolerance_ms(Class::Interactive)
                } else {
                    full_ms
                };
                self.idle_ms += (now - runs_over_from.max(self.now_ms)).max(0);
            }
            self.now_ms = now;
            let Some(process) = process else { return };
            self.ask(process);
        }
    }

    fn happen(&mut self) {
        let at = self.dice.index(self.processes.len());
        if self.dice.is_one_in(self.habits.crash) {
            self.processes[at] = self.started();
        }
        if self.dice.is_one_in(self.habits.refusal) {
            let pause = Duration::from_millis(self.dice.below(20_000));
            let level = std::mem::take(&mut self.level);
            self.level = level.close(self.pace, at_ms(self.now_ms), pause, Refusal::RateLimit);
            for caller in self.processes.iter_mut().flat_map(|process| &mut process.waiting) {
                caller.promised = None;
            }
            // The others hear of it with the next answer.
            self.processes[at].lease = None;
        }
        let late = self.dice.ms(LATE_MAX_MS);
        if self.dice.is_one_in(self.habits.hangs_up) && !self.processes[at].waiting.is_empty() {
            let who = self.dice.index(self.processes[at].waiting.len());
            self.processes[at].waiting.remove(who);
            self.processes[at].asks_by(self.now_ms + late);
        }
        let held = std::mem::take(&mut self.processes[at].held);
        if !held.is_empty() {
            self.processes[at].unused.extend(held);
            self.processes[at].asks_by(self.now_ms + late);
        }
        self.arrive(at, late);
        if self.dice.is_one_in(self.habits.burst) {
            for _ in 0..self.pace.capacity {
                let at = self.dice.index(self.processes.len());
                self.arrive(at, 0);
            }
        }
    }

    fn arrive(&mut self, at: usize, late: i64) {
        let lease = self.processes[at].lease.take();
        if let Some((from, until)) = lease
            && self.processes[at].waiting.is_empty()
            && (from..until).contains(&self.now_ms)
        {
            self.calls.push(self.now_ms);
            return;
        }
        self.last_number += 1;
        let is_background = self.dice.is_one_in(self.habits.is_background);
        let patience = self.dice.ms(self.habits.patience_max_ms);
        self.processes[at].waiting.push(Caller {
            ticket: Ticket {
                number: self.last_number,
                class: if is_background {
                    Class::Background
                } else {
                    Class::Interactive
                },
                patience: Duration::ZERO,
            },
            came: None,
            patience_ends: self.now_ms + patience,
            promised: None,
        });
        self.processes[at].asks_by(self.now_ms + late);
    }

    fn ask(&mut self, at: usize) {
        let now = self.now_ms;
        let process = &mut self.processes[at];
        process.asks_at = None;
        for caller in &mut process.waiting {
            let left = u64::try_from(caller.patience_ends - now).unwrap_or(0);
            caller.ticket.patience = Duration::from_millis(left);
            if caller.came.is_none() {
                self.came += 1;
                caller.came = Some(self.came);
            }
        }
        let mut unused = std::mem::take(&mut process.unused);
        unused.sort_by_key(|token| std::cmp::Reverse((token.taken_at, token.full_at)));
        let ask = Ask {
            process: process.name,
            waiting: process.waiting.iter().map(|caller| caller.ticket).collect(),
            unused,
            beside: process.waiting.len() == 1,
        };
        let (level, answer) = std::mem::take(&mut self.level).take_turns(self.pace, &ask, at_ms(now));
        self.level = level;
        if let Some(look_after) = answer.look_after {
            let look_ms = i64::try_from(look_after.as_millis()).expect("a look");
            let late = self.dice.ms(LATE_MAX_MS);
            self.processes[at].asks_by(now + look_ms + late);
        }
        if let Some(lease) = answer.beside {
            let until = now + i64::try_from(lease.as_millis()).expect("a lease");
            self.processes[at].lease = Some((now, until));
        }
        for (number, told) in answer.told {
            self.hear(at, number, told);
        }
    }

    fn hear(&mut self, at: usize, number: u64, told: Told) {
        let now = self.now_ms;
        let process = &mut self.processes[at];
        let place = process
            .waiting
            .iter()
            .position(|caller| caller.ticket.number == number);
        let place = place.expect("who was asked for");
        match told {
            Told::Wait(wait) => {
                let caller = &mut process.waiting[place];
                let promised = now + i64::try_from(wait.as_millis()).expect("a wait");
                if caller.ticket.class == Class::Interactive {
                    let is_kept = |(before, idle_ms)| promised <= before + self.idle_ms - idle_ms;
                    assert!(
                        caller.promised.is_none_or(is_kept),
                        "who came later makes {number} wait longer: {:?}, now {promised}",
                        caller.promised
                    );
                    caller.promised = Some((promised, self.idle_ms));
                }
            }
            Told::Throttled(throttled) => {
                let caller = process.waiting.remove(place);
                assert!(
                    throttled.retry_after > caller.ticket.patience,
                    "throttled without a cause"
                );
            }
            Told::Go(token) => {
                let caller = process.waiting.remove(place);
                if self.dice.is_one_in(self.habits.does_not_use_it) {
                    process.held.push(token);
                } else {
                    self.calls.push(now);
                }
                self.nobody_is_overtaken_by(&caller);
            }
        }
    }

    /// Whoever of the same class came earlier and still waits could go in the same moment, too.
    fn nobody_is_overtaken_by(&self, gone: &Caller) {
        for process in &self.processes {
            let stands = |caller: &&Caller| {
                let is_known =
                    |one: &Waiting| one.process == process.name && one.number == caller.ticket.number;
                self.level.waiting.iter().any(is_known)
            };
            let waiting: Vec<&Caller> = process.waiting.iter().filter(stands).collect();
            let earlier = waiting
                .iter()
                .filter(|caller| caller.ticket.class == gone.ticket.class && caller.came < gone.came);
            let earlier: Vec<u64> = earlier.map(|caller| caller.ticket.number).collect();
            if earlier.is_empty() {
                continue;
            }
            let ask = Ask {
                process: process.name,
                waiting: waiting.iter().map(|caller| caller.ticket).collect(),
                ..Ask::default()
            };
            let (_, answer) = self.level.clone().take_turns(self.pace, &ask, at_ms(self.now_ms));
            for (number, told) in answer.told {
                assert!(
                    !earlier.contains(&number) || matches!(told, Told::Go(_)),
                    "{number} is overtaken by {}: {told:?}",
                    gone.ticket.number
                );
            }
        }
    }

    /// In no window more calls than `capacity` and what `spacing_ms` gives.
    fn no_window_sees_more(&self) {
        let mut calls = self.calls.clone();
        calls.sort_unstable();
        let spacing_ms = i64::from(self.pace.spacing_ms);
        for (first, from) in calls.iter().enumerate() {
            for (last, to) in calls.iter().enumerate().skip(first) {
                let count = i64::try_from(last - first + 1).expect("few");
                let may = i64::from(self.pace.capacity) + (to - from) / spacing_ms;
                assert!(count <= may, "{count} calls from {from} to {to}, {may} may");
            }
        }
    }
}

impl Process {
    fn asks_by(&mut self, ms: i64) {
        self.asks_at = Some(self.asks_at.map_or(ms, |asks_at| asks_at.min(ms)));
    }
}

fn at_ms(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

prop_compose! {
    fn paces()(capacity in 1_u32..7, spacing_ms in 1_u32..500, room in 0_u32..4) -> Pace {
        Pace { capacity, spacing_ms, room, pause_min_ms: 0, pause_max_ms: 0 }
    }
}

prop_compose! {
    fn habits(refusals: bool)(
        gap_max_ms in 2_u64..900,
        patience_max_ms in 1_u64..9_000,
        hangs_up in 1_u64..20,
        does_not_use_it in 2_u64..12,
        is_background in 1_u64..6,
        crash in 10_u64..200,
        refusal in 20_u64..200,
        burst in 3_u64..30,
    ) -> Habits {
        let refusal = if refusals { refusal } else { u64::MAX };
        Habits { gap_max_ms, patience_max_ms, hangs_up, does_not_use_it, is_background, crash, refusal, burst }
    }
}

proptest! {
    #[test]
    fn no_window_sees_more_than_it_may_and_nobody_is_overtaken(
        pace in paces(),
        habits in habits(false),
        processes in 1_usize..5,
        seed: u64,
    ) {
        let mut day = Day::new(pace, habits, processes, seed);
        day.live(250);
        day.no_window_sees_more();
    }

    #[test]
    fn the_same_with_refusals(pace in paces(), habits in habits(true), processes in 1_usize..5, seed: u64) {
        let mut day = Day::new(pace, habits, processes, seed);
        day.live(250);
        day.no_window_sees_more();
    }
}

/// Twice as many come as may go, some hang up, some do not use what they got, and each minute a process dies.
#[test]
fn a_saturated_bucket_is_used_up() {
    let habits = Habits {
        gap_max_ms: 200,
        patience_max_ms: 30_000,
        hangs_up: 5,
        does_not_use_it: 10,
        is_background: 4,
        crash: 600,
        refusal: u64::MAX,
        burst: 60,
    };
    let pace = Pace {
        spacing_ms: 204,
        ..ROOMY
    };
    for seed in 0..8 {
        let mut day = Day::new(pace, habits, 4, seed);
        day.live(6_000);
        day.no_window_sees_more();
        let may = u64::from(pace.capacity).cast_signed() + day.contended_ms / i64::from(pace.spacing_ms);
        let used = i64::try_from(day.calls.len()).expect("few");
        assert!(day.contended_ms > 500_000, "{} ms", day.contended_ms);
        assert!(used * 100 >= may * 98, "seed {seed}: {used} of {may}");
    }
}

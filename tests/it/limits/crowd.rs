//! Many callers of several processes before one bucket, whose clocks differ by a minute: they come, hang up at any moment,
//! do not use what they got, and one of the processes dies. All on one clock that the test moves, over one database.

use std::sync::Mutex;

use super::*;
use crate::harness::clock::{a_moment, let_others_go_on};

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

    fn span(&mut self, limit_ms: u64) -> Duration {
        Duration::from_millis(self.below(limit_ms))
    }
}

const PROCESSES: u64 = 3;

/// How long they come.
const DAY: Duration = Duration::from_mins(2);

/// Between two arrivals at one process, at most: together some twelve a second.
const GAP_MAX_MS: u64 = 500;

/// What happened: calls, and by process and class in which order callers came whose calls these are.
#[derive(Default)]
struct Seen {
    calls: Vec<Timestamp>,
    order: Vec<((u64, Class), u64)>,
}

struct Town {
    clock: Arc<ManualClock>,
    store: Arc<FlakyStore>,
    seen: Arc<Mutex<Seen>>,
}

impl Town {
    /// One that comes, with whatever they do then.
    async fn caller(self: Arc<Self>, pacer: Pacer, who: (u64, u64), mut dice: Dice) {
        let (process, number) = who;
        let class = if dice.below(4) == 0 {
            Class::Background
        } else {
            Class::Interactive
        };
        let patience = dice.span(12_000);
        let hangs_up_after = if dice.below(5) == 0 {
            dice.span(3_000)
        } else {
            Duration::from_hours(1)
        };
        let turn = tokio::select! {
            biased;
            turn = pacer.turn("app", class, patience) => turn,
            () = self.clock.sleep(hangs_up_after) => return,
        };
        let Ok(turn) = turn else { return };
        if dice.below(10) == 0 {
            let held_for = dice.span(500);
            self.clock.sleep(held_for).await;
            drop(turn);
            return;
        }
        let mut seen = self.seen.lock().expect("no panic in here");
        seen.calls.push(self.clock.now());
        seen.order.push(((process, class), number));
        turn.spend();
    }

    async fn process(self: Arc<Self>, pacer: Pacer, process: u64) {
        let mut dice = Dice(process);
        let ends = self.clock.now() + DAY;
        for number in 0.. {
            let gap = dice.span(GAP_MAX_MS);
            self.clock.sleep(gap).await;
            if self.clock.now() > ends {
                return;
            }
            let dice = Dice(dice.below(u64::from(u32::MAX)));
            tokio::spawn(Arc::clone(&self).caller(pacer.clone(), (process, number), dice));
        }
    }

    /// Lets time pass whenever nobody has anything to do but to wait for it.
    async fn live(&self, until: Timestamp) {
        while self.clock.now() < until {
            let_others_go_on().await;
            if !(self.store.is_idle() && self.clock.advance_to_next()) {
                a_moment().await;
            }
        }
    }
}

#[tokio::test]
async fn a_saturated_bucket_is_used_up_and_never_more_than_it_may() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(LASTFM, ManualClock::strict());
    let dying = FlakyStore::over(store.clone());
    let third = Pacer::new(
        LASTFM,
        dying.clone(),
        System {
            clock: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
        },
    );
    let town = Arc::new(Town {
        clock: clock.clone(),
        store: store.clone(),
        seen: Arc::default(),
    });
    let began = clock.now();
    for (pacer, process) in [one, other, third].into_iter().zip(0..PROCESSES) {
        tokio::spawn(Arc::clone(&town).process(pacer, process));
    }
    town.live(began + DAY / 2).await;
    // From now on it hears nothing any more: it is dead, with all its callers in the queue.
    dying.fail_next(usize::MAX, Call::TakeTurns, When::Never);
    town.live(began + DAY).await;

    let seen = town.seen.lock().expect("no panic in here");
    let calls: Vec<i64> = seen.calls.iter().map(|at| at.as_ms()).collect();
    let spacing_ms = i64::from(LASTFM.spacing_ms);
    for (first, from) in calls.iter().enumerate() {
        for (last, to) in calls.iter().enumerate().skip(first) {
            let count = i64::try_from(last - first + 1).expect("few");
            let may = i64::from(LASTFM.capacity) + (to - from) / spacing_ms;
            assert!(count <= may, "{count} calls from {from} to {to}, {may} may");
        }
    }
    let saturated_ms = calls.last().expect("calls") - calls[0];
    let may = i64::from(LASTFM.capacity) + saturated_ms / spacing_ms;
    let used = i64::try_from(calls.len()).expect("few");
    let asked = store.calls(Call::TakeTurns);
    assert!(used * 100 >= may * 98, "{used} of {may}, with {asked} questions");
    assert!(asked < 8 * calls.len(), "{asked} questions for {used} calls");
    for process in 0..PROCESSES {
        for class in [Class::Interactive, Class::Background] {
            let order = seen.order.iter().filter(|(of, _)| *of == (process, class));
            let numbers: Vec<u64> = order.map(|(_, number)| *number).collect();
            assert!(numbers.is_sorted(), "somebody was overtaken: {numbers:?}");
        }
    }
}

//! What the bucket promises, whatever the arrivals and the refusals.

mod closing;
mod model;
mod refunds;

use super::*;

const PACE: Pace = Pace {
    capacity: 2,
    spacing_ms: 200,
    room: 0,
    pause_min_ms: 0,
    pause_max_ms: 0,
};

/// One that leaves room, leases and pauses: Last.fm's, in round numbers.
const ROOMY: Pace = Pace {
    capacity: 5,
    spacing_ms: 200,
    room: 2,
    pause_min_ms: 60_000,
    pause_max_ms: 900_000,
};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A bucket, and somebody who asks for one caller at a time: each is a process of their own.
struct Counter {
    pace: Pace,
    level: Level,
}

impl Counter {
    fn new(pace: Pace) -> Self {
        let level = Level::default();
        Self { pace, level }
    }

    /// What caller `number` is told at `now_ms`.
    fn ask(&mut self, number: u64, class: Class, now_ms: i64, patience: Duration) -> Told {
        let ticket = Ticket {
            number,
            class,
            patience,
        };
        let ask = Ask {
            process: number,
            waiting: vec![ticket],
            ..Ask::default()
        };
        self.put(&ask, now_ms).told[0].1
    }

    fn put(&mut self, ask: &Ask, now_ms: i64) -> Answer {
        let (level, answer) = std::mem::take(&mut self.level).take_turns(self.pace, ask, at(now_ms));
        self.level = level;
        answer
    }

    fn leave(&mut self, number: u64, now_ms: i64) {
        let ask = Ask {
            process: number,
            ..Ask::default()
        };
        self.put(&ask, now_ms);
    }

    fn close(&mut self, now_ms: i64, pause: Duration, refusal: Refusal) {
        self.level = std::mem::take(&mut self.level).close(self.pace, at(now_ms), pause, refusal);
    }

    /// When caller `number`, who comes at `now_ms` and has endless patience, goes: they ask whenever they have to.
    fn goes(&mut self, number: u64, mut now_ms: i64) -> i64 {
        loop {
            match self.ask(number, Class::Interactive, now_ms, Duration::MAX) {
                Told::Go(_) => return now_ms,
                Told::Wait(wait) => now_ms += i64::try_from(wait.as_millis()).expect("a wait"),
                told @ Told::Throttled(_) => panic!("{told:?}"),
            }
        }
    }
}

/// How long somebody is told to wait.
#[track_caller]
fn wait(told: Told) -> u64 {
    match told {
        Told::Go(_) => 0,
        Told::Wait(wait) => u64::try_from(wait.as_millis()).expect("a wait"),
        Told::Throttled(_) => panic!("{told:?}"),
    }
}

#[test]
fn a_burst_is_spread_and_a_rest_refills() {
    let mut counter = Counter::new(PACE);
    let goes: Vec<_> = (1..=4).map(|number| counter.goes(number, 0)).collect();
    assert_eq!(goes, [0, 0, 200, 400]);
    assert_eq!(counter.level.says_nothing_from(), at(800));
    let goes: Vec<_> = (5..=7).map(|number| counter.goes(number, 1_000)).collect();
    assert_eq!(goes, [1_000, 1_000, 1_200], "full again");
}

#[test]
fn who_waits_stands_in_the_order_of_coming_and_holds_nothing() {
    let mut counter = Counter::new(PACE);
    let mut told = |number, now_ms| wait(counter.ask(number, Class::Interactive, now_ms, Duration::MAX));
    let waits: Vec<_> = (1..=5).map(|number| told(number, 0)).collect();
    assert_eq!(waits, [0, 0, 200, 400, 600]);
    assert_eq!(
        told(4, 200),
        200,
        "nobody's token is there before that of the one ahead"
    );
    assert_eq!(told(4, 400), 0, "whose is there, and is left to them");
    assert_eq!(told(3, 400), 0);
    assert_eq!(
        counter.level.full_at,
        at(800),
        "four calls, and nothing for who waits"
    );
}

#[test]
fn who_hangs_up_leaves_their_place_to_those_behind() {
    let mut counter = Counter::new(PACE);
    for number in 1..=6 {
        counter.ask(number, Class::Interactive, 0, Duration::MAX);
    }
    counter.leave(3, 10);
    counter.leave(5, 10);
    assert_eq!(wait(counter.ask(4, Class::Interactive, 10, Duration::MAX)), 190);
    assert_eq!(wait(counter.ask(6, Class::Interactive, 10, Duration::MAX)), 390);
}

#[test]
fn a_process_that_does_not_come_loses_its_places_together() {
    let mut counter = Counter::new(PACE);
    let many = Ask {
        process: 99,
        waiting: (0..30)
            .map(|number| Ticket {
                number,
                class: Class::Interactive,
                patience: Duration::MAX,
            })
            .collect(),
        ..Ask::default()
    };
    counter.put(&many, 0);
    let behind =
        |counter: &mut Counter, now_ms| wait(counter.ask(1, Class::Interactive, now_ms, Duration::MAX));
    assert_eq!(behind(&mut counter, 0), 28 * 200 + 200);
    let late_ms = 200 + GRACE_MS;
    assert_eq!(
        behind(&mut counter, late_ms),
        28 * 200 - 200,
        "only two tokens pile up"
    );
    assert_eq!(behind(&mut counter, late_ms + 1), 0, "they are dead");
    // One that only slept stands at the end.
    let answer = counter.put(&many, late_ms + 2);
    assert_eq!(answer.told.len(), 30);
    assert_eq!(counter.level.waiting.len(), 29);
}

#[test]
fn the_background_goes_last_and_leaves_room() {
    let mut counter = Counter::new(ROOMY);
    let mut told = |number, class, now_ms| wait(counter.ask(number, class, now_ms, Duration::MAX));
    let waits: Vec<_> = (1..=5).map(|number| told(number, Class::Background, 0)).collect();
    assert_eq!(waits, [0, 0, 0, 200, 400], "two tokens are left");
    let people: Vec<_> = (11..=14)
        .map(|number| told(number, Class::Interactive, 0))
        .collect();
    assert_eq!(people, [0, 0, 200, 400]);
    assert_eq!(told(4, Class::Background, 200), 800, "behind everybody");
    assert_eq!(
        told(13, Class::Interactive, 200),
        0,
        "whom the background does not hold up"
    );
}

#[test]
fn who_will_not_wait_takes_nothing_and_stands_in_nobodys_way() {
    let mut counter = Counter::new(PACE);
    for number in 1..=2 {
        counter.goes(number, 0);
    }
    let throttled = Throttled {
        retry_after: ms(200),
        closed_by: None,
    };
    let before = counter.level.clone();
    assert_eq!(
        counter.ask(3, Class::Interactive, 0, ms(199)),
        Told::Throttled(throttled)
    );
    assert_eq!(counter.level, before);
    let tickets = [(1, 0), (2, 0), (3, 200), (4, 0), (5, 400)];
    let ask = Ask {
        process: 7,
        waiting: tickets
            .map(|(number, patience)| Ticket {
                number,
                class: Class::Interactive,
                patience: ms(patience),
            })
            .into(),
        ..Ask::default()
    };
    let told = counter.put(&ask, 0).told;
    assert_eq!(told[2], (3, Told::Wait(ms(200))));
    assert_eq!(
        told[4],
        (5, Told::Wait(ms(400))),
        "behind one and not behind four"
    );
    assert_eq!(counter.level.waiting.len(), 2);
}

#[test]
fn patience_ends_although_the_bucket_is_closed_meanwhile() {
    let mut counter = Counter::new(PACE);
    for number in 1..=2 {
        counter.goes(number, 0);
    }
    assert_eq!(wait(counter.ask(3, Class::Interactive, 0, ms(500))), 200);
    counter.close(100, ms(9_900), Refusal::Quota);
    let throttled = Throttled {
        retry_after: ms(9_800),
        closed_by: Some(Refusal::Quota),
    };
    let told = counter.ask(3, Class::Interactive, 200, ms(300));
    assert_eq!(told, Told::Throttled(throttled));
    assert_eq!(counter.level.waiting, []);
}

#[test]
fn a_queue_has_an_end() {
    let mut counter = Counter::new(PACE);
    let count = WAITING_MAX as u64 + 5;
    let ask = Ask {
        process: 7,
        waiting: (0..count)
            .map(|number| Ticket {
                number,
                class: Class::Interactive,
                patience: Duration::MAX,
            })
            .collect(),
        ..Ask::default()
    };
    let told = counter.put(&ask, 0).told;
    assert_eq!(told.len(), WAITING_MAX + 5);
    let refused = told.iter().filter(|(_, told)| matches!(told, Told::Throttled(_)));
    let refused: Vec<u64> = refused.map(|(number, _)| *number).collect();
    assert_eq!(refused, (count - 5..count).collect::<Vec<_>>());
}

#[test]
fn a_full_bucket_lends_a_token_and_books_it_late() {
    let mut counter = Counter::new(ROOMY);
    let one = |number, beside| Ask {
        process: 7,
        waiting: vec![Ticket {
            number,
            class: Class::Interactive,
            patience: Duration::ZERO,
        }],
        beside,
        ..Ask::default()
    };
    let answer = counter.put(&one(1, true), 0);
    assert_eq!(answer.beside, Some(ms(400)));
    assert_eq!(counter.level.full_at, at(600), "as if it were used at 400");
    assert_eq!(counter.put(&one(2, true), 0).beside, None, "it is not full");
    assert_eq!(counter.put(&one(3, true), 599).beside, None);
    assert_eq!(
        counter.put(&one(4, false), 5_000).beside,
        None,
        "nobody asked for it"
    );
    let mut lone = Counter::new(PACE);
    lone.pace.capacity = 1;
    assert_eq!(lone.put(&one(1, true), 0).beside, None);
    assert_eq!(lone.level.full_at, at(200));
}

#[test]
fn what_is_stored_of_it_is_read_back() {
    let mut counter = Counter::new(PACE);
    counter.close(5, ms(10), Refusal::Quota);
    counter.ask(1, Class::Background, 5, Duration::MAX);
    let stored = serde_json::to_value(&counter.level).expect("JSON");
    assert_eq!(stored["closedUntil"], 205);
    assert_eq!(stored["refusal"], "quota");
    assert_eq!(stored["waiting"][0]["background"], true);
    assert_eq!(
        serde_json::from_value::<Level>(stored).expect("a level"),
        counter.level
    );
    let before =
        r#"{"fullAt":7,"closedUntil":0,"refusal":"rate_limit","halvings":0,"onTrial":false,"closings":3}"#;
    let level: Level = serde_json::from_str(before).expect("as it was stored before there was a queue");
    let full_at = at(7);
    assert_eq!(
        level,
        Level {
            full_at,
            closings: 3,
            ..Level::default()
        }
    );
}

//! What every engine promises about token buckets: one question, the pure function's answer, on the database's clock.

use crate::store::over_every_engine;

over_every_engine!(
    a_bucket_gives_the_answers_of_the_pure_function,
    a_bucket_goes_by_the_databases_clock,
    those_who_ask_at_once_each_get_a_place_of_their_own,
    a_queue_as_long_as_it_may_be_is_answered,
    a_bucket_is_due_when_nobody_needs_it,
);

mod stories {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use patchbay::{
        limits::{LASTFM, SPOTIFY},
        pace::{Ask, Class, FOR_GOOD, Level, Pace, Refusal, Ticket, Token, Told, WAITING_MAX},
        store::{Collection, Record, Store, Version, Written},
        system::Clock as _,
    };
    use serde::Deserialize as _;

    use crate::{
        harness::clock::ManualClock,
        store::{at, engine::Engine, version},
    };

    /// Without a minute's rest after each refusal, so that more happens.
    const PACES: [Pace; 3] = [
        SPOTIFY,
        Pace {
            pause_min_ms: 300,
            pause_max_ms: 2_000,
            ..LASTFM
        },
        Pace {
            capacity: 3,
            spacing_ms: 90,
            room: 0,
            pause_min_ms: 0,
            pause_max_ms: 0,
        },
    ];

    /// Each row of moves is the same in every run.
    const SEEDS: u64 = 4;
    const MOVES: usize = 80;
    const PROCESSES: usize = 3;

    /// A small generator is enough to choose moves (Knuth's constants).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }

        fn is_one_in(&mut self, count: u64) -> bool {
            self.below(count) == 0
        }

        fn span(&mut self, limit_ms: u64) -> Duration {
            Duration::from_millis(self.below(limit_ms))
        }
    }

    /// A process, and all that it has: callers who wait, and tokens that it did not use.
    #[derive(Default)]
    struct Process {
        waiting: Vec<Ticket>,
        tokens: Vec<Token>,
        last_number: u64,
    }

    impl Process {
        /// Somebody comes, somebody hangs up, something is given back: what it asks next.
        fn next_ask(&mut self, process: u64, dice: &mut Dice) -> Ask {
            for _ in 0..dice.below(4) {
                self.last_number += 1;
                let class = if dice.is_one_in(3) {
                    Class::Background
                } else {
                    Class::Interactive
                };
                let patience = if dice.is_one_in(4) {
                    Duration::MAX
                } else {
                    dice.span(2_500)
                };
                self.waiting.push(Ticket {
                    number: self.last_number,
                    class,
                    patience,
                });
            }
            self.waiting.retain(|_| !dice.is_one_in(6));
            let mut unused: Vec<_> = self.tokens.extract_if(.., |_| dice.is_one_in(4)).collect();
            unused.reverse();
            Ask {
                process,
                waiting: self.waiting.clone(),
                unused,
                beside: dice.is_one_in(2),
            }
        }

        fn hear(&mut self, told: &[(u64, Told)]) {
            for (number, told) in told {
                if let Told::Go(token) = told {
                    self.tokens.push(*token);
                }
                if !matches!(told, Told::Wait(_)) {
                    self.waiting.retain(|ticket| ticket.number != *number);
                }
            }
        }
    }

    async fn level(store: &dyn Store, id: &str) -> Record {
        let found = store.find_record(Collection::Budgets, id).await;
        found.expect("an answer").expect("a bucket")
    }

    /// What one caller of a process of their own is told.
    async fn told(store: &dyn Store, id: &str, pace: Pace, patience: Duration) -> Told {
        let ask = Ask {
            process: 1,
            waiting: vec![Ticket {
                number: 1,
                class: Class::Interactive,
                patience,
            }],
            ..Ask::default()
        };
        let answer = store.take_turns(id, pace, &ask).await.expect("an answer");
        answer.told[0].1
    }

    fn is_go(told: Told) -> bool {
        matches!(told, Told::Go(_))
    }

    pub async fn a_bucket_gives_the_answers_of_the_pure_function(engine: Engine) {
        let clock = Arc::new(ManualClock::default());
        let store = engine.on_clock(clock.clone());
        let mut loans = 0;
        for (pace, seed) in PACES
            .iter()
            .flat_map(|pace| (0..SEEDS).map(move |seed| (*pace, seed)))
        {
            let mut dice = Dice(seed);
            let id = format!("bucket:{}-{seed}", pace.capacity);
            let mut expected = Level::default();
            let mut speakers: [Process; PROCESSES] = Default::default();
            for step in 0..MOVES {
                // Now and then a rest: long enough to forget who does not come, or for halvings to be taken back.
                let rest_ms = [300, 300, 300, 300, 300, 300, 4_000, 150_000];
                let rest_ms = rest_ms[usize::try_from(dice.below(8)).expect("below 8")];
                clock.advance(dice.span(rest_ms));
                let now = clock.now();
                if dice.is_one_in(10) {
                    let refusals = [Refusal::RateLimit, Refusal::Quota, Refusal::Key];
                    let refusal = refusals[usize::try_from(dice.below(3)).expect("below 3")];
                    let pause = dice.span(3_000);
                    store
                        .close_bucket(&id, pace, pause, refusal)
                        .await
                        .expect("a write");
                    expected = expected.close(pace, now, pause, refusal);
                    continue;
                }
                let process = dice.below(PROCESSES as u64);
                let its = &mut speakers[usize::try_from(process).expect("few")];
                let ask = its.next_ask(process, &mut dice);
                let answer = store.take_turns(&id, pace, &ask).await.expect("an answer");
                let (left, right_answer) = expected.clone().take_turns(pace, &ask, now);
                assert_eq!(
                    answer, right_answer,
                    "seed {seed}, move {step}: {ask:?} of {expected:?}"
                );
                expected = left;
                its.hear(&answer.told);
                loans += usize::from(answer.beside.is_some());
                // Who takes nothing need not leave a record.
                let stored = store.find_record(Collection::Budgets, &id).await;
                let stored = stored.expect("an answer").unwrap_or_default();
                assert_eq!(
                    Level::deserialize(&stored.body).unwrap_or_default(),
                    expected,
                    "seed {seed}, move {step}: {ask:?}"
                );
            }
        }
        assert!(loans > 0, "nothing was lent");
    }

    pub async fn a_bucket_goes_by_the_databases_clock(Engine { store, .. }: Engine) {
        let pace = Pace {
            spacing_ms: 600_000,
            ..SPOTIFY
        };
        assert!(is_go(told(&*store, "bucket:a", pace, Duration::ZERO).await));
        let Told::Throttled(early) = told(&*store, "bucket:a", pace, Duration::ZERO).await else {
            panic!("too early");
        };
        let wait = early.retry_after;
        // Less has passed than any test may take.
        assert!(
            wait > Duration::from_mins(8) && wait <= Duration::from_mins(10),
            "{wait:?}"
        );
        let pause = Duration::from_hours(5);
        store
            .close_bucket("bucket:a", pace, pause, Refusal::Quota)
            .await
            .expect("a write");
        let Told::Throttled(closed) = told(&*store, "bucket:a", pace, wait).await else {
            panic!("closed");
        };
        assert_eq!(closed.closed_by, Some(Refusal::Quota));
        assert!(closed.retry_after + Duration::from_mins(2) > pause && closed.retry_after <= pause);
        store
            .close_bucket("bucket:a", pace, FOR_GOOD, Refusal::Key)
            .await
            .expect("a write");
        let Told::Throttled(closed) = told(&*store, "bucket:a", pace, wait).await else {
            panic!("closed");
        };
        assert_eq!(closed.closed_by, Some(Refusal::Key));
        assert!(closed.retry_after + Duration::from_mins(2) > FOR_GOOD);
    }

    pub async fn those_who_ask_at_once_each_get_a_place_of_their_own(engine: Engine) {
        const TAKERS: u64 = 8;
        const EACH: u64 = 6;
        let store = engine.on_clock(Arc::new(ManualClock::default()));
        let takers: Vec<_> = (0..TAKERS)
            .map(|process| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let (mut waiting, mut waits) = (Vec::new(), Vec::new());
                    for number in 0..EACH {
                        waiting.push(Ticket {
                            number,
                            class: Class::Interactive,
                            patience: Duration::MAX,
                        });
                        let ask = Ask {
                            process,
                            waiting: waiting.clone(),
                            ..Ask::default()
                        };
                        let answer = store.take_turns("bucket:b", SPOTIFY, &ask).await;
                        for (told_to, told) in answer.expect("an answer").told {
                            match told {
                                Told::Go(_) => {
                                    waiting.retain(|ticket| ticket.number != told_to);
                                    waits.push(Duration::ZERO);
                                }
                                Told::Wait(wait) if told_to == number => waits.push(wait),
                                Told::Wait(_) => {}
                                Told::Throttled(_) => panic!("{told:?}"),
                            }
                        }
                    }
                    waits
                })
            })
            .collect();
        let mut taken = BTreeSet::new();
        for taker in takers {
            let waits = taker.await.expect("a taker that ends");
            assert!(waits.is_sorted(), "somebody overtook themselves: {waits:?}");
            for wait in waits {
                assert!(taken.insert(wait), "two got the place of {wait:?}");
            }
        }
        let spacing_ms = u64::from(SPOTIFY.spacing_ms);
        let places = (0..TAKERS * EACH).map(|place| Duration::from_millis(place * spacing_ms));
        assert_eq!(taken, places.collect());
    }

    pub async fn a_queue_as_long_as_it_may_be_is_answered(engine: Engine) {
        let store = engine.on_clock(Arc::new(ManualClock::default()));
        let one = |number| Ticket {
            number,
            class: Class::Interactive,
            patience: Duration::MAX,
        };
        let ask = |process| Ask {
            process,
            waiting: (0..600).map(one).collect(),
            ..Ask::default()
        };
        for process in [1, 2] {
            let ask = ask(process);
            store
                .take_turns("bucket:d", LASTFM, &ask)
                .await
                .expect("an answer");
        }
        let answer = store.take_turns("bucket:d", LASTFM, &ask(2)).await;
        let told = answer.expect("an answer").told;
        let refused = told.iter().filter(|(_, told)| matches!(told, Told::Throttled(_)));
        // Five of the first went at once, one is asked for again and finds no place.
        assert_eq!(refused.count(), 2 * 600 - WAITING_MAX - 5);
        let stored = level(&*store, "bucket:d").await;
        let level = Level::deserialize(&stored.body).expect("a level");
        assert_eq!(level.waiting.len(), WAITING_MAX);
    }

    pub async fn a_bucket_is_due_when_nobody_needs_it(engine: Engine) {
        let clock = Arc::new(ManualClock::default());
        let store = engine.on_clock(clock.clone());
        let pause = Duration::from_secs(4);
        store
            .close_bucket("bucket:c", SPOTIFY, pause, Refusal::RateLimit)
            .await
            .expect("a write");
        let closed = level(&*store, "bucket:c").await;
        let (quiet_at, due_at) = (
            clock.now() + pause + Duration::from_mins(1),
            closed.due_at.expect("due"),
        );
        assert!(
            due_at > quiet_at && due_at < quiet_at + Duration::from_hours(24),
            "{due_at:?}"
        );
        let due = store
            .records_due(Collection::Budgets, due_at, 9)
            .await
            .expect("an answer");
        assert_eq!(due, [("bucket:c".to_owned(), closed.clone())]);
        assert_eq!(
            store
                .records_due(Collection::Budgets, at(due_at.as_ms() - 1), 9)
                .await
                .expect("an answer"),
            []
        );

        // Who uses it in the same moment keeps it; who comes later finds a new one.
        clock.advance(pause);
        assert!(is_go(told(&*store, "bucket:c", SPOTIFY, Duration::ZERO).await));
        let late = store
            .delete_record(Collection::Budgets, "bucket:c", closed.version)
            .await;
        assert_eq!(late.expect("an answer"), Written::Conflict);
        let used = level(&*store, "bucket:c").await;
        assert_eq!(used.version, Version(closed.version.0 + 1));
        let gone = store
            .delete_record(Collection::Budgets, "bucket:c", used.version)
            .await;
        assert_eq!(version(gone.expect("an answer")), Version::ABSENT);
        assert!(is_go(told(&*store, "bucket:c", SPOTIFY, Duration::ZERO).await));
    }
}

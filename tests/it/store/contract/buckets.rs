//! What every engine promises about token buckets: one question, the pure function's answer, on the database's clock.

use crate::store::over_every_engine;

over_every_engine!(
    a_bucket_gives_the_waits_of_the_pure_function,
    a_bucket_goes_by_the_databases_clock,
    many_takers_get_each_place_once,
    a_bucket_is_due_when_nobody_needs_it,
);

mod stories {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use patchbay::{
        pace::{Level, Pace, Refusal},
        store::{Collection, Record, Store, Version, Written},
        system::Clock as _,
    };
    use serde::Deserialize as _;

    use crate::{
        harness::clock::ManualClock,
        store::{at, engine::Engine, version},
    };

    const PACES: [Pace; 2] = [
        Pace {
            capacity: 1,
            spacing_ms: 200,
        },
        Pace {
            capacity: 5,
            spacing_ms: 205,
        },
    ];

    /// Each row of moves is the same in every run.
    const SEEDS: u64 = 4;
    const MOVES: usize = 60;

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

        fn span(&mut self, limit_ms: u64) -> Duration {
            Duration::from_millis(self.below(limit_ms))
        }
    }

    async fn level(store: &dyn Store, id: &str) -> Record {
        let found = store.find_record(Collection::Budgets, id).await;
        found.expect("an answer").expect("a bucket")
    }

    pub async fn a_bucket_gives_the_waits_of_the_pure_function(engine: Engine) {
        let clock = Arc::new(ManualClock::default());
        let store = engine.on_clock(clock.clone());
        for (pace, seed) in PACES
            .iter()
            .flat_map(|pace| (0..SEEDS).map(move |seed| (*pace, seed)))
        {
            let mut dice = Dice(seed);
            let id = format!("bucket:{}-{seed}", pace.capacity);
            let mut expected = Level::default();
            for step in 0..MOVES {
                // Now and then a rest, long enough for halvings to be taken back.
                let rest_ms = if dice.below(12) == 0 { 150_000 } else { 500 };
                clock.advance(dice.span(rest_ms));
                let now = clock.now();
                if dice.below(8) == 0 {
                    let refusal =
                        [Refusal::RateLimit, Refusal::Quota][usize::try_from(dice.below(2)).expect("0 or 1")];
                    let pause = dice.span(9_000);
                    store
                        .close_bucket(&id, pace, pause, refusal)
                        .await
                        .expect("a write");
                    expected = expected.close(pace, now, pause, refusal);
                } else {
                    let wait_max = if dice.below(4) == 0 {
                        Duration::MAX
                    } else {
                        dice.span(3_000)
                    };
                    let told = store.take_turn(&id, pace, wait_max).await.expect("an answer");
                    let taken = expected.take(pace, now, wait_max);
                    assert_eq!(
                        told,
                        taken.map(|(_, turn)| turn),
                        "seed {seed}, move {step}: {expected:?}"
                    );
                    expected = taken.map_or(expected, |(left, _)| left);
                }
            }
            let stored = level(&*store, &id).await;
            assert_eq!(
                Level::deserialize(&stored.body).expect("a level"),
                expected,
                "seed {seed}"
            );
        }
    }

    pub async fn a_bucket_goes_by_the_databases_clock(Engine { store, .. }: Engine) {
        let pace = Pace {
            capacity: 1,
            spacing_ms: 600_000,
        };
        let first = store.take_turn("bucket:a", pace, Duration::ZERO).await;
        assert_eq!(first.expect("an answer").expect("a turn").wait, Duration::ZERO);
        let early = store.take_turn("bucket:a", pace, Duration::ZERO).await;
        let wait = early.expect("an answer").expect_err("too early").retry_after;
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
        let closed = store.take_turn("bucket:a", pace, wait).await;
        let closed = closed.expect("an answer").expect_err("closed");
        assert_eq!(closed.closed_by, Some(Refusal::Quota));
        assert!(closed.retry_after + Duration::from_mins(2) > pause && closed.retry_after <= pause);
    }

    pub async fn many_takers_get_each_place_once(engine: Engine) {
        const TAKERS: u64 = 8;
        const EACH: u64 = 6;
        let store = engine.on_clock(Arc::new(ManualClock::default()));
        let [pace, _] = PACES;
        let takers: Vec<_> = (0..TAKERS)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    for _ in 0..EACH {
                        let turn = store.take_turn("bucket:b", pace, Duration::MAX).await;
                        waits.push(turn.expect("an answer").expect("a turn").wait);
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
        let places =
            (0..TAKERS * EACH).map(|place| Duration::from_millis(place * u64::from(pace.spacing_ms)));
        assert_eq!(taken, places.collect());
    }

    pub async fn a_bucket_is_due_when_nobody_needs_it(engine: Engine) {
        let clock = Arc::new(ManualClock::default());
        let store = engine.on_clock(clock.clone());
        let [pace, _] = PACES;
        let pause = Duration::from_secs(4);
        store
            .close_bucket("bucket:c", pace, pause, Refusal::RateLimit)
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
        let turn = store.take_turn("bucket:c", pace, Duration::MAX).await;
        turn.expect("an answer").expect("a turn");
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
        let turn = store.take_turn("bucket:c", pace, Duration::ZERO).await;
        assert_eq!(turn.expect("an answer").expect("a turn").wait, Duration::ZERO);
    }
}

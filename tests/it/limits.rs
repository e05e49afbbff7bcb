//! Turns that several processes take from one bucket, and what a refusal does to those who wait.

mod alone;
mod crowd;
mod hanging_up;
mod processes;

use std::{sync::Arc, time::Duration};

use patchbay::{
    ids::AppName,
    limits::{Class, Closing, FOR_GOOD, LASTFM, NoTurn, Pace, Pacer, Refusal, SPOTIFY, Throttled, Turn},
    secret::{ClientId, Secret as _},
    store::{Collection, SqliteStore, Store as _},
    system::{BoxFuture, Clock, System, Timestamp},
};
use sandbox::{DEMO_APP, OWN_APP};
use serde_json::json;

use crate::harness::{
    app::TestApp,
    clock::{ManualClock, until},
    entropy::SeededEntropy,
    flaky_store::{Call, FlakyStore, When},
};

const NO_WAIT: Duration = Duration::ZERO;

/// The clock of a machine that is set wrong.
#[derive(Debug)]
struct Wrong {
    right: Arc<ManualClock>,
    ahead: Duration,
}

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        self.right.now() + self.ahead
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.right.sleep(duration)
    }
}

/// A database, and two processes that use it, one of which takes the time to be a minute later than it is.
struct Deployment {
    clock: Arc<ManualClock>,
    store: Arc<FlakyStore>,
    one: Pacer,
    other: Pacer,
}

fn deployment(pace: Pace, clock: Arc<ManualClock>) -> Deployment {
    let database = SqliteStore::in_memory()
        .expect("memory")
        .with_clock(clock.clone());
    let store = FlakyStore::over(Arc::new(database));
    let entropy = Arc::new(SeededEntropy::new(1));
    let pacer = |clock: Arc<dyn Clock>| {
        let entropy = entropy.clone();
        Pacer::new(pace, store.clone(), System { clock, entropy })
    };
    let wrong = Wrong {
        right: clock.clone(),
        ahead: Duration::from_mins(1),
    };
    Deployment {
        one: pacer(clock.clone()),
        other: pacer(Arc::new(wrong)),
        clock,
        store,
    }
}

/// Takes a turn for somebody who waits, and uses it.
async fn go(pacer: &Pacer, bucket: &str, wait_max: Duration) -> Result<(), NoTurn> {
    let turn = pacer.turn(bucket, Class::Interactive, wait_max).await;
    turn.map(Turn::spend)
}

#[track_caller]
fn throttled(turn: Result<(), NoTurn>) -> Throttled {
    match turn {
        Err(NoTurn::Throttled(throttled)) => throttled,
        turn => panic!("not throttled: {turn:?}"),
    }
}

#[tokio::test]
async fn processes_share_a_bucket_whatever_their_clocks_say() {
    let Deployment {
        clock, one, other, ..
    } = deployment(SPOTIFY, Arc::default());
    let began = clock.now();
    for pacer in [&one, &other, &one, &other] {
        go(pacer, "app", Duration::from_secs(1)).await.expect("a turn");
    }
    assert_eq!(clock.now().since(began), Duration::from_millis(600));
    go(&other, "another app", NO_WAIT).await.expect("its first turn");

    let pause = Duration::from_secs(10);
    one.close("app", pause, Refusal::RateLimit)
        .await
        .expect("a database");
    let until = clock.now() + pause;
    let refusal = Refusal::RateLimit;
    let closing = one.closing("app").await.expect("a database");
    assert_eq!(closing, Some(Closing { until, refusal }));
    let told = throttled(go(&other, "app", Duration::from_secs(9)).await);
    assert_eq!((told.retry_after, told.closed_by), (pause, Some(refusal)));
    go(&other, "app", pause).await.expect("the first turn after it");
    assert_eq!(clock.now(), until);
}

#[tokio::test]
async fn a_refusal_makes_the_places_void_of_those_who_wait() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(SPOTIFY, ManualClock::strict());
    go(&one, "app", NO_WAIT).await.expect("the first turn");
    let waits = tokio::spawn(async move { go(&other, "app", Duration::from_secs(30)).await });
    until("it has a place", async || store.calls(Call::TakeTurns) == 2).await;
    one.close("app", Duration::from_secs(3), Refusal::RateLimit)
        .await
        .expect("a database");
    until("its time comes", async || {
        clock.advance(Duration::from_millis(20));
        store.calls(Call::TakeTurns) == 3
    })
    .await;
    assert!(!waits.is_finished());
    clock.advance(Duration::from_secs(3));
    waits.await.expect("no panic").expect("a turn");
}

#[tokio::test]
async fn who_waits_long_is_told_soon_that_it_will_be_longer() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(SPOTIFY, ManualClock::strict());
    let pause = Duration::from_secs(25);
    one.close("app", pause, Refusal::RateLimit)
        .await
        .expect("a database");
    let waits = tokio::spawn(async move { go(&other, "app", Duration::from_secs(30)).await });
    until("it has a place", async || store.calls(Call::TakeTurns) == 1).await;
    let hours = Duration::from_hours(10);
    one.close("app", hours, Refusal::Quota).await.expect("a database");
    let closed_at = clock.now();
    until("it is told", async || {
        clock.advance(Duration::from_millis(20));
        waits.is_finished()
    })
    .await;
    assert_eq!(
        throttled(waits.await.expect("no panic")).closed_by,
        Some(Refusal::Quota)
    );
    assert!(
        clock.now().since(closed_at) < Duration::from_secs(20),
        "long before its time"
    );
}

#[tokio::test]
async fn without_the_database_nobody_gets_a_turn() {
    let Deployment { store, one, .. } = deployment(SPOTIFY, Arc::default());
    store.fail_next(1, Call::TakeTurns, When::Before);
    let none = go(&one, "app", NO_WAIT).await;
    assert!(matches!(none, Err(NoTurn::Store(_))), "{none:?}");
}

#[tokio::test]
async fn buckets_that_say_nothing_any_more_are_dropped() {
    let Deployment {
        clock, store, one, ..
    } = deployment(SPOTIFY, Arc::default());
    go(&one, "idle", NO_WAIT).await.expect("a turn");
    one.close("closed", Duration::from_hours(20), Refusal::Quota)
        .await
        .expect("a database");
    assert_eq!(one.forget_idle().await.expect("a database"), 0);
    clock.advance(Duration::from_hours(2));
    assert_eq!(one.forget_idle().await.expect("a database"), 1);
    let kept = store.records_due(Collection::Budgets, Timestamp::MAX, 9).await;
    let kept: Vec<_> = kept.expect("a database").into_iter().map(|(id, _)| id).collect();
    assert_eq!(kept, ["bucket:closed"]);
    clock.advance(Duration::from_hours(20));
    assert_eq!(one.forget_idle().await.expect("a database"), 1);
}

#[tokio::test]
async fn people_with_one_app_share_its_bucket_and_its_id_is_nowhere() {
    let app = TestApp::start().await;
    let mut people = vec![app.connected("standard").await];
    for name in ["one", "other"] {
        let mut person = app.signed_in(name).await;
        person
            .connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
            .await;
        people.push(person);
    }
    for person in &mut people {
        let list = json!({"name": "Mix", "songs": [{"title": "Dynamite", "artist": "BTS"}]});
        person.post("/api/playlist/export", list).await.expect(200);
    }
    let kept = app
        .store
        .records_due(Collection::Budgets, Timestamp::MAX, 99)
        .await;
    let kept: Vec<_> = kept.expect("memory").into_iter().map(|(id, _)| id).collect();
    let mut buckets: Vec<_> = kept
        .iter()
        .filter(|id| id.starts_with("bucket:"))
        .cloned()
        .collect();
    let name = |id: &str| AppName::of(&ClientId::from_plain(id.to_owned()));
    let mut expected = [DEMO_APP, OWN_APP].map(|app| format!("bucket:spotify:{}", name(app.client_id)));
    buckets.sort();
    expected.sort();
    assert_eq!(buckets, expected);
    assert!(!kept.iter().any(|id| id.contains(OWN_APP.client_id)), "{kept:?}");
}

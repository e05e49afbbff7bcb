//! Who hangs up, or does not use what they got, burns nothing; and what a process may do without asking.

use super::*;
use crate::harness::{
    clock::let_others_go_on,
    exits::{Exits, Side},
};

/// Somebody who wants a turn and waits for it.
fn comes(pacer: &Pacer, bucket: &'static str) -> tokio::task::JoinHandle<Result<(), NoTurn>> {
    let pacer = pacer.clone();
    tokio::spawn(async move { go(&pacer, bucket, Duration::from_secs(30)).await })
}

/// Waits until everything that goes without time has gone.
async fn quiet(store: &FlakyStore) {
    until("nobody asks", async || {
        let_others_go_on().await;
        store.is_idle()
    })
    .await;
    let_others_go_on().await;
}

#[tokio::test]
async fn a_turn_that_is_dropped_is_the_next_ones_in_any_process() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(SPOTIFY, ManualClock::strict());
    let began = clock.now();
    let turn = one.turn("app", Class::Interactive, NO_WAIT).await;
    throttled(go(&other, "app", NO_WAIT).await);
    drop(turn);
    quiet(&store).await;
    go(&other, "app", NO_WAIT).await.expect("what was given back");
    throttled(go(&other, "app", NO_WAIT).await);
    assert_eq!(clock.now(), began);
}

#[tokio::test]
async fn who_hangs_up_while_the_bucket_is_asked_gives_back_what_it_says() {
    let clock = ManualClock::strict();
    let exits = Arc::new(Exits::default());
    let database = SqliteStore::in_memory()
        .expect("memory")
        .with_clock(clock.clone());
    let store = FlakyStore::behind(exits.clone(), Arc::new(database));
    let entropy = Arc::new(SeededEntropy::new(1));
    let pacer = Pacer::new(SPOTIFY, store.clone(), System { clock, entropy });
    for side in [Side::Before, Side::After] {
        exits.stop_at("TakeTurns", 0, side);
        let caller = comes(&pacer, "app");
        exits.stopped().await;
        caller.abort();
        assert!(caller.await.is_err());
        exits.go_on();
        quiet(&store).await;
        let next = pacer.turn("app", Class::Interactive, NO_WAIT).await;
        drop(next.expect("nothing was burnt"));
        quiet(&store).await;
    }
    assert_eq!(store.calls(Call::TakeTurns), 2 * 4, "each asks, and gives back");
}

#[tokio::test]
async fn who_hangs_up_leaves_their_place_to_all_behind() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(SPOTIFY, ManualClock::strict());
    let began = clock.now();
    go(&one, "app", NO_WAIT).await.expect("the first turn");
    let impatient = comes(&one, "app");
    quiet(&store).await;
    let others = comes(&other, "app");
    quiet(&store).await;
    let behind = comes(&one, "app");
    quiet(&store).await;
    impatient.abort();
    quiet(&store).await;
    clock.advance(Duration::from_millis(200));
    quiet(&store).await;
    // The other process was told 400 ms and does not know better yet; in a second it would.
    assert!(!others.is_finished() && !behind.is_finished());
    clock.advance(Duration::from_millis(200));
    quiet(&store).await;
    others.await.expect("no panic").expect("a turn");
    clock.advance(Duration::from_millis(200));
    quiet(&store).await;
    behind.await.expect("no panic").expect("a turn");
    assert_eq!(clock.now().since(began), Duration::from_millis(600));
}

#[tokio::test]
async fn nobody_is_left_in_the_queue_by_a_process_of_which_nobody_waits() {
    let Deployment {
        store, one, other, ..
    } = deployment(SPOTIFY, ManualClock::strict());
    go(&one, "app", NO_WAIT).await.expect("the first turn");
    let impatient = comes(&one, "app");
    quiet(&store).await;
    impatient.abort();
    quiet(&store).await;
    let told = throttled(go(&other, "app", NO_WAIT).await);
    assert_eq!(told.retry_after, Duration::from_millis(200), "first in the queue");
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_what_it_gave_and_no_more() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(SPOTIFY, ManualClock::strict());
    store.fail_next(1, Call::TakeTurns, When::After);
    let none = go(&one, "app", NO_WAIT).await;
    assert!(matches!(none, Err(NoTurn::Store(_))), "{none:?}");
    let told = throttled(go(&other, "app", NO_WAIT).await);
    assert_eq!(told.retry_after, Duration::from_millis(200));
    clock.advance(Duration::from_millis(200));
    go(&one, "app", NO_WAIT).await.expect("the next turn");
}

#[tokio::test]
async fn the_second_call_of_a_pair_asks_nobody() {
    let Deployment {
        clock, store, one, ..
    } = deployment(LASTFM, Arc::default());
    for _ in 0..5 {
        let asked = store.calls(Call::TakeTurns);
        go(&one, "key", NO_WAIT).await.expect("a turn");
        let lent = one.turn("key", Class::Interactive, NO_WAIT).await;
        drop(lent.expect("a turn that is not used, and comes back"));
        go(&one, "key", NO_WAIT).await.expect("a turn");
        assert_eq!(store.calls(Call::TakeTurns), asked + 1);
        go(&one, "key", NO_WAIT).await.expect("a turn");
        assert_eq!(store.calls(Call::TakeTurns), asked + 2);
        clock.advance(Duration::from_secs(2));
    }
}

#[tokio::test]
async fn what_was_lent_does_not_outlive_its_time_nor_a_refusal() {
    let Deployment {
        clock,
        store,
        one,
        other,
    } = deployment(LASTFM, Arc::default());
    go(&one, "key", NO_WAIT).await.expect("a turn");
    clock.advance(Duration::from_millis(400));
    go(&one, "key", NO_WAIT).await.expect("a turn");
    assert_eq!(store.calls(Call::TakeTurns), 2);

    clock.advance(Duration::from_secs(2));
    go(&one, "key", NO_WAIT).await.expect("a turn, and one is lent");
    one.close("key", NO_WAIT, Refusal::RateLimit)
        .await
        .expect("a database");
    let told = throttled(go(&one, "key", NO_WAIT).await);
    assert_eq!(told.closed_by, Some(Refusal::RateLimit));

    let lender = other;
    go(&lender, "another", NO_WAIT)
        .await
        .expect("a turn, and one is lent");
    one.close("another", NO_WAIT, Refusal::RateLimit)
        .await
        .expect("a database");
    // It has not heard of it: that one call is as good as under way.
    go(&lender, "another", NO_WAIT).await.expect("what was lent");
    throttled(go(&lender, "another", NO_WAIT).await);
}

#[tokio::test]
async fn refusals_close_one_key_for_all_processes_and_longer_each_time() {
    let Deployment {
        clock, one, other, ..
    } = deployment(LASTFM, Arc::default());
    for expected_s in [60, 120, 240, 480, 900] {
        one.close("key", NO_WAIT, Refusal::RateLimit)
            .await
            .expect("a database");
        let told = throttled(go(&other, "key", NO_WAIT).await);
        assert_eq!(
            (told.retry_after, told.closed_by),
            (Duration::from_secs(expected_s), Some(Refusal::RateLimit))
        );
        go(&other, "another key", NO_WAIT).await.expect("a turn");
        clock.advance(told.retry_after);
        go(&other, "key", NO_WAIT).await.expect("one call alone");
        throttled(go(&one, "key", NO_WAIT).await);
        clock.advance(Duration::from_secs(3));
    }
    one.close("key", FOR_GOOD, Refusal::Key)
        .await
        .expect("a database");
    clock.advance(Duration::from_hours(24 * 365));
    let told = throttled(go(&other, "key", Duration::from_hours(24)).await);
    assert_eq!(told.closed_by, Some(Refusal::Key));
}

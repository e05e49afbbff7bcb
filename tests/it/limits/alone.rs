//! Buckets that one process has for itself.

use super::*;
use crate::harness::clock::let_others_go_on;

fn alone(pace: Pace, clock: &Arc<ManualClock>) -> Pacer {
    let entropy = Arc::new(SeededEntropy::new(1));
    let clock: Arc<dyn Clock> = clock.clone();
    Pacer::alone(pace, System { clock, entropy })
}

#[tokio::test]
async fn it_is_the_same_bucket_without_a_database() {
    let clock = Arc::new(ManualClock::default());
    let pacer = alone(SPOTIFY, &clock);
    let began = clock.now();
    for _ in 0..4 {
        go(&pacer, "app", Duration::from_secs(1)).await.expect("a turn");
    }
    assert_eq!(clock.now().since(began), Duration::from_millis(600));
    let told = throttled(go(&pacer, "app", Duration::from_millis(199)).await);
    assert_eq!(told.retry_after, Duration::from_millis(200));
    go(&pacer, "another app", NO_WAIT).await.expect("its first turn");

    pacer
        .close("app", FOR_GOOD, Refusal::Key)
        .await
        .expect("no database");
    let closing = pacer.closing("app").await.expect("no database");
    assert_eq!(closing.map(|closing| closing.refusal), Some(Refusal::Key));
    let told = throttled(go(&pacer, "app", Duration::from_hours(10)).await);
    assert_eq!((told.retry_after, told.closed_by), (FOR_GOOD, Some(Refusal::Key)));
    assert_eq!(pacer.closing("another app").await.expect("no database"), None);
}

#[tokio::test]
async fn a_turn_that_is_dropped_is_the_next_ones() {
    let clock = ManualClock::strict();
    let pacer = alone(SPOTIFY, &clock);
    let first = pacer
        .turn("app", Class::Interactive, NO_WAIT)
        .await
        .expect("a turn");
    let waits = {
        let pacer = pacer.clone();
        tokio::spawn(async move { go(&pacer, "app", Duration::from_secs(9)).await })
    };
    let_others_go_on().await;
    drop(first);
    let_others_go_on().await;
    waits.await.expect("no panic").expect("a turn, at once");
}

#[tokio::test]
async fn desks_that_nobody_needs_are_dropped() {
    let clock = Arc::new(ManualClock::default());
    let pacer = alone(LASTFM, &clock);
    let held = pacer.turn("held", Class::Interactive, NO_WAIT).await;
    go(&pacer, "used", NO_WAIT).await.expect("a turn");
    assert_eq!(pacer.forget_idle().await.expect("no database"), 0);
    clock.advance(Duration::from_mins(1));
    assert_eq!(pacer.forget_idle().await.expect("no database"), 1);
    drop(held);
    assert_eq!(pacer.forget_idle().await.expect("no database"), 1);
}

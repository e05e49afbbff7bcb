//! What the bucket promises, whatever the arrivals and the refusals.

use proptest::prelude::*;

use super::*;

const PACE: Pace = Pace {
    capacity: 2,
    spacing_ms: 200,
};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Takes a place with endless patience: when its time comes.
fn start(level: &mut Level, pace: Pace, now_ms: i64) -> i64 {
    let (left, turn) = level
        .take(pace, at(now_ms), Duration::MAX)
        .expect("endless patience");
    *level = left;
    now_ms + i64::try_from(turn.wait.as_millis()).expect("a wait")
}

#[test]
fn a_burst_is_spread_and_a_rest_refills() {
    let mut level = Level::default();
    let starts = [0; 4].map(|now| start(&mut level, PACE, now));
    assert_eq!(starts, [0, 0, 200, 400]);
    assert_eq!(start(&mut level, PACE, 600), 600, "two were owed, three came in");
    assert_eq!(level.says_nothing_from(), at(1_000));
    let starts = [1_000; 3].map(|now| start(&mut level, PACE, now));
    assert_eq!(starts, [1_000, 1_000, 1_200], "full again");
}

#[test]
fn who_will_not_wait_takes_nothing() {
    let mut level = Level::default();
    for _ in 0..3 {
        start(&mut level, PACE, 0);
    }
    let refused = level.take(PACE, at(0), ms(399));
    let throttled = Throttled {
        retry_after: ms(400),
        closed_by: None,
    };
    assert_eq!(refused, Err(throttled));
    assert!(level.take(PACE, at(0), ms(400)).is_ok());
}

#[test]
fn a_closed_bucket_says_why_and_opens_empty_for_one_call() {
    let mut level = Level::default();
    start(&mut level, PACE, 0);
    let mut level = level.close(PACE, at(100), ms(9_900), Refusal::Quota);
    assert_eq!(level.closed(at(9_999)), Some((at(10_000), Refusal::Quota)));
    assert_eq!(level.closed(at(10_000)), None);
    let throttled = Throttled {
        retry_after: ms(9_000),
        closed_by: Some(Refusal::Quota),
    };
    assert_eq!(level.take(PACE, at(1_000), ms(8_999)), Err(throttled));

    let starts = [1_000, 1_000, 1_000, 12_300].map(|now| start(&mut level, PACE, now));
    assert_eq!(
        starts,
        [10_000, 12_000, 12_400, 12_800],
        "one alone, then at half the rate"
    );
}

#[test]
fn refusals_that_come_while_it_is_closed_are_one() {
    let once = Level::default().close(PACE, at(0), ms(4_000), Refusal::RateLimit);
    let shorter = once.close(PACE, at(300), ms(1_000), Refusal::Quota);
    assert_eq!(shorter, once);
    let longer = once.close(PACE, at(300), ms(9_700), Refusal::Quota);
    assert_eq!(longer.closed(at(300)), Some((at(10_000), Refusal::Quota)));
    assert_eq!((longer.halvings, longer.closings), (1, 2));
}

#[test]
fn a_halving_is_taken_back_for_each_quiet_minute() {
    let mut level = Level::default();
    let mut now = 0;
    for expected in [1, 2, 3, 4, 4] {
        level = level.close(PACE, at(now), ms(1_000), Refusal::RateLimit);
        now = start(&mut level, PACE, now);
        assert_eq!(level.halvings_at(at(now)), expected);
    }
    let quiet = |minutes: i64| level.halvings_at(at(now + minutes * QUIET_MS));
    assert_eq!([0, 1, 3, 4, 9].map(quiet), [4, 3, 1, 0, 0]);
    assert_eq!(level.halvings_at(at(now + QUIET_MS - 1)), 4);
    assert_eq!(level.says_nothing_from(), at(now + 4 * QUIET_MS));
}

#[test]
fn a_refusal_without_a_pause_does_not_forget_the_call_before_it() {
    let mut level = Level::default();
    let pace = Pace {
        capacity: 1,
        spacing_ms: 200,
    };
    assert_eq!(start(&mut level, pace, 100), 100);
    level = level.close(pace, at(100), ms(0), Refusal::RateLimit);
    assert_eq!(start(&mut level, pace, 100), 300);
}

#[test]
fn what_is_stored_of_it_is_read_back() {
    let level = Level::default().close(PACE, at(5), ms(10), Refusal::Quota);
    let stored = serde_json::to_value(level).expect("JSON");
    assert_eq!(stored["closedUntil"], 205);
    assert_eq!(stored["refusal"], "quota");
    assert_eq!(serde_json::from_value::<Level>(stored).expect("a level"), level);
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Somebody takes a place.
    Take,
    /// The provider refuses, for so long.
    Refuse(u64),
}

/// Events, each so long after the one before.
fn days() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        9 => Just(Event::Take),
        1 => (0_u64..40_000).prop_map(Event::Refuse),
    ];
    proptest::collection::vec((0_i64..700, event), 1..120)
}

fn paces() -> impl Strategy<Value = Pace> {
    (1_u32..6, 1_u32..700).prop_map(|(capacity, spacing_ms)| Pace { capacity, spacing_ms })
}

/// What is held of any list of `starts`: in no window more of them than `capacity` and what `spacing_ms` gives.
fn no_window_sees_more(starts: &[i64], capacity: u32, spacing_ms: i64) -> Result<(), TestCaseError> {
    for (first, from) in starts.iter().enumerate() {
        for (last, to) in starts.iter().enumerate().skip(first) {
            let calls = i64::try_from(last - first + 1).expect("few");
            let may = i64::from(capacity) + (to - from) / spacing_ms;
            prop_assert!(calls <= may, "{calls} from {from} to {to}, {may} may");
        }
    }
    Ok(())
}

proptest! {
    /// Whatever the arrivals and refusals: a window sees no more calls than the capacity and its refill, nobody
    /// overtakes, and nobody's time comes while it is closed. Places that a closing made void are taken again.
    #[test]
    fn no_window_sees_more_than_it_may(pace in paces(), day in days()) {
        let (mut level, mut now) = (Level::default(), 0);
        let mut starts: Vec<i64> = Vec::new();
        for (gap, event) in day {
            now += gap;
            match event {
                Event::Take => starts.push(start(&mut level, pace, now)),
                Event::Refuse(pause) => {
                    let closings = level.closings;
                    level = level.close(pace, at(now), ms(pause), Refusal::RateLimit);
                    if level.closings > closings {
                        starts.retain(|start| *start <= now);
                    }
                }
            }
            prop_assert!(starts.is_sorted());
            let closed = now..level.closed_until.as_ms();
            prop_assert!(!starts.iter().any(|start| *start > now && closed.contains(start)));
        }
        no_window_sees_more(&starts, pace.capacity, i64::from(pace.spacing_ms))?;
    }

    /// After so many refusals, each after the bucket has opened, only that part of the rate is left, until a minute is
    /// quiet; and one call goes alone first.
    #[test]
    fn each_refusal_halves_the_rate(
        pace in paces(),
        refusals in 1_u32..=HALVINGS_MAX,
        gaps in proptest::collection::vec(0_i64..700, 2..60),
    ) {
        let (mut level, mut now) = (Level::default(), 0);
        for _ in 0..refusals {
            level = level.close(pace, at(now), ms(3_000), Refusal::RateLimit);
            now = level.closed_until.as_ms();
        }
        let mut starts = Vec::new();
        for gap in gaps {
            now = (now + gap).min(level.closed_until.as_ms() + QUIET_MS - 1);
            starts.push(start(&mut level, pace, now));
        }
        prop_assert!(starts[1] - starts[0] >= TRIAL_MS);
        no_window_sees_more(&starts, pace.capacity, i64::from(pace.spacing_ms) << refusals)?;
    }
}

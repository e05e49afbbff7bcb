//! What a refusal does to a bucket.

use proptest::prelude::*;

use super::*;

#[test]
fn a_closed_bucket_says_why_and_opens_empty_for_one_call() {
    let mut counter = Counter::new(PACE);
    counter.goes(1, 0);
    counter.close(100, ms(9_900), Refusal::Quota);
    assert_eq!(
        counter.level.closed(at(9_999)),
        Some((at(10_000), Refusal::Quota))
    );
    assert_eq!(counter.level.closed(at(10_000)), None);
    let throttled = Throttled {
        retry_after: ms(9_000),
        closed_by: Some(Refusal::Quota),
    };
    assert_eq!(
        counter.ask(2, Class::Interactive, 1_000, ms(8_999)),
        Told::Throttled(throttled)
    );
    let waits: Vec<_> = (3..=5)
        .map(|number| wait(counter.ask(number, Class::Interactive, 9_500, Duration::MAX)))
        .collect();
    assert_eq!(waits, [500, 2_500, 2_900], "one alone, then at half the rate");
    let goes: Vec<_> = (3..=5).map(|number| counter.goes(number, 10_000)).collect();
    assert_eq!(goes, [10_000, 12_000, 12_400]);
}

#[test]
fn refusals_that_come_while_it_is_closed_are_one() {
    for pace in [PACE, ROOMY] {
        let once = Level::default().close(pace, at(0), ms(64_000), Refusal::RateLimit);
        let shorter = once.clone().close(pace, at(300), ms(61_000), Refusal::Quota);
        assert_eq!(shorter, once);
        let longer = once.close(pace, at(300), ms(69_700), Refusal::Quota);
        assert_eq!(longer.closed(at(300)), Some((at(70_000), Refusal::Quota)));
        assert_eq!((longer.halvings, longer.closings), (1, 2));
    }
}

#[test]
fn a_refusal_closes_for_a_minute_at_least_and_twice_as_long_each_time() {
    let (mut level, mut now_ms) = (Level::default(), 0);
    for expected_s in [60, 120, 240, 480, 900, 900] {
        level = level.close(ROOMY, at(now_ms), ms(1_000), Refusal::RateLimit);
        let (until, _) = level.closed(at(now_ms)).expect("closed");
        assert_eq!(until.as_ms() - now_ms, expected_s * 1_000);
        now_ms = until.as_ms() + 30_000;
    }
    level = level.close(ROOMY, at(now_ms), ms(3_600_000), Refusal::RateLimit);
    let (until, _) = level.closed(at(now_ms)).expect("closed");
    assert_eq!(until.as_ms() - now_ms, 3_600_000, "what is asked for counts");
}

#[test]
fn what_is_closed_for_good_stays_closed() {
    let level = Level::default().close(ROOMY, at(5), FOR_GOOD, Refusal::Key);
    let again = level.clone().close(ROOMY, at(6), ms(100_000), Refusal::RateLimit);
    assert_eq!(again, level);
    let years_later = at(5) + FOR_GOOD - ms(1);
    let (_, refusal) = again.closed(years_later).expect("closed");
    assert_eq!(refusal, Refusal::Key);
    assert!(again.says_nothing_from() > years_later);
    assert!(Level::default().close(ROOMY, at(5), Duration::MAX, Refusal::Key) == level);
}

#[test]
fn a_halving_is_taken_back_for_each_quiet_minute() {
    let mut counter = Counter::new(PACE);
    let mut now = 0;
    for expected in [1, 2, 3, 4, 4] {
        counter.close(now, ms(1_000), Refusal::RateLimit);
        now = counter.goes(expected.into(), now);
        assert_eq!(counter.level.halvings_at(at(now)), expected);
    }
    let quiet = |minutes: i64| counter.level.halvings_at(at(now + minutes * QUIET_MS));
    assert_eq!([0, 1, 3, 4, 9].map(quiet), [4, 3, 1, 0, 0]);
    assert_eq!(counter.level.halvings_at(at(now + QUIET_MS - 1)), 4);
    assert_eq!(counter.level.says_nothing_from(), at(now + 4 * QUIET_MS));
}

#[test]
fn a_refusal_without_a_pause_does_not_forget_the_call_before_it() {
    let mut counter = Counter::new(Pace { capacity: 1, ..PACE });
    assert_eq!(counter.goes(1, 100), 100);
    counter.close(100, ms(0), Refusal::RateLimit);
    assert_eq!(counter.goes(2, 100), 300);
}

proptest! {
    /// After so many refusals, each after the bucket has opened, only that part of the rate is left, until a minute is
    /// quiet; and one call goes alone first.
    #[test]
    fn each_refusal_halves_the_rate(
        capacity in 1_u32..6,
        spacing_ms in 1_u32..700,
        refusals in 1_u32..=HALVINGS_MAX,
        gaps in proptest::collection::vec(0_i64..700, 2..60),
    ) {
        let mut counter = Counter::new(Pace { capacity, spacing_ms, ..PACE });
        let mut now = 0;
        for _ in 0..refusals {
            counter.close(now, ms(3_000), Refusal::RateLimit);
            now = counter.level.closed_until.as_ms();
        }
        let quiet_at = now + QUIET_MS;
        let mut goes = Vec::new();
        for (number, gap) in (1..).zip(gaps) {
            now = counter.goes(number, now + gap);
            goes.push(now);
        }
        prop_assert!(goes[1] - goes[0] >= TRIAL_MS);
        goes.retain(|at| *at < quiet_at);
        let spacing_ms = i64::from(spacing_ms) << refusals;
        for (first, from) in goes.iter().enumerate() {
            for (last, to) in goes.iter().enumerate().skip(first) {
                let may = i64::from(capacity) + (to - from) / spacing_ms;
                prop_assert!(i64::try_from(last - first).expect("few") < may, "from {} to {}", from, to);
            }
        }
    }
}

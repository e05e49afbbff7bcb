//! The breaker's memory, without a provider or a store.

use super::*;
use crate::secret::Secret as _;

const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);

fn refusal(user: usize, at: Timestamp) -> Refusal {
    Refusal {
        user: format!("user {user}").parse().expect("an id"),
        slot: Slot::Spotify,
        at,
    }
}

/// A breaker that saw one refusal of each of these users at these moments.
fn after(refusals: impl IntoIterator<Item = (usize, Timestamp)>) -> Breaker {
    let mut breaker = Breaker::default();
    for (user, at) in refusals {
        breaker.count(&refusal(user, at));
    }
    breaker
}

#[test]
fn the_fifth_person_within_minutes_opens_it() {
    let four = after((1..=4).map(|user| (user, NOW)));
    assert!(!four.is_open(NOW));
    let mut five = four.clone();
    five.count(&refusal(5, NOW + WINDOW / 2));
    assert!(five.is_open(NOW + WINDOW / 2));
    assert_eq!(five.believed, four.believed, "those are to be taken back");
}

#[test]
fn one_person_is_no_wave_however_often_and_in_whichever_slot() {
    let mut breaker = after((0..20).map(|second| (1, NOW + Duration::from_secs(second))));
    assert_eq!(breaker.believed.len(), 1);
    breaker.count(&Refusal {
        slot: Slot::SpotifyByo,
        ..refusal(1, NOW)
    });
    (2..=4).for_each(|user| breaker.count(&refusal(user, NOW)));
    assert!(!breaker.is_open(NOW));
}

#[test]
fn refusals_far_apart_are_no_wave_and_are_forgotten() {
    let minute = |minute: usize| NOW + Duration::from_secs(60 * minute as u64);
    let mut breaker = after((0..100).map(|user| (user, minute(2 * user))));
    assert!(!breaker.is_open(minute(200)));
    assert!(breaker.believed.len() < WAVE_USERS, "{breaker:?}");
    assert_eq!(breaker.due_at(), Some(minute(198) + WINDOW));
    breaker.forget_old(minute(198) + WINDOW);
    assert_eq!(breaker, Breaker::default());
}

#[test]
fn a_few_probes_a_round_and_rounds_further_and_further_apart() {
    let mut breaker = after((1..=5).map(|user| (user, NOW)));
    let mut now = NOW;
    for round in 0..20 {
        for _ in 0..PROBES_PER_ROUND {
            assert_eq!(breaker.take_turn(1.0, now), Turn::Now, "round {round}");
        }
        let next = now + pause_after(round, 1.0);
        assert_eq!(breaker.take_turn(1.0, now), Turn::Later(next));
        now = next;
    }
    assert_eq!(
        now.since(NOW).as_secs() / 60,
        63,
        "seconds at first, then five minutes"
    );
}

#[test]
fn nobody_takes_turns_when_it_is_not_open() {
    let mut closed = after([(1, NOW)]);
    let before = closed.clone();
    assert!((0..10).all(|_| closed.take_turn(0.5, NOW) == Turn::Now));
    assert_eq!(closed, before, "and nothing is written for it");
}

#[test]
fn it_is_open_for_a_day_at_most_and_lists_nobody_meanwhile() {
    let mut breaker = after((1..=5).map(|user| (user, NOW)));
    breaker.believed.clear();
    let last = NOW + DOUBTED_FOR - Duration::from_millis(1);
    breaker.count(&refusal(6, last));
    assert!(breaker.is_open(last) && breaker.believed.is_empty());
    breaker.count(&refusal(7, NOW + DOUBTED_FOR));
    assert!(!breaker.is_open(NOW + DOUBTED_FOR));
    assert_eq!(breaker.believed.len(), 1, "counting begins anew");
}

#[test]
fn those_to_be_taken_back_are_not_forgotten_before() {
    let mut breaker = after((1..=5).map(|user| (user, NOW)));
    breaker.forget_old(NOW + WINDOW);
    assert_eq!(breaker.believed.len(), 4);
}

#[test]
fn every_app_has_its_own_and_is_not_named() {
    let id = |plain: &str| id_of(&ClientId::from_plain(plain.to_owned()));
    assert_ne!(id("one"), id("two"));
    assert!(!id("decafbad").contains("decafbad"));
}

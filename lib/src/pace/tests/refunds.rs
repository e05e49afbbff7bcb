//! Tokens that are given back.

use super::*;

/// Takes a token for one caller.
#[track_caller]
fn token(counter: &mut Counter, number: u64, now_ms: i64) -> Token {
    match counter.ask(number, Class::Interactive, now_ms, Duration::ZERO) {
        Told::Go(token) => token,
        told => panic!("{told:?}"),
    }
}

fn give_back(counter: &mut Counter, tokens: Vec<Token>, now_ms: i64) {
    let ask = Ask {
        process: 1,
        unused: tokens,
        ..Ask::default()
    };
    counter.put(&ask, now_ms);
}

#[test]
fn a_burst_that_nobody_uses_costs_nothing() {
    let mut counter = Counter::new(ROOMY);
    let mut tokens: Vec<_> = (1..=5).map(|number| token(&mut counter, number, 1_000)).collect();
    assert_eq!(counter.level.full_at, at(2_000));
    tokens.reverse();
    give_back(&mut counter, tokens, 1_010);
    assert_eq!(counter.level.full_at, at(1_000));
}

#[test]
fn a_token_among_others_is_given_back_while_the_bucket_is_far_from_full() {
    let mut counter = Counter::new(ROOMY);
    let first = token(&mut counter, 1, 1_000);
    for number in 2..=5 {
        token(&mut counter, number, 1_000);
    }
    let third = wait(counter.ask(6, Class::Interactive, 1_000, Duration::MAX));
    assert_eq!(third, 200);
    give_back(&mut counter, vec![first], 1_010);
    assert_eq!(wait(counter.ask(6, Class::Interactive, 1_010, Duration::MAX)), 0);
}

#[test]
fn a_token_that_would_have_run_over_is_not_given_back() {
    let mut counter = Counter::new(ROOMY);
    let long_ago = token(&mut counter, 1, 0);
    token(&mut counter, 2, 60_000);
    let before = counter.level.full_at;
    give_back(&mut counter, vec![long_ago], 60_000);
    assert_eq!(counter.level.full_at, before, "it was full when the other came");
}

#[test]
fn of_a_bucket_from_before_there_were_tokens_nothing_is_known() {
    let mut counter = Counter::new(ROOMY);
    counter.level.full_at = at(700);
    let first = token(&mut counter, 1, 0);
    token(&mut counter, 2, 300);
    give_back(&mut counter, vec![first], 300);
    assert_eq!(counter.level.full_at, at(1_100));
}

#[test]
fn a_token_from_before_a_refusal_is_void() {
    let mut counter = Counter::new(ROOMY);
    let before = token(&mut counter, 1, 0);
    counter.close(10, ms(1_000), Refusal::RateLimit);
    let full_at = counter.level.full_at;
    give_back(&mut counter, vec![before], 20);
    assert_eq!(counter.level.full_at, full_at);
}

//! The renewal protocol explored: random lists of steps (callers, processes, time, faults, crashes) over the real
//! grants in several simulated processes, and what has to be true whatever happens.
//!
//! Everything is decided by the list: the same one gives the same history to the letter. A failure prints the shortest
//! list that was found to fail, as Rust: it goes into `explore/known.rs`. More cases, or others:
//! `PATCHBAY_EXPLORE_CASES=100000 PATCHBAY_EXPLORE_SEED=7 cargo test --test it -- explore::`.

mod case;
mod known;
mod outside;
mod process;
mod provider;
mod shelves;
mod truth;
mod wave;
mod world;

use std::env;

use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use self::{case::Case, truth::Riches, world::World};

/// So many take a few seconds in a debug build.
const CASES: u32 = 200;

/// Where the cases of a usual run come from. The second's met a token whose life was counted from the end of connecting.
const SEEDS: [u32; 2] = [0, 1];

#[expect(
    clippy::disallowed_methods,
    reason = "this is no configuration of the service"
)]
fn number(variable: &str) -> Option<u32> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Where cases come from: the same seed gives the same ones in the same order.
fn runner(seed: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

#[test]
fn whatever_happens_one_renews_and_nothing_is_lost() {
    let seeds = number("PATCHBAY_EXPLORE_SEED").map_or_else(|| SEEDS.to_vec(), |seed| vec![seed]);
    let cases = number("PATCHBAY_EXPLORE_CASES").unwrap_or(CASES);
    let mut total = Riches::default();
    for seed in seeds {
        let mut runner = runner(seed);
        for number in 1..=cases {
            let case = case::any_case()
                .new_tree(&mut runner)
                .expect("nothing is filtered")
                .current();
            let Ok(riches) = World::run(&case) else {
                let (case, error) = shortest(case);
                panic!("case {number} of seed {seed}: {error}\n{case:?}");
            };
            total += riches;
        }
    }
    let enough = total.asked > 500 && total.overtaken.min(total.recovered).min(total.lost) > 0;
    assert!(enough || cases < CASES, "nothing much happened: {total:?}");
}

#[test]
fn a_list_of_steps_gives_one_history() {
    let mut runner = runner(1);
    for _ in 0..10 {
        let case = case::any_case()
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current();
        assert_eq!(World::run(&case), World::run(&case), "{case:?}");
    }
}

/// A case that fails and cannot be cut further, and how it fails: steps are left out, many at once and then single ones,
/// and clocks put right, for as long as something is still not as it has to be.
fn shortest(mut case: Case) -> (Case, String) {
    let mut at_once = case.steps.len();
    while at_once > 0 {
        let before = case.steps.len();
        let mut from = 0;
        while from < case.steps.len() {
            let mut shorter = case.clone();
            let to = (from + at_once).min(case.steps.len());
            shorter.steps.drain(from..to);
            if World::run(&shorter).is_err() {
                case = shorter;
            } else {
                from = to;
            }
        }
        if at_once > 1 || case.steps.len() == before {
            at_once /= 2;
        }
    }
    for process in 0..case.skews_s.len() {
        let mut simpler = case.clone();
        simpler.skews_s[process] = 0;
        if World::run(&simpler).is_err() {
            case = simpler;
        }
    }
    let error = World::run(&case).expect_err("it failed a moment ago");
    (case, error)
}

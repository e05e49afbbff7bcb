//! Lists of steps that once broke something, cut to the shortest, and each with what it is about.

use super::{
    case::{Case, Step, Verdict},
    provider::Fault,
    world::World,
};

const LET: Step = Step::Let {
    nth: 0,
    verdict: Verdict::Through,
};

/// Lets the second that waits go through.
const LET_SECOND: Step = Step::Let {
    nth: 1,
    verdict: Verdict::Through,
};

/// Two processes, the second so many seconds ahead.
#[track_caller]
fn holds(second_ahead_s: u8, rotates: bool, steps: impl Into<Vec<Step>>) {
    let case = Case {
        skews_s: vec![0, second_ahead_s],
        rotates,
        steps: steps.into(),
    };
    if let Err(error) = World::run(&case) {
        panic!("{error}");
    }
}

#[test]
fn generations_go_on_counting_over_a_disconnect() {
    let steps = [
        Step::Disconnect { process: 0 },
        Step::Live { ms: 0 },
        Step::Connect { process: 0 },
        Step::Live { ms: 0 },
    ];
    holds(0, false, steps);
}

#[test]
fn a_clock_that_is_ahead_takes_nothing_over() {
    let steps = [
        Step::Replace { process: 0 },
        LET,
        LET,
        Step::Stall { s: 1 },
        Step::Replace { process: 1 },
        LET_SECOND,
        LET_SECOND,
    ];
    holds(30, false, steps);
}

#[test]
fn who_slept_on_a_claim_does_not_use_it() {
    let steps = [
        Step::Replace { process: 1 },
        LET,
        Step::Pause { process: 1 },
        Step::Replace { process: 0 },
        Step::Live { ms: 70_000 },
        Step::Resume,
    ];
    holds(0, false, steps);
}

#[test]
fn what_is_left_of_a_life_is_counted_when_it_is_handed_out() {
    let steps = [
        Step::Stall { s: 3_300 },
        Step::Want {
            process: 0,
            life_s: 0,
        },
        LET,
        LET,
        LET,
        LET,
        Step::Stall { s: 360 },
    ];
    holds(0, false, steps);
}

#[test]
fn a_refusal_that_was_believed_is_asked_about_again() {
    let refusal = Step::Bad {
        fault: Fault::FalseRefusal,
        times: 1,
    };
    let steps = [refusal, Step::Replace { process: 0 }, Step::Live { ms: 0 }];
    holds(0, false, steps);
}

#[test]
fn a_renewal_for_the_consent_before_writes_nothing() {
    let mut steps = vec![Step::Replace { process: 0 }, LET, LET, LET, LET];
    steps.extend([Step::Pause { process: 0 }, Step::Connect { process: 1 }]);
    steps.extend([Step::Live { ms: 0 }, Step::Resume]);
    holds(0, false, steps);
}

#[test]
fn who_was_overtaken_has_nothing_to_say_about_the_grant() {
    let refusal = Step::Bad {
        fault: Fault::FalseRefusal,
        times: 1,
    };
    let mut steps = vec![refusal, Step::Replace { process: 0 }, LET, LET, LET, LET];
    steps.extend([Step::Pause { process: 0 }, Step::Stall { s: 61 }]);
    steps.extend([Step::Replace { process: 1 }, LET_SECOND, LET_SECOND, Step::Resume]);
    steps.extend([LET; 4]);
    holds(0, false, steps);
}

#[test]
fn a_renewal_that_fails_costs_nobody_the_life_that_is_left() {
    let outage = Step::Bad {
        fault: Fault::FalseAppError,
        times: 2,
    };
    let want = Step::Want {
        process: 0,
        life_s: 60,
    };
    holds(
        0,
        false,
        [outage, Step::Stall { s: 3_300 }, want, Step::Live { ms: 12_000 }],
    );
}

/// A machine slept in the middle of a renewal for longer than a token lives.
#[test]
fn what_died_on_its_way_is_handed_to_nobody() {
    for process in [0, 1] {
        let steps = [
            Step::Replace { process: 0 },
            LET,
            LET,
            LET,
            LET,
            Step::Stall { s: 3_700 },
            Step::Replace { process },
            Step::Live { ms: 1_000 },
        ];
        holds(0, false, steps);
    }
}

/// It was bought by a process whose clock is ahead, and died before another looked at it.
#[test]
fn what_died_lately_by_a_clock_that_is_ahead_is_handed_to_nobody() {
    let steps = [
        Step::Replace { process: 1 },
        LET,
        LET,
        LET,
        LET,
        Step::Replace { process: 0 },
        LET,
        Step::Stall { s: 3_610 },
        LET_SECOND,
        Step::Live { ms: 1_000 },
    ];
    holds(24, false, steps);
}

#[test]
fn nobody_calls_a_token_healthy_for_longer_by_a_clock_that_is_behind() {
    let steps = [
        Step::Connect { process: 1 },
        Step::Live { ms: 0 },
        Step::Stall { s: 3_610 },
    ];
    holds(30, false, steps);
}

#[test]
fn a_token_lives_from_before_it_was_asked_for() {
    let steps = [
        Step::Replace { process: 1 },
        LET,
        LET,
        LET,
        Step::Stall { s: 9 },
        LET,
        Step::Live { ms: 0 },
        Step::Stall { s: 3_596 },
    ];
    holds(30, false, steps);
}

#[test]
fn nothing_is_erased_before_the_provider_was_asked_once_more() {
    let refusal = Step::Bad {
        fault: Fault::FalseRefusal,
        times: 1,
    };
    let days = Step::Stall { s: 200_000 };
    let steps = [refusal, Step::Replace { process: 0 }, Step::Live { ms: 0 }, days];
    holds(0, false, steps);
}

#[test]
fn what_could_not_be_written_is_written_later() {
    let lost = Step::Let {
        nth: 0,
        verdict: Verdict::Lost,
    };
    holds(0, true, [Step::Replace { process: 1 }, LET, LET, LET, LET, lost]);
}

/// One process has the new refresh token and is slow to write it; another takes over, is refused with the burnt one, and
/// calls the grant dead.
#[test]
fn a_late_token_revives_the_grant() {
    let mut steps = vec![Step::Replace { process: 0 }, LET, LET, LET, LET];
    steps.extend([Step::Pause { process: 0 }, Step::Stall { s: 61 }]);
    steps.push(Step::Replace { process: 1 });
    steps.extend([LET_SECOND; 10]);
    steps.push(Step::Resume);
    holds(0, true, steps);
}

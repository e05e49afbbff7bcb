//! What may happen, as values: a case is the world at the beginning and a list of steps, and prints as the Rust that
//! makes it again.

use std::fmt;

use proptest::prelude::*;

use super::provider::Fault;

/// More scenes make more states, and cases that take longer.
const SCENES_MAX: usize = 40;

/// Processes share a database and disagree about the time by no more than this (`system::CLOCK_SKEW_MAX`).
const SKEW_S_MAX: u8 = 30;

#[derive(Clone)]
pub struct Case {
    /// How far the clock of each process is ahead of the slowest possible one, in seconds. As many as processes.
    pub skews_s: Vec<u8>,
    /// Whether the provider replaces refresh tokens at first.
    pub rotates: bool,
    pub steps: Vec<Step>,
}

/// What is decided about something that waits at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, and the answer arrives.
    Through,
    /// It is done, and the answer is lost.
    Lost,
    /// It is not done, and an error arrives.
    Failed,
}

/// Numbers of processes and of what waits are taken modulo how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody wants a token with this many seconds to live.
    Want { process: u8, life_s: u16 },
    /// Somebody's token was refused by the API: they want another.
    Replace { process: u8 },
    /// A sweep begins.
    Sweep { process: u8 },
    /// Ana disconnects.
    Disconnect { process: u8 },
    /// Ana goes through the consent page.
    Connect { process: u8 },
    /// One of those that wait at the gate.
    Let { nth: u8, verdict: Verdict },
    /// For so many milliseconds the gate is open: the world as it is on a good day.
    Live { ms: u32 },
    /// For so many seconds the gate is shut: what waits goes on waiting.
    Stall { s: u32 },
    /// A process is killed and started anew.
    Crash { process: u8 },
    /// A process is stopped (SIGSTOP).
    Pause { process: u8 },
    /// All go on.
    Resume,
    /// The store refuses everything, or works again.
    StoreWorks(bool),
    /// The provider replaces refresh tokens on use, or keeps them.
    Rotate(bool),
    /// The provider has a bad day for so many renewals.
    Bad { fault: Fault, times: u8 },
    /// Ana removes the app at the provider.
    Revoke,
    /// The operator puts a new key in front; this process is restarted with it, the others when they restart.
    NewKey { process: u8 },
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Case {{")?;
        writeln!(f, "    skews_s: vec!{:?},", self.skews_s)?;
        writeln!(f, "    rotates: {},", self.rotates)?;
        writeln!(f, "    steps: vec![")?;
        for step in &self.steps {
            let text = format!("{step:?}");
            let text = text
                .replace("verdict: ", "verdict: Verdict::")
                .replace("fault: ", "fault: Fault::");
            writeln!(f, "        Step::{text},")?;
        }
        writeln!(f, "    ],")?;
        write!(f, "}}")
    }
}

/// Any case.
pub fn any_case() -> impl Strategy<Value = Case> {
    let skews = prop::collection::vec(0..=SKEW_S_MAX, 2..=3);
    let scenes = prop_oneof![36 => step().prop_map(|step| vec![step]), 4 => stuck(), 1 => late()];
    let steps = prop::collection::vec(scenes, 1..SCENES_MAX).prop_map(|scenes| scenes.concat());
    (skews, any::<bool>(), steps).prop_map(|(skews_s, rotates, steps)| Case {
        skews_s,
        rotates,
        steps,
    })
}

/// What chance alone comes upon too rarely: a renewal gets stuck somewhere on its way, others go on, and then it wakes up.
fn stuck() -> impl Strategy<Value = Vec<Step>> {
    let trouble = prop_oneof![Just(None), Just(Some(Verdict::Lost)), Just(Some(Verdict::Failed)),];
    (0..3_u8, 0..3_u8, 0..7_usize, trouble, any::<bool>(), 0..6_usize).prop_map(
        |(stuck, other, at, trouble, crashes, then)| {
            let through = Step::Let {
                nth: 0,
                verdict: Verdict::Through,
            };
            let mut steps = vec![Step::Replace { process: stuck }];
            steps.extend(std::iter::repeat_n(through, at));
            steps.extend(trouble.map(|verdict| Step::Let { nth: 0, verdict }));
            steps.push(if crashes {
                Step::Crash { process: stuck }
            } else {
                Step::Pause { process: stuck }
            });
            steps.extend([Step::Replace { process: other }, Step::Live { ms: 70_000 }]);
            steps.extend([Step::Resume, Step::Replace { process: other }]);
            steps.extend(std::iter::repeat_n(through, then));
            steps
        },
    )
}

/// The answer of the provider takes its time, and the token is looked at around its end.
fn late() -> impl Strategy<Value = Vec<Step>> {
    (0..3_u8, 1..10_u32, 3_560..3_640_u32).prop_map(|(process, answer_s, end_s)| {
        let through = Step::Let {
            nth: 0,
            verdict: Verdict::Through,
        };
        let mut steps = vec![Step::Live { ms: 70_000 }, Step::Replace { process }];
        steps.extend([through; 3]);
        steps.extend([Step::Stall { s: answer_s }, Step::Live { ms: 0 }]);
        steps.push(Step::Stall { s: end_s });
        steps
    })
}

fn step() -> impl Strategy<Value = Step> {
    let process = || 0..3_u8;
    prop_oneof![
        6 => (process(), prop_oneof![Just(0_u16), Just(60)])
            .prop_map(|(process, life_s)| Step::Want { process, life_s }),
        6 => process().prop_map(|process| Step::Replace { process }),
        3 => process().prop_map(|process| Step::Sweep { process }),
        1 => process().prop_map(|process| Step::Disconnect { process }),
        2 => process().prop_map(|process| Step::Connect { process }),
        24 => (0..6_u8, verdict()).prop_map(|(nth, verdict)| Step::Let { nth, verdict }),
        8 => prop_oneof![Just(0_u32), Just(100), Just(1_000), Just(12_000), Just(40_000), Just(70_000)]
            .prop_map(|ms| Step::Live { ms }),
        6 => prop_oneof![
            Just(1_u32), Just(6), Just(11), Just(21), Just(31), Just(61), Just(360), Just(3_300), Just(3_610), Just(3_700), Just(90_000)
        ]
        .prop_map(|s| Step::Stall { s }),
        2 => process().prop_map(|process| Step::Crash { process }),
        2 => process().prop_map(|process| Step::Pause { process }),
        2 => Just(Step::Resume),
        1 => any::<bool>().prop_map(Step::StoreWorks),
        1 => any::<bool>().prop_map(Step::Rotate),
        3 => (fault(), 1..4_u8).prop_map(|(fault, times)| Step::Bad { fault, times }),
        1 => Just(Step::Revoke),
        1 => process().prop_map(|process| Step::NewKey { process }),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        8 => Just(Verdict::Through),
        1 => Just(Verdict::Lost),
        1 => Just(Verdict::Failed),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::BadGateway),
        Just(Fault::TooMany),
        Just(Fault::FalseRefusal),
        Just(Fault::FalseAppError),
        Just(Fault::Garbage),
    ]
}

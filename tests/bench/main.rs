//! The benchmarks, each of which prints one Markdown table. `tests/bench/run` builds and runs them.

mod bucket;
#[path = "../it/harness/crowd.rs"]
mod crowd;
mod function;
mod grants;
mod growth;
mod listening;
mod load;
mod machine;
#[path = "../it/harness/mongod.rs"]
#[expect(dead_code, reason = "the tests that take the database away use all of it")]
mod mongod;
#[path = "../it/harness/network.rs"]
mod network;
mod pacing;
mod person;
mod plain;
#[path = "../it/harness/process.rs"]
#[expect(dead_code, reason = "the tests that kill processes use all of it")]
mod process;
mod provider;
mod speed;
mod storm;
mod sweep;

use std::{env, process::ExitCode};

/// Any failure: its sentence goes to the person who typed the command.
type Failure = Box<dyn std::error::Error>;

/// How much is done.
#[derive(Clone, Copy)]
enum Effort {
    /// Enough for figures.
    Full,
    /// Shows that the benchmark works; the figures mean nothing.
    Smoke,
}

/// What can be asked for by name.
const PARTS: [&str; 7] = [
    "speed",
    "storm",
    "sweep",
    "growth",
    "pacing",
    "bucket",
    "listening",
];

fn main() -> ExitCode {
    let is_given = |wanted: &str| env::args().skip(1).any(|argument| argument == wanted);
    let done = if is_given(plain::ARGUMENT) {
        plain::serve()
    } else {
        let effort = if is_given("--smoke") {
            Effort::Smoke
        } else {
            Effort::Full
        };
        let named: Vec<&str> = PARTS.into_iter().filter(|part| is_given(part)).collect();
        run(if named.is_empty() { &PARTS } else { &named }, effort)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// One thread: the load must leave the machine to the servers.
#[tokio::main(flavor = "current_thread")]
async fn run(parts: &[&str], effort: Effort) -> Result<(), Failure> {
    for part in parts {
        match *part {
            "speed" => speed::run(effort).await?,
            "storm" => storm::run(effort).await?,
            "sweep" => sweep::run(effort).await?,
            "growth" => growth::run(effort).await?,
            "listening" => listening::run(effort).await?,
            "bucket" => bucket::run(effort).await?,
            _ => pacing::run(effort).await?,
        }
        println!();
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 bytes here")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

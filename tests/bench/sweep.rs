//! `patchbay refresh --once` over grants that are all due, against a provider that takes its time: how long it takes
//! beside the least that is possible, how much memory, and what becomes of two runners and of one that has to stop.

use std::{io::Read as _, process::Stdio, time::Duration};

use serde_json::Value;

use crate::{
    Effort, Failure,
    grants::Filled,
    machine::{self, now},
    megabytes,
    process::Process,
    provider::Provider,
};

/// Renewals that a pass has under way at a time.
const AT_ONCE: usize = 8;

/// A time limit that nothing here comes near.
const NO_LIMIT_S: u64 = 3_600;

/// How often a runner's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

struct Extent {
    latency: Duration,
    /// How many are due: first few, then many.
    due: [usize; 2],
    /// The limit that stops a run over the few, in seconds.
    limit_s: u64,
}

const FULL: Extent = Extent {
    latency: Duration::from_millis(100),
    due: [1_000, 10_000],
    limit_s: 5,
};

const SMOKE: Extent = Extent {
    latency: Duration::from_millis(50),
    due: [8, 32],
    limit_s: 0,
};

/// What a runner did.
struct Run {
    took: Duration,
    summary: Value,
    /// The most memory it ever had, in bytes.
    memory: u64,
}

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    let provider = Provider::start(extent.latency).await?;
    println!(
        "| a pass on | due | it takes | at least, {AT_ONCE} at a time, {} ms each | ratio | goal | asked for | memory at most |",
        extent.latency.as_millis()
    );
    println!("|---|---:|---:|---:|---:|---|---:|---:|");
    for filled in Filled::on_each(provider.url()).await? {
        for due in extent.due {
            one_runner(extent, &filled, &provider, due).await?;
        }
        two_runners(extent, &filled, &provider).await?;
        one_that_has_to_stop(extent, &filled, &provider).await?;
    }
    Ok(())
}

async fn one_runner(
    extent: &Extent,
    filled: &Filled,
    provider: &Provider,
    due: usize,
) -> Result<(), Failure> {
    filled.empty().await?;
    filled.add_due("due", due).await?;
    let run = Runner::start(filled, NO_LIMIT_S)?.ended().await?;
    let row = Row {
        what: filled.name.to_owned(),
        due,
        took: run.took,
        at_once: AT_ONCE,
        goal: "≤ 1.15",
    };
    row.print(extent, provider, &[run])
}

async fn two_runners(extent: &Extent, filled: &Filled, provider: &Provider) -> Result<(), Failure> {
    let [_, due] = extent.due;
    filled.empty().await?;
    filled.add_due("due", due).await?;
    let one = Runner::start(filled, NO_LIMIT_S)?;
    let other = Runner::start(filled, NO_LIMIT_S)?;
    let (one, other) = tokio::join!(one.ended(), other.ended());
    let (one, other) = (one?, other?);
    let row = Row {
        what: format!("{}, two runners at once", filled.name),
        due,
        took: one.took.max(other.took),
        at_once: 2 * AT_ONCE,
        goal: "each once",
    };
    row.print(extent, provider, &[one, other])
}

async fn one_that_has_to_stop(extent: &Extent, filled: &Filled, provider: &Provider) -> Result<(), Failure> {
    let [due, _] = extent.due;
    filled.empty().await?;
    filled.add_due("due", due).await?;
    let stopped = Runner::start(filled, extent.limit_s)?.ended().await?;
    if stopped.summary["more"] != true {
        return Err(format!("nothing was left to do: {}", stopped.summary).into());
    }
    let rest = Runner::start(filled, NO_LIMIT_S)?.ended().await?;
    let row = Row {
        what: format!(
            "{}, told to stop after {} s (it took {:.2} s), and the next run",
            filled.name,
            extent.limit_s,
            stopped.took.as_secs_f64()
        ),
        due,
        took: stopped.took + rest.took,
        at_once: AT_ONCE,
        goal: "each once",
    };
    row.print(extent, provider, &[stopped, rest])
}

struct Row {
    what: String,
    due: usize,
    took: Duration,
    at_once: usize,
    goal: &'static str,
}

impl Row {
    fn print(self, extent: &Extent, provider: &Provider, runs: &[Run]) -> Result<(), Failure> {
        let turns = u32::try_from(self.due.div_ceil(self.at_once))?;
        let least = (extent.latency * turns).as_secs_f64();
        let took = self.took.as_secs_f64();
        let (grants, times) = provider.asked();
        let memory: Vec<String> = runs
            .iter()
            .map(|run| format!("{:.1} MB", megabytes(run.memory)))
            .collect();
        println!(
            "| {} | {} | {took:.1} s | {least:.1} s | {:.2} | {} | {grants} grants, {times} × | {} |",
            self.what,
            self.due,
            took / least,
            self.goal,
            memory.join(", ")
        );
        is_all_renewed(self.due, runs)
    }
}

/// A sum that is wrong is no figure to print.
fn is_all_renewed(due: usize, runs: &[Run]) -> Result<(), Failure> {
    let renewed: u64 = runs
        .iter()
        .filter_map(|run| run.summary["renewed"].as_u64())
        .sum();
    if usize::try_from(renewed)? == due {
        return Ok(());
    }
    let summaries: Vec<String> = runs.iter().map(|run| run.summary.to_string()).collect();
    Err(format!("of {due} that were due: {}", summaries.join(", ")).into())
}

/// `patchbay refresh --once` at work.
struct Runner {
    process: Process,
    began: std::time::Instant,
}

impl Runner {
    fn start(filled: &Filled, limit_s: u64) -> Result<Self, Failure> {
        let mut command = filled.site.command(env!("CARGO_BIN_EXE_patchbay"));
        command
            .args(["refresh", "--once", "--limit-s", &limit_s.to_string()])
            .stdout(Stdio::piped());
        Ok(Self {
            began: now(),
            process: Process(command.spawn()?),
        })
    }

    /// Waits for its end, while the provider, which lives in this process, goes on answering.
    #[expect(clippy::disallowed_methods, reason = "a real process is waited for")]
    async fn ended(mut self) -> Result<Run, Failure> {
        let mut memory = 0;
        let status = loop {
            if let Some(status) = self.process.0.try_wait()? {
                break status;
            }
            // Between its end and the look it has no memory any more.
            memory = machine::memory(self.process.id()).map_or(memory, |(_, most)| most);
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let took = self.began.elapsed();
        let mut summary = String::new();
        let mut says = self.process.0.stdout.take().ok_or("its voice is piped")?;
        says.read_to_string(&mut summary)?;
        if !status.success() {
            return Err(format!("refresh: {status}").into());
        }
        Ok(Run {
            took,
            summary: serde_json::from_str(&summary)?,
            memory,
        })
    }
}

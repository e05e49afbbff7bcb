//! How fast, how small, how soon: patchbay beside the least that could be there in its place, in one run.
//!
//! The two sides of a comparison take turns, round by round, so that whatever else the machine does hits both; a ratio is
//! the median of the rounds' ratios. The times of another machine differ, the ratios hardly.

use std::{env, fmt::Display, net::SocketAddr, path::PathBuf, process::Command, time::Duration};

use crate::{
    Effort, Failure,
    function::{self, Function},
    load::{self, Load},
    machine, median, megabytes, person, plain,
    process::Site,
};

/// As many as a browser page with many tabs, or a small office.
const CONNECTIONS: usize = 64;

/// A request to the hello function, and to what it is compared with.
const HELLO: &str = "GET /json HTTP/1.1\r\nhost: patchbay\r\naccept: */*\r\n\r\n";

/// How much is done.
struct Extent {
    /// Rounds of a comparison; odd, so that one of them is the median.
    rounds: usize,
    /// How long one side has its turn.
    turn: Duration,
    cold_starts: usize,
    /// Requests after which memory is looked at.
    requests: u64,
}

const FULL: Extent = Extent {
    rounds: 9,
    turn: Duration::from_millis(1500),
    cold_starts: 21,
    requests: 100_000,
};

const SMOKE: Extent = Extent {
    rounds: 1,
    turn: Duration::from_millis(100),
    cold_starts: 1,
    requests: 1_000,
};

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    let site = Site::new().await;
    let service = site.serve();
    let status = person::connect(&site).await?;
    let (plain, plain_address) = plain::start()?;

    println!("| what | compared with | there | patchbay | ratio | goal |");
    println!("|---|---|---:|---:|---:|---|");

    let there = Side {
        process: plain.id(),
        load: Load::open(plain_address, &status, CONNECTIONS).await?,
    };
    let address = SocketAddr::from(site.address());
    let here = Side {
        process: service.id(),
        load: Load::open(address, &status, CONNECTIONS).await?,
    };
    let mut polled = compare(extent, there, here).await?;
    report_speed(
        "`GET /api/spotify/status?token=false`",
        "an axum handler",
        &polled,
        "≥ 0.5",
    );

    let missing = extent.requests.saturating_sub(polled.requests);
    polled.requests += polled.here.load.get(missing).await?.requests;
    let (now, most) = machine::memory(service.id())?;
    let what = format!(
        "resident memory after {} such requests (most ever)",
        polled.requests
    );
    row(
        &what,
        "",
        "",
        format!("{:.1} MB ({:.1})", megabytes(now), megabytes(most)),
        "",
        "< 40 MB",
    );

    let function = Function::start(hello()?).await?;
    let there = Side {
        process: plain.id(),
        load: Load::open(plain_address, HELLO, CONNECTIONS).await?,
    };
    let here = Side {
        process: function.process.id(),
        load: Load::open(function.address, HELLO, CONNECTIONS).await?,
    };
    let adapted = compare(extent, there, here).await?;
    report_speed(
        "a constant through the function adapter",
        "the same in axum",
        &adapted,
        "≥ 0.9",
    );

    let (hello, app) = cold_starts(extent, &site, &status).await?;
    let ratio = format!("{:.2}", app / hello);
    let what = "cold start of `api/app.rs` to its first such answer";
    row(
        what,
        "a hello function",
        format!("{hello:.1} ms"),
        format!("{app:.1} ms"),
        ratio,
        "< 2",
    );
    Ok(())
}

/// A server under load.
struct Side {
    process: u32,
    load: Load,
}

/// Medians over the rounds.
struct Comparison {
    here: Side,
    /// How many requests our side has answered.
    requests: u64,
    there_per_s: f64,
    here_per_s: f64,
    ratio: f64,
    /// Processor time per request in the server, over all rounds.
    there_cpu: Duration,
    here_cpu: Duration,
}

async fn compare(extent: &Extent, mut there: Side, mut here: Side) -> Result<Comparison, Failure> {
    let used = |side: &Side| machine::cpu_time(side.process);
    let before = (used(&there)?, used(&here)?);
    let (mut rates, mut requests) = (Vec::new(), (0, 0));
    for _ in 0..extent.rounds {
        let there = there.load.keep_up(extent.turn).await?;
        let here = here.load.keep_up(extent.turn).await?;
        requests = (requests.0 + there.requests, requests.1 + here.requests);
        rates.push((per_second(&there), per_second(&here)));
    }
    let after = (used(&there)?, used(&here)?);
    Ok(Comparison {
        here,
        requests: requests.1,
        there_per_s: median(rates.iter().map(|(there, _)| *there)),
        here_per_s: median(rates.iter().map(|(_, here)| *here)),
        ratio: median(rates.iter().map(|(there, here)| here / there)),
        there_cpu: each(after.0.saturating_sub(before.0), requests.0),
        here_cpu: each(after.1.saturating_sub(before.1), requests.1),
    })
}

fn report_speed(what: &str, with: &str, found: &Comparison, goal: &str) {
    let rate = |per_s: f64, cpu: Duration| format!("{per_s:.0}/s ({} µs of processor)", cpu.as_micros());
    let (there, here) = (
        rate(found.there_per_s, found.there_cpu),
        rate(found.here_per_s, found.here_cpu),
    );
    row(
        &format!("{what}, {CONNECTIONS} connections"),
        with,
        there,
        here,
        format!("{:.2}", found.ratio),
        goal,
    );
}

/// Medians in milliseconds: the hello function's, and ours.
async fn cold_starts(extent: &Extent, site: &Site, status: &str) -> Result<(f64, f64), Failure> {
    let (mut hellos, mut apps) = (Vec::new(), Vec::new());
    for _ in 0..extent.cold_starts {
        hellos.push(function::cold_start(hello()?, HELLO).await?);
        apps.push(function::cold_start(site.command(env!("CARGO_BIN_EXE_app")), status).await?);
    }
    let milliseconds = |times: Vec<Duration>| median(times.iter().map(|time| time.as_secs_f64() * 1000.0));
    Ok((milliseconds(hellos), milliseconds(apps)))
}

/// The example that `tests/bench/run` builds beside this.
fn hello() -> Result<Command, Failure> {
    let this = env::current_exe()?;
    let built = this
        .ancestors()
        .nth(2)
        .map(|folder| folder.join("examples/hello_function"));
    let path: PathBuf = built
        .filter(|path| path.exists())
        .ok_or("hello_function is not built; use tests/bench/run")?;
    let mut command = Command::new(path);
    command.env_clear();
    Ok(command)
}

fn row(what: &str, with: &str, there: impl Display, here: impl Display, ratio: impl Display, goal: &str) {
    println!("| {what} | {with} | {there} | {here} | {ratio} | {goal} |");
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52 here")]
fn per_second(done: &load::Done) -> f64 {
    done.requests as f64 / done.took.as_secs_f64()
}

fn each(time: Duration, requests: u64) -> Duration {
    time.checked_div(u32::try_from(requests).unwrap_or(u32::MAX))
        .unwrap_or_default()
}

//! Exports against Spotify's rate limit, and without one: what it has to refuse, and how long an export takes beside the
//! least that its calls can take, two at a time.
//!
//! All of them wait for most of the time, so they run side by side, each with a sandbox and a database of its own.

use std::time::Duration;

use reqwest::{StatusCode, header};
use sandbox::{Fault, FaultKind, RateLimit, Seen};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::{
    Effort, Failure,
    machine::now,
    network, person,
    process::{Member, Site},
};

/// Calls of one export that may be under way at the same time.
const AT_ONCE: u32 = 2;

/// How often it is asked whether a parked export can go on.
const ASK_EVERY: Duration = Duration::from_millis(200);

struct Extent {
    /// Songs of each case, over all its exports.
    songs: usize,
    cases: &'static [Case],
}

struct Case {
    /// Processes, each with an export of its share of the songs, all for one app.
    processes: usize,
    latency_ms: u64,
    /// Calls in 30 s that Spotify allows, if it counts them. Our own pace is 150.
    limit: Option<u32>,
    goal: &'static str,
}

const FULL: Extent = Extent {
    songs: 1_000,
    cases: &[
        Case {
            processes: 1,
            latency_ms: 100,
            limit: Some(100),
            goal: "never two refusals in a row",
        },
        Case {
            processes: 2,
            latency_ms: 100,
            limit: Some(100),
            goal: "never two refusals in a row",
        },
        Case {
            processes: 1,
            latency_ms: 400,
            limit: None,
            goal: "ratio ≤ 1.2",
        },
        Case {
            processes: 1,
            latency_ms: 100,
            limit: None,
            goal: "",
        },
    ],
};

const SMOKE: Extent = Extent {
    songs: 12,
    cases: &[
        Case {
            processes: 2,
            latency_ms: 50,
            limit: Some(100),
            goal: "",
        },
        Case {
            processes: 1,
            latency_ms: 300,
            limit: None,
            goal: "",
        },
    ],
};

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    println!(
        "| {} songs | Spotify allows in 30 s | it takes for a call | calls | refused | two in a row | the export takes | its calls, {AT_ONCE} at a time | ratio | goal |",
        extent.songs
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|");
    let side_by_side = async {
        let cases: Vec<_> = extent
            .cases
            .iter()
            .map(|case| spawn_local(case.run(extent.songs)))
            .collect();
        for row in all(cases).await? {
            println!("{row}");
        }
        Ok(())
    };
    LocalSet::new().run_until(side_by_side).await
}

/// What each of them comes to.
async fn all<T>(tasks: Vec<JoinHandle<Result<T, Failure>>>) -> Result<Vec<T>, Failure> {
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await??);
    }
    Ok(done)
}

impl Case {
    async fn run(&'static self, songs: usize) -> Result<String, Failure> {
        let mut site = Site::new().await;
        site.variables.insert("RUST_LOG", "error".to_owned());
        let members: Vec<Member> = (0..self.processes).map(|_| site.join()).collect();
        let mut sessions = Vec::new();
        for (number, member) in members.iter().enumerate() {
            sessions.push(person::session(&member.url(), &format!("person-{number}")).await?);
        }
        let songs: Vec<Value> = {
            let mut world = site.sandbox.world();
            for method in ["GET", "POST"] {
                world.fault(Fault::on(method, "/v1/", FaultKind::DelayMs(self.latency_ms)));
            }
            world.settings.rate_limit = self.limit.map(RateLimit::of);
            world.clear_requests();
            let tracks = world.catalog().iter().take(songs);
            tracks
                .map(|track| json!({"title": track.title, "artist": track.artists.join(", "), "durationMs": track.duration_ms}))
                .collect()
        };
        let share = songs.len().div_ceil(self.processes);
        let began = now();
        let exports = members.iter().zip(sessions).zip(songs.chunks(share));
        let exports = exports.map(|((member, session), songs)| {
            spawn_local(export(
                member.url(),
                site.url().to_owned(),
                session,
                songs.to_vec(),
            ))
        });
        all(exports.collect()).await?;
        let took = began.elapsed();
        let mut calls = site.sandbox.world().requests();
        calls.retain(|seen| seen.path.starts_with("/v1/"));
        Ok(self.row(&calls, took))
    }

    fn row(&self, calls: &[Seen], took: Duration) -> String {
        let is_refused = |seen: &Seen| seen.status == Some(429);
        let refused = calls.iter().filter(|seen| is_refused(seen)).count();
        let in_a_row = calls
            .windows(2)
            .filter(|pair| pair.iter().all(is_refused))
            .count();
        let answered = u32::try_from(calls.len() - refused).unwrap_or(u32::MAX);
        let least = Duration::from_millis(self.latency_ms) * answered / AT_ONCE;
        format!(
            "| {} | {} | {} ms | {} | {refused} | {in_a_row} | {:.1} s | {:.1} s | {:.2} | {} |",
            match self.processes {
                1 => "one export".to_owned(),
                many => format!("{many} exports in {many} processes, for one app"),
            },
            self.limit
                .map_or_else(|| "all".to_owned(), |calls| calls.to_string()),
            self.latency_ms,
            calls.len(),
            took.as_secs_f64(),
            least.as_secs_f64(),
            took.as_secs_f64() / least.as_secs_f64(),
            self.goal,
        )
    }
}

/// Exports `songs`, and goes on until that is done.
#[expect(clippy::disallowed_methods, reason = "real processes are waited for")]
async fn export(url: String, origin: String, session: String, songs: Vec<Value>) -> Result<(), Failure> {
    let path = format!("{url}/api/playlist/export");
    let (mut ask, mut body) = (path.clone(), json!({"name": "Pacing", "songs": songs}));
    loop {
        let request = network::client()
            .post(&ask)
            .header(header::COOKIE, &session)
            .header(header::ORIGIN, &origin);
        let answer = request.json(&body).send().await?;
        let (status, told) = (answer.status(), answer.json::<Value>().await?);
        match status {
            StatusCode::OK => return Ok(()),
            StatusCode::ACCEPTED => {
                let id = told["exportId"].as_str().ok_or("an export has an id")?;
                (ask, body) = (format!("{path}?id={id}"), json!({}));
                tokio::time::sleep(ASK_EVERY).await;
            }
            _ => return Err(format!("{status}: {told}").into()),
        }
    }
}

//! What a turn costs: from a bucket in this process, and from one in a database beside the least that the same database
//! can be asked.

use std::{hint::black_box, sync::Arc, time::Duration};

use patchbay::{
    limits::{Class, LASTFM, Pace, Pacer},
    pace::{Ask, Level, Ticket},
    store::{Collection, DatabaseUrl, Store},
    system::{System, Timestamp},
};
use tempfile::TempDir;

use crate::{Effort, Failure, machine::now, median, mongod};

/// A bucket that holds as much as a run takes, so that nobody waits.
const WIDE: Pace = Pace {
    capacity: 1_000_000_000,
    spacing_ms: 1,
    ..LASTFM
};

/// Those who wait before a bucket in the longest queue that is measured.
const QUEUE: u64 = 100;

struct Extent {
    /// How often something is done here, and how often that is timed.
    times: u32,
    rounds: usize,
    /// How often a database is asked.
    questions: usize,
}

const FULL: Extent = Extent {
    times: 100_000,
    rounds: 9,
    questions: 2_000,
};

const SMOKE: Extent = Extent {
    times: 10,
    rounds: 1,
    questions: 3,
};

/// Prints the table.
pub async fn run(effort: Effort) -> Result<(), Failure> {
    let extent = match effort {
        Effort::Full => &FULL,
        Effort::Smoke => &SMOKE,
    };
    println!("| a turn | it takes (median) | one record read | ratio | questions | goal |");
    println!("|---|---:|---:|---:|---:|---|");
    here(extent).await?;
    let folder = TempDir::new()?;
    let file = DatabaseUrl::Sqlite(folder.path().join("bucket.db")).open()?;
    shared(extent, "a SQLite file", file).await?;
    if let Some(url) = mongod::fresh_database_url() {
        shared(extent, "MongoDB", url.parse::<DatabaseUrl>()?.open()?).await?;
    }
    Ok(())
}

async fn here(extent: &Extent) -> Result<(), Failure> {
    for waiting in [0, QUEUE] {
        let took = median((0..extent.rounds).map(|_| pure(extent.times, waiting)));
        println!("| the pure function, with {waiting} before it | {took:.0} ns | | | | |");
    }
    let pacer = Pacer::alone(WIDE, System::real());
    let mut rounds = Vec::new();
    for _ in 0..extent.rounds {
        let began = now();
        for _ in 0..extent.times {
            take(&pacer, "bench").await?;
        }
        rounds.push(nanos(began.elapsed(), extent.times));
    }
    let took = median(rounds.into_iter());
    println!("| in this process, taken and spent | {took:.0} ns | | | 0 | < 1 µs |");
    Ok(())
}

/// Nanoseconds of one question to a bucket before which so many others wait.
fn pure(times: u32, waiting: u64) -> f64 {
    let one = |process, number| Ask {
        process,
        waiting: vec![Ticket {
            number,
            class: Class::Interactive,
            patience: Duration::MAX,
        }],
        ..Ask::default()
    };
    let start = Timestamp::from_ms(0);
    let mut level = Level::default();
    let mut pace = WIDE;
    if waiting > 0 {
        // Empty, so that all of them stay where they are; each is a process of its own.
        pace = LASTFM;
        for process in 1..=waiting + u64::from(pace.capacity) {
            (level, _) = level.take_turns(pace, &one(process, process), start);
        }
    }
    let ask = one(0, 0);
    let began = now();
    for _ in 0..times {
        let (left, answer) = level.take_turns(pace, black_box(&ask), start);
        black_box(answer);
        level = left;
    }
    nanos(began.elapsed(), times)
}

async fn shared(extent: &Extent, place: &str, store: Arc<dyn Store>) -> Result<(), Failure> {
    let pacer = Pacer::new(WIDE, store.clone(), System::real());
    // The connection, and the record.
    take(&pacer, "bench").await?;
    let (mut turns, mut reads, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..extent.questions {
        let began = now();
        take(&pacer, "bench").await?;
        turns.push(micros(began.elapsed()));

        let began = now();
        let found = store.find_record(Collection::Budgets, "bucket:bench").await?;
        reads.push(micros(began.elapsed()));
        black_box(found.ok_or("a bucket that was used is stored")?);

        // A bucket that is full lends a token for the second call.
        let bucket = format!("bench-{number}");
        let began = now();
        take(&pacer, &bucket).await?;
        take(&pacer, &bucket).await?;
        pairs.push(micros(began.elapsed()) / 2.0);
    }
    let read = median(reads.into_iter());
    for (what, took, questions) in [
        ("taken and spent", turns, "1"),
        ("each of a pair from a full bucket", pairs, "½"),
    ] {
        let took = median(took.into_iter());
        println!(
            "| in {place}, {what} | {took:.0} µs | {read:.0} µs | {:.1} | {questions} | one round trip |",
            took / read
        );
    }
    Ok(())
}

async fn take(pacer: &Pacer, bucket: &str) -> Result<(), Failure> {
    pacer
        .turn(bucket, Class::Interactive, Duration::ZERO)
        .await?
        .spend();
    Ok(())
}

fn nanos(span: Duration, times: u32) -> f64 {
    span.as_secs_f64() * 1e9 / f64::from(times)
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

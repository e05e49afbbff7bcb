//! How surely songs are matched: a labelled set, searched for in a catalogue. Prints one Markdown table and every miss.
//! `tests/bench/matching/run` builds and runs it.

mod judge;
mod report;
mod set;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use sandbox::Catalog;

/// Any failure: its sentence goes to the person who typed the command.
type Failure = Box<dyn std::error::Error>;

/// Searches a catalogue for every song of a labelled set, as an export does, and prints what came of it.
#[derive(Parser)]
struct Options {
    /// The labelled songs, one JSON object a line (see README.md beside this).
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/matching/songs.jsonl"))]
    songs: PathBuf,
    /// The tracks there are, one JSON object a line; several files are read as one.
    #[arg(long, default_values = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/catalog.jsonl"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/matching/catalog.jsonl"),
    ])]
    catalog: Vec<PathBuf>,
    /// Only every eleventh song: shows that it works.
    #[arg(long)]
    smoke: bool,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("matching: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let catalog = read_catalog(&options.catalog)?;
    let songs = set::read(&options.songs, &catalog)?;
    let step = if options.smoke { 11 } else { 1 };
    let verdicts = songs
        .iter()
        .step_by(step)
        .map(|song| judge::judge(song, &catalog))
        .collect::<Result<Vec<_>, _>>()?;
    report::print(&verdicts, &catalog);
    Ok(())
}

fn read_catalog(files: &[PathBuf]) -> Result<Catalog, Failure> {
    let mut text = String::new();
    for file in files {
        text += &std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        text.push('\n');
    }
    Ok(Catalog::from_json_lines(&text)?)
}

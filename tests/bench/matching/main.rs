//! How surely songs are matched: a labelled set, searched for in a catalogue. Prints one Markdown table and every miss.
//! `tests/bench/matching/run` builds and runs it.

mod cost;
mod judge;
mod report;
mod set;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use sandbox::Catalog;

/// Any failure: its sentence goes to the person who typed the command.
type Failure = Box<dyn std::error::Error>;

/// Searches a catalogue for every song of a labelled set, as an export does, and prints what came of it.
#[derive(Parser)]
struct Options {
    /// A set that is kept beside this.
    #[arg(long, value_enum, default_value_t = Kept::Rules)]
    set: Kept,
    /// The labelled songs, one JSON object a line (see README.md beside this), instead of a kept set.
    #[arg(long)]
    songs: Option<PathBuf>,
    /// The tracks there are, one JSON object a line; several files are read as one.
    #[arg(long)]
    catalog: Vec<PathBuf>,
    /// Only every eleventh song: shows that it works.
    #[arg(long)]
    smoke: bool,
    /// Also times the comparing.
    #[arg(long)]
    cost: bool,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The kept sets, by what their author knew.
#[derive(Clone, Copy, ValueEnum)]
enum Kept {
    /// What the rules were made with.
    Rules,
    /// Written before its author had looked at the rules; they were improved by its misses since.
    Fresh,
    /// Written after that, and nothing was changed since.
    Later,
}

impl Kept {
    fn songs(self) -> PathBuf {
        kept(match self {
            Self::Rules => "tests/bench/matching/songs.jsonl",
            Self::Fresh => "tests/bench/matching/fresh.songs.jsonl",
            Self::Later => "tests/bench/matching/later.songs.jsonl",
        })
    }

    /// A later set's tracks would make songs findable that an earlier one knows to be missing.
    fn catalog(self) -> Vec<PathBuf> {
        let files = [
            "sandbox/catalog.jsonl",
            "tests/bench/matching/catalog.jsonl",
            "tests/bench/matching/fresh.catalog.jsonl",
            "tests/bench/matching/later.catalog.jsonl",
        ];
        let known = match self {
            Self::Rules => 2,
            Self::Fresh => 3,
            Self::Later => 4,
        };
        files[..known].iter().map(|file| kept(file)).collect()
    }
}

fn kept(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
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
    let files = if options.catalog.is_empty() {
        options.set.catalog()
    } else {
        options.catalog.clone()
    };
    let catalog = read_catalog(&files)?;
    let file = options.songs.clone().unwrap_or_else(|| options.set.songs());
    let songs = set::read(&file, &catalog)?;
    let step = if options.smoke { 11 } else { 1 };
    let verdicts = songs
        .iter()
        .step_by(step)
        .map(|song| judge::judge(song, &catalog))
        .collect::<Result<Vec<_>, _>>()?;
    report::print(&verdicts, &catalog);
    if options.cost {
        cost::print(&songs, &catalog);
    }
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

//! The `patchbay` binary: the edge where the process environment, its standard output and its signals are touched.
//! One file per subcommand.

mod demo;
mod keys;
mod pages;
mod refresh;
mod sandbox;
mod serve;
mod stop;

use std::{collections::HashMap, process::ExitCode};

use clap::{Parser, Subcommand};

/// Connect Spotify, keep the connections alive, export playlists.
#[derive(Debug, Parser)]
#[command(name = "patchbay", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the page (what `patchbay` alone does, too).
    Serve,
    /// Renew what is due, once, and print a summary.
    Refresh(refresh::Arguments),
    /// Run the Spotify sandbox by itself and print the lines that point an application at it.
    Sandbox(sandbox::Arguments),
    /// Print a fresh `SPOTIFY_USER_SECRET_KEY`.
    Keys,
}

/// Any failure: its sentence goes to the person who typed the command.
type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let environment = Environment::read();
    patchbay::telemetry::start(environment.get("RUST_LOG"));
    let done = match Arguments::parse().command {
        None | Some(Command::Serve) => serve::run(&environment).await,
        Some(Command::Refresh(arguments)) => refresh::run(&environment, &arguments).await,
        Some(Command::Sandbox(arguments)) => sandbox::run(arguments).await,
        Some(Command::Keys) => {
            keys::run();
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("patchbay: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The variables of the process, and beneath them those of a `.env` file in the current folder.
#[derive(Debug, Clone, Default)]
struct Environment {
    file: HashMap<String, String>,
}

impl Environment {
    fn read() -> Self {
        let lines = dotenvy::dotenv_iter().into_iter().flatten();
        Self {
            file: lines.filter_map(Result::ok).collect(),
        }
    }

    /// What a variable says; an empty one says nothing.
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    fn get(&self, name: &str) -> Option<String> {
        let set = |value: &String| !value.trim().is_empty();
        std::env::var(name)
            .ok()
            .filter(set)
            .or_else(|| self.file.get(name).cloned().filter(set))
    }
}

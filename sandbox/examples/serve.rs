//! Runs a sandbox by itself: `cargo run -p sandbox --example serve -- --port 8899 --auto-approve`.

use std::path::PathBuf;

use clap::Parser;
use sandbox::{Catalog, Mode, Options};

/// A local copy of Spotify, with faults.
#[derive(Parser)]
struct Arguments {
    /// 0 for any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Press Agree without asking.
    #[arg(long)]
    auto_approve: bool,
    /// JSON lines of tracks, instead of the built-in ones.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// `development` or `extended`.
    #[arg(long, default_value = "development")]
    mode: Mode,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments {
        port,
        auto_approve,
        catalog,
        mode,
    } = Arguments::parse();
    let catalog = match catalog {
        Some(path) => Catalog::from_json_lines(&std::fs::read_to_string(path)?)?,
        None => Catalog::default(),
    };
    sandbox::serve(Options {
        port,
        auto_approve,
        catalog,
        mode,
        ..Options::default()
    })
    .await?;
    Ok(())
}

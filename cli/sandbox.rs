//! `patchbay sandbox`: the copy of Spotify and Last.fm, alone, for other applications and their CI.

use std::path::PathBuf;

use sandbox::{Catalog, Mode, Options};

use super::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8789)]
    port: u16,
    /// Answer every consent page with "Agree", without showing it.
    #[arg(long)]
    auto_approve: bool,
    /// A catalogue of your own: JSON lines of {id, title, artists, album, isrc, durationMs, year}.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// `development` or `extended` quota mode.
    #[arg(long, default_value = "development")]
    mode: Mode,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        port,
        auto_approve,
        catalog,
        mode,
    } = arguments;
    let catalog = match catalog {
        Some(path) => {
            let lines =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Catalog::from_json_lines(&lines).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Catalog::default(),
    };
    Ok(sandbox::serve(Options {
        port,
        auto_approve,
        catalog,
        mode,
        ..Options::default()
    })
    .await?)
}

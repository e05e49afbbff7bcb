//! `patchbay refresh`: the sweep by hand or by the system's timer, where no server runs.

use std::time::Duration;

use patchbay::{app::App, config::Config, grants::SweepLimits, system::System};

use super::{Environment, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One pass, and no more. (The only way there is; spelled out so that a crontab line says what it does.)
    #[arg(long)]
    once: bool,
    /// Begin no more documents after so many seconds.
    #[arg(long, default_value_t = 240)]
    limit_s: u64,
}

pub(crate) async fn run(environment: &Environment, arguments: &Arguments) -> Result<(), Failure> {
    let _ = arguments.once;
    let config = Config::parse(|name| environment.get(name))?;
    let app = App::new(config, System::real(), None)?;
    let limits = SweepLimits { time: Duration::from_secs(arguments.limit_s), concurrency: 8 };
    let summary = app.grants().sweep(limits).await?;
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}

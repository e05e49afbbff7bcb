//! `patchbay refresh`: the sweep by hand or by the system's timer, where no server runs.

use std::time::Duration;

use patchbay::{app::App, config::Config, system::System};

use super::{Environment, Failure};

/// How long a database that fails is waited for at the end.
const SETTLE: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// One pass, and no more. (The only way there is; spelled out so that a crontab line says what it does.)
    #[arg(long)]
    once: bool,
    /// How many seconds to take for grants, and as many again for exports.
    #[arg(long, default_value_t = 120)]
    limit_s: u64,
}

pub(crate) async fn run(environment: &Environment, arguments: &Arguments) -> Result<(), Failure> {
    let _ = arguments.once;
    let config = Config::parse(|name| environment.get(name))?;
    let app = App::new(config, System::real(), None)?;
    let pass = app.pass(Duration::from_secs(arguments.limit_s)).await?;
    println!("{}", serde_json::to_string(&pass)?);
    // A token that could not be written is in this process and nowhere else.
    let settled = System::real().within(SETTLE, app.idle()).await;
    settled.ok_or_else(|| "the database failed for too long; a renewed token could not be written".into())
}

//! A sandbox for a person: serves until the process is told to stop.

use std::io::{self, Write as _};

use crate::server::{Options, Sandbox};
use crate::world::{DEMO_APP, OWN_APP};

/// Starts a sandbox, prints where it is and how to point an application at it, and serves until Ctrl-C.
///
/// The lines without `#` are a `.env` file; other programs read the address from them.
///
/// # Errors
/// The port is taken, or standard output is closed.
pub async fn serve(options: Options) -> io::Result<()> {
    let sandbox = Sandbox::start(options).await?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "# A sandbox, neither Spotify nor Last.fm. Open {} in a browser; Ctrl-C stops it.",
        sandbox.url()
    )?;
    writeln!(
        out,
        "# Last.fm, and {:?}, for the standard way to connect:",
        DEMO_APP.name
    )?;
    write!(out, "{}", sandbox.env_lines())?;
    writeln!(out, "# {:?}, to connect with an app of one's own:", OWN_APP.name)?;
    writeln!(
        out,
        "#   client id {}, secret {}",
        OWN_APP.client_id, OWN_APP.client_secret
    )?;
    writeln!(
        out,
        "# Redirect URI of both: http://127.0.0.1:<any port>/api/spotify/callback"
    )?;
    out.flush()?;
    drop(out);
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}

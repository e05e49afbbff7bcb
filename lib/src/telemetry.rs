//! The log: what is written, and in which form. Nothing here ever sees a secret, because secrets have no `Debug`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error. `filter` is what `RUST_LOG` says (default `info`); a terminal gets lines for
/// people, anything else gets JSON lines.
///
/// Call it once, at the edge.
pub fn start(filter: Option<String>) {
    let filter = EnvFilter::new(filter.unwrap_or_else(|| "info".to_owned()));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start (two services in one process, in a test) keeps the first one's log.
    let _ = if std::io::stderr().is_terminal() {
        builder.compact().try_init()
    } else {
        builder.json().try_init()
    };
}

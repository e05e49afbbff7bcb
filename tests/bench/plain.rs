//! What patchbay is compared with: axum answering constants, in a process of its own (this one, started again).

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
};

use axum::{Json, Router, http::header::CONTENT_TYPE, routing::get};
use serde_json::json;
use tokio::{net::TcpListener, runtime};

use crate::{Failure, process::Process};

/// The argument that makes this process the server.
pub const ARGUMENT: &str = "plain-server";

/// Serves until it is killed, on as many threads as there are processors, which is what `patchbay serve` does.
pub fn serve() -> Result<(), Failure> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = Router::new()
            .route(
                "/api/spotify/status",
                get(async || ([(CONTENT_TYPE, "application/json")], r#"{"ok":true}"#)),
            )
            // What the hello function answers, made the same way.
            .route("/json", get(async || Json(json!({"ok": true}))));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

/// Starts the server.
pub fn start() -> Result<(Process, SocketAddr), Failure> {
    let mut command = Command::new(env::current_exe()?);
    let mut process = Process(
        command
            .arg(ARGUMENT)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut line = String::new();
    let says = process.0.stdout.take().ok_or("it has a standard output")?;
    BufReader::new(says).read_line(&mut line)?;
    Ok((process, line.trim().parse()?))
}

//! Functions, started as the platform starts them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::{
    Failure,
    machine::now,
    process::{Process, free_port},
};

/// A function that has not started by then is broken.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A function that listens.
pub struct Function {
    /// Killed when this goes.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its messages are nobody's business after the first, but the pipe has to stay open.
    _messages: BufReader<std::os::unix::net::UnixStream>,
    _folder: TempDir,
}

impl Function {
    /// Starts a function and waits for its word that it listens, which is when the platform sends the first request.
    pub async fn start(mut command: Command) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let socket = folder.path().join("platform.sock");
        let listener = UnixListener::bind(&socket)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        command
            .env("VERCEL_IPC_PATH", &socket)
            .env("VERCEL_DEV_PORT", address.port().to_string());
        let process = Process(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
        let (messages, _) = tokio::time::timeout(START_TIMEOUT, listener.accept()).await??;
        let messages = messages.into_std()?;
        messages.set_nonblocking(false)?;
        messages.set_read_timeout(Some(START_TIMEOUT))?;
        let mut messages = BufReader::new(messages);
        let mut started = Vec::new();
        messages.read_until(0, &mut started)?;
        if !String::from_utf8_lossy(&started).contains("server-started") {
            return Err("the function says something else than that it has started".into());
        }
        Ok(Self {
            process,
            address,
            _messages: messages,
            _folder: folder,
        })
    }
}

/// How long a function takes from the start of its process to the last byte of its first answer.
pub async fn cold_start(command: Command, request: &str) -> Result<Duration, Failure> {
    let began = now();
    let function = Function::start(command).await?;
    let mut stream = TcpStream::connect(function.address)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    // Asked to hang up, it tells where its answer ends.
    stream.write_all(
        request
            .replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")
            .as_bytes(),
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let took = began.elapsed();
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(took)
    } else {
        Err(answer.into())
    }
}

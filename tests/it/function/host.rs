//! The platform's side of a function: it starts the process, hears its messages on a Unix socket, and speaks HTTP/1.1 to
//! it by hand, so that a test decides what is in each write and sees what is in each read.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// How long a read may take before the test fails: a bound for what must never happen, not a wait.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection stays unanswered before it says that the probe takes no more of them.
const UNANSWERED: Duration = Duration::from_millis(300);
/// How often another free port is tried: between finding one and the probe's bind, anybody may take it.
const START_ATTEMPTS: usize = 5;

/// A running probe and the socket on which it reports.
pub struct Host {
    child: Child,
    port: u16,
    messages: BufReader<UnixStream>,
    socket: PathBuf,
}

impl Host {
    pub fn start() -> Self {
        (0..START_ATTEMPTS)
            .find_map(|_| Self::try_start())
            .expect("the probe does not start")
    }

    fn try_start() -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        let socket = std::env::temp_dir().join(format!("patchbay-{}-{count}.sock", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = probe()
            .env("VERCEL_IPC_PATH", &socket)
            .env("VERCEL_DEV_PORT", port.to_string())
            .spawn()
            .unwrap();
        let messages = listener.accept().unwrap().0;
        messages.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        let mut host = Self {
            child,
            port,
            messages: BufReader::new(messages),
            socket,
        };
        let started = host.next_message()?;
        assert_eq!(started["type"], "server-started");
        assert_eq!(started["payload"]["httpPort"], port);
        Some(host)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn connect(&self) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(READ_TIMEOUT)).unwrap();
        Connection {
            stream: BufReader::new(stream),
        }
    }

    /// The request whose end is reported next.
    pub fn next_end(&mut self) -> u64 {
        let message = self.next_message().expect("the probe has gone away");
        assert_eq!(message["type"], "end", "{message}");
        let context = &message["payload"]["context"];
        let request = context["requestId"].as_u64().unwrap();
        assert_eq!(context["invocationId"], invocation(request));
        request
    }

    /// Asks the probe to stop, as the platform does, and returns once it takes no more connections.
    pub fn terminate(&self) {
        self.await_stoppable();
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        // The listening socket stays open meanwhile, so the sign is a connection that nobody answers.
        loop {
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
                return;
            };
            stream.set_read_timeout(Some(UNANSWERED)).unwrap();
            // Without the host's headers, so no end is reported for it.
            if stream
                .write_all(b"GET /json HTTP/1.1\r\nhost: probe\r\n\r\n")
                .is_err()
            {
                return;
            }
            if !matches!(stream.read(&mut [0]), Ok(1)) {
                return;
            }
        }
    }

    /// Stops the probe, which has to end well, and returns the requests whose end was not read before.
    pub fn stop(mut self) -> Vec<u64> {
        self.await_stoppable();
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        assert!(asked.is_ok());
        let mut ends = Vec::new();
        while let Some(message) = self.next_message() {
            assert_eq!(message["type"], "end", "{message}");
            ends.push(message["payload"]["context"]["requestId"].as_u64().unwrap());
        }
        assert!(self.child.wait().unwrap().success());
        ends
    }

    /// Returns once the probe listens for SIGTERM. The runtime begins to do so beside its first connections, and the
    /// signal that comes before simply kills; the platform never stops an instance in its first moments.
    fn await_stoppable(&self) {
        const SIGTERM_BIT: u64 = 1 << 14;
        let status = format!("/proc/{}/status", self.child.id());
        // A probe that has ended by itself has no such line; whoever asked it to stop finds that out.
        while let Some(caught) = std::fs::read_to_string(&status)
            .ok()
            .as_deref()
            .and_then(|status| status.lines().find_map(|line| line.strip_prefix("SigCgt:")))
            .map(|mask| u64::from_str_radix(mask.trim(), 16).expect("a mask in hexadecimal"))
        {
            if caught & SIGTERM_BIT != 0 {
                return;
            }
            std::thread::yield_now();
        }
    }

    fn next_message(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        self.messages
            .read_until(0, &mut message)
            .expect("no message from the probe in time");
        (message.pop() == Some(0)).then(|| serde_json::from_slice(&message).unwrap())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Both fail where the test has already stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// The probe: this test binary, asked for that one part of it.
pub fn probe() -> Command {
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.args(["--exact", "function::probe::serves", "--ignored", "--nocapture"]);
    probe.env_remove("VERCEL_IPC_PATH").env_remove("VERCEL_DEV");
    probe
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    probe
}

fn invocation(request: u64) -> String {
    format!("invocation-{request}")
}

/// A connection of the host to the function, kept alive.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub fn get(&mut self, path: &str, request: u64) -> Answer {
        self.send(&head("GET", path, request, ""));
        let mut answer = self.read_head();
        let length = answer
            .header("content-length")
            .expect("a length")
            .parse()
            .unwrap();
        answer.body.resize(length, 0);
        self.stream.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// Opens a request whose body and answer are written piece by piece.
    pub fn post_stream(mut self, path: &str, request: u64) -> Stream {
        self.send(&head("POST", path, request, "transfer-encoding: chunked\r\n"));
        let answer = self.read_head();
        assert_eq!(
            (answer.status, answer.header("transfer-encoding")),
            (200, Some("chunked"))
        );
        Stream { connection: self }
    }

    fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn read_head(&mut self) -> Answer {
        let status = self.read_line();
        let status = status.split(' ').nth(1).expect("a status line").parse().unwrap();
        let headers = std::iter::from_fn(|| Some(self.read_line()).filter(|line| !line.is_empty())).collect();
        Answer {
            status,
            headers,
            body: Vec::new(),
        }
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

fn head(method: &str, path: &str, request: u64, more: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: probe\r\n\
         x-vercel-internal-invocation-id: {}\r\nx-vercel-internal-request-id: {request}\r\n{more}\r\n",
        invocation(request)
    )
}

/// A request and its answer, both still open.
pub struct Stream {
    connection: Connection,
}

impl Stream {
    /// Sends one piece of the request's body.
    pub fn write(&mut self, piece: &str) {
        self.connection.send(&format!("{:x}\r\n{piece}\r\n", piece.len()));
    }

    /// Reads one piece of the answer's body.
    pub fn read(&mut self) -> String {
        let length = usize::from_str_radix(&self.connection.read_line(), 16).expect("a piece");
        let mut piece = vec![0; length];
        self.connection.stream.read_exact(&mut piece).unwrap();
        assert_eq!(self.connection.read_line(), "");
        String::from_utf8(piece).unwrap()
    }

    /// Ends the request's body; the answer's must end with it.
    pub fn finish(mut self) {
        self.connection.send("0\r\n\r\n");
        assert_eq!(self.connection.read_line(), "0");
    }
}

/// What a function answered.
pub struct Answer {
    pub status: u16,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Answer {
    /// A header's value, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

//! The real binaries as processes of their own, with a database file and a sandbox that outlive them.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
};

use sandbox::{DEMO_APP, DEMO_LASTFM, Options, Sandbox};
use tempfile::TempDir;

/// 32 bytes of nothing in particular.
const KEY_RING: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What the binary says once it listens.
const READY: &str = "patchbay is ready: ";

/// Ports are looked for here: below the range that Linux takes the local ends of outgoing connections from, so that
/// nobody takes the port of a service that is killed and started again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Where a service lives. Processes come and go; the port, the file and the sandbox stay.
pub struct Site {
    pub sandbox: Sandbox,
    /// The environment of the processes; nothing else is in it.
    pub variables: BTreeMap<&'static str, String>,
    folder: TempDir,
    port: u16,
}

impl Site {
    /// A site with an operator's app, local sign-in and a sandbox that agrees to everything, on the real clock.
    pub async fn new() -> Self {
        let options = Options {
            auto_approve: true,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options)
            .await
            .expect("a sandbox starts on any free port");
        let folder = TempDir::new().expect("a folder");
        let port = free_port();
        let variables = BTreeMap::from([
            ("PORT", port.to_string()),
            ("APP_URL", format!("http://127.0.0.1:{port}")),
            (
                "DATABASE_URL",
                format!("sqlite://{}", folder.path().join("patchbay.db").display()),
            ),
            ("SPOTIFY_ACCOUNTS_URL", sandbox.accounts_url()),
            ("SPOTIFY_API_URL", sandbox.api_url()),
            ("SPOTIFY_CLIENT_ID", DEMO_APP.client_id.to_owned()),
            ("SPOTIFY_CLIENT_SECRET", DEMO_APP.client_secret.to_owned()),
            ("SPOTIFY_USER_SECRET_KEY", KEY_RING.to_owned()),
            ("LASTFM_API_URL", sandbox.lastfm_api_url()),
            ("LASTFM_SITE_URL", sandbox.lastfm_site_url()),
            ("LASTFM_API_KEY", DEMO_LASTFM.api_key.to_owned()),
            ("LASTFM_SHARED_SECRET", DEMO_LASTFM.shared_secret.to_owned()),
            ("LOCAL_SIGN_IN", "on".to_owned()),
        ]);
        Self {
            sandbox,
            variables,
            folder,
            port,
        }
    }

    /// The database file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("patchbay.db")
    }

    /// Where the service listens: `127.0.0.1:<port>`.
    pub fn address(&self) -> (Ipv4Addr, u16) {
        (Ipv4Addr::LOCALHOST, self.port)
    }

    /// Where the service is reached.
    pub fn url(&self) -> &str {
        &self.variables["APP_URL"]
    }

    /// `program` in the environment of this site, and in its folder, where there is no `.env`.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// The service, started with `patchbay serve` and listening.
    pub fn serve(&self) -> Process {
        self.serve_on(self.port)
    }

    /// One more process of the same service, on a port of its own.
    pub fn join(&self) -> Member {
        let port = free_port();
        Member {
            process: self.serve_on(port),
            port,
        }
    }

    fn serve_on(&self, port: u16) -> Process {
        let mut command = self.command(env!("CARGO_BIN_EXE_patchbay"));
        let child = command
            .arg("serve")
            .env("PORT", port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut process = Process(child);
        let ready = process.says_up_to(READY).pop();
        let expected = format!("{READY}http://127.0.0.1:{port}");
        assert_eq!(
            ready.as_deref(),
            Some(&*expected),
            "the service ended before it was ready"
        );
        process
    }
}

/// One of several processes that are the same service: the site's address is all of them, a browser is sent to one.
pub struct Member {
    pub process: Process,
    port: u16,
}

impl Member {
    /// Where this one listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Test processes that run side by side begin at different places.
    let first = u16::try_from(std::process::id() % u32::from(count)).unwrap_or_default();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let ports = (0..count).map(|_| {
        let tried = u32::from(TRIED.fetch_add(1, Ordering::Relaxed));
        let offset = (u32::from(first) + tried) % u32::from(count);
        PORTS.start + u16::try_from(offset).unwrap_or_default()
    });
    ports.into_iter().find(free).expect("a free port")
}

/// A process, killed when this goes, a panic of the test included.
pub struct Process(pub Child);

impl Process {
    /// Its id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// What it says on its standard output, up to the line that begins with `last`, or to its end.
    pub fn says_up_to(&mut self, last: &str) -> Vec<String> {
        let mut voice = BufReader::new(self.0.stdout.take().expect("its voice is piped"));
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.starts_with(last)) {
            let mut line = String::new();
            if voice.read_line(&mut line).expect("text") == 0 {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        // It may go on talking: a voice that nobody can hear any more is an error to it.
        self.0.stdout = Some(voice.into_inner());
        lines
    }

    /// SIGKILL, as the machine does when memory runs out; returns when it is gone.
    pub fn kill(mut self) {
        self.0.kill().expect("a process to kill");
        let status = self.0.wait().expect("its end");
        assert!(!status.success(), "it had ended by itself: {status}");
    }

    /// SIGTERM, as a service manager does.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGSTOP, as a machine does that is suspended, or moved elsewhere: nothing happens in it until [`Self::go_on`].
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT: time has passed, and it does not know.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.id().to_string()]).status();
        assert!(sent.expect("kill(1)").success(), "there is no such process");
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        self.0.wait().expect("its end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already, or to be ended: nothing else can be wrong here.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

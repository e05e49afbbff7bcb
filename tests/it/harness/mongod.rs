//! A real MongoDB: one server for the whole test run, a database of its own for each test.

use std::{
    env,
    ffi::OsString,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Child, ChildStdout, Command, Stdio},
    sync::{
        Once, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use mongodb::{
    Client,
    bson::{Document, doc},
    options::ClientOptions,
};

/// How long a server may take to come up on a busy machine; an idle one needs a second.
const START_TIMEOUT_S: u64 = 60;

/// The replica set's name.
const REPLICA_SET: &str = "it";

/// Runs the server as its standard input orders, line by line, and says when an order is carried out. Statics are not
/// dropped and a killed test run cleans nothing up, but in both cases the system closes the pipe, and with that the
/// server and its data are gone.
const WATCHDOG: &str = r#"
    folder=$1; shift
    server=
    stop() {
        if [ -n "$server" ]; then
            kill -9 "$server"
            wait "$server"
            server=
        fi 2>/dev/null
    }
    while read -r order; do
        case $order in
            start) "$@" </dev/null >/dev/null 2>&1 & server=$! ;;
            kill) stop ;;
        esac
        echo "$order"
    done
    stop
    rm -rf "$folder"
"#;

/// The URL of a database that no other test uses, or `None` (said loudly, and an error in CI) where there is no MongoDB.
pub fn fresh_database_url() -> Option<String> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    static DATABASES: AtomicUsize = AtomicUsize::new(0);
    let server = SERVER.get_or_init(Server::find_or_start).as_ref()?;
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    Some(with_database(
        &server.uri,
        &format!("it_{}_{number}", process::id()),
    ))
}

struct Server {
    uri: String,
    /// Lives as long as the test run.
    _process: Option<Mongod>,
}

impl Server {
    fn find_or_start() -> Option<Self> {
        if let Some(uri) = env::var_os("TEST_MONGODB_URI") {
            let uri = uri.into_string().expect("TEST_MONGODB_URI is text");
            return Some(Self { uri, _process: None });
        }
        let process = Mongod::start()?;
        let uri = set_uri(&[process.port()], "");
        // On a thread and a runtime of its own: the callers' runtimes end with their tests.
        let initiated = {
            let (port, uri) = (process.port(), uri.clone());
            move || {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                runtime.block_on(initiate(&[port], &uri));
            }
        };
        thread::spawn(initiated)
            .join()
            .expect("the MongoDB server comes up");
        Some(Self {
            uri,
            _process: Some(process),
        })
    }
}

/// One server process with data of its own, both gone with this.
pub struct Mongod {
    port: u16,
    watchdog: Child,
    /// What the watchdog says; its other end is how it learns that the tests are over.
    says: BufReader<ChildStdout>,
}

impl Mongod {
    /// A running server that waits to become a member of a replica set, or `None` (said loudly, and an error in CI)
    /// where there is no MongoDB.
    pub fn start() -> Option<Self> {
        static SERVERS: AtomicUsize = AtomicUsize::new(0);
        let mongod = mongod()?;
        let port = free_port();
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("patchbay-mongod-{}-{number}", process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the data");
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .arg(mongod)
            .arg("--dbpath")
            .arg(&folder)
            .args(["--bind_ip", "127.0.0.1", "--port", &port.to_string()])
            .args(["--replSet", REPLICA_SET])
            // For fail points.
            .args(["--setParameter", "enableTestCommands=1"])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the tests; the watchdog outlives them by its one moment of work.
            .process_group(0)
            .spawn()
            .expect("a shell");
        let says = BufReader::new(watchdog.stdout.take().expect("its voice is piped"));
        let mut server = Self { port, watchdog, says };
        server.restart();
        Some(server)
    }

    /// Where it listens, on this machine only.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// SIGKILL; returns when it is gone. Its data stay.
    pub fn kill(&mut self) {
        self.order("kill");
    }

    /// Starts it again on the same data and port.
    pub fn restart(&mut self) {
        self.order("start");
    }

    fn order(&mut self, order: &str) {
        let orders = self.watchdog.stdin.as_mut().expect("its orders are piped");
        writeln!(orders, "{order}").expect("a watchdog that listens");
        let mut said = String::new();
        self.says.read_line(&mut said).expect("text");
        assert_eq!(said.trim_end(), order, "the watchdog has ended");
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        // The end of its orders is the order to clean up.
        drop(self.watchdog.stdin.take());
        drop(self.watchdog.wait());
    }
}

/// The server's program.
fn mongod() -> Option<OsString> {
    static SAID: Once = Once::new();
    let found = find_mongod();
    if found.is_none() {
        assert!(
            env::var_os("CI").is_none_or(|ci| ci != "true"),
            "no mongod, and in CI nothing may be skipped: run tests/run, or set MONGOD (TEST_MONGODB_URI is enough for \
             all tests but those that take their server away)"
        );
        // Past the harness's capture: a skipped test must be seen.
        SAID.call_once(|| {
            writeln!(
                std::io::stderr(),
                "SKIPPED: every test that starts a MongoDB. There is no mongod: run tests/run, or set MONGOD"
            )
            .expect("standard error takes a line");
        });
    }
    found
}

/// Where the replica set of these servers is reached.
pub fn set_uri(ports: &[u16], database: &str) -> String {
    let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!(
        "mongodb://{}/{database}?replicaSet={REPLICA_SET}",
        hosts.join(",")
    )
}

/// Makes the servers one replica set, in which elections are fast, and waits until it takes writes: looking for a
/// server is the driver's own waiting.
pub async fn initiate(ports: &[u16], uri: &str) {
    let members = (0..)
        .zip(ports)
        .map(|(id, port)| doc! { "_id": id, "host": format!("127.0.0.1:{port}") });
    let set = doc! {
        "_id": REPLICA_SET,
        "members": members.collect::<Vec<_>>(),
        "settings": { "electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200 },
    };
    for port in ports {
        command(&direct(*port).await, doc! { "ping": 1 }).await;
    }
    command(&direct(ports[0]).await, doc! { "replSetInitiate": set }).await;
    command(&client(uri).await, doc! { "ping": 1 }).await;
}

/// A client of this one server, whatever it is in its set.
pub async fn direct(port: u16) -> Client {
    client(&format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await
}

async fn client(uri: &str) -> Client {
    let mut options = ClientOptions::parse(uri).await.expect("a good address");
    options.server_selection_timeout = Some(Duration::from_secs(START_TIMEOUT_S));
    Client::with_options(options).expect("a client")
}

/// What the server answers to a command of its administrator.
pub async fn command(client: &Client, command: Document) -> Document {
    let admin = client.database("admin");
    admin.run_command(command).await.expect("the server does as told")
}

fn find_mongod() -> Option<OsString> {
    if env::var_os("PATCHBAY_SKIP_MONGODB").is_some() {
        return None;
    }
    env::var_os("MONGOD").or_else(on_path).or_else(fetched)
}

fn on_path() -> Option<OsString> {
    let folders = env::var_os("PATH")?;
    let found = env::split_paths(&folders)
        .map(|folder| folder.join("mongod"))
        .find(|file| file.is_file())?;
    Some(found.into())
}

/// Where `tests/mongod` puts the one it fetches: `mongod/<version>/mongod` in the build folder.
fn fetched() -> Option<OsString> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let versions = std::fs::read_dir(target.join("mongod")).ok()?;
    let found = versions
        .flatten()
        .map(|version| version.path().join("mongod"))
        .find(|file| file.is_file())?;
    Some(found.into())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

/// The same servers and options, another database.
fn with_database(uri: &str, database: &str) -> String {
    let (address, options) = uri.split_once('?').unwrap_or((uri, ""));
    let hosts_end = address.find("://").map_or(0, |scheme| scheme + 3);
    let hosts_end = address[hosts_end..]
        .find('/')
        .map_or(address.len(), |slash| hosts_end + slash);
    format!("{}/{database}?{options}", &address[..hosts_end])
}

//! A real MongoDB: one server for the whole test run, a database of its own for each test.

use std::{
    env,
    ffi::OsString,
    io::Write as _,
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::{
        OnceLock,
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

/// Runs the server until standard input ends. Statics are not dropped and a killed test run cleans nothing up, but in
/// both cases the system closes the pipe, and with that the server and its data are gone.
const WATCHDOG: &str = r#"
    folder=$1; shift
    "$@" </dev/null >/dev/null 2>&1 &
    server=$!
    cat >/dev/null
    kill -9 "$server"; wait "$server" 2>/dev/null
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
    /// Holds the watchdog's pipe open.
    _watchdog: Option<Child>,
}

impl Server {
    fn find_or_start() -> Option<Self> {
        if let Some(uri) = env::var_os("TEST_MONGODB_URI") {
            let uri = uri.into_string().expect("TEST_MONGODB_URI is text");
            return Some(Self { uri, _watchdog: None });
        }
        let Some(mongod) = find_mongod() else {
            assert!(
                env::var_os("CI").is_none_or(|ci| ci != "true"),
                "no mongod, and in CI nothing may be skipped: run tests/run, or set MONGOD or TEST_MONGODB_URI"
            );
            // Past the harness's capture: a skipped test must be seen.
            writeln!(
                std::io::stderr(),
                "SKIPPED: every test on MongoDB. There is no mongod: run tests/run, or set MONGOD or TEST_MONGODB_URI"
            )
            .expect("standard error takes a line");
            return None;
        };
        Some(Self::start(&mongod))
    }

    fn start(mongod: &OsString) -> Self {
        let port = free_port();
        let folder = env::temp_dir().join(format!("patchbay-mongod-{}", process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the data");
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .arg(mongod)
            .arg("--dbpath")
            .arg(&folder)
            .args([
                "--bind_ip",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--replSet",
                "it",
            ])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"])
            .stdin(Stdio::piped())
            // Ctrl-C is for the tests; the watchdog outlives them by its one moment of work.
            .process_group(0)
            .spawn()
            .expect("a shell");
        let uri = format!("mongodb://127.0.0.1:{port}/?replicaSet=it");
        // On a thread and a runtime of its own: the callers' runtimes end with their tests.
        let initiated = {
            let uri = uri.clone();
            move || {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                runtime.block_on(initiate(port, &uri));
            }
        };
        thread::spawn(initiated)
            .join()
            .expect("the MongoDB server comes up");
        Self {
            uri,
            _watchdog: Some(watchdog),
        }
    }
}

/// Makes the server a replica set of one and waits until it takes writes: looking for a server is the driver's own
/// waiting.
async fn initiate(port: u16, uri: &str) {
    let member = doc! { "_id": 0, "host": format!("127.0.0.1:{port}") };
    let set = doc! { "_id": "it", "members": [member] };
    let direct = client(&format!("mongodb://127.0.0.1:{port}/?directConnection=true")).await;
    command(&direct, doc! { "replSetInitiate": set }).await;
    command(&client(uri).await, doc! { "ping": 1 }).await;
}

async fn client(uri: &str) -> Client {
    let mut options = ClientOptions::parse(uri).await.expect("a good address");
    options.server_selection_timeout = Some(Duration::from_secs(START_TIMEOUT_S));
    Client::with_options(options).expect("a client")
}

async fn command(client: &Client, command: Document) {
    client
        .database("admin")
        .run_command(command)
        .await
        .expect("the server does as told");
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

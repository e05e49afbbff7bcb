//! Eight real processes before one bucket, in one SQLite file and in one MongoDB: this test binary started again, and a
//! small HTTP server that counts what they ask it and refuses what is too much.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::Instant,
};

use patchbay::store::DatabaseUrl;
use tempfile::TempDir;

use super::*;
use crate::harness::mongod;

/// Where a child finds the database; without it, the test that the children run does nothing.
const DATABASE: &str = "PATCHBAY_TEST_DATABASE";
/// Where it finds the server.
const METER: &str = "PATCHBAY_TEST_METER";

const PROCESSES: usize = 8;

/// Callers of each process that always want another turn.
const CALLERS: u64 = 3;

/// How long they hammer. The first moments belong to the start of the processes.
const LASTS: Duration = Duration::from_secs(8);

/// How much later one call may arrive than another that was sent in the same moment: eight processes share a processor or
/// two. Calls that are late by this fall into the window of those after them; the bucket itself has no such slack.
const NETWORK: Duration = Duration::from_millis(400);

/// What the server saw.
#[derive(Default)]
struct Meter {
    calls: Mutex<Vec<Instant>>,
    refused: Mutex<Vec<(usize, Duration)>>,
}

impl Meter {
    /// Whether one more call now is within the bucket's limit, for all windows that end with it.
    fn allows_one_more(&self) -> bool {
        let mut calls = self.calls.lock().expect("no panic in here");
        let now = now();
        calls.push(now);
        let spacing = Duration::from_millis(LASTFM.spacing_ms.into());
        for (count, from) in (1..).zip(calls.iter().rev()) {
            let window = now.duration_since(*from) + NETWORK;
            let refill = window.as_millis() / spacing.as_millis();
            let may = u128::from(LASTFM.capacity) + refill;
            if count as u128 > may {
                let mut refused = self.refused.lock().expect("no panic in here");
                refused.push((count, now.duration_since(*from)));
                return false;
            }
        }
        true
    }

    /// Answers on one connection, as long as it lives.
    fn serve(&self, mut connection: TcpStream) {
        let mut lines = BufReader::new(connection.try_clone().expect("a connection"));
        loop {
            let mut line = String::new();
            match lines.read_line(&mut line) {
                // Killed, or done.
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => {}
                Ok(_) => continue,
            }
            let status = if self.allows_one_more() {
                "200 OK"
            } else {
                "429 Too Many Requests"
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            if connection.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes take real time")]
fn now() -> Instant {
    Instant::now()
}

/// A process, killed with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already, or to be ended: nothing else can be wrong here.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    fn start(database: &str, meter: &str) -> Self {
        let child = Command::new(env::current_exe().expect("this binary"))
            .args(["--exact", "limits::processes::child", "--ignored", "--nocapture"])
            .env(DATABASE, database)
            .env(METER, meter)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        Self(child.expect("a second process"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the part of a second process in the tests below"]
async fn child() {
    let (Ok(database), Ok(meter)) = (variable(DATABASE), variable(METER)) else {
        return;
    };
    let store = database.parse::<DatabaseUrl>().expect("a good URL").open();
    let pacer = Pacer::new(LASTFM, store.expect("a database"), System::real());
    let callers = (0..CALLERS).map(|number| tokio::spawn(hammer(pacer.clone(), meter.clone(), number)));
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("it goes on until it is killed");
    }
}

#[expect(clippy::disallowed_methods, reason = "this is how a test tells its children")]
fn variable(name: &str) -> Result<String, env::VarError> {
    env::var(name)
}

/// Asks for turns without end; the first caller hangs up now and then, the second does not use every turn.
async fn hammer(pacer: Pacer, meter: String, number: u64) {
    let mut connection = TcpStream::connect(meter).expect("a server");
    connection.set_nodelay(true).expect("a socket");
    let class = if number == 0 {
        Class::Interactive
    } else {
        Class::Background
    };
    for round in 0_u64.. {
        let turn = pacer.turn("hammered", class, Duration::from_mins(1));
        let turn = if number == 1 && round % 3 == 0 {
            let hangs_up_after = Duration::from_millis(37 * (round % 20));
            match System::real().within(hangs_up_after, turn).await {
                Some(turn) => turn,
                None => continue,
            }
        } else {
            turn.await
        };
        let turn = turn.expect("a turn");
        if number == 2 && round % 5 == 0 {
            drop(turn);
            continue;
        }
        turn.spend();
        connection
            .write_all(b"GET / HTTP/1.1\r\nhost: meter\r\n\r\n")
            .expect("a server that reads");
        let mut answer = [0; 256];
        let length = connection.read(&mut answer).expect("a server that answers");
        assert!(length > 0, "the server has gone");
    }
}

fn eight_processes_hammer(database: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let meter = Arc::new(Meter::default());
    {
        let meter = Arc::clone(&meter);
        // Both end with the test run.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let meter = Arc::clone(&meter);
                thread::spawn(move || meter.serve(connection));
            }
        });
    }
    let processes: Vec<_> = (0..PROCESSES)
        .map(|_| Process::start(database, &address))
        .collect();
    let first = wait_for_the_first(&meter);
    thread::sleep(LASTS);
    let calls = meter.calls.lock().expect("no panic in here").clone();
    let lasted = now().duration_since(first);
    drop(processes);
    let refused = meter.refused.lock().expect("no panic in here").clone();
    assert!(refused.is_empty(), "refused (calls, within): {refused:?}");
    let may = u128::from(LASTFM.capacity) + lasted.as_millis() / u128::from(LASTFM.spacing_ms);
    assert!(
        calls.len() as u128 * 100 >= may * 90,
        "{} calls of {may} in {lasted:?}",
        calls.len()
    );
}

fn wait_for_the_first(meter: &Meter) -> Instant {
    loop {
        if let Some(first) = meter.calls.lock().expect("no panic in here").first() {
            return *first;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn eight_processes_with_one_file_are_never_refused() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("grants.db");
    eight_processes_hammer(&format!("sqlite://{}", file.display()));
}

#[test]
fn eight_processes_with_one_mongodb_are_never_refused() {
    // Only MongoDB may be missing.
    if let Some(url) = mongod::fresh_database_url() {
        eight_processes_hammer(&url);
    }
}

//! One SQLite file, several processes: real ones, this test binary started again.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stderr, stdin},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::Barrier,
    thread,
};

use patchbay::{
    ids::Slot,
    store::{SqliteStore, Store},
};
use tempfile::TempDir;

use super::{races::stories::count_up, user};

/// What a child is to do; without it, the test that the children run does nothing.
const ROLE: &str = "PATCHBAY_TEST_ROLE";
/// The database file.
const FILE: &str = "PATCHBAY_TEST_FILE";

/// How often a counting process counts.
const COUNTS: u64 = 40;

/// A process of its own, killed with this.
struct Process {
    child: Child,
    /// What it says; standard output belongs to the test harness in it.
    says: BufReader<ChildStderr>,
}

impl Process {
    fn start(role: &str, file: &Path) -> Self {
        let mut child = Command::new(env::current_exe().expect("this binary"))
            .args(["--exact", "store::processes::child", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a second process");
        let says = BufReader::new(child.stderr.take().expect("its voice"));
        let mut process = Self { child, says };
        assert_eq!(process.line().as_deref(), Some("ready"));
        process
    }

    /// Its next line; `None` once it has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.says.read_line(&mut line).expect("text");
        (length > 0).then(|| line.trim_end().to_owned())
    }

    fn go(&mut self) {
        let gate = self.child.stdin.as_mut().expect("its gate");
        gate.write_all(b"go\n").expect("a process that listens");
    }

    fn finish(mut self) {
        while let Some(line) = self.line() {
            eprintln!("{line}");
        }
        assert!(self.child.wait().expect("its end").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already, or to be ended: nothing else can be wrong here.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
#[ignore = "the part of a second process in the tests below"]
async fn child() {
    let (Some(role), Some(file)) = (env::var_os(ROLE), env::var_os(FILE)) else {
        return;
    };
    say("ready");
    stdin().read_line(&mut String::new()).expect("the word to go");
    let store = SqliteStore::open(Path::new(&file)).expect("a database");
    match role.to_str() {
        Some("count") => {
            for _ in 0..COUNTS {
                count_up(&store, &user("ada")).await;
            }
        }
        Some("write until killed") => {
            for n in (0..5).cycle() {
                let id = format!("user-{n}");
                let version = count_up(&store, &user(&id)).await;
                say(&format!("{id} {}", version.0));
            }
        }
        _ => panic!("no such part: {role:?}"),
    }
}

fn say(line: &str) {
    writeln!(stderr(), "{line}").expect("somebody who listens");
}

#[tokio::test]
async fn two_processes_lose_no_write() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("grants.db");
    let store = SqliteStore::open(&file).expect("a database");
    let mut others: Vec<_> = (0..2).map(|_| Process::start("count", &file)).collect();
    others.iter_mut().for_each(Process::go);
    for _ in 0..COUNTS {
        count_up(&store, &user("ada")).await;
    }
    others.into_iter().for_each(Process::finish);
    let found = store.find_user(&user("ada")).await.expect("an answer");
    assert_eq!(found.integrations[&Slot::Spotify].generation, 3 * COUNTS);
}

#[tokio::test]
async fn processes_that_start_at_once_on_a_new_file_all_start() {
    for _ in 0..3 {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("data/grants.db");
        let mut processes: Vec<_> = (0..5).map(|_| Process::start("count", &file)).collect();
        processes.iter_mut().for_each(Process::go);
        processes.into_iter().for_each(Process::finish);
        let store = SqliteStore::open(&file).expect("a database");
        let found = store.find_user(&user("ada")).await.expect("an answer");
        assert_eq!(found.integrations[&Slot::Spotify].generation, 5 * COUNTS);
    }
}

/// The same without the time that a process takes to start, so that the first moments overlap: to SQLite, a connection of
/// this process is as foreign as one of another.
#[test]
fn stores_that_open_at_the_very_same_moment_all_open() {
    for _ in 0..20 {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("grants.db");
        let gate = Barrier::new(6);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    gate.wait();
                    SqliteStore::open(&file).expect("a database");
                });
            }
        });
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("grants.db");
    for _ in 0..3 {
        let mut writer = Process::start("write until killed", &file);
        writer.go();
        let mut acknowledged = Vec::new();
        for _ in 0..30 {
            acknowledged.push(writer.line().expect("a writer at work"));
        }
        writer.child.kill().expect("a writer to kill");
        // What it said with its last breath counts too; a line that was cut off does not.
        while let Some(line) = writer.line() {
            acknowledged.push(line);
        }

        let store = SqliteStore::open(&file).expect("a database");
        for line in &acknowledged {
            let Some((id, version)) = line.split_once(' ') else {
                continue;
            };
            let found = store.find_user(&user(id)).await.expect("an answer");
            assert!(
                found.version.0 >= version.parse().expect("a version"),
                "{line} was lost"
            );
            assert!(found.integrations[&Slot::Spotify].generation > 0);
        }
        count_up(&store, &user("user-0")).await;
    }
    let connection = rusqlite::Connection::open(&file).expect("the file");
    let check: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("an answer");
    assert_eq!(check, "ok");
}

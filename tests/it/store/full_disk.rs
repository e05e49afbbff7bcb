//! The disk of a SQLite file is full when a new token is to be written.

use std::{
    env,
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::renewing::{Scene, got_token};
use crate::harness::process::{Process, Site};

/// What the service says once it listens.
const READY: &str = "patchbay is ready: ";

/// The service under a limit on the size of files, which is lowered and lifted while it runs. By itself it would die of
/// it, where on a full disk a write fails; and what it says must go nowhere that the limit is for.
fn limited(site: &Site) -> Process {
    let child = site
        .command("/bin/sh")
        .args([
            "-c",
            r#"trap "" XFSZ; exec "$0" serve"#,
            env!("CARGO_BIN_EXE_patchbay"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    let mut service = Process(child);
    service.says_up_to(READY);
    service
}

/// Sets how large a file may be that this process writes to.
fn limit(process: u32, size: &str) {
    let set = Command::new("prlimit")
        .args(["--pid", &process.to_string(), &format!("--fsize={size}:")])
        .status();
    assert!(set.expect("prlimit(1)").success(), "no limit was set");
}

#[tokio::test]
async fn no_file_takes_a_write_while_a_renewal_ends() {
    let site = Site::new().await;
    let service = limited(&site);
    let process = service.id();
    let no_space = || {
        limit(process, "1");
        move || limit(process, "unlimited")
    };
    story(site, service, no_space).await;
}

/// Set in the process that has a small disk.
const SMALL_DISK: &str = "PATCHBAY_TEST_SMALL_DISK";

/// Gives the rest of the command a small disk in the folder for temporary files, which nobody else sees.
const WITH_SMALL_DISK: &str = r#"mount -t tmpfs -o size=16m tmpfs "$TMPDIR" && exec "$0" "$@""#;

/// The same on a real file system that is really full, where this machine lets an ordinary user have one.
#[test]
fn a_small_disk_is_full_while_a_renewal_ends() {
    let with_small_disk = |program: &Path, arguments: &[&str]| {
        let folder = TempDir::new().expect("a folder");
        Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                WITH_SMALL_DISK,
            ])
            .arg(program)
            .args(arguments)
            .env("TMPDIR", folder.path())
            .env(SMALL_DISK, "1")
            .output()
    };
    if !with_small_disk(Path::new("true"), &[]).is_ok_and(|tried| tried.status.success()) {
        // Past the harness's capture: a skipped test must be seen. What it proves, the test above proves, too.
        writeln!(
            std::io::stderr(),
            "SKIPPED: a really full disk. This machine gives nobody a file system of their own"
        )
        .expect("standard error takes a line");
        return;
    }
    let this = env::current_exe().expect("this binary");
    let test = [
        "--exact",
        "store::full_disk::on_a_small_disk",
        "--ignored",
        "--nocapture",
    ];
    let told = with_small_disk(&this, &test).expect("a second process");
    let said = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "the part of a second process in the test above"]
async fn on_a_small_disk() {
    if env::var_os(SMALL_DISK).is_none() {
        return;
    }
    let site = Site::new().await;
    let service = site.serve();
    let filler = env::temp_dir().join("filler");
    let no_space = || {
        let mut file = File::create(&filler).expect("a file");
        while file.write_all(&[0; 1024]).is_ok() {}
        || fs::remove_file(filler).expect("the filler")
    };
    story(site, service, no_space).await;
}

/// `no_space` takes the space away, and gives what brings it back.
async fn story<Free: FnOnce()>(site: Site, service: Process, no_space: impl FnOnce() -> Free) {
    let (file, view) = (site.file(), site.variables["DATABASE_URL"].clone());
    let scene = Scene::set(site, service, &view).await;
    let asked = scene.renewal_in_flight().await;
    let free = no_space();
    scene.provider_answers();
    let got = got_token(asked).await;
    // And not only at the moments in which it tries to write.
    for _ in 0..20 {
        assert!(!scene.is_ready().await);
    }

    assert_eq!(scene.unwritten().await, Some(1));
    scene.gives_again(&got).await;

    free();
    scene.ended_well(&got).await;
    let check: String = Connection::open(file)
        .expect("the database file")
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("an answer");
    assert_eq!(check, "ok");
}

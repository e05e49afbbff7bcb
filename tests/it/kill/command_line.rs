//! The binary as somebody types it: what it prints, where it complains, and how it ends.

use std::{
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use patchbay::vault::KeyRing;
use serde_json::Value;

use super::{rewrite, signed_in, stored};
use crate::harness::{
    network,
    process::{Process, Site, free_port},
};

const PATCHBAY: &str = env!("CARGO_BIN_EXE_patchbay");

const EXPIRES_AT: &str = "$.integrations.spotify.expiresAt";

#[test]
fn keys_prints_a_ring_that_can_be_used_and_never_the_same() {
    let keys = || {
        let output = Command::new(PATCHBAY)
            .arg("keys")
            .env_clear()
            .output()
            .expect("the binary runs");
        assert!(output.status.success());
        let line = text(&output.stdout);
        line.trim_end()
            .strip_prefix("SPOTIFY_USER_SECRET_KEY=")
            .expect("a line of an .env file")
            .to_owned()
    };
    let ring = keys();
    ring.parse::<KeyRing>().expect("a ring that parses");
    assert_ne!(ring, keys());
}

#[tokio::test]
async fn a_bad_variable_stops_the_start_by_its_name_and_never_its_value() {
    const VALUE: &str = "k1:dG9vLXNob3J0LXRvLWJlLWEta2V5";
    let cases = [
        ("SPOTIFY_USER_SECRET_KEY", VALUE),
        ("SPOTIFY_STATE_SECRET", "too-short-a-secret"),
        ("DATABASE_URL", "postgres://somebody:hunter2@db.example/x"),
        ("LOCAL_SIGN_IN", "perhaps-tomorrow"),
        ("REFRESH_MARGIN_S", "fortnight"),
        ("APP_URL", "http://localhost:8787/private-path"),
    ];
    for (variable, value) in cases {
        let mut site = Site::new().await;
        site.variables.insert(variable, value.to_owned());
        let output = run(&site, &["serve"]);
        assert_eq!(output.status.code(), Some(1), "{variable}");
        let said = text(&output.stderr);
        assert!(said.contains(variable), "{variable} is not named: {said}");
        assert!(!said.contains(value), "{variable} is told: {said}");
        assert_eq!(text(&output.stdout), "", "{variable}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let mut site = Site::new().await;
    site.variables.insert("SPOTIFY_USER_SECRET_KEY", String::new());
    site.variables.insert("LOCAL_SIGN_IN", "off".to_owned());
    let said = text(&run(&site, &["refresh", "--once"]).stderr);
    for variable in ["SPOTIFY_USER_SECRET_KEY", "AUTH_JWT_SECRET"] {
        assert!(said.contains(variable), "{variable} is not named: {said}");
    }
}

#[tokio::test]
async fn refresh_renews_what_is_due_and_says_so_in_json() {
    let site = Site::new().await;
    let service = site.serve();
    signed_in(&site, "ana")
        .await
        .connect("/api/spotify/auth-url")
        .await;
    service.kill();
    for path in [
        EXPIRES_AT,
        "$.integrations.spotify.updatedAt",
        "$.patchbay.nextDueAt",
    ] {
        rewrite(&site, "local:ana", path, 1);
    }

    let summary = refreshed(&site).await;
    assert_eq!(
        (&summary["visited"], &summary["renewed"], &summary["failed"]),
        (&1.into(), &1.into(), &0.into())
    );
    assert!(stored::<i64>(&site, "local:ana", EXPIRES_AT) > 1);
    let summary = refreshed(&site).await;
    assert_eq!(summary["visited"], 0);
}

/// The sandbox answers from this runtime, so the command must not block it.
async fn refreshed(site: &Site) -> Value {
    let mut command = site.command(PATCHBAY);
    command.args(["refresh", "--once"]);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("no panic");
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON value and nothing else")
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_its_remedy() {
    let site = Site::new().await;
    let _taken = TcpListener::bind(site.address()).expect("a free port");
    let output = run(&site, &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let (host, port) = site.address();
    assert!(
        said.contains(&format!("cannot listen on {host}:{port}")) && said.contains("PORT"),
        "{said}"
    );
    assert_eq!(text(&output.stdout), "", "it says that it is ready");
}

#[tokio::test]
async fn a_first_run_needs_nothing() {
    let mut command = Command::new(PATCHBAY);
    command.env_clear().env("PORT", free_port().to_string());
    let (_process, lines) = started(command, "Nothing is kept");
    let url = lines[0].strip_prefix("patchbay is ready: ").expect("where it is");
    let client = network::client();
    let get = async |url: &str| client.get(url).send().await.expect("it answers");
    let page = get(url).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.expect("a page").contains("<html"));
    let session: Value = get(&format!("{url}/api/session"))
        .await
        .json()
        .await
        .expect("JSON");
    let sandbox = session["setup"]["demo"]["sandboxUrl"]
        .as_str()
        .expect("a sandbox");
    assert_eq!(get(sandbox).await.status(), 200);
}

#[tokio::test]
async fn a_sandbox_prints_the_lines_that_point_an_application_at_it() {
    let mut command = Command::new(PATCHBAY);
    command.args(["sandbox", "--port", "0"]).env_clear();
    let (_process, lines) = started(command, "SPOTIFY_CLIENT_SECRET=");
    let value = |name: &str| {
        let line = lines
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name} in {lines:#?}"))
    };
    let client = network::client();
    let token = client
        .post(format!("{}/api/token", value("SPOTIFY_ACCOUNTS_URL")))
        .basic_auth(value("SPOTIFY_CLIENT_ID"), Some(value("SPOTIFY_CLIENT_SECRET")))
        .form(&[("grant_type", "client_credentials")]);
    assert_eq!(token.send().await.expect("it answers").status(), 200);
    let me = client
        .get(format!("{}/me", value("SPOTIFY_API_URL")))
        .send()
        .await
        .expect("it answers");
    assert_eq!(me.status(), 401);
}

/// A process, and what it said up to the line that begins so.
fn started(mut command: Command, last: &str) -> (Process, Vec<String>) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut process = Process(command.spawn().expect("the binary starts"));
    let lines = process.says_up_to(last);
    (process, lines)
}

/// Runs the binary at the site until it ends.
fn run(site: &Site, arguments: &[&str]) -> Output {
    site.command(PATCHBAY)
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

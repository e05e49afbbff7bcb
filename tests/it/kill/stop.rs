//! Told to stop: who is being answered gets the answer, and the process ends well and soon.

use std::{
    net::TcpStream,
    process::ExitStatus,
    time::{Duration, Instant},
};

use sandbox::Catalog;
use serde_json::json;

use super::signed_in;
use crate::harness::{
    browser::consent,
    process::{Process, Site},
};

/// The service waits twice as long for answers that do not come; none of these tests has one.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_request_in_flight_is_answered() {
    let site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    let started = ana.get("/api/spotify/auth-url").await.expect(200);
    let callback = consent(started["url"].as_str().expect("an address")).await;

    site.sandbox.world().hold("/api/token");
    let waiting = tokio::spawn(async move { ana.get(&callback).await });
    site.sandbox.arrived("/api/token").await;
    service.terminate();
    // It has heard when it takes no more callers.
    while TcpStream::connect(site.address()).is_ok() {
        tokio::task::yield_now().await;
    }
    site.sandbox.world().release("/api/token");
    let answer = waiting.await.expect("an answer");
    assert!(
        answer.location().contains("auth=success"),
        "{}",
        answer.location()
    );
    assert!(ended_soon(service).success());

    let _service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    assert_eq!(
        ana.get("/api/spotify/status?token=false").await.expect(200)["tokenHealth"],
        "healthy"
    );
}

#[tokio::test]
async fn an_export_ends_at_its_next_call_and_goes_on_at_once_elsewhere() {
    let site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    ana.connect("/api/spotify/auth-url").await;
    site.sandbox.world().hold("/v1/tracks/");
    let mut waiting = ana.clone();
    let songs: Vec<_> = Catalog::default()
        .iter()
        .take(6)
        .map(|track| json!({"title": "?", "spotifyId": track.id}))
        .collect();
    let list = json!({"name": "Interrupted", "songs": songs});
    let waiting = tokio::spawn(async move { waiting.post("/api/playlist/export", list).await });
    site.sandbox.arrived("/v1/tracks/").await;
    service.terminate();
    while TcpStream::connect(site.address()).is_ok() {
        tokio::task::yield_now().await;
    }
    site.sandbox.world().release("/v1/tracks/");
    let parked = waiting.await.expect("an answer").expect(202);
    assert_eq!(parked["code"], "time_budget");
    assert!(ended_soon(service).success());

    let _service = site.serve();
    let path = format!(
        "/api/playlist/export?id={}",
        parked["exportId"].as_str().expect("an id")
    );
    let mut ana = signed_in(&site, "ana").await;
    // No lease is left that would have to run out first.
    let done = ana.post(&path, json!({})).await.expect(200);
    assert_eq!(done["tracksAdded"], 6);
}

#[tokio::test]
async fn callers_who_say_nothing_do_not_keep_it_from_stopping() {
    let site = Site::new().await;
    let service = site.serve();
    let silent = TcpStream::connect(site.address()).expect("it listens");
    let idle = idle_after_an_answer(&site);
    service.terminate();
    assert!(ended_soon(service).success());
    drop((silent, idle));
}

/// A connection that is kept after its first answer.
fn idle_after_an_answer(site: &Site) -> TcpStream {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(site.address()).expect("it listens");
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: patchbay\r\n\r\n")
        .expect("it reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 200");
    stream
}

fn ended_soon(service: Process) -> ExitStatus {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time that passes outside this process is what is asserted"
    )]
    let asked = Instant::now();
    let status = service.ended();
    assert!(
        asked.elapsed() < STOPS_WITHIN,
        "it took {:?} to stop",
        asked.elapsed()
    );
    status
}

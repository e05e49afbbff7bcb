//! Killed under a load of writes: the file opens, and what somebody was told is true.

use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};

use super::{GONE, browser, database, signed_in};
use crate::harness::{
    browser::{Browser, consent},
    process::Site,
};

/// Who connects at a time.
const WRITERS: usize = 6;
/// Connections that are told of before the kill.
const TOLD: usize = 15;
/// How often it is killed.
const KILLS: usize = 2;

#[tokio::test]
async fn nothing_that_was_told_is_lost() {
    let site = Site::new().await;
    let mut connected = Vec::new();
    for kill in 0..KILLS {
        let service = site.serve();
        let (tell, mut told) = unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(keep_connecting(
                browser(&site),
                format!("{kill}-{writer}"),
                tell.clone(),
            ));
        }
        drop(tell);
        for _ in 0..TOLD {
            connected.push(told.recv().await.expect("writers at work"));
        }
        service.kill();
        writers.join_all().await;
        while let Some(name) = told.recv().await {
            connected.push(name);
        }
        let check: String = database(&site)
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("an answer");
        assert_eq!(check, "ok");
    }

    let _service = site.serve();
    for name in connected {
        let mut person = signed_in(&site, &name).await;
        let status = person.get("/api/spotify/status?token=false").await.expect(200);
        assert_eq!(status["tokenHealth"], "healthy", "{name} was told so: {status}");
    }
}

/// Connects one person after another, and tells who is connected, until nobody answers.
async fn keep_connecting(nobody: Browser, writer: String, tell: UnboundedSender<String>) {
    for n in 0.. {
        let name = format!("{writer}-{n}");
        let mut person = nobody.clone();
        let signed_in = person
            .post("/api/session", serde_json::json!({"name": name}))
            .await;
        let started = person.get("/api/spotify/auth-url").await;
        if [signed_in.status, started.status].contains(&GONE) {
            return;
        }
        let callback = consent(started.expect(200)["url"].as_str().expect("an address")).await;
        let finished = person.get(&callback).await;
        if finished.status == GONE {
            return;
        }
        assert!(finished.location().contains("auth=success"));
        tell.send(name).expect("a test that listens");
    }
}

//! `GET /api/spotify/status?token=false`: a poll costs one read, and says so when nothing changed.

use std::time::Duration;

use http::header;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::STANDARD;
use crate::harness::{app::TestApp, browser::Browser};

const STATUS: &str = "/api/spotify/status";
const POLL: &str = "/api/spotify/status?token=false";
const MIN: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_poll_asks_nobody_and_writes_nothing() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.sandbox.world().clear_requests();
    let before = app.document("ana").await;
    for age in [Duration::ZERO, 56 * MIN, HOUR, 200 * 24 * HOUR] {
        app.advance(age);
        let mut ana = app.signed_in("ana").await;
        for _ in 0..3 {
            ana.get(POLL).await.expect(200);
        }
    }
    assert_eq!(app.sandbox.world().requests(), []);
    assert_eq!(app.document("ana").await, before);
}

/// A poll that knows what it was told before.
async fn poll_again(person: &mut Browser, known: &str) -> (u16, String) {
    person
        .headers
        .insert(header::IF_NONE_MATCH, known.parse().expect("a header value"));
    let answer = person.get(POLL).await;
    person.headers.remove(header::IF_NONE_MATCH);
    let tag = answer.headers[header::ETAG].to_str().expect("text").to_owned();
    assert_eq!(answer.bytes.is_empty(), answer.status == 304);
    (answer.status.as_u16(), tag)
}

#[tokio::test]
async fn a_poll_is_answered_304_until_something_news_count() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let (status, mut known) = poll_again(&mut ana, "\"nothing\"").await;
    assert_eq!(status, 200);
    assert_eq!(poll_again(&mut ana, &known).await, (304, known.clone()));

    let mut news_count = 0;
    let mut changed = async |person: &mut Browser, what: &str| {
        let (status, tag) = poll_again(person, &known).await;
        assert_eq!(status, 200, "{what} is news");
        assert_ne!(tag, known, "{what}");
        assert_eq!(
            poll_again(person, &tag).await,
            (304, tag.clone()),
            "{what} is no news any more"
        );
        known = tag;
        news_count += 1;
    };
    ana.connect(STANDARD).await;
    changed(&mut ana, "a connection").await;
    app.advance(HOUR);
    changed(&mut ana, "that the token has run out").await;
    app.sandbox
        .world()
        .fault(Fault::on("POST", "/api/token", FaultKind::html(503)));
    ana.get(STATUS).await.expect(200);
    changed(&mut ana, "that it cannot be renewed").await;
    app.sandbox.world().clear_faults();
    app.advance(MIN);
    ana.get(STATUS).await.expect(200);
    changed(&mut ana, "a new token").await;
    app.advance(24 * HOUR);
    changed(&mut ana, "that a day is over").await;
    ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
    changed(&mut ana, "that it was disconnected").await;
    assert_eq!(news_count, 6);

    for among_others in [format!("\"x\", {known}"), format!("{known},W/\"y\"")] {
        assert_eq!(poll_again(&mut ana, &among_others).await.0, 304, "{among_others}");
    }
    // One person's tag says nothing to another.
    let mut ben = app.connected("ben").await;
    assert_eq!(poll_again(&mut ben, &known).await.0, 200);
}

//! `GET /api/spotify/status`: the truth, whole, in every state.

use std::{sync::Arc, time::Duration};

use http::header;
use patchbay::store::DatabaseUrl;
use sandbox::{DEMO_APP, Fault, FaultKind, OWN_APP};
use serde_json::{Value, json};

use crate::harness::{
    app::{Setup, TestApp},
    browser::Browser,
    flaky_store::{Call, FlakyStore, When},
};

const STATUS: &str = "/api/spotify/status";
const POLL: &str = "/api/spotify/status?token=false";
const OTHER_KEYS: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const MIN: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What existing front ends read; `accessToken` is left out of polls.
const FIELDS: [&str; 20] = [
    "accountId",
    "avatarUrl",
    "connected",
    "daysLeft",
    "displayName",
    "errorReason",
    "expiresAt",
    "grantExpiresAt",
    "hasByoCredentials",
    "lastUpdated",
    "message",
    "missingScopes",
    "mode",
    "needsReauth",
    "nextPollAfterMs",
    "remedy",
    "scopes",
    "spotifyUserId",
    "tokenAge",
    "tokenHealth",
];

#[track_caller]
fn assert_whole(status: &Value) {
    let fields: Vec<_> = status
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = FIELDS.to_vec();
    if fields.contains(&"accessToken") {
        expected.push("accessToken");
        expected.sort_unstable();
    }
    assert_eq!(fields, expected);
    let is_healthy = status["tokenHealth"] == "healthy";
    assert_eq!(
        status["errorReason"].is_null(),
        is_healthy || status["connected"] == false,
        "{status}"
    );
    assert_eq!(
        status["needsReauth"],
        status["tokenHealth"] == "needs_reauth",
        "{status}"
    );
    assert!(
        status["nextPollAfterMs"].as_u64().is_some_and(|ms| ms >= 1000),
        "{status}"
    );
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{status}"
    );
    if !is_healthy && status["connected"] == true {
        assert!(status["remedy"].is_string(), "{status}");
    }
}

/// The poll and then the whole answer. Both are whole, and only one has a token.
async fn both(person: &mut Browser) -> (Value, Value) {
    let poll = person.get(POLL).await.expect(200);
    let full = person.get(STATUS).await.expect(200);
    assert_whole(&poll);
    assert_whole(&full);
    assert!(poll.get("accessToken").is_none(), "{poll}");
    assert!(
        full.get("accessToken").is_some(),
        "null where there is none: {full}"
    );
    (poll, full)
}

/// Health, reason, and whether there is a token.
fn summary(status: &Value) -> (&str, &str, bool) {
    let text = |name: &str| status[name].as_str().unwrap_or("-");
    (
        text("tokenHealth"),
        text("errorReason"),
        status["accessToken"].is_string(),
    )
}

fn fail_renewals(app: &TestApp) {
    app.sandbox
        .world()
        .fault(Fault::on("POST", "/api/token", FaultKind::html(503)));
}

#[tokio::test]
async fn nothing_connected_is_said_plainly() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let (poll, full) = both(&mut ana).await;
    for status in [poll, full] {
        assert_eq!(status["connected"], false);
        assert_eq!(status["tokenHealth"], Value::Null);
        assert_eq!(status["needsReauth"], false);
        assert_eq!(status["hasByoCredentials"], false);
    }
    assert_eq!(app.browser().get(STATUS).await.problem(401), "not_signed_in");
}

#[tokio::test]
async fn a_fresh_connection_says_who_and_until_when() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.advance(MIN);
    let (_, status) = both(&mut ana).await;
    let now = app.clock.now_ms();
    let an_hour_ms = 60 * 60 * 1000;
    let half_a_year_ms = 180 * 24 * an_hour_ms;
    for (field, value) in [
        ("connected", json!(true)),
        ("mode", json!("standard")),
        ("spotifyUserId", json!("ana")),
        ("accountId", json!("AnaAnaAnaAna")),
        ("displayName", json!("Ana")),
        ("missingScopes", json!([])),
        ("expiresAt", json!(now - 60_000 + an_hour_ms)),
        ("lastUpdated", json!(now - 60_000)),
        ("tokenAge", json!(60_000)),
        ("tokenHealth", json!("healthy")),
        ("grantExpiresAt", json!(now - 60_000 + half_a_year_ms)),
        ("daysLeft", json!(180)),
        ("hasByoCredentials", json!(false)),
        ("remedy", Value::Null),
    ] {
        assert_eq!(status[field], value, "{field}");
    }
    assert_eq!(status["scopes"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn it_is_never_healthy_about_a_token_that_is_not() {
    struct Case {
        name: &'static str,
        age: Duration,
        poll: (&'static str, &'static str, bool),
        full: (&'static str, &'static str, bool),
    }
    let cases = [
        Case {
            name: "run out, but renewed on demand",
            age: HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("healthy", "-", true),
        },
        Case {
            name: "renewals fail, and life is left",
            age: 56 * MIN,
            poll: ("healthy", "-", false),
            full: ("degraded", "renewal_failing", true),
        },
        Case {
            name: "renewals fail",
            age: HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("degraded", "renewal_failing", false),
        },
        Case {
            name: "revoked",
            age: HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("needs_reauth", "grant_revoked", false),
        },
        Case {
            name: "six months over",
            age: 181 * 24 * HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("needs_reauth", "grant_expired", false),
        },
        Case {
            name: "the app's secret was changed",
            age: HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("app_error", "client_refused", false),
        },
        Case {
            name: "the app's secret was changed, and life is left",
            age: 56 * MIN,
            poll: ("healthy", "-", false),
            full: ("app_error", "client_refused", true),
        },
        Case {
            name: "the app was deleted",
            age: HOUR,
            poll: ("degraded", "renewal_due", false),
            full: ("app_error", "client_refused", false),
        },
    ];
    for Case {
        name,
        age,
        poll,
        full,
    } in cases
    {
        let app = TestApp::start().await;
        app.connected("ana").await;
        app.advance(age);
        let mut ana = app.signed_in("ana").await;
        if name.starts_with("renewals fail") {
            fail_renewals(&app);
        } else if name.starts_with("revoked") {
            app.sandbox.world().revoke_user("ana");
        } else if name.starts_with("the app's secret") {
            app.sandbox
                .world()
                .rotate_secret(DEMO_APP.client_id)
                .expect("an app");
        } else if name.starts_with("the app was deleted") {
            app.sandbox
                .world()
                .delete_app(DEMO_APP.client_id)
                .expect("an app");
        }
        let (polled, first) = both(&mut ana).await;
        assert_eq!(summary(&polled), poll, "{name}, polled");
        assert_eq!(summary(&first), full, "{name}");
        // What was learned stays said, polled or not.
        let (polled, again) = both(&mut ana).await;
        assert_eq!(summary(&polled), (full.0, full.1, false), "{name}, polled again");
        assert_eq!(summary(&again), full, "{name}, again");
    }
}

#[tokio::test]
async fn a_lost_key_is_told_and_nothing_is_lost_by_asking() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let before = app.document("ana").await;
    for age in [Duration::ZERO, HOUR] {
        app.advance(age);
        let other = app
            .another_process()
            .sandbox(app.sandbox.clone())
            .variable("SPOTIFY_USER_SECRET_KEY", OTHER_KEYS);
        let other = other.start().await;
        let mut there = other.signed_in("ana").await;
        for _ in 0..2 {
            let (poll, full) = both(&mut there).await;
            assert_eq!(summary(&poll), ("app_error", "unreadable", false));
            assert_eq!(summary(&full), ("app_error", "unreadable", false));
        }
    }
    let sealed = |document: &patchbay::store::UserDocument| -> Vec<_> {
        document
            .integrations
            .values()
            .map(|grant| grant.refresh_token_enc.clone())
            .collect()
    };
    assert_eq!(sealed(&app.document("ana").await), sealed(&before));
    app.advance(HOUR);
    let (_, found_again) = both(&mut ana).await;
    assert_eq!(summary(&found_again), ("healthy", "-", true));
}

#[tokio::test]
async fn a_new_key_in_front_loses_nothing() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let both_keys = format!("{OTHER_KEYS},k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let rotated = app.another_process().sandbox(app.sandbox.clone());
    let rotated = rotated
        .variable("SPOTIFY_USER_SECRET_KEY", both_keys)
        .start()
        .await;
    let mut there = rotated.signed_in("ana").await;
    assert_eq!(summary(&both(&mut there).await.1), ("healthy", "-", true));
    app.advance(HOUR);
    assert_eq!(summary(&both(&mut there).await.1), ("healthy", "-", true));
    let access_token = app.grant("ana").await.access_token_enc.expect("a token");
    assert!(
        access_token.starts_with("v1.k2."),
        "what is written is sealed by the new key"
    );
}

#[tokio::test]
async fn ones_own_app_is_preferred_where_both_are_connected() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
        .await;
    let preferred = ana.get(STATUS).await.expect(200);
    let own = ana.get("/api/spotify/status?mode=byo").await.expect(200);
    let standard = ana.get("/api/spotify/status?mode=standard").await.expect(200);
    assert_eq!(
        (&preferred["mode"], &standard["mode"]),
        (&json!("byo"), &json!("standard"))
    );
    assert_eq!(preferred["accessToken"], own["accessToken"]);
    assert_ne!(preferred["accessToken"], standard["accessToken"]);
    assert_eq!(standard["hasByoCredentials"], true);
    ana.post("/api/spotify/disconnect-byo", json!({}))
        .await
        .expect(200);
    let left = ana.get(STATUS).await.expect(200);
    assert_eq!(
        (&left["mode"], &left["hasByoCredentials"]),
        (&json!("standard"), &json!(false))
    );
}

#[tokio::test]
async fn a_fresh_token_is_handed_out_without_asking_or_writing() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().clear_requests();
    let before = app.document("ana").await;
    let first = ana.get(STATUS).await.expect(200);
    app.advance(54 * MIN);
    assert_eq!(
        ana.get(STATUS).await.expect(200)["accessToken"],
        first["accessToken"]
    );
    assert_eq!(app.sandbox.world().requests(), []);
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_not_a_disconnected_person() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut ana = app.connected("ana").await;
    for path in [STATUS, POLL] {
        flaky.fail_next(1, Call::FindUser, When::Before);
        let answer = ana.get(path).await;
        assert_eq!(answer.problem(503), "store_unavailable");
        assert_eq!(answer.headers[header::RETRY_AFTER], "2");
        assert_eq!(ana.get(path).await.expect(200)["connected"], true);
    }
    // Away after the first look: the token that is due cannot be renewed, and there is none to hand out.
    app.advance(HOUR);
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_eq!(ana.get(STATUS).await.problem(503), "store_unavailable");
    assert_eq!(ana.get(STATUS).await.expect(200)["tokenHealth"], "healthy");
}

#[tokio::test]
async fn a_mode_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for query in [
        "mode=BYO",
        "mode=",
        "token=0",
        "token=yes",
        "mode=byo&mode=standard",
    ] {
        assert_eq!(
            ana.get(&format!("{STATUS}?{query}")).await.problem(400),
            "invalid_query",
            "{query}"
        );
    }
}

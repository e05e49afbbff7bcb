//! `/api/playlist/export`, as front ends use it. What the room does with songs is in `it/export.rs`.

use std::time::Duration;

use sandbox::{Bucket, DEMO_APP, Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{
    app::{Setup, TestApp},
    browser::Browser,
};

const SCOPES: &str = "playlist-modify-private playlist-modify-public playlist-read-private";

fn songs() -> Value {
    json!([
        {"title": "Teardrop", "artist": "Massive Attack"},
        {"title": "봄날 (Spring Day)", "artist": "BTS", "unknown": "ignored"},
        {"title": "A Song Nobody Wrote", "artist": "Nobody At All"},
        {"title": "teardrop", "artist": "massive attack"},
    ])
}

fn request() -> Value {
    json!({"name": "Late autumn", "songs": songs(), "whatever": {"is": "ignored"}})
}

/// Somebody who brings a Spotify access token, as the first front ends do.
fn bearer(app: &TestApp) -> Browser {
    let tokens = app
        .sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, "ana", SCOPES)
        .expect("ana is there");
    Browser::bearer(app.router.clone(), &tokens.access_token)
}

#[tokio::test]
async fn a_finished_export_has_every_field_and_its_counts_add_up() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let done = ana.post("/api/playlist/export", request()).await.expect(200);
    for field in [
        "success",
        "exportId",
        "playlistId",
        "playlistUrl",
        "mode",
        "usedFallback",
        "accountId",
    ] {
        assert!(!done[field].is_null(), "{field}: {done}");
    }
    assert_eq!(
        (&done["mode"], &done["usedFallback"]),
        (&json!("standard"), &json!(false))
    );
    assert_eq!(
        (&done["tracksAdded"], &done["totalSongs"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(done["matched"][0]["index"], 0);
    assert_eq!(
        done["duplicates"],
        json!([{"index": 3, "uri": done["matched"][0]["uri"], "of": 0}])
    );
    assert_eq!(done["unmatched"][0]["index"], 2);
    assert!(done["unmatched"][0]["reason"].is_string() && done["unmatched"][0]["candidates"].is_array());
    assert_eq!(done["rejected"], json!([]));

    let id = done["exportId"].as_str().expect("an id");
    let seen = ana
        .get(&format!("/api/playlist/export?id={id}"))
        .await
        .expect(200);
    assert_eq!(seen, done, "looking at it later says the same");
    let mut ben = app.connected("ben").await;
    assert_eq!(
        ben.get(&format!("/api/playlist/export?id={id}"))
            .await
            .problem(404),
        "export_not_found"
    );
    assert_eq!(
        ben.post(&format!("/api/playlist/export?id={id}"), json!({}))
            .await
            .problem(404),
        "export_not_found"
    );
}

#[tokio::test]
async fn one_key_makes_one_playlist_and_a_different_request_under_it_is_refused() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    ana.headers
        .insert("idempotency-key", "once".parse().expect("a header"));
    let first = ana.post("/api/playlist/export", request()).await.expect(200);
    let again = ana.post("/api/playlist/export", request()).await.expect(200);
    assert_eq!(first["playlistId"], again["playlistId"]);
    assert_eq!(app.sandbox.world().count("POST", "/v1/me/playlists"), 1);
    let other = json!({"name": "Another", "songs": songs()});
    assert_eq!(
        ana.post("/api/playlist/export", other).await.problem(422),
        "idempotency_key_reused"
    );
}

#[tokio::test]
async fn a_spotify_token_is_enough_and_an_expired_one_is_told_by_its_old_code() {
    let app = TestApp::start().await;
    let mut ana = bearer(&app);
    let done = ana.post("/api/playlist/export", request()).await.expect(200);
    assert_eq!(done["mode"], "bearer");
    app.sandbox.world().expire_access_tokens();
    let refused = ana.post("/api/playlist/export", request()).await;
    assert_eq!(refused.problem(401), "TOKEN_EXPIRED");
    assert_eq!(
        refused.json()["canFallback"],
        false,
        "there is no account to fall back to"
    );
}

#[tokio::test]
async fn an_expired_token_falls_back_to_the_owner_where_that_is_allowed_and_says_so() {
    let app = owner_app("anyone").await;
    let mut ana = bearer(&app);
    app.sandbox.world().expire_access_tokens();
    let refused = ana.post("/api/playlist/export", request()).await;
    assert_eq!(refused.problem(401), "TOKEN_EXPIRED");
    assert_eq!(refused.json()["canFallback"], true);
    let mut wanted = request();
    wanted["fallbackToOwner"] = json!(true);
    let done = ana.post("/api/playlist/export", wanted).await.expect(200);
    assert_eq!(
        (&done["mode"], &done["usedFallback"]),
        (&json!("owner"), &json!(true))
    );
    assert!(done["accountId"].is_string(), "the account is named: {done}");
}

#[tokio::test]
async fn the_owners_account_is_for_people_who_are_signed_in_unless_the_operator_says_otherwise() {
    let app = owner_app("signed-in").await;
    let mut wanted = request();
    wanted["mode"] = json!("owner");
    assert_eq!(
        bearer(&app)
            .post("/api/playlist/export", wanted.clone())
            .await
            .problem(401),
        "not_signed_in"
    );
    let done = app
        .signed_in("zoe")
        .await
        .post("/api/playlist/export", wanted)
        .await
        .expect(200);
    assert_eq!(done["mode"], "owner");
}

/// A service whose operator has an account of their own in the sandbox.
async fn owner_app(exports_for: &str) -> TestApp {
    // The refresh token exists only once the sandbox runs, so it is put there under a name that is known before.
    let sandboxed = TestApp::start().await;
    let tokens = sandboxed
        .sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, "ben", SCOPES)
        .expect("ben is there");
    let account = sandboxed
        .sandbox
        .world()
        .user("ben")
        .expect("ben is there")
        .id
        .clone();
    Setup::default()
        .clock(sandboxed.clock.clone())
        .variable("SPOTIFY_ACCOUNTS_URL", sandboxed.sandbox.accounts_url())
        .variable("SPOTIFY_API_URL", sandboxed.sandbox.api_url())
        .variable("SPOTIFY_PLAYLIST_REFRESH_TOKEN", tokens.refresh_token)
        .variable("SPOTIFY_PLAYLIST_OWNER_ID", account)
        .variable("SPOTIFY_PLAYLIST_FOR", exports_for)
        .start()
        .await
        .with_sandbox(sandboxed.sandbox)
}

#[tokio::test]
async fn who_is_not_connected_or_not_signed_in_is_told_what_to_do() {
    let app = TestApp::start().await;
    assert_eq!(
        app.browser()
            .post("/api/playlist/export", request())
            .await
            .problem(401),
        "not_signed_in"
    );
    let mut zoe = app.signed_in("zoe").await;
    let refused = zoe.post("/api/playlist/export", request()).await;
    assert_eq!(refused.problem(409), "not_connected");
    assert!(refused.json()["remedy"].is_string());
    let diagnostics = zoe.get("/api/playlist/export").await.expect(200);
    assert_eq!(
        diagnostics,
        json!({"byo": null, "standard": null, "ownerAvailable": false})
    );
}

#[tokio::test]
async fn a_used_up_quota_parks_the_export_until_it_can_go_on() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let developer = app
        .sandbox
        .world()
        .app(DEMO_APP.client_id)
        .expect("the demo app")
        .owner
        .clone();
    let hour = Duration::from_hours(1);
    app.sandbox
        .world()
        .exhaust_quota(&developer, Bucket::Search, 3_600_000);
    let parked = ana.post("/api/playlist/export", request()).await.expect(202);
    assert_eq!(
        (&parked["code"], &parked["stage"]),
        (&json!("quota_exceeded"), &json!("resolve"))
    );
    let resume_at = parked["resumeAt"].as_i64().expect("an instant");
    assert!(resume_at > app.clock.now_ms(), "it says when: {parked}");
    app.sandbox.world().reset_limits();
    app.advance(hour + Duration::from_mins(1));
    let id = parked["exportId"].as_str().expect("an id");
    let done = ana
        .post(&format!("/api/playlist/export?id={id}"), json!({}))
        .await
        .expect(200);
    assert_eq!(done["tracksAdded"], 2);
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_code_before_anything_is_done() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let song = json!({"title": "Teardrop", "artist": "Massive Attack"});
    let with = |name: &str, songs: Value| json!({"name": name, "songs": songs}).to_string().into_bytes();
    let many = vec![song.clone(); 20_001];
    let cases: Vec<(u16, &str, Vec<u8>)> = vec![
        (400, "no_songs", b"{}".to_vec()),
        (400, "no_songs", Vec::new()),
        (400, "invalid_name", with("", json!([song]))),
        (400, "invalid_name", with(&"x".repeat(101), json!([song]))),
        (400, "no_songs", with("Mix", json!([]))),
        (400, "too_many_songs", with("Mix", json!(many))),
        (
            400,
            "invalid_song",
            with("Mix", json!([{"title": "x".repeat(501), "artist": "y"}])),
        ),
        (400, "invalid_field", with("Mix", json!("Teardrop"))),
        (400, "invalid_field", with("Mix", json!([{"title": 7}]))),
        (400, "invalid_json", b"{\"name\": \"Mix\", \"songs\": [".to_vec()),
        (400, "invalid_json", b"{\"name\": \"\xff\xfe\"}".to_vec()),
        (
            413,
            "body_too_large",
            with("Mix", json!(vec![song.clone(); 100_000])),
        ),
        (413, "body_too_large", vec![b' '; 10_000_000]),
    ];
    for (status, code, body) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let refused = ana.post_bytes("/api/playlist/export", body).await;
        assert_eq!(refused.problem(status), code, "{shown}");
    }
    assert_eq!(
        ana.get("/api/playlist/export?id=../../etc").await.problem(404),
        "export_not_found"
    );
    assert_eq!(app.sandbox.world().count("POST", "/v1/me/playlists"), 0);
}

#[tokio::test]
async fn an_absurd_title_is_an_unmatched_song() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let absurd = [
        "\u{202e}\u{0}\u{7}",
        "💥💥💥",
        "\"track:\" OR artist:*",
        "ﷺ",
        "((((",
        "   ",
    ];
    let songs: Vec<_> = absurd
        .iter()
        .map(|title| json!({"title": title, "artist": title}))
        .collect();
    let answer = ana
        .post("/api/playlist/export", json!({"name": "Absurd", "songs": songs}))
        .await;
    assert!(answer.status == 200 || answer.status == 400, "{answer:?}");
    if answer.status == 200 {
        assert_eq!(
            answer.json()["unmatched"].as_array().map(Vec::len),
            Some(absurd.len())
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_down_loses_nothing() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox
        .world()
        .fault(Fault::on("GET", "/v1/search", FaultKind::Garbage200));
    let parked = ana.post("/api/playlist/export", request()).await.expect(202);
    assert_eq!(parked["code"], "provider_unavailable");
    assert!(parked["resumeAt"].is_i64());
}

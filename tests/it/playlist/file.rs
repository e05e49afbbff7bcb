//! `GET /api/playlist/export?id=…&format=…`: the finished list as a file. What is in the files is held in
//! `lib/src/export/file/tests.rs`.

use std::time::Duration;

use http::header;
use sandbox::{Bucket, DEMO_APP};
use serde_json::{Value, json};

use crate::harness::{
    app::TestApp,
    browser::{Answer, Browser},
};

/// Finishes a list of three, of which one is a song that nobody wrote; answers the result.
async fn exported(browser: &mut Browser) -> Value {
    let songs = json!([
        {"title": "Teardrop", "artist": "Massive Attack", "durationMs": 330_773},
        {"title": "=Nobody Wrote This", "artist": "Nobody At All"},
        {"title": "teardrop", "artist": "massive attack"},
    ]);
    let request = json!({"name": "Späte \"Lieder\"", "songs": songs});
    browser.post("/api/playlist/export", request).await.expect(200)
}

async fn file(browser: &mut Browser, id: &Value, format: &str) -> Answer {
    let id = id.as_str().expect("an id");
    browser
        .get(&format!("/api/playlist/export?id={id}&format={format}"))
        .await
}

fn text(answer: Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    String::from_utf8(answer.bytes).expect("UTF-8")
}

#[tokio::test]
async fn a_finished_list_is_three_kinds_of_file() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let done = exported(&mut ana).await;
    let uri = done["matched"][0]["uri"].as_str().expect("a track");
    let link = uri.replace("spotify:track:", "https://open.spotify.com/track/");
    let id = &done["exportId"];

    let csv = text(file(&mut ana, id, "csv").await);
    let outcomes: Vec<_> = csv.lines().skip(1).map(|row| row.split(',').nth(6)).collect();
    assert_eq!(outcomes, [Some("added"), Some("unmatched"), Some("duplicate")]);
    assert!(
        csv.contains(&link) && csv.contains("1,'=Nobody Wrote This,Nobody At All,"),
        "{csv}"
    );

    let jspf: Value = serde_json::from_str(&text(file(&mut ana, id, "jspf").await)).expect("JSON");
    let tracks = jspf["playlist"]["track"].as_array().expect("tracks");
    assert_eq!(tracks.len(), 1, "{jspf}");
    assert_eq!(tracks[0]["identifier"], json!([link]));

    let m3u8 = text(file(&mut ana, id, "m3u8").await);
    assert!(
        m3u8.ends_with(&format!("#EXTINF:331,Massive Attack - Teardrop\n{link}\n")),
        "{m3u8}"
    );
}

#[tokio::test]
async fn a_file_is_to_be_saved_under_the_playlists_name() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let done = exported(&mut ana).await;
    for (format, media_type) in [
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("jspf", "application/json"),
        ("m3u8", "audio/mpegurl; charset=utf-8"),
    ] {
        let answer = file(&mut ana, &done["exportId"], format).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], media_type);
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(
            answer.headers[header::CONTENT_DISPOSITION],
            format!(
                "attachment; filename=\"Sp_te _Lieder_.{format}\"; filename*=UTF-8''Sp%C3%A4te%20_Lieder_.{format}"
            )
            .as_str()
        );
    }
}

#[tokio::test]
async fn only_the_caller_who_exported_gets_the_file() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let done = exported(&mut ana).await;
    let mut ben = app.connected("ben").await;
    assert_eq!(
        file(&mut ben, &done["exportId"], "csv").await.problem(404),
        "export_not_found"
    );
    assert_eq!(
        file(&mut app.browser(), &done["exportId"], "csv")
            .await
            .problem(401),
        "not_signed_in"
    );

    let tokens = app
        .sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, "ana", "playlist-modify-private")
        .expect("ana is there");
    let mut bearer = Browser::bearer(app.router.clone(), &tokens.access_token);
    assert_eq!(
        file(&mut bearer, &done["exportId"], "csv").await.problem(404),
        "export_not_found",
        "a token of the same Spotify account is another caller"
    );
    let done = exported(&mut bearer).await;
    assert!(text(file(&mut bearer, &done["exportId"], "m3u8").await).starts_with("#EXTM3U\n"));
}

#[tokio::test]
async fn what_is_not_finished_or_not_a_format_is_told_by_its_code() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let done = exported(&mut ana).await;
    for format in ["xlsx", "", "CSV"] {
        assert_eq!(
            file(&mut ana, &done["exportId"], format).await.problem(400),
            "unknown_format",
            "{format}"
        );
    }
    assert_eq!(
        ana.get("/api/playlist/export?format=csv").await.problem(400),
        "missing_id"
    );

    let developer = app
        .sandbox
        .world()
        .app(DEMO_APP.client_id)
        .expect("the demo app")
        .owner
        .clone();
    let hour_ms = Duration::from_hours(1).as_millis().try_into().expect("few");
    app.sandbox
        .world()
        .exhaust_quota(&developer, Bucket::Search, hour_ms);
    let songs = json!([{"title": "Jóga", "artist": "Björk"}]);
    let parked = ana
        .post("/api/playlist/export", json!({"name": "Later", "songs": songs}))
        .await
        .expect(202);
    let refused = file(&mut ana, &parked["exportId"], "csv").await;
    assert_eq!(refused.problem(409), "export_unfinished");
    assert!(refused.headers.get(header::CONTENT_DISPOSITION).is_none());
}

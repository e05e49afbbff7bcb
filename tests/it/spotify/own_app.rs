//! Connecting through an app of one's own: the doctor's findings, with and without a secret, again and again.

use std::time::Duration;

use patchbay::ids::Slot;
use sandbox::{Fault, FaultKind, OWN_APP};
use serde_json::json;

use super::{altered, assert_connected, parameter};
use crate::harness::{
    app::{APP_URL, TestApp, local_user},
    browser::consent,
};

const REGISTER: &str = "/api/spotify/client-credentials";

#[tokio::test]
async fn a_person_connects_through_an_app_of_their_own() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_connected(
        &ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
            .await,
    );
    let status = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(status["mode"], "byo");
    assert_eq!(status["hasByoCredentials"], true);
    assert!(status["accessToken"].is_string());
}

#[tokio::test]
async fn the_doctor_finds_what_would_end_on_spotifys_error_page() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let unknown = "0".repeat(32);
    let wrong = "f".repeat(32);
    let cases: [(&str, Option<&str>, &[&str]); 6] = [
        ("c0ffee", None, &["client_id_malformed"]),
        (
            "https://developer.spotify.com/dashboard",
            None,
            &["client_id_malformed"],
        ),
        (OWN_APP.client_id, Some("hunter2"), &["client_secret_malformed"]),
        (
            "c0ffee",
            Some("hunter2"),
            &["client_id_malformed", "client_secret_malformed"],
        ),
        (&unknown, Some(OWN_APP.client_secret), &["client_unknown"]),
        (OWN_APP.client_id, Some(&wrong), &["client_secret_wrong"]),
    ];
    for (id, secret, codes) in cases {
        let answer = ana
            .post(REGISTER, json!({"clientId": id, "clientSecret": secret}))
            .await;
        assert_eq!(answer.problem(422), "app_not_set_up", "{codes:?}");
        let body = answer.json();
        let findings = body["findings"].as_array().expect("a list");
        let found: Vec<_> = findings
            .iter()
            .map(|finding| finding["code"].as_str().expect("a code"))
            .collect();
        assert_eq!(found, codes);
        for finding in findings {
            assert!(
                finding["message"].is_string() && finding["step"].is_string(),
                "{finding}"
            );
        }
        assert_eq!(
            body["remedy"], findings[0]["step"],
            "the remedy is the first step"
        );
        assert!(
            !String::from_utf8_lossy(&answer.bytes).contains(id),
            "what was typed is not answered"
        );
    }
    assert_eq!(
        app.document("ana").await,
        patchbay::store::UserDocument::default(),
        "nothing was stored"
    );
}

#[tokio::test]
async fn a_doctor_who_cannot_ask_lets_the_person_go_on() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for kind in [
        FaultKind::html(503),
        FaultKind::Garbage200,
        FaultKind::DropConnection,
        FaultKind::text(429, "slow"),
    ] {
        app.sandbox
            .world()
            .fault(Fault::on("POST", "/api/token", kind.clone()).times(1));
        let body = json!({"clientId": OWN_APP.client_id, "clientSecret": OWN_APP.client_secret});
        let started = ana.post(REGISTER, body).await.expect(200);
        assert_eq!(started["findings"][0]["code"], "not_checked", "{kind:?}");
        let callback = consent(started["url"].as_str().expect("an address")).await;
        assert_connected(&ana.get(&callback).await);
    }
}

#[tokio::test]
async fn pasted_blanks_are_dropped_and_an_empty_secret_is_none() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let padded = format!("  {}\n", OWN_APP.client_id);
    assert_connected(&ana.connect_own(&padded, Some("  ")).await);
    let grant = app
        .document("ana")
        .await
        .integrations
        .remove(&Slot::SpotifyByo)
        .expect("connected");
    assert!(grant.client_id_enc.is_some() && grant.client_secret_enc.is_none());
    for id in [json!(null), json!(""), json!("  ")] {
        let answer = ana.post(REGISTER, json!({"clientId": id})).await;
        assert_eq!(answer.problem(400), "missing_client_id");
    }
}

#[tokio::test]
async fn an_app_without_a_secret_connects_and_renews_by_pkce_alone() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_connected(&ana.connect_own(OWN_APP.client_id, None).await);
    let first = ana.get("/api/spotify/status").await.expect(200);
    app.advance(Duration::from_hours(1));
    let renewed = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(renewed["tokenHealth"], "healthy");
    assert_ne!(renewed["accessToken"], first["accessToken"]);
}

#[tokio::test]
async fn what_is_connected_stays_until_another_app_is_finished() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_connected(
        &ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
            .await,
    );
    let before = app.document("ana").await.integrations;
    let other_id = {
        let mut world = app.sandbox.world();
        world
            .add_app(sandbox::App::new(&"ab".repeat(16), "ana"))
            .expect("a new app")
    };
    let body = json!({"clientId": other_id, "clientSecret": "5ec7".repeat(8)});
    let started = ana.post(REGISTER, body).await.expect(200);
    assert_eq!(
        app.document("ana").await.integrations,
        before,
        "registered is not finished"
    );
    let callback = consent(started["url"].as_str().expect("an address")).await;
    ana.get(&altered(&callback, "error", Some("access_denied"))).await;
    assert_eq!(
        app.document("ana").await.integrations,
        before,
        "cancelled is not finished"
    );
    assert_connected(&ana.connect_own(&other_id, Some(&"5ec7".repeat(8))).await);
    let url = ana
        .post("/api/spotify/reconnect-byo", json!({}))
        .await
        .expect(200)["url"]
        .clone();
    assert_eq!(
        parameter(url.as_str().expect("an address"), "client_id"),
        other_id
    );
}

#[tokio::test]
async fn reconnecting_uses_the_registered_app_and_asks_again() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_eq!(
        ana.post("/api/spotify/reconnect-byo", json!({}))
            .await
            .problem(409),
        "no_own_app"
    );
    ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
        .await;
    app.advance(Duration::from_hours(24));
    let body = json!({"returnTo": "/music"});
    let started = ana.post("/api/spotify/reconnect-byo", body).await.expect(200);
    let url = started["url"].as_str().expect("an address");
    assert_eq!(parameter(url, "client_id"), OWN_APP.client_id);
    assert_eq!(parameter(url, "show_dialog"), "true");
    assert_eq!(parameter(url, "code_challenge_method"), "S256");
    let callback = consent(url).await;
    assert_eq!(
        ana.get(&callback).await.location(),
        format!("{APP_URL}/music?auth=success")
    );
    assert_eq!(
        ana.get("/api/spotify/status?token=false").await.expect(200)["daysLeft"],
        180
    );
    // The secret came along, sealed anew: it still proves the app when the token is renewed.
    app.advance(Duration::from_hours(1));
    let live = app
        .app
        .grants()
        .live_token(&local_user("ana"), Slot::SpotifyByo, Duration::ZERO)
        .await;
    live.expect("a token");
    let grant = app
        .document("ana")
        .await
        .integrations
        .remove(&Slot::SpotifyByo)
        .expect("connected");
    assert!(grant.client_secret_enc.is_some());
}

#[tokio::test]
async fn an_app_registered_for_less_shows_what_is_missing() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let body = json!({"clientId": OWN_APP.client_id, "scopes": ["playlist-read-private"]});
    let url = ana.post(REGISTER, body).await.expect(200)["url"]
        .as_str()
        .expect("an address")
        .to_owned();
    let callback = consent(&url).await;
    assert_connected(&ana.get(&callback).await);
    let status = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(status["scopes"], json!(["playlist-read-private"]));
    assert_eq!(
        status["missingScopes"],
        json!(["playlist-modify-public", "playlist-modify-private"])
    );
    assert!(status["remedy"].is_string());
    for scopes in [
        json!([]),
        json!(["Playlist"]),
        json!(["a b"]),
        json!(vec!["a"; 41]),
    ] {
        let answer = ana
            .post(REGISTER, json!({"clientId": OWN_APP.client_id, "scopes": scopes}))
            .await;
        assert_eq!(answer.problem(400), "invalid_scopes", "{scopes}");
    }
}

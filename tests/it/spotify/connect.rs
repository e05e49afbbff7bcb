//! Connecting through the operator's app, as a person in a browser does it.

use std::time::Duration;

use patchbay::ids::Slot;
use serde_json::json;
use url::form_urlencoded;

use super::{STANDARD, altered, assert_connected, assert_sent_back_with, parameter};
use crate::harness::{
    app::{APP_URL, Setup, TestApp},
    clock::until,
};

const SWITCH: &str = "/api/spotify/auth-url?switchAccount=true";

#[tokio::test]
async fn a_person_connects_through_the_operators_app() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana
        .connect("/api/spotify/auth-url?returnTo=/settings?tab=music")
        .await;
    assert_eq!(
        callback.location(),
        format!("{APP_URL}/settings?tab=music&auth=success")
    );
    let status = ana.get("/api/spotify/status?token=false").await.expect(200);
    assert_eq!(status["connected"], true);
    assert_eq!(status["mode"], "standard");
    assert_eq!(status["tokenHealth"], "healthy");
    assert_eq!(status["daysLeft"], 180);
    assert!(status.get("accessToken").is_none(), "a poll carries no token");
    assert_eq!(app.sandbox.world().unexpected(), []);
}

#[tokio::test]
async fn who_declines_or_comes_back_with_nothing_keeps_what_they_had() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let before = app.grant("ana").await;
    let used_code = {
        let callback = ana.consent(STANDARD).await;
        assert_connected(&ana.get(&callback).await);
        parameter(&callback, "code")
    };
    let reconnected = app.grant("ana").await;
    assert_ne!(before, reconnected);
    for (name, value, code) in [
        ("error", Some("access_denied"), "access_denied"),
        ("error", Some("server_error"), "provider_error"),
        ("error", Some("<script>"), "provider_error"),
        ("error", Some(""), "provider_error"),
        ("code", None, "missing_code"),
        ("code", Some(""), "missing_code"),
        ("code", Some("no-code-of-ours"), "code_refused"),
        ("code", Some(&used_code), "code_refused"),
    ] {
        let callback = ana.consent("/api/spotify/auth-url?returnTo=/music").await;
        let answer = ana.get(&altered(&callback, name, value)).await;
        assert_eq!(
            answer.location(),
            format!("{APP_URL}/music?error={code}"),
            "{name}={value:?}"
        );
        let document = app.document("ana").await;
        assert_eq!(
            document.integrations[&Slot::Spotify],
            reconnected,
            "{name}={value:?}"
        );
        assert!(
            document.pending.is_empty(),
            "{name}={value:?}: what failed cannot be tried again"
        );
        let replayed = ana.get(&callback).await.location();
        assert!(replayed.contains("error="), "{name}={value:?}: {replayed}");
    }
}

#[tokio::test]
async fn return_paths_do_not_lead_out_of_the_application() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    ana.connect_own(sandbox::OWN_APP.client_id, None).await;
    let before = app.document("ana").await;
    let long = format!("/{}", "a".repeat(512));
    for escape in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,hello",
        "//127.0.0.1:8787@evil.example/",
        "//127.0.0.1:9999/",
        "evil",
        " /music",
        "",
        &long,
    ] {
        let query: String = form_urlencoded::byte_serialize(escape.as_bytes()).collect();
        let body = json!({"clientId": sandbox::OWN_APP.client_id, "returnTo": escape});
        for answer in [
            ana.get(&format!("/api/spotify/auth-url?returnTo={query}")).await,
            ana.post("/api/spotify/client-credentials", body.clone()).await,
            ana.post("/api/spotify/reconnect-byo", body).await,
        ] {
            assert_eq!(answer.problem(400), "invalid_return_to", "{escape:?}");
        }
    }
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn odd_return_paths_stay_inside_the_application() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for (path, led_to) in [
        ("/a b?c=d&e#f", "/a%20b?c=d&e&auth=success#f"),
        ("/..//evil.example", "//evil.example?auth=success"),
        ("/%09/evil.example", "/%09/evil.example?auth=success"),
        ("/?auth=failed", "/?auth=failed&auth=success"),
        ("/müsik", "/m%C3%BCsik?auth=success"),
    ] {
        let query: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let answer = ana
            .connect(&format!("/api/spotify/auth-url?returnTo={query}"))
            .await;
        assert_eq!(answer.location(), format!("{APP_URL}{led_to}"), "{path}");
    }
}

#[tokio::test]
async fn another_account_takes_the_place_only_of_who_wants_it_to() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let before = app.grant("ana").await;
    app.sandbox.world().settings.auto_approve_as = Some("ben".to_owned());
    assert_sent_back_with(&ana.connect(STANDARD).await, "different_account");
    assert_eq!(app.grant("ana").await, before);
    assert_connected(&ana.connect(SWITCH).await);
    let after = app.grant("ana").await;
    assert_eq!(
        (after.account_id.as_str(), after.spotify_user_id.as_str()),
        ("BenBenBenBen", "ben")
    );
    // The permission was for that one time.
    app.sandbox.world().settings.auto_approve_as = Some("ana".to_owned());
    assert_sent_back_with(&ana.connect(STANDARD).await, "different_account");
}

#[tokio::test]
async fn a_new_consent_gives_another_six_months() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let before = app.grant("ana").await;
    app.advance(Duration::from_hours(10 * 24));
    let days_left = ana.get("/api/spotify/status?token=false").await.expect(200)["daysLeft"].clone();
    assert_eq!(days_left, 170);
    let start = ana.get(STANDARD).await.expect(200);
    assert_eq!(
        parameter(start["url"].as_str().expect("an address"), "show_dialog"),
        "true"
    );
    assert_connected(&ana.connect(STANDARD).await);
    let after = app.grant("ana").await;
    assert_eq!(
        after.authorized_at,
        before.authorized_at + Duration::from_hours(10 * 24)
    );
    assert!(
        after.generation > before.generation,
        "who watches the old token sees it move"
    );
    let status = ana.get("/api/spotify/status?token=false").await.expect(200);
    assert_eq!(
        (&status["daysLeft"], &status["tokenHealth"]),
        (&json!(180), &json!("healthy"))
    );
}

#[tokio::test]
async fn without_an_operators_app_there_is_only_ones_own() {
    let app = Setup::default()
        .variable("SPOTIFY_CLIENT_ID", "")
        .variable("SPOTIFY_CLIENT_SECRET", "")
        .start()
        .await;
    let mut ana = app.signed_in("ana").await;
    assert_eq!(ana.get(STANDARD).await.problem(409), "no_operator_app");
    assert_eq!(
        ana.get("/api/session").await.expect(200)["setup"]["standardAvailable"],
        false
    );
    assert_connected(&ana.connect_own(sandbox::OWN_APP.client_id, None).await);
}

#[tokio::test]
async fn disconnecting_forgets_the_grant_and_what_was_under_way() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    ana.connect_own(sandbox::OWN_APP.client_id, Some(sandbox::OWN_APP.client_secret))
        .await;
    let standard_again = ana.consent(STANDARD).await;
    ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
    let document = app.document("ana").await;
    assert_eq!(
        document.integrations.keys().collect::<Vec<_>>(),
        [&Slot::SpotifyByo],
        "the other slot stays"
    );
    assert!(document.pending.is_empty());
    assert_sent_back_with(&ana.get(&standard_again).await, "state_used");

    ana.post("/api/spotify/reconnect-byo", json!({}))
        .await
        .expect(200);
    let answer = ana
        .post("/api/spotify/disconnect-byo", json!({}))
        .await
        .expect(200);
    assert_eq!(answer, json!({"success": true}));
    let document = app.document("ana").await;
    assert!(document.integrations.is_empty() && document.pending.is_empty());
    assert_eq!(document.next_due_at, None);
    let version = document.version;
    ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
    assert_eq!(
        app.document("ana").await.version,
        version,
        "nothing to forget is fine, and writes nothing"
    );
}

#[tokio::test]
async fn who_closes_the_window_at_the_last_moment_is_connected_all_the_same() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    app.sandbox.world().hold("/api/token");
    let mut window = ana.clone();
    let coming_back = tokio::spawn(async move { window.get(&callback).await });
    app.sandbox.arrived("/api/token").await;
    coming_back.abort();
    let _ = coming_back.await;
    app.sandbox.world().release("/api/token");
    until("the connection stands", || {
        let mut ana = ana.clone();
        async move {
            let status = ana.get("/api/spotify/status?token=false").await.expect(200);
            status["connected"] == true
        }
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_given_for_a_time_ends_with_that_time_if_it_is_the_shorter() {
    let week = 7 * 24 * 60 * 60;
    for (told, days) in [
        (json!(null), 180),
        (json!(week), 7),
        (json!(week.to_string()), 7),
        (json!(365 * 24 * 60 * 60), 180),
        (json!("for ever"), 180),
        (json!(0), 180),
    ] {
        let app = TestApp::start().await;
        app.sandbox.world().settings.refresh_token_expires_in = Some(told.clone());
        let mut ana = app.connected("ana").await;
        let status = ana.get("/api/spotify/status?token=false").await.expect(200);
        let grant = app.grant("ana").await;
        let end = grant.authorized_at + Duration::from_hours(24 * days);
        assert_eq!(
            (&status["daysLeft"], &status["grantExpiresAt"]),
            (&json!(days), &json!(end)),
            "{told}"
        );
    }
}

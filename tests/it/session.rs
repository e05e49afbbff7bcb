//! `/api/session`: local sign-in, and the cookie that carries it.

use std::time::Duration;

use http::header;
use serde_json::json;

use crate::harness::app::{Setup, TestApp};

const SESSION: &str = "/api/session";
const COOKIE: &str = "patchbay_session";

#[tokio::test]
async fn who_signs_in_is_known_until_they_sign_out() {
    let app = TestApp::start().await;
    let mut ana = app.browser();
    let nobody = ana.get(SESSION).await.expect(200);
    assert_eq!(
        (&nobody["signedIn"], &nobody["userId"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(nobody["localSignIn"], true);
    let signed_in = ana.post(SESSION, json!({"name": " Ana "})).await.expect(200);
    assert_eq!(
        signed_in["userId"], "local:ana",
        "blanks and capitals make nobody else"
    );
    assert_eq!(ana.get(SESSION).await.expect(200), signed_in);
    assert_eq!(ana.get("/api/me").await.expect(200)["userId"], "local:ana");
    ana.delete(SESSION).await.expect(200);
    assert!(ana.cookies.is_empty());
    assert_eq!(ana.get(SESSION).await.expect(200), nobody);
}

#[tokio::test]
async fn without_a_name_everybody_is_somebody_new() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "  "}),
        json!({"name": null}),
    ] {
        let mut browser = app.browser();
        let id = browser.post(SESSION, body).await.expect(200)["userId"]
            .as_str()
            .expect("an id")
            .to_owned();
        assert_eq!(browser.get("/api/me").await.expect(200)["userId"], id.as_str());
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn names_have_a_length_and_no_control_characters() {
    let app = TestApp::start().await;
    for name in [
        "a".repeat(41),
        "a\u{0}b".to_owned(),
        "a\nb".to_owned(),
        "\u{7f}".to_owned(),
    ] {
        assert_eq!(
            app.browser()
                .post(SESSION, json!({"name": name}))
                .await
                .problem(400),
            "invalid_name",
            "{name:?}"
        );
    }
    app.browser()
        .post(SESSION, json!({"name": "ä".repeat(40)}))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_sign_in_lasts_a_month() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    app.advance(Duration::from_hours(30 * 24) - Duration::from_millis(1));
    ana.get("/api/me").await.expect(200);
    app.advance(Duration::from_millis(1));
    assert_eq!(ana.get("/api/me").await.problem(401), "token_expired");
    ana.post(SESSION, json!({"name": "ana"})).await.expect(200);
    ana.get("/api/me").await.expect(200);
}

#[tokio::test]
async fn a_cookie_that_is_altered_or_from_elsewhere_signs_nobody_in() {
    let app = TestApp::start().await;
    let other = Setup::default()
        .variable(
            "SPOTIFY_USER_SECRET_KEY",
            "k1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        )
        .start()
        .await;
    let mut ana = app.signed_in("ana").await;
    let own = ana.cookies[COOKIE].clone();
    let ben = app.signed_in("ben").await.cookies[COOKIE].clone();
    let (user_of_ben, _) = ben.rsplit_once('.').expect("a signature");
    let (_, signature_of_ana) = own.rsplit_once('.').expect("a signature");
    let forged = [
        other.signed_in("ana").await.cookies[COOKIE].clone(),
        format!("{user_of_ben}.{signature_of_ana}"),
        own[..own.len() - 1].to_owned(),
        own.to_uppercase(),
        format!("{own}."),
        "v1..".to_owned(),
        "nonsense".to_owned(),
        String::new(),
        "x".repeat(100_000),
    ];
    for cookie in forged {
        ana.cookies.insert(COOKIE.to_owned(), cookie.clone());
        assert_eq!(ana.get("/api/me").await.problem(401), "token_invalid", "{cookie}");
        assert_eq!(
            ana.delete("/api/me").await.problem(401),
            "token_invalid",
            "{cookie}"
        );
    }
    ana.cookies.insert(COOKIE.to_owned(), own);
    ana.get("/api/me").await.expect(200);
}

#[tokio::test]
async fn where_local_sign_in_is_off_nobody_can_say_who_they_are() {
    let before = TestApp::start().await;
    let with_a_cookie = before.signed_in("ana").await;
    let app = before
        .another_process()
        .variable("LOCAL_SIGN_IN", "")
        .start()
        .await;
    let mut browser = app.browser();
    assert_eq!(
        browser.post(SESSION, json!({"name": "ana"})).await.problem(403),
        "local_sign_in_off"
    );
    assert_eq!(browser.get(SESSION).await.expect(200)["localSignIn"], false);
    browser.cookies = with_a_cookie.cookies;
    assert_eq!(
        browser.get("/api/me").await.problem(401),
        "not_signed_in",
        "a cookie of before is worth nothing"
    );
}

#[tokio::test]
async fn cookies_are_closed_to_scripts_and_bound_to_the_host_on_https() {
    let app = TestApp::start().await;
    let answer = app.browser().post(SESSION, json!({"name": "ana"})).await;
    let cookie = answer.headers[header::SET_COOKIE]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(cookie.starts_with("patchbay_session=v1."), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );

    let secure = "https://music.example.org";
    let app = Setup::default().variable("APP_URL", secure).start().await;
    let mut ana = app.browser();
    ana.origin = Some(secure.to_owned());
    let signed_in = ana.post(SESSION, json!({"name": "ana"})).await;
    let started = ana.get("/api/spotify/auth-url").await;
    for (answer, name) in [
        (signed_in, "__Host-patchbay_session="),
        (started, "__Host-patchbay_connect_spotify="),
    ] {
        answer.expect(200);
        let cookie = answer.headers[header::SET_COOKIE]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(cookie.starts_with(name), "{cookie}");
        assert!(cookie.ends_with("HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        assert!(
            answer.headers[header::STRICT_TRANSPORT_SECURITY]
                .to_str()
                .expect("text")
                .contains("max-age=")
        );
    }
}

#[tokio::test]
async fn the_page_learns_whether_the_operator_offers_an_account() {
    let without = TestApp::start().await.browser().get(SESSION).await.expect(200);
    assert_eq!(without["setup"]["ownerAvailable"], false);
    let app = Setup::default()
        .variable("SPOTIFY_PLAYLIST_REFRESH_TOKEN", "a-refresh-token")
        .variable("SPOTIFY_PLAYLIST_OWNER_ID", "ben")
        .start()
        .await;
    let with = app.browser().get(SESSION).await.expect(200);
    assert_eq!(with["setup"]["ownerAvailable"], true);
}

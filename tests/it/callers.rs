//! Who is calling, at the front door: JWTs of a host application, and pages of other origins.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::harness::{
    app::{APP_URL, JWT_SECRET, Setup, TestApp},
    browser::Browser,
};

fn jwt(header: &Value, claims: &Value, key: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length will do");
    mac.update(signed.as_bytes());
    format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn hs256() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

/// In an hour.
fn later(app: &TestApp) -> i64 {
    app.clock.now_ms() / 1000 + 3600
}

#[tokio::test]
async fn who_brings_a_jwt_is_who_it_names() {
    let app = TestApp::start().await;
    for claim in ["sub", "uid", "userId"] {
        let token = jwt(
            &hs256(),
            &json!({claim: "user|42", "exp": later(&app)}),
            JWT_SECRET,
        );
        let mut person = Browser::bearer(app.router.clone(), &token);
        assert_eq!(
            person.get("/api/me").await.expect(200)["userId"],
            "user|42",
            "{claim}"
        );
    }
}

#[tokio::test]
async fn a_jwt_caller_goes_the_whole_way_without_a_session() {
    let app = TestApp::start().await;
    let token = jwt(
        &hs256(),
        &json!({"sub": "user|42", "exp": later(&app)}),
        JWT_SECRET,
    );
    let mut page = Browser::bearer(app.router.clone(), &token);
    page.origin = Some("https://front.example".to_owned());
    let callback = page.consent("/api/spotify/auth-url").await;
    // The navigation back has the cookie of the start, and no header of the page's.
    let mut navigation = app.browser();
    navigation.cookies = page.cookies.clone();
    assert_eq!(
        navigation.get(&callback).await.location(),
        format!("{APP_URL}/?auth=success")
    );
    let status = page.get("/api/spotify/status").await.expect(200);
    assert!(status["accessToken"].is_string());
    page.post("/api/spotify/disconnect", json!({})).await.expect(200);
    assert_eq!(
        page.get("/api/spotify/status").await.expect(200)["connected"],
        false
    );
}

/// That `token` is refused with `code`, and that a cookie which is fine does not make up for it.
async fn assert_nobodys(app: &TestApp, token: &str, code: &str, what: &str) {
    for cookies in [BTreeMap::new(), app.signed_in("ana").await.cookies] {
        let mut caller = Browser::bearer(app.router.clone(), token);
        caller.cookies = cookies;
        assert_eq!(caller.get("/api/me").await.problem(401), code, "{what}");
        assert_eq!(caller.delete("/api/me").await.problem(401), code, "{what}");
    }
}

#[tokio::test]
async fn a_jwt_that_is_forged_or_unsigned_is_nobodys() {
    let app = TestApp::start().await;
    let good = json!({"sub": "ana", "exp": later(&app)});
    let signed = |header: &Value| jwt(header, &good, JWT_SECRET);
    let unsigned = |token: &str| format!("{}.", token.rsplit_once('.').expect("a signature").0);
    let right = signed(&hs256());
    let others = jwt(&hs256(), &json!({"sub": "ben", "exp": later(&app)}), JWT_SECRET);
    let signature_of_another = others.rsplit_once('.').expect("a signature").1;
    for (what, token) in [
        (
            "another key",
            jwt(&hs256(), &good, "another key of a good enough length"),
        ),
        (
            "another's signature",
            format!("{}{signature_of_another}", unsigned(&right)),
        ),
        ("no signature", unsigned(&right)),
        ("two parts", unsigned(&right).trim_end_matches('.').to_owned()),
        ("alg none", unsigned(&signed(&json!({"alg": "none"})))),
        ("alg None", unsigned(&signed(&json!({"alg": "None"})))),
        ("alg none, signed", signed(&json!({"alg": "none"}))),
        ("alg HS512", signed(&json!({"alg": "HS512"}))),
        ("alg RS256", signed(&json!({"alg": "RS256"}))),
        ("no alg", signed(&json!({"typ": "JWT"}))),
        (
            "crit",
            signed(&json!({"alg": "HS256", "crit": ["b64"], "b64": false})),
        ),
        ("nonsense", "x.y.z".to_owned()),
        ("a word", "hunter2".to_owned()),
    ] {
        assert_nobodys(&app, &token, "token_invalid", what).await;
    }
    Browser::bearer(app.router.clone(), &right)
        .get("/api/me")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_jwt_that_says_too_little_or_too_much_is_nobodys() {
    let app = TestApp::start().await;
    let later = later(&app);
    let now = later - 3600;
    for (claims, code) in [
        (json!({"sub": "ana", "exp": now - 61}), "token_expired"),
        (json!({"sub": "ana"}), "token_invalid"),
        (json!({"sub": "ana", "exp": "never"}), "token_invalid"),
        (
            json!({"sub": "ana", "exp": later, "nbf": now + 600}),
            "token_invalid",
        ),
        (
            json!({"sub": "ana", "exp": later, "aud": "another service"}),
            "token_invalid",
        ),
        (json!({"exp": later}), "token_invalid"),
        (json!({"sub": "", "exp": later}), "token_invalid"),
        (json!({"sub": 7, "exp": later}), "token_invalid"),
        (json!({"sub": "a\u{0}b", "exp": later}), "token_invalid"),
        (json!({"sub": "a".repeat(257), "exp": later}), "token_invalid"),
        (json!({"sub": "a".repeat(9000), "exp": later}), "token_invalid"),
        (json!(["ana", later]), "token_invalid"),
    ] {
        assert_nobodys(
            &app,
            &jwt(&hs256(), &claims, JWT_SECRET),
            code,
            &claims.to_string(),
        )
        .await;
    }
}

#[tokio::test]
async fn a_write_with_a_cookie_has_to_come_from_our_own_page() {
    let app = Setup::default()
        .variable("ALLOWED_ORIGINS", "https://front.example")
        .start()
        .await;
    let mut ana = app.connected("ana").await;
    let before = app.document("ana").await;
    let elsewhere = [
        Some("https://evil.example"),
        Some("null"),
        Some("http://127.0.0.1:8788"),
        Some("https://127.0.0.1:8787"),
        None,
    ];
    for origin in elsewhere {
        ana.origin = origin.map(str::to_owned);
        for site in [None, Some("cross-site"), Some("same-site"), Some("none")] {
            let name = HeaderName::from_static("sec-fetch-site");
            ana.headers.remove(&name);
            if let Some(site) = site {
                ana.headers.insert(name, HeaderValue::from_static(site));
            }
            for path in [
                "/api/spotify/disconnect",
                "/api/spotify/disconnect-byo",
                "/api/spotify/reconnect-byo",
                "/api/spotify/client-credentials",
                "/api/playlist/export",
                "/api/connections/lastfm",
            ] {
                let code = ana.post(path, json!({})).await.problem(403);
                assert_eq!(code, "cross_site_write", "{origin:?} {site:?} {path}");
            }
            for path in ["/api/me", "/api/connections/lastfm"] {
                let code = ana.delete(path).await.problem(403);
                assert_eq!(code, "cross_site_write", "{origin:?} {site:?} {path}");
            }
        }
        ana.headers.clear();
        ana.get("/api/me").await.expect(200);
    }
    assert_eq!(app.document("ana").await, before);
    assert!(
        ana.cookies.contains_key("patchbay_session"),
        "and nobody was signed out"
    );

    for origin in [APP_URL, "https://front.example"] {
        ana.origin = Some(origin.to_owned());
        ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
    }
    ana.origin = None;
    ana.headers
        .insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
}

#[tokio::test]
async fn a_page_elsewhere_signs_nobody_in() {
    let app = TestApp::start().await;
    let mut visitor = app.browser();
    visitor.origin = Some("https://evil.example".to_owned());
    assert_eq!(
        visitor
            .post("/api/session", json!({"name": "mallory"}))
            .await
            .problem(403),
        "cross_site_write"
    );
    assert!(visitor.cookies.is_empty());
}

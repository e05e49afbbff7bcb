//! Whatever is sent, the answer is a 4xx with a code, a sentence and a request id, and nothing is written.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, header};
use sandbox::OWN_APP;
use serde_json::json;

use crate::harness::{
    app::TestApp,
    browser::{Answer, Browser},
};

const REGISTER: &str = "/api/spotify/client-credentials";
const CALLBACK: &str = "/api/spotify/callback";
const LASTFM_CALLBACK: &str = "/api/lastfm/callback";
const LASTFM: &str = "/api/connections/lastfm";

/// Every route with each of its methods.
const ROUTES: [(&str, &[Method]); 19] = [
    ("/health", &[Method::GET]),
    ("/health/live", &[Method::GET]),
    ("/health/ready", &[Method::GET]),
    ("/api/session", &[Method::GET, Method::POST, Method::DELETE]),
    ("/api/me", &[Method::GET, Method::DELETE]),
    ("/api/spotify/auth-url", &[Method::GET]),
    (REGISTER, &[Method::POST]),
    ("/api/spotify/reconnect-byo", &[Method::POST]),
    (CALLBACK, &[Method::GET]),
    ("/api/spotify/status", &[Method::GET]),
    ("/api/spotify/disconnect", &[Method::POST]),
    ("/api/spotify/disconnect-byo", &[Method::POST]),
    (
        "/api/playlist/export",
        &[Method::GET, Method::POST, Method::DELETE],
    ),
    (
        "/api/playlist/corrections",
        &[Method::GET, Method::PUT, Method::DELETE],
    ),
    ("/api/lastfm/auth-url", &[Method::GET]),
    (LASTFM_CALLBACK, &[Method::GET]),
    (LASTFM, &[Method::GET, Method::POST, Method::DELETE]),
    ("/api/cron/refresh", &[Method::GET, Method::POST]),
    ("/api/metrics", &[Method::GET]),
];

/// Ana with everything that bad input could spoil: two grants, a Last.fm account, and a connection
/// under way.
async fn ana_with_everything() -> (TestApp, Browser) {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
        .await;
    ana.connect("/api/lastfm/auth-url").await;
    ana.get("/api/spotify/auth-url").await.expect(200);
    (app, ana)
}

#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(
        answer.status.as_u16(),
        status,
        "{what}: {}",
        String::from_utf8_lossy(&answer.bytes)
    );
    assert_eq!(answer.problem(status), code, "{what}");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json", "{what}");
    assert_eq!(
        answer.headers["x-request-id"].to_str().ok(),
        answer.json()["requestId"].as_str(),
        "{what}"
    );
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let (app, mut ana) = ana_with_everything().await;
    let before = app.document("ana").await;
    let deep = "[".repeat(100_000);
    let huge = format!(r#"{{"clientId":"{}"}}"#, "a".repeat(10_000_000));
    let cases: [(&[u8], u16, &str); 16] = [
        (b"{", 400, "invalid_json"),
        (b"clientId=x", 400, "invalid_json"),
        (b"{\"clientId\":\"\xff\xfe\"}", 400, "invalid_json"),
        (b"\xef\xbb\xbf{}", 400, "invalid_json"),
        (b"{} {}", 400, "invalid_json"),
        (b"\0", 400, "invalid_json"),
        (deep.as_bytes(), 400, "invalid_field"),
        (b"[]", 400, "invalid_field"),
        (b"null", 400, "invalid_field"),
        (b"\"clientId\"", 400, "invalid_field"),
        (b"{\"clientId\":7}", 400, "invalid_field"),
        (b"{\"clientId\":{\"$ne\":null}}", 400, "invalid_field"),
        (b"{\"clientId\":\"a\",\"clientId\":\"b\"}", 400, "invalid_field"),
        (
            b"{\"clientId\":\"a\",\"scopes\":\"playlist-read-private\"}",
            400,
            "invalid_field",
        ),
        (
            b"{\"clientId\":\"a\",\"switchAccount\":\"yes\"}",
            400,
            "invalid_field",
        ),
        (huge.as_bytes(), 413, "body_too_large"),
    ];
    for (body, status, code) in cases {
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let answer = ana.post_bytes(REGISTER, body.to_vec()).await;
        assert_problem(&answer, status, code, &what);
    }
    for path in [
        "/api/session",
        "/api/spotify/reconnect-byo",
        "/api/playlist/export",
        LASTFM,
    ] {
        for (body, status, code) in [
            (b"{".to_vec(), 400, "invalid_json"),
            (b"[]".to_vec(), 400, "invalid_field"),
            (
                b"{\"name\":\"\xff\",\"returnTo\":\"\xff\",\"username\":\"\xff\"}".to_vec(),
                400,
                "invalid_json",
            ),
            (huge.as_bytes().to_vec(), 413, "body_too_large"),
        ] {
            let what = format!("{path} {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            assert_problem(&ana.post_bytes(path, body).await, status, code, &what);
        }
    }
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn unknown_fields_and_an_empty_body_do_no_harm() {
    let (_, mut ana) = ana_with_everything().await;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let body = format!(
        r#"{{"clientId":"{}","constructor":{{}},"$where":"1","later":{deep}}}"#,
        OWN_APP.client_id
    );
    ana.post_bytes(REGISTER, body).await.expect(200);
    ana.post_bytes("/api/spotify/reconnect-byo", "").await.expect(200);
    ana.post_bytes("/api/spotify/disconnect", "this is never read")
        .await
        .expect(200);
    assert_problem(
        &ana.post_bytes(REGISTER, "").await,
        400,
        "missing_client_id",
        "an empty body",
    );
}

#[tokio::test]
async fn queries_may_be_absurd() {
    let (app, mut ana) = ana_with_everything().await;
    let before = app.document("ana").await;
    let long = "x".repeat(20_000);
    for (path, status, code) in [
        (
            "/api/spotify/auth-url?switchAccount=maybe".to_owned(),
            400,
            "invalid_query",
        ),
        (
            "/api/spotify/auth-url?returnTo=/a&returnTo=/b".to_owned(),
            400,
            "invalid_query",
        ),
        (
            "/api/spotify/auth-url?returnTo=%ff%fe".to_owned(),
            400,
            "invalid_return_to",
        ),
        (
            format!("/api/spotify/auth-url?returnTo=/{long}"),
            400,
            "invalid_return_to",
        ),
        ("/api/spotify/status?mode=both".to_owned(), 400, "invalid_query"),
        ("/api/spotify/status?token=%00".to_owned(), 400, "invalid_query"),
        ("/api/playlist/export?id=a&id=b".to_owned(), 400, "invalid_query"),
        (
            "/api/playlist/export?id=../../etc/passwd".to_owned(),
            404,
            "export_not_found",
        ),
        (LASTFM_CALLBACK.to_owned(), 400, "missing_state"),
        (format!("{LASTFM_CALLBACK}?token=abc"), 400, "missing_state"),
        (
            format!("{LASTFM_CALLBACK}?state={long}&token={long}"),
            400,
            "invalid_state",
        ),
        (
            "/api/lastfm/auth-url?returnTo=/a&returnTo=/b".to_owned(),
            400,
            "invalid_query",
        ),
        (CALLBACK.to_owned(), 400, "missing_state"),
        (format!("{CALLBACK}?"), 400, "missing_state"),
        (format!("{CALLBACK}?code=abc"), 400, "missing_state"),
        (format!("{CALLBACK}?error=access_denied"), 400, "missing_state"),
        (format!("{CALLBACK}?state[]=a&&&=&%zz"), 400, "missing_state"),
        (
            format!("{CALLBACK}?state={long}&code={long}"),
            400,
            "invalid_state",
        ),
        (
            format!("{CALLBACK}?state=%00%0d%0aSet-Cookie:x=y"),
            400,
            "invalid_state",
        ),
        (format!("{CALLBACK}?state=a&state=b"), 400, "invalid_state"),
    ] {
        assert_problem(&ana.get(&path).await, status, code, &path[..path.len().min(80)]);
    }
    // What nobody asked for is nobody's business.
    ana.get(&format!(
        "/api/spotify/status?token=false&{long}=1&__proto__[x]=1"
    ))
    .await
    .expect(200);
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn headers_may_be_absurd() {
    let (app, mut ana) = ana_with_everything().await;
    let before = app.document("ana").await;
    let huge = "x".repeat(60_000);
    for (name, value) in [
        (header::COOKIE, HeaderValue::from_str(&huge).expect("a value")),
        (
            header::COOKIE,
            HeaderValue::from_bytes(b"patchbay_session=\xff\xfe").expect("a value"),
        ),
        (
            header::COOKIE,
            HeaderValue::from_static("=;;;patchbay_session;=;"),
        ),
        (
            header::AUTHORIZATION,
            HeaderValue::from_str(&huge).expect("a value"),
        ),
        (
            header::AUTHORIZATION,
            HeaderValue::from_bytes(b"Bearer \xff").expect("a value"),
        ),
        (
            header::AUTHORIZATION,
            HeaderValue::from_str(&format!("Bearer {huge}")).expect("a value"),
        ),
        (header::AUTHORIZATION, HeaderValue::from_static("Bearer")),
        (
            header::AUTHORIZATION,
            HeaderValue::from_static("Basic YW5hOmFuYQ=="),
        ),
    ] {
        let mut stranger = app.browser();
        stranger.headers.insert(name.clone(), value.clone());
        for path in ["/api/me", "/api/spotify/status", "/api/spotify/auth-url"] {
            let code = stranger.get(path).await.problem(401);
            assert!(
                ["not_signed_in", "token_invalid"].contains(&code.as_str()),
                "{name} {path}: {code}"
            );
        }
    }
    for name in [
        header::IF_NONE_MATCH,
        header::CONTENT_TYPE,
        HeaderName::from_static("idempotency-key"),
    ] {
        ana.headers.insert(
            name.clone(),
            HeaderValue::from_bytes(b"\xff, \"*").expect("a value"),
        );
        ana.get("/api/spotify/status?token=false").await.expect(200);
        ana.headers.remove(name);
    }
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_taken_is_said() {
    let (app, mut ana) = ana_with_everything().await;
    let before = app.document("ana").await;
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/me/",
        "/api//me",
        "/API/ME",
        "/api/spotify/statusx",
        "/health/x",
        "/%ff",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = ana.send(method.clone(), path, Body::empty()).await;
            assert_problem(&answer, 404, "no_such_route", &format!("{method} {path}"));
        }
    }
    let brew = Method::from_bytes(b"BREW").expect("a method");
    for (path, methods) in ROUTES {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            brew.clone(),
        ] {
            if methods.contains(&method) {
                continue;
            }
            let answer = ana.send(method.clone(), path, Body::from("{}")).await;
            assert_problem(&answer, 405, "method_not_allowed", &format!("{method} {path}"));
            let allowed = answer.headers[header::ALLOW].to_str().expect("text");
            let allowed: Vec<_> = allowed
                .split(',')
                .map(str::trim)
                .filter(|name| *name != "HEAD")
                .collect();
            assert_eq!(
                allowed,
                methods.iter().map(Method::as_str).collect::<Vec<_>>(),
                "{path}"
            );
        }
    }
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (_, mut ana) = ana_with_everything().await;
    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/api/metrics",
        "/api/session",
        "/api/me",
        "/api/spotify/status?token=false",
    ] {
        let get = ana.get(path).await;
        let head = ana.send(Method::HEAD, path, Body::empty()).await;
        assert_eq!((head.status, head.bytes.len()), (get.status, 0), "{path}");
        assert_eq!(
            head.headers[header::CONTENT_TYPE],
            get.headers[header::CONTENT_TYPE],
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_parsers_words_which_quote_what_was_sent_are_not_answered() {
    let (_, mut ana) = ana_with_everything().await;
    let planted = "a-secret-in-the-wrong-place";
    for body in [
        json!({"clientId": OWN_APP.client_id, "clientSecret": [planted]}).to_string(),
        json!({"clientId": OWN_APP.client_id, "switchAccount": planted}).to_string(),
        format!(r#"{{"clientId":{planted}"#),
        json!({"clientId": planted, "clientSecret": planted}).to_string(),
    ] {
        let answer = ana.post_bytes(REGISTER, body.clone()).await;
        assert!(answer.status.is_client_error(), "{body}");
        assert!(
            !String::from_utf8_lossy(&answer.bytes).contains(planted),
            "{body}"
        );
    }
}

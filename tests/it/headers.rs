//! The headers around every answer, and which pages may read them.

use axum::body::Body;
use http::{HeaderName, HeaderValue, Method, header};
use serde_json::json;

use crate::harness::{
    app::{Setup, TestApp},
    browser::Answer,
};

const FRONT: &str = "https://front.example";

#[track_caller]
fn assert_hardened(answer: &Answer, what: &str) {
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        let found: Vec<_> = answer.headers.get_all(&name).iter().collect();
        assert_eq!(found, [value], "{what}: {name}");
    }
    assert_eq!(answer.headers.get_all("x-request-id").iter().count(), 1, "{what}");
}

#[tokio::test]
async fn every_kind_of_answer_is_hardened() {
    let app = Setup::default().variable("ALLOWED_ORIGINS", FRONT).start().await;
    let mut ana = app.connected("ana").await;
    let answers = [
        ("200", ana.get("/api/spotify/status").await),
        ("a poll", ana.get("/api/spotify/status?token=false").await),
        ("a cookie", ana.post("/api/session", json!({"name": "ana"})).await),
        ("302", ana.connect("/api/spotify/auth-url").await),
        ("400", ana.get("/api/spotify/callback").await),
        ("401", app.browser().get("/api/me").await),
        ("404", ana.get("/nowhere").await),
        ("405", ana.delete("/health").await),
        ("413", ana.post_bytes("/api/session", vec![b' '; 5_000_000]).await),
        (
            "422",
            ana.post("/api/spotify/client-credentials", json!({"clientId": "x"}))
                .await,
        ),
        ("HEAD", ana.send(Method::HEAD, "/health", Body::empty()).await),
    ];
    for (what, answer) in &answers {
        assert_hardened(answer, what);
    }
    let mut ids: Vec<_> = answers
        .iter()
        .map(|(_, answer)| answer.headers["x-request-id"].as_bytes())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len(), "each answer has an id of its own");

    let tag = answers[1].1.headers[header::ETAG].clone();
    ana.headers.insert(header::IF_NONE_MATCH, tag);
    ana.get("/api/spotify/status?token=false").await;
    let poll = ana.get("/api/spotify/status?token=false").await;
    assert_hardened(&poll, "a poll that may be a 304");
    assert_hardened(&preflight(&app, FRONT).await, "a preflight");
}

async fn preflight(app: &TestApp, origin: &str) -> Answer {
    let mut page = app.browser();
    page.origin = Some(origin.to_owned());
    let asked = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    for (name, value) in asked {
        page.headers
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    page.send(Method::OPTIONS, "/api/spotify/disconnect", Body::empty())
        .await
}

fn shared_with(answer: &Answer) -> Option<&str> {
    answer
        .headers
        .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        .map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn only_pages_of_named_origins_may_read_answers() {
    let app = Setup::default()
        .variable("ALLOWED_ORIGINS", "https://front.example https://other.example")
        .start()
        .await;
    let mut page = app.signed_in("ana").await;
    for (origin, shared) in [
        (FRONT, Some(FRONT)),
        ("https://other.example", Some("https://other.example")),
        ("https://evil.example", None),
        ("https://front.example.evil.example", None),
        ("http://front.example", None),
        ("https://front.example:8443", None),
        ("null", None),
    ] {
        page.origin = Some(origin.to_owned());
        for path in ["/api/me", "/api/nowhere", "/api/spotify/callback"] {
            let answer = page.get(path).await;
            assert_eq!(shared_with(&answer), shared, "{origin} {path}");
            let varies = answer.headers.get_all(header::VARY).iter().any(|vary| {
                vary.as_bytes().eq_ignore_ascii_case(b"origin")
                    || String::from_utf8_lossy(vary.as_bytes()).contains("origin")
            });
            assert!(varies, "{origin} {path}: a cache must not mix them up");
        }
        assert_eq!(shared_with(&preflight(&app, origin).await), shared, "{origin}");
    }
    let allowed = preflight(&app, FRONT).await;
    assert_eq!(allowed.headers[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    let methods = allowed.headers[header::ACCESS_CONTROL_ALLOW_METHODS]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        ["GET", "POST", "DELETE"]
            .iter()
            .all(|method| methods.contains(method)),
        "{methods}"
    );
}

#[tokio::test]
async fn where_no_origin_is_named_no_page_elsewhere_reads_anything() {
    let app = TestApp::start().await;
    let mut page = app.signed_in("ana").await;
    for origin in [FRONT, "https://evil.example", "null"] {
        page.origin = Some(origin.to_owned());
        assert_eq!(shared_with(&page.get("/api/me").await), None);
        assert_eq!(shared_with(&preflight(&app, origin).await), None);
    }
}

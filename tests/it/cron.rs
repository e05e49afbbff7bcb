//! `/api/cron/refresh`: the sweep, for whoever knows the secret.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{Method, header};
use patchbay::store::DatabaseUrl;
use serde_json::json;

use crate::harness::{
    app::{CRON_SECRET, Setup, TestApp},
    flaky_store::{Call, FlakyStore, When},
};

const REFRESH: &str = "/api/cron/refresh";

#[tokio::test]
async fn without_the_secret_nothing_is_swept() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(Duration::from_hours(1));
    let last = CRON_SECRET.len() - 1;
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer wrong".to_owned(),
        format!("Bearer {}", &CRON_SECRET[..last]),
        format!("Bearer {CRON_SECRET}x"),
        format!("Bearer {}", CRON_SECRET.to_uppercase()),
        format!("Basic {CRON_SECRET}"),
        CRON_SECRET.to_owned(),
    ];
    for authorization in wrong {
        for method in [Method::GET, Method::POST] {
            let mut timer = app.browser();
            timer.headers.insert(
                header::AUTHORIZATION,
                authorization.parse().expect("a header value"),
            );
            let answer = timer.send(method, REFRESH, Body::empty()).await;
            assert_eq!(answer.problem(401), "cron_secret_required", "{authorization}");
        }
    }
    assert_eq!(
        app.browser().get(REFRESH).await.problem(401),
        "cron_secret_required"
    );
    // Who is signed in is no operator.
    assert_eq!(
        app.signed_in("ana")
            .await
            .post(REFRESH, json!({}))
            .await
            .problem(401),
        "cron_secret_required"
    );
    assert_eq!(app.renewals(), 0);
}

#[tokio::test]
async fn with_the_secret_both_methods_sweep_and_say_what_was_done() {
    for method in [Method::GET, Method::POST] {
        let app = TestApp::start().await;
        app.connected("ana").await;
        app.advance(Duration::from_hours(1));
        let mut timer = app.browser();
        timer.origin = None;
        timer.headers.insert(
            header::AUTHORIZATION,
            format!("Bearer {CRON_SECRET}").parse().expect("a header value"),
        );
        let summary = timer
            .send(method.clone(), REFRESH, Body::empty())
            .await
            .expect(200);
        assert_eq!(summary["renewed"], 1, "{summary}");
        let again = timer.send(method, REFRESH, Body::empty()).await.expect(200);
        for count in ["visited", "renewed", "ended", "putOff", "failed"] {
            assert_eq!(again[count], 0, "{count}: {again}");
        }
        assert_eq!(again["more"], false);
        assert_eq!(app.renewals(), 1);
    }
}

#[tokio::test]
async fn without_a_configured_secret_it_stays_shut() {
    let app = Setup::default().variable("CRON_SECRET", "").start().await;
    for authorization in ["Bearer ", "Bearer", ""] {
        let mut timer = app.browser();
        timer.headers.insert(
            header::AUTHORIZATION,
            authorization.parse().expect("a header value"),
        );
        assert_eq!(
            timer.get(REFRESH).await.problem(401),
            "cron_secret_required",
            "{authorization:?}"
        );
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_503() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut timer = app.browser();
    timer.headers.insert(
        header::AUTHORIZATION,
        format!("Bearer {CRON_SECRET}").parse().expect("a header value"),
    );
    flaky.fail_next(1, Call::UsersDue, When::Before);
    assert_eq!(timer.get(REFRESH).await.problem(503), "store_unavailable");
    timer.get(REFRESH).await.expect(200);
}

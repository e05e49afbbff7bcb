//! What Spotify refuses or fails at after the person agreed: each has its code, and nothing is half stored.

use sandbox::{Bucket, Fault, FaultKind, NotRegistered};

use super::{STANDARD, altered, assert_connected, assert_sent_back_with};
use crate::harness::{app::TestApp, browser::Browser};

/// Connects, is sent back with `code`, and has nothing stored; once all is `mended`, it works.
async fn refused(app: &TestApp, person: &mut Browser, code: &str) {
    assert_sent_back_with(&person.connect(STANDARD).await, code);
    let document = app.document("ana").await;
    assert!(document.integrations.is_empty(), "{code}: nothing is connected");
    assert!(document.pending.is_empty(), "{code}: nothing is under way");
}

#[tokio::test]
async fn who_is_not_on_the_apps_list_is_told_so_in_every_wording() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    app.sandbox.world().settings.auto_approve_as = Some("guest".to_owned());
    for wording in [
        NotRegistered::Text2026,
        NotRegistered::Json2026,
        NotRegistered::Text2024,
        NotRegistered::Text2021,
    ] {
        app.sandbox.world().settings.not_registered = wording;
        refused(&app, &mut ana, "not_on_allow_list").await;
    }
    app.sandbox
        .world()
        .disallow(sandbox::DEMO_APP.client_id, "ben")
        .expect("a place is free");
    app.sandbox
        .world()
        .allow(sandbox::DEMO_APP.client_id, "guest")
        .expect("and taken");
    assert_connected(&ana.connect(STANDARD).await);
}

#[tokio::test]
async fn an_app_whose_owner_has_no_premium_is_told_apart() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    app.sandbox
        .world()
        .set_premium("ana", false)
        .expect("she is there");
    refused(&app, &mut ana, "owner_needs_premium").await;
    app.sandbox
        .world()
        .set_premium("ana", true)
        .expect("she is there");
    assert_connected(&ana.connect(STANDARD).await);
}

#[tokio::test]
async fn the_first_call_may_fail_in_every_way_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for (kind, code) in [
        (
            FaultKind::text(403, "User not approved for app"),
            "not_on_allow_list",
        ),
        (
            FaultKind::json(403, r#"{"error":{"status":403,"message":"Forbidden"}}"#),
            "forbidden",
        ),
        (FaultKind::html(403), "forbidden"),
        (FaultKind::text(401, ""), "provider_unavailable"),
        (FaultKind::text(404, "Not found."), "forbidden"),
        (FaultKind::text(429, "Too many requests"), "provider_unavailable"),
        (FaultKind::html(502), "provider_unavailable"),
        (FaultKind::text(503, ""), "provider_unavailable"),
        (
            FaultKind::json(200, r#"{"account_id":"AnaAnaAnaAna"}"#),
            "provider_unavailable",
        ),
        (FaultKind::json(200, "null"), "provider_unavailable"),
        (FaultKind::Garbage200, "provider_unavailable"),
        (FaultKind::DropConnection, "provider_unavailable"),
        (FaultKind::CommitThenDrop, "provider_unavailable"),
    ] {
        app.sandbox
            .world()
            .fault(Fault::on("GET", "/v1/me", kind).times(1));
        refused(&app, &mut ana, code).await;
    }
    let an_hour_ms = 60 * 60 * 1000;
    app.sandbox
        .world()
        .exhaust_quota("ana", Bucket::Profile, an_hour_ms);
    refused(&app, &mut ana, "quota_exceeded").await;
    app.sandbox.world().reset_limits();
    assert_connected(&ana.connect(STANDARD).await);
}

#[tokio::test]
async fn the_exchange_may_fail_in_every_way_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for (kind, code) in [
        (
            FaultKind::json(400, r#"{"error":"invalid_grant"}"#),
            "code_refused",
        ),
        (
            FaultKind::json(400, r#"{"error":"invalid_request"}"#),
            "code_refused",
        ),
        (
            FaultKind::json(400, r#"{"error":"invalid_client"}"#),
            "client_refused",
        ),
        (
            FaultKind::json(401, r#"{"error":"invalid_client"}"#),
            "client_refused",
        ),
        (FaultKind::html(400), "provider_unavailable"),
        (FaultKind::text(429, ""), "provider_unavailable"),
        (
            FaultKind::json(503, r#"{"error":"invalid_grant"}"#),
            "provider_unavailable",
        ),
        (FaultKind::html(502), "provider_unavailable"),
        (FaultKind::Garbage200, "provider_unavailable"),
        (
            FaultKind::json(200, r#"{"error":"invalid_grant"}"#),
            "provider_unavailable",
        ),
        (FaultKind::DropConnection, "provider_unavailable"),
        (FaultKind::CommitThenDrop, "provider_unavailable"),
        (FaultKind::CommitThenStatus(502), "provider_unavailable"),
    ] {
        app.sandbox
            .world()
            .fault(Fault::on("POST", "/api/token", kind).times(1));
        refused(&app, &mut ana, code).await;
    }
    assert_eq!(
        app.sandbox.world().count("GET", "/v1/me"),
        0,
        "nobody is looked up without a token"
    );
    assert_connected(&ana.connect(STANDARD).await);
}

#[tokio::test]
async fn a_store_that_is_away_at_the_end_leaves_the_old_grant() {
    use std::sync::Arc;

    use patchbay::store::DatabaseUrl;

    use crate::harness::{
        app::Setup,
        flaky_store::{Call, FlakyStore, When},
    };

    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut ana = app.connected("ana").await;
    let before = app.grant("ana").await;

    // Away when the pending record is to be taken: the same callback works later.
    let callback = ana.consent(STANDARD).await;
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_sent_back_with(&ana.get(&callback).await, "store_unavailable");
    assert_connected(&ana.get(&callback).await);
    assert_ne!(app.grant("ana").await, before);

    // Away when the grant is to be written: start anew.
    let before = app.grant("ana").await;
    app.sandbox.world().hold("/v1/me");
    let callback = ana.consent(STANDARD).await;
    let mut browser = ana.clone();
    let finishing = tokio::spawn(async move { browser.get(&callback).await });
    app.sandbox.arrived("/v1/me").await;
    flaky.fail_next(1, Call::WriteUser, When::Before);
    app.sandbox.world().release("/v1/me");
    assert_sent_back_with(&finishing.await.expect("no panic"), "store_unavailable");
    assert_eq!(app.grant("ana").await, before);
    assert!(app.document("ana").await.pending.is_empty());
}

#[tokio::test]
async fn an_error_wins_over_a_code() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    assert_sent_back_with(
        &ana.get(&altered(&callback, "error", Some("access_denied"))).await,
        "access_denied",
    );
    assert_eq!(app.sandbox.world().count("POST", "/api/token"), 0);
}

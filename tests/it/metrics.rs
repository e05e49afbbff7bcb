//! `GET /api/metrics`: what was counted, for the operator.

mod outcomes;

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{Method, header};
use patchbay::store::DatabaseUrl;
use sandbox::{Fault, FaultKind};

use crate::harness::{
    app::{Setup, TestApp},
    browser::{Answer, Browser},
    clock::until,
    flaky_store::{Call, FlakyStore, When},
};

const METRICS: &str = "/api/metrics";
pub const ADMIN_TOKEN: &str = "an-admin-token-for-the-tests";

fn setup() -> Setup {
    Setup::default().variable("ADMIN_TOKEN", ADMIN_TOKEN)
}

fn operator(app: &TestApp) -> Browser {
    Browser::bearer(app.router.clone(), ADMIN_TOKEN)
}

#[track_caller]
fn text(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200);
    std::str::from_utf8(&answer.bytes).expect("text")
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(
        text.lines().any(|found| found == line),
        "no line {line:?} in\n{text}"
    );
}

/// The renewals that this process has counted: outcome and count of each that is not 0, by name.
pub async fn counted(app: &TestApp) -> Vec<String> {
    let answer = operator(app).get(METRICS).await;
    let counts = text(&answer).lines().filter_map(|line| {
        let line = line.strip_prefix("patchbay_renewals_total{outcome=\"")?;
        Some(line.replace("\"}", ""))
    });
    let mut counts: Vec<_> = counts.filter(|count| !count.ends_with(" 0")).collect();
    counts.sort();
    counts
}

#[tokio::test]
async fn only_who_knows_the_admin_token_reads_it() {
    let app = setup().start().await;
    let last = ADMIN_TOKEN.len() - 1;
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer wrong".to_owned(),
        format!("Bearer {}", &ADMIN_TOKEN[..last]),
        format!("Bearer {ADMIN_TOKEN}x"),
        format!("Bearer {}", ADMIN_TOKEN.to_uppercase()),
        format!("Basic {ADMIN_TOKEN}"),
        ADMIN_TOKEN.to_owned(),
        format!("Bearer {}", crate::harness::app::CRON_SECRET),
    ];
    for authorization in wrong {
        let mut nosy = app.browser();
        nosy.headers.insert(
            header::AUTHORIZATION,
            authorization.parse().expect("a header value"),
        );
        assert_eq!(
            nosy.get(METRICS).await.problem(401),
            "admin_token_required",
            "{authorization}"
        );
    }
    let mut ana = app.connected("ana").await;
    assert_eq!(ana.get(METRICS).await.problem(401), "admin_token_required");
    assert_eq!(operator(&app).get(METRICS).await.status, 200);
}

#[tokio::test]
async fn without_a_configured_token_it_stays_shut() {
    let app = TestApp::start().await;
    for authorization in ["Bearer ", "Bearer", ""] {
        let mut nosy = app.browser();
        nosy.headers.insert(
            header::AUTHORIZATION,
            authorization.parse().expect("a header value"),
        );
        assert_eq!(
            nosy.get(METRICS).await.problem(401),
            "admin_token_required",
            "{authorization:?}"
        );
    }
}

#[tokio::test]
async fn it_is_open_metrics_and_nobody_keeps_it() {
    let app = setup().start().await;
    let mut operator = operator(&app);
    let answer = operator.get(METRICS).await;
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let text = text(&answer);
    has(text, "patchbay_store_up 1");
    has(text, "patchbay_unwritten_tokens 0");
    has(text, "patchbay_renewals_total{outcome=\"persist_failed\"} 0");
    assert!(text.ends_with("# EOF\n"), "{text}");
    let head = operator.send(Method::HEAD, METRICS, Body::empty()).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
}

#[tokio::test]
async fn who_is_due_and_what_is_dead_is_counted_over_the_whole_deployment() {
    let app = setup().start().await;
    let mut ana = app.connected("ana").await;
    app.connected("ben").await;
    let line = async |line: &str| has(text(&operator(&app).get(METRICS).await), line);
    line("patchbay_users_due 0").await;
    line("patchbay_grants_dead 0").await;
    app.sandbox.world().revoke_user("ana");
    app.advance(Duration::from_hours(1));
    line("patchbay_users_due 2").await;
    ana.get("/api/spotify/status").await.expect(200);
    line("patchbay_users_due 1").await;
    line("patchbay_grants_dead 1").await;
}

#[tokio::test]
async fn a_pass_leaves_its_counts_and_its_time() {
    let app = setup().start().await;
    app.connected("ana").await;
    app.connected("ben").await;
    app.advance(Duration::from_hours(1));
    let before = operator(&app).get(METRICS).await;
    has(text(&before), "patchbay_sweep_passes_total 0");
    app.sandbox
        .world()
        .fault(Fault::on("POST", "/api/token", FaultKind::html(502)).times(1));
    let at_s = app.clock.now_ms() / 1000;
    app.app.pass(Duration::from_mins(1)).await.expect("a pass");
    let after = operator(&app).get(METRICS).await;
    for line in [
        "patchbay_sweep_passes_total 1",
        "patchbay_sweep_visits_total 2",
        "patchbay_sweep_results_total{result=\"renewed\"} 1",
        "patchbay_sweep_results_total{result=\"put_off\"} 1",
        "patchbay_sweep_results_total{result=\"failed\"} 0",
        &format!("patchbay_sweep_last_completed_timestamp_seconds {at_s}"),
    ] {
        has(text(&after), line);
    }
}

#[tokio::test]
async fn a_database_that_is_away_or_hangs_costs_only_its_own_numbers() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = setup().store(Arc::clone(&flaky) as _).start().await;
    flaky.fail_next(1, Call::Tally, When::Before);
    let away = operator(&app).get(METRICS).await;
    has(text(&away), "patchbay_store_up 0");
    has(text(&away), "patchbay_renewals_total{outcome=\"renewed\"} 0");

    flaky.fail_next(1, Call::Tally, When::Never);
    let mut waiting = operator(&app);
    let scrape = tokio::spawn(async move { waiting.get(METRICS).await });
    until("the database is asked", async || flaky.calls(Call::Tally) == 2).await;
    app.advance(Duration::from_secs(8));
    let hung = scrape.await.expect("no panic");
    has(text(&hung), "patchbay_store_up 0");

    let back = operator(&app).get(METRICS).await;
    has(text(&back), "patchbay_store_up 1");
    has(text(&back), "patchbay_users_due 0");
}

#[tokio::test]
async fn nobodys_name_is_in_it() {
    let app = setup().start().await;
    let mut zsuzsa = app.connected("zsuzsa").await;
    zsuzsa
        .connect_own(sandbox::OWN_APP.client_id, Some(sandbox::OWN_APP.client_secret))
        .await;
    app.advance(Duration::from_hours(1));
    zsuzsa.get("/api/spotify/status").await.expect(200);
    let answer = operator(&app).get(METRICS).await;
    for secret in [
        "zsuzsa",
        sandbox::OWN_APP.client_id,
        sandbox::OWN_APP.client_secret,
        sandbox::DEMO_APP.client_id,
        ADMIN_TOKEN,
    ] {
        assert!(!text(&answer).contains(secret), "{secret}");
    }
}

//! Two kinds of 429.

use sandbox::{App, Bucket, DEMO_APP, OWN_APP, RateLimit, Sandbox};
use serde_json::{Value, json};

use crate::http::{DAY_MS, access, api, body, read, start};

/// Status, `Retry-After`, body.
async fn search(sandbox: &Sandbox, token: &str) -> (u16, Option<String>, Value) {
    let response = api(sandbox, "GET", "/search?q=x&type=track", token)
        .send()
        .await
        .expect("an answer");
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let (status, body) = body(response).await;
    (status, retry_after, body)
}

#[tokio::test]
async fn the_rate_limit_counts_an_apps_calls_of_thirty_seconds() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let own = sandbox
        .world()
        .issue_grant(OWN_APP.client_id, "ana", "")
        .expect("app and user exist")
        .access_token;
    sandbox.world().settings.rate_limit = Some(RateLimit::of(2));
    assert_eq!(search(&sandbox, &ana).await.0, 200);
    sandbox.world().advance_ms(26_500);
    assert_eq!(search(&sandbox, &ana).await.0, 200);
    let json = json!({"error": {"status": 429, "message": "API rate limit exceeded"}});
    assert_eq!(search(&sandbox, &ana).await, (429, Some("4".to_owned()), json));
    assert_eq!(search(&sandbox, &own).await.0, 200, "another app has its own");
    sandbox.world().settings.rate_limit = Some(RateLimit {
        calls: 2,
        retry_after: false,
        json: false,
    });
    assert_eq!(
        search(&sandbox, &ana).await,
        (429, None, json!("Too many requests"))
    );
    sandbox.world().advance_ms(3_500);
    assert_eq!(search(&sandbox, &ana).await.0, 200);
}

#[tokio::test]
async fn the_quota_counts_a_developers_calls_of_a_day_bucket_by_bucket() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let own = sandbox
        .world()
        .issue_grant(OWN_APP.client_id, "ana", "")
        .expect("app and user exist")
        .access_token;
    let bens = sandbox.world().add_app(App::new("", "ben")).expect("ben exists");
    let bens = sandbox
        .world()
        .issue_grant(&bens, "ben", "")
        .expect("app and user exist")
        .access_token;
    sandbox.world().settings.quota.insert(Bucket::Search, 2);
    assert_eq!(search(&sandbox, &ana).await.0, 200);
    assert_eq!(search(&sandbox, &own).await.0, 200);
    let exceeded =
        json!({"error": {"status": 429, "message": "Too many requests", "reason": "QUOTA_EXCEEDED"}});
    assert_eq!(
        search(&sandbox, &own).await,
        (429, Some("86400".to_owned()), exceeded)
    );
    assert_eq!(
        search(&sandbox, &bens).await.0,
        200,
        "another developer has their own"
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/me", &ana)).await.0,
        200,
        "another bucket is not empty"
    );
    sandbox.world().advance_ms(DAY_MS);
    let fresh = access(&sandbox, "ana", "");
    assert_eq!(search(&sandbox, &fresh).await.0, 200);
}

#[tokio::test]
async fn a_bucket_can_be_emptied_by_hand() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    sandbox.world().exhaust_quota("ana", Bucket::Search, 48_925_000);
    assert_eq!(search(&sandbox, &ana).await.1.as_deref(), Some("48925"));
    sandbox.world().reset_limits();
    assert_eq!(search(&sandbox, &ana).await.0, 200);
    sandbox.world().settings.quota.insert(Bucket::Search, 0);
    sandbox.world().reset_limits();
    assert_eq!(search(&sandbox, &ana).await.1.as_deref(), Some("86400"));
    assert!(sandbox.world().app(DEMO_APP.client_id).is_some());
}

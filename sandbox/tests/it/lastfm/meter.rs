//! The meter, and its refusal.

use std::net::{IpAddr, Ipv4Addr};

use sandbox::{DEMO_LASTFM, MeterCount, MeterRule, Sandbox};

use super::{ask, error, with_dora};
use crate::http::{client, read};

const INFO: &str = "user.getInfo";

async fn status(sandbox: &Sandbox) -> u16 {
    ask(sandbox, INFO, &[("user", "Dora")]).await.0
}

fn rule(calls: u32, window_ms: i64) -> MeterRule {
    MeterRule { calls, window_ms }
}

#[tokio::test]
async fn it_lets_so_many_calls_through_a_rolling_window() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.meter = rule(2, 10_000);
    assert_eq!(status(&sandbox).await, 200);
    sandbox.world().advance_ms(6000);
    assert_eq!(status(&sandbox).await, 200);
    let refused = ask(&sandbox, INFO, &[("user", "Dora")]).await;
    assert_eq!(error(&refused), (429, 29));
    let message = refused.1["message"].as_str().expect("a message");
    assert!(message.starts_with("Rate Limit Exceeded - This application has made too many requests"));
    assert!(
        message.contains("see https://www.last.fm/api/tos#4.4 for"),
        "{message}"
    );
    sandbox.world().advance_ms(4000);
    assert_eq!(status(&sandbox).await, 200, "the first has left the window");
    assert_eq!(
        status(&sandbox).await,
        429,
        "the refused call took no room, the third did"
    );
    let count = sandbox.world().lastfm.meter(DEMO_LASTFM.api_key);
    assert_eq!(count, MeterCount { calls: 3, refused: 2 });
    sandbox.world().lastfm.reset_meter();
    assert_eq!(status(&sandbox).await, 200);
    assert_eq!(sandbox.world().lastfm.meter(DEMO_LASTFM.api_key).refused, 0);
}

#[tokio::test]
async fn the_terms_are_its_default() {
    let sandbox = with_dora().await;
    assert_eq!(sandbox.world().settings.lastfm.meter, rule(1500, 300_000));
    assert_eq!(sandbox.world().settings.lastfm.burst, None);
}

#[tokio::test]
async fn a_burst_has_a_rule_of_its_own() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.burst = Some(rule(1, 1000));
    assert_eq!((status(&sandbox).await, status(&sandbox).await), (200, 429));
    sandbox.world().advance_ms(1000);
    assert_eq!(status(&sandbox).await, 200);
}

#[tokio::test]
async fn when_to_come_back_is_said_only_when_told_to() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.meter = rule(0, 1000);
    for told in [None, Some(77)] {
        sandbox.world().settings.lastfm.retry_after_s = told;
        let query = [
            ("method", INFO),
            ("api_key", DEMO_LASTFM.api_key),
            ("format", "json"),
        ];
        let request = client().get(sandbox.lastfm_api_url()).query(&query);
        let response = request.send().await.expect("an answer");
        let said = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok());
        assert_eq!(said, told.map(|_| "77"));
        assert_eq!(response.status().as_u16(), 429);
    }
}

#[tokio::test]
async fn keys_share_an_address_and_addresses_share_a_key() {
    let sandbox = with_dora().await;
    sandbox
        .world()
        .lastfm
        .add_key("second", "s", "second")
        .expect("a free key");
    sandbox.world().settings.lastfm.meter = rule(1, 1000);
    assert_eq!(status(&sandbox).await, 200);
    let second = [("user", "Dora"), ("api_key", "second")];
    assert_eq!(
        error(&ask(&sandbox, INFO, &second).await),
        (429, 29),
        "the address has asked"
    );
    assert_eq!(
        sandbox.world().lastfm.meter_of_address("127.0.0.1"),
        MeterCount { calls: 1, refused: 1 }
    );

    // All of 127.0.0.0/8 is this machine on Linux.
    if cfg!(target_os = "linux") {
        assert_eq!(
            from_elsewhere(&sandbox, DEMO_LASTFM.api_key).await,
            429,
            "the key has asked"
        );
        assert_eq!(from_elsewhere(&sandbox, "second").await, 200);
        assert_eq!(
            sandbox.world().lastfm.meter_of_address("127.0.0.2"),
            MeterCount { calls: 1, refused: 1 }
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a plain client that calls from another address"
)]
async fn from_elsewhere(sandbox: &Sandbox, api_key: &str) -> u16 {
    // The first of the tests' clients sets up the provider that all need.
    let _ = client();
    let elsewhere = reqwest::Client::builder().local_address(IpAddr::from(Ipv4Addr::new(127, 0, 0, 2)));
    let elsewhere = elsewhere.build().expect("a client");
    let query = [
        ("method", INFO),
        ("user", "Dora"),
        ("api_key", api_key),
        ("format", "json"),
    ];
    read(elsewhere.get(sandbox.lastfm_api_url()).query(&query))
        .await
        .0
}

#[tokio::test]
async fn a_key_that_does_not_exist_is_not_counted() {
    let sandbox = with_dora().await;
    ask(&sandbox, INFO, &[("api_key", "unknown")]).await;
    assert_eq!(sandbox.world().lastfm.meter("unknown"), MeterCount::default());
    assert_eq!(
        sandbox.world().lastfm.meter_of_address("127.0.0.1"),
        MeterCount::default()
    );
}

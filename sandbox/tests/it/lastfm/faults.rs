//! Faults of one method among those that share a path, and what the journal says of Last.fm's calls.

use sandbox::{DEMO_LASTFM, Fault, FaultKind};
use serde_json::json;

use super::{ask, ask_dora, ask_signed, error, with_dora};

const INFO: &str = "user.getInfo";
const RECENT: &str = "user.getRecentTracks";

#[tokio::test]
async fn a_fault_can_name_one_method() {
    let sandbox = with_dora().await;
    sandbox
        .world()
        .fault(Fault::on_lastfm(RECENT, FaultKind::lastfm_error(8)).times(1));
    ask_dora(&sandbox, INFO, &[]).await;
    let failed = ask(&sandbox, "user.getrecenttracks", &[("user", "Dora")]).await;
    assert_eq!(error(&failed), (500, 8));
    ask_dora(&sandbox, RECENT, &[]).await;
    sandbox
        .world()
        .fault(Fault::on("GET", "/2.0/", FaultKind::html(502)).times(1));
    let (status, body) = ask(&sandbox, INFO, &[("user", "Dora")]).await;
    assert!(status == 502 && body.is_string());
    sandbox
        .world()
        .fault(Fault::on_lastfm(INFO, FaultKind::Garbage200).times(1));
    let (status, body) = ask(&sandbox, INFO, &[("user", "Dora")]).await;
    assert!(status == 200 && body.is_string());
    ask_dora(&sandbox, INFO, &[]).await;
}

#[tokio::test]
async fn errors_that_pass_can_be_asked_for_by_their_code() {
    let sandbox = with_dora().await;
    for (code, status) in [
        (2, 400),
        (7, 400),
        (8, 500),
        (11, 503),
        (16, 503),
        (29, 429),
        (99, 500),
    ] {
        sandbox
            .world()
            .fault(Fault::on_lastfm(INFO, FaultKind::lastfm_error(code)).times(1));
        let expected = if code == 99 { 8 } else { i64::from(code) };
        assert_eq!(
            error(&ask(&sandbox, INFO, &[("user", "Dora")]).await),
            (status, expected)
        );
    }
}

#[tokio::test]
async fn the_journal_knows_the_method_and_no_secret() {
    let sandbox = with_dora().await;
    let key = sandbox
        .world()
        .lastfm
        .issue_session(DEMO_LASTFM.api_key, "Dora")
        .expect("Dora exists");
    ask_signed(&sandbox, RECENT, &[("sk", &key), ("user", "dora")]).await;
    ask_signed(&sandbox, "auth.getsession", &[("token", "token-value")]).await;
    ask(
        &sandbox,
        INFO,
        &[("user", "hidden-value"), ("api_key", "unknown-key")],
    )
    .await;
    let requests = sandbox.world().requests();
    let methods: Vec<_> = requests
        .iter()
        .map(|seen| seen.lastfm_method.as_deref())
        .collect();
    assert_eq!(methods, [Some(RECENT), Some("auth.getSession"), Some(INFO)]);
    assert_eq!(requests[0].client_id.as_deref(), Some("lastfm-demo"));
    assert_eq!(
        (requests[0].user.as_deref(), requests[0].status),
        (Some("Dora"), Some(200))
    );
    assert_eq!(
        requests[0].fields,
        ["api_key", "api_sig", "format", "method", "sk", "user"]
    );
    assert_eq!(
        (requests[2].client_id.as_deref(), requests[2].user.as_deref()),
        (None, None)
    );
    let text = json!(requests).to_string();
    for secret in [
        &key,
        DEMO_LASTFM.api_key,
        "token-value",
        "hidden-value",
        "unknown-key",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert_eq!(sandbox.world().count_lastfm(RECENT), 1);
}

//! Every error that the sandbox can make (reference: Last.fm §7), in both formats and both transports.

use sandbox::{BadPeriod, DEMO_LASTFM, MeterRule, Sandbox, Transport};
use serde_json::Value;

use super::{ask, ask_dora, error, with_dora};
use crate::http::{client, read};

const INFO: &str = "user.getInfo";

#[tokio::test]
async fn a_call_is_refused_for_what_is_wrong_with_it() {
    let sandbox = with_dora().await;
    for (method, more, expected) in [
        ("user.getFriends", [("user", "Dora")].as_slice(), (400, 3)),
        ("", &[("user", "Dora")], (400, 3)),
        (INFO, &[], (400, 6)),
        (INFO, &[("user", "")], (400, 6)),
        (INFO, &[("user", "nobody")], (404, 6)),
        (INFO, &[("user", "Dora"), ("api_key", "")], (403, 10)),
        (INFO, &[("user", "Dora"), ("api_key", "unknown")], (403, 10)),
        (INFO, &[("user", "Dora"), ("api_sig", "0")], (403, 13)),
        ("user.getRecentTracks", &[("user", "ben_listens")], (403, 17)),
    ] {
        assert_eq!(
            error(&ask(&sandbox, method, more).await),
            expected,
            "{method} {more:?}"
        );
    }
    let methods: Vec<_> = sandbox
        .world()
        .unexpected()
        .into_iter()
        .map(|seen| seen.lastfm_method)
        .collect();
    assert_eq!(methods, [Some("unknown".to_owned()), Some("unknown".to_owned())]);
}

#[tokio::test]
async fn the_sentences_are_those_of_the_service() {
    let sandbox = with_dora().await;
    let message = |answer: (u16, Value)| answer.1["message"].as_str().expect("a message").to_owned();
    let unknown_key = ask(&sandbox, INFO, &[("api_key", "x")]).await;
    assert_eq!(
        message(unknown_key),
        "Invalid API key - You must be granted a valid key by last.fm"
    );
    sandbox
        .world()
        .lastfm
        .suspend_key(DEMO_LASTFM.api_key, true)
        .expect("the demo key");
    let suspended = ask(&sandbox, INFO, &[("user", "Dora")]).await;
    assert_eq!(error(&suspended), (403, 26));
    let sentence = "API Key Suspended - This application is not allowed to make requests to the web services";
    assert_eq!(message(suspended), sentence);
    sandbox
        .world()
        .lastfm
        .suspend_key(DEMO_LASTFM.api_key, false)
        .expect("the demo key");
    ask_dora(&sandbox, INFO, &[]).await;
}

#[tokio::test]
async fn the_backend_fails_as_often_as_told() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.failures_per_mille = 1000;
    let failed = ask(&sandbox, INFO, &[("user", "Dora")]).await;
    assert_eq!(error(&failed), (500, 8));
    let sentence = "Operation failed - Most likely the backend service failed. Please try again.";
    assert_eq!(failed.1["message"], sentence);
    sandbox.world().settings.lastfm.failures_per_mille = 500;
    let mut failures = 0;
    for _ in 0..40 {
        failures += u32::from(ask(&sandbox, INFO, &[("user", "Dora")]).await.0 == 500);
    }
    assert!((5..=35).contains(&failures), "{failures} of 40");
}

#[tokio::test]
async fn an_error_may_come_with_a_200() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.error_transport = Transport::Always200;
    assert_eq!(error(&ask(&sandbox, INFO, &[("user", "nobody")]).await), (200, 6));
    sandbox.world().settings.lastfm.meter = MeterRule {
        calls: 0,
        window_ms: 1000,
    };
    assert_eq!(error(&ask(&sandbox, INFO, &[("user", "Dora")]).await), (200, 29));
}

#[tokio::test]
async fn a_period_that_does_not_exist_is_overall_or_refused() {
    let sandbox = with_dora().await;
    ask_dora(&sandbox, "user.getTopTracks", &[("period", "fortnight")]).await;
    sandbox.world().settings.lastfm.bad_period = BadPeriod::Refused;
    let refused = ask(
        &sandbox,
        "user.getTopTracks",
        &[("user", "Dora"), ("period", "fortnight")],
    )
    .await;
    assert_eq!(error(&refused), (400, 6));
}

async fn text(sandbox: &Sandbox, more: &[(&str, &str)]) -> (u16, String, String) {
    let mut query = vec![("method", INFO), ("api_key", DEMO_LASTFM.api_key)];
    query.extend_from_slice(more);
    let request = client().get(sandbox.lastfm_api_url()).query(&query);
    let response = request.send().await.expect("an answer");
    let kind = response.headers()["content-type"]
        .to_str()
        .expect("text")
        .to_owned();
    (
        response.status().as_u16(),
        kind,
        response.text().await.expect("a body"),
    )
}

#[tokio::test]
async fn errors_are_xml_to_who_asks_for_nothing_else_and_to_who_asks_for_nonsense() {
    let sandbox = with_dora().await;
    let (status, kind, body) = text(&sandbox, &[("user", "nobody")]).await;
    assert_eq!((status, kind.as_str()), (404, "text/xml; charset=UTF-8"));
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<lfm status=\"failed\">\n<error code=\"6\">User not \
                    found</error></lfm>\n";
    assert_eq!(body, expected);
    let (status, _, body) = text(&sandbox, &[("user", "Dora"), ("format", "yaml")]).await;
    assert!(status == 400 && body.contains("<error code=\"5\">"), "{body}");
}

#[tokio::test]
async fn a_put_is_none_of_it() {
    let sandbox = with_dora().await;
    assert_eq!(read(client().put(sandbox.lastfm_api_url())).await.0, 405);
}

//! What goes wrong on purpose: faults, holds, and what the journal says of them.

use sandbox::{Fault, FaultKind, Matcher, World};
use serde_json::json;

use crate::http::{WRITE, access, api, demo_basic, read, start, token, uri};

#[tokio::test]
async fn a_fault_acts_as_often_as_told_on_what_it_names() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let busy = FaultKind::Status {
        status: 503,
        content_type: "text/plain".to_owned(),
        body: "upstream".to_owned(),
        retry_after_s: Some(7),
    };
    sandbox.world().fault(Fault::on("GET", "/v1/me", busy).times(1));
    assert_eq!(
        read(api(&sandbox, "GET", "/search?q=x&type=track", &ana)).await.0,
        200
    );
    let response = api(&sandbox, "GET", "/me", &ana).send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().expect("a header"))
    );
    assert_eq!(response.text().await.expect("a body"), "upstream");
    assert_eq!(read(api(&sandbox, "GET", "/me", &ana)).await.0, 200);

    let number = sandbox.world().fault(Fault {
        matcher: Matcher {
            method: None,
            path: "/v1".to_owned(),
            lastfm_method: None,
        },
        times: None,
        kind: FaultKind::html(500),
    });
    assert_eq!(read(api(&sandbox, "GET", "/me", &ana)).await.0, 500);
    assert!(sandbox.world().remove_fault(number) && !sandbox.world().remove_fault(number));
    assert_eq!(read(api(&sandbox, "GET", "/me", &ana)).await.0, 200);
}

#[tokio::test]
async fn when_to_come_back_is_said_as_told_and_nothing_else_is() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    for value in ["Sun, 22 Nov 2026 12:00:00 GMT", "soon"] {
        let later = FaultKind::RetryAfter {
            status: 429,
            value: value.to_owned(),
        };
        sandbox.world().fault(Fault::on("GET", "/v1/me", later).times(1));
        let response = api(&sandbox, "GET", "/me", &ana).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 429);
        assert_eq!(response.headers()["retry-after"].to_str().ok(), Some(value));
        assert_eq!(response.text().await.expect("a body"), "");
    }
}

#[tokio::test]
async fn garbage_looks_like_success() {
    let sandbox = start().await;
    sandbox
        .world()
        .fault(Fault::on("POST", "/api/token", FaultKind::Garbage200).times(1));
    let (status, body) = token(
        &sandbox,
        Some(&demo_basic()),
        &[("grant_type", "client_credentials")],
    )
    .await;
    assert_eq!(status, 200);
    assert!(
        body.as_str()
            .is_some_and(|text| text.starts_with("<!doctype html>"))
    );
}

#[tokio::test]
async fn work_is_done_though_the_answer_is_bad_or_lost() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    let list = sandbox.world().add_playlist("ana", "x").expect("ana exists");
    let path = format!("/v1/playlists/{list}/items");
    let add = || api(&sandbox, "POST", path.trim_start_matches("/v1"), &ana).json(&json!({"uris": [uri(1)]}));
    let rows = || sandbox.world().playlist(&list).expect("it is there").rows.len();

    sandbox
        .world()
        .fault(Fault::on("POST", &path, FaultKind::CommitThenStatus(502)).times(1));
    assert_eq!(
        read(add()).await,
        (502, json!({"error": {"status": 502, "message": "Bad gateway."}}))
    );
    assert_eq!(rows(), 1);

    sandbox
        .world()
        .fault(Fault::on("POST", &path, FaultKind::CommitThenDrop).times(1));
    assert!(add().send().await.is_err());
    assert_eq!(rows(), 2);

    sandbox
        .world()
        .fault(Fault::on("POST", &path, FaultKind::DropConnection).times(1));
    assert!(add().send().await.is_err());
    assert_eq!(rows(), 2);
    let statuses: Vec<Option<u16>> = sandbox
        .world()
        .requests()
        .iter()
        .map(|seen| seen.status)
        .collect();
    assert_eq!(statuses, [Some(502), None, None]);
}

#[tokio::test]
async fn a_hang_ends_in_an_empty_504() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    sandbox.world().hold("/v1/me");
    sandbox
        .world()
        .fault(Fault::on("GET", "/v1/me", FaultKind::Hang).times(1));
    let request = tokio::spawn(read(api(&sandbox, "GET", "/me", &ana)));
    sandbox.arrived("/v1/me").await;
    sandbox.world().release("/v1/me");
    while sandbox.world().faults().next().is_some() {
        tokio::task::yield_now().await;
    }
    assert!(!request.is_finished());
    sandbox.world().release_hangs();
    assert_eq!(request.await.expect("no panic"), (504, json!("")));
}

#[tokio::test]
async fn a_held_request_waits_before_its_work_and_a_held_answer_after_it() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    for (after, lists) in [(false, 0), (true, 2)] {
        if after {
            sandbox.world().hold_answer("/v1/me/playlists");
        } else {
            sandbox.world().hold("/v1/me/playlists");
        }
        let create = api(&sandbox, "POST", "/me/playlists", &ana).json(&json!({"name": "x"}));
        let request = tokio::spawn(read(create));
        sandbox.arrived("/v1/me/playlists").await;
        assert_eq!(sandbox.world().playlists().count(), lists);
        assert_eq!(
            sandbox.world().requests().last().expect("it is noted").status,
            None
        );
        assert_eq!(sandbox.world().release("/v1/me/playlists"), 1);
        assert_eq!(request.await.expect("no panic").0, 201);
    }
}

#[tokio::test]
async fn several_requests_can_be_gathered_at_a_hold() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    sandbox.world().hold("/v1/me");
    let requests: Vec<_> = (0..3)
        .map(|_| tokio::spawn(read(api(&sandbox, "GET", "/me", &ana))))
        .collect();
    sandbox.arrived_count("/v1/me", 3).await;
    sandbox.world().release("/v1/me");
    for request in requests {
        assert_eq!(request.await.expect("no panic").0, 200);
    }
}

#[tokio::test]
async fn those_behind_a_single_one_that_is_held_overtake_it() {
    for hold in [World::hold_next, World::hold_next_answer] {
        let sandbox = start().await;
        let ana = access(&sandbox, "ana", "");
        hold(&mut sandbox.world(), "/v1/me");
        let held = tokio::spawn(read(api(&sandbox, "GET", "/me", &ana)));
        sandbox.arrived("/v1/me").await;
        assert_eq!(read(api(&sandbox, "GET", "/me", &ana)).await.0, 200);
        assert!(!held.is_finished());
        sandbox.world().release("/v1/me");
        assert_eq!(held.await.expect("no panic").0, 200);
    }
}

#[tokio::test]
async fn a_delay_only_takes_time() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    sandbox
        .world()
        .fault(Fault::on("GET", "/v1/me", FaultKind::DelayMs(1)));
    assert_eq!(read(api(&sandbox, "GET", "/me", &ana)).await.0, 200);
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_port() {
    let sandbox = start().await;
    let address = sandbox.url().trim_start_matches("http://").to_owned();
    let other_handle = sandbox.clone();
    sandbox.stop().await;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    drop(other_handle);
}

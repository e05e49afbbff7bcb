//! The function that the tests of the adapter talk to: each route shows one thing a runtime can get wrong.
//!
//! It runs in a process of its own, as this test binary called again. Nothing in it waits for time: what a test wants to see in the middle, the test itself holds open.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use patchbay::function::{Invocation, serve};
use serde_json::{Value, json};
use tokio::sync::Notify;

#[test]
#[ignore = "the function under test in the tests beside it"]
fn serves() {
    let code = serve(|| async {
        let gate = Arc::new(Notify::new());
        Ok::<_, Infallible>(
            Router::new()
                .route("/json", get(async || Json(json!({ "ok": true }))))
                .route("/lines", post(lines))
                .route("/panic", get(panics))
                .route("/background", get(background))
                .route("/release", get(release))
                .with_state(gate),
        )
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

/// Answers each piece of the request's body with a line of its own, as it comes; a piece reading `panic` panics.
async fn lines(body: Body) -> impl IntoResponse {
    let answer = body.map_frame(|frame| {
        frame.map_data(|piece| {
            assert_ne!(&*piece, b"panic", "the test asked for this");
            let line = String::from_utf8_lossy(&piece).into_owned();
            format!("{}\n", json!({ "line": line })).into()
        })
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::new(answer))
}

async fn panics() -> Json<Value> {
    panic!("the test asked for this");
}

/// Leaves work behind that is done when `/release` is called.
async fn background(State(gate): State<Arc<Notify>>, invocation: Invocation) -> Json<Value> {
    invocation.wait_until(async move { gate.notified().await });
    Json(json!({ "ok": true }))
}

async fn release(State(gate): State<Arc<Notify>>) -> Json<Value> {
    gate.notify_one();
    Json(json!({ "ok": true }))
}

//! Faults, holds and exhausted quotas, over HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, Outcome, Sandboxed, done, read};
use crate::world::{Bucket, Fault};

pub(super) async fn faults(State(shared): Sandboxed) -> Json<Value> {
    let world = shared.world();
    Json(
        world
            .faults()
            .map(|(number, fault)| json!({"number": number, "fault": fault}))
            .collect(),
    )
}

pub(super) async fn add_fault(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let fault: Fault = read(&body)?;
    Ok(Json(json!({"number": shared.world().fault(fault)})))
}

pub(super) async fn clear_faults(State(shared): Sandboxed) -> Json<Value> {
    shared.world().clear_faults();
    done()
}

pub(super) async fn remove_fault(State(shared): Sandboxed, Path(number): Path<u64>) -> Outcome {
    let removed = shared.world().remove_fault(number);
    if removed {
        Ok(done())
    } else {
        Err(Failure(StatusCode::NOT_FOUND, "no such fault".to_owned()))
    }
}

#[derive(Deserialize)]
struct Hold {
    path: String,
    #[serde(default)]
    answer: bool,
    #[serde(default)]
    next: bool,
}

pub(super) async fn hold(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let Hold { path, answer, next } = read(&body)?;
    let mut world = shared.world();
    match (answer, next) {
        (false, false) => world.hold(&path),
        (false, true) => world.hold_next(&path),
        (true, false) => world.hold_answer(&path),
        (true, true) => world.hold_next_answer(&path),
    }
    Ok(done())
}

pub(super) async fn release(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let Hold { path, .. } = read(&body)?;
    Ok(Json(json!({"released": shared.world().release(&path)})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExhaustQuota {
    developer: String,
    bucket: Bucket,
    for_ms: i64,
}

pub(super) async fn exhaust_quota(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let ExhaustQuota {
        developer,
        bucket,
        for_ms,
    } = read(&body)?;
    shared.world().exhaust_quota(&developer, bucket, for_ms);
    Ok(done())
}

pub(super) async fn reset_limits(State(shared): Sandboxed) -> Json<Value> {
    shared.world().reset_limits();
    done()
}

//! The least function there can be on the same runtime: what a cold start and a request cost at least.

use std::{convert::Infallible, process::ExitCode};

use axum::{Json, Router, routing::get};
use patchbay::function::serve;
use serde_json::json;

fn main() -> ExitCode {
    serve(async || Ok::<_, Infallible>(Router::new().route("/json", get(async || Json(json!({"ok": true}))))))
}

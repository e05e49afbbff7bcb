//! `GET /api/spotify/auth-url?returnTo=&switchAccount=`: the address that starts the standard flow.

use axum::{extract::Query, response::Response};
use serde::Deserialize;

use crate::{
    connect::StartOptions,
    http::{Shared, caller::Caller, problem::Problem},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(in crate::http) struct Wanted {
    return_to: Option<String>,
    switch_account: bool,
}

pub(in crate::http) async fn get(
    services: Shared,
    caller: Caller,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request(
            "invalid_query",
            "switchAccount is true or false, and returnTo is a path.",
        )
    })?;
    let options = StartOptions {
        return_to: wanted.return_to,
        switch_account: wanted.switch_account,
    };
    let started = services.connector.start_standard(&caller.user, options).await?;
    Ok(super::started(&services, &started))
}

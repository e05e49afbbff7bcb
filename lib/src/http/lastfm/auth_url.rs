//! `GET /api/lastfm/auth-url?returnTo=`: the address of Last.fm's own page, where people show that an account is theirs.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::header;
use serde::Deserialize;
use serde_json::json;

use crate::http::{Shared, caller::Caller, coming_back, problem::Problem};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Wanted {
    return_to: Option<String>,
}

pub(in crate::http) async fn get(
    services: Shared,
    caller: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("invalid_query", "returnTo is a path, given once."))?;
    let started = services
        .connector
        .start_link(&caller.user, wanted.return_to.as_deref())
        .await?;
    let cookie = coming_back::cookie(&services, &started);
    Ok(([(header::SET_COOKIE, cookie)], Json(json!({"url": started.url}))).into_response())
}

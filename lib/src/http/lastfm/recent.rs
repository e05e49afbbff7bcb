//! `GET /api/lastfm/recent?limit=&background=`: what the caller plays now, and played last.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{class, head, track};
use crate::{
    http::{Shared, caller::Caller, problem::Problem},
    listening::RECENT_MAX,
};

/// Plays that are told when nobody says how many.
const LIMIT_DEFAULT: usize = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Wanted {
    limit: Option<usize>,
    background: bool,
}

pub(in crate::http) async fn get(
    services: Shared,
    caller: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let limit = |wanted: &Wanted| wanted.limit.unwrap_or(LIMIT_DEFAULT);
    let wanted = wanted.ok().map(|Query(wanted)| wanted);
    let wanted = wanted.filter(|wanted| (1..=RECENT_MAX).contains(&limit(wanted)));
    let wanted = wanted.ok_or_else(|| {
        Problem::bad_request(
            "invalid_query",
            "limit is a whole number from 1 to 50, and background is true or false.",
        )
    })?;
    let answer = services
        .listening
        .recent(&caller.user, class(wanted.background))
        .await?;
    let mut told = head(&services, &answer);
    let recent = &answer.told;
    told["nowPlaying"] = recent.now_playing.as_ref().map_or(Value::Null, track);
    let plays = recent.plays.iter().take(limit(&wanted)).map(|play| {
        let mut told = track(&play.track);
        told["playedAt"] = json!(play.at);
        told
    });
    told["plays"] = plays.collect();
    Ok(Json(told))
}

//! `GET /api/lastfm/top?of=tracks|artists|albums&period=&limit=&background=`: what the caller plays most.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{class, head};
use crate::{
    http::{Shared, caller::Caller, problem::Problem},
    listening::{TOP_MAX, TopQuestion},
    providers::lastfm::{Period, TopOf},
};

/// Rows that are told when nobody says how many.
const LIMIT_DEFAULT: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Wanted {
    of: String,
    period: String,
    limit: usize,
    background: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            of: "tracks".to_owned(),
            period: "7day".to_owned(),
            limit: LIMIT_DEFAULT,
            background: false,
        }
    }
}

pub(in crate::http) async fn get(
    services: Shared,
    caller: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let named = |wanted: &Wanted| {
        let question = TopQuestion {
            of: TopOf::ALL.into_iter().find(|of| of.name() == wanted.of)?,
            period: Period::ALL
                .into_iter()
                .find(|period| period.name() == wanted.period)?,
        };
        (1..=TOP_MAX).contains(&wanted.limit).then_some(question)
    };
    let wanted = wanted.ok().map(|Query(wanted)| wanted);
    let (wanted, question) = wanted
        .and_then(|wanted| named(&wanted).map(|question| (wanted, question)))
        .ok_or_else(|| {
            Problem::bad_request(
                "invalid_query",
                "of is tracks, artists or albums; period is 7day, 1month, 3month, 6month, 12month or overall; limit is a \
                 whole number from 1 to 100.",
            )
        })?;
    let answer = services
        .listening
        .top(&caller.user, question, class(wanted.background))
        .await?;
    let mut told = head(&services, &answer);
    told["of"] = json!(wanted.of);
    told["period"] = json!(wanted.period);
    told["total"] = json!(answer.told.total);
    let name = match question.of {
        TopOf::Tracks => "title",
        TopOf::Artists => "artist",
        TopOf::Albums => "album",
    };
    let items = answer.told.items.iter().take(wanted.limit).map(|item| {
        let mut told = json!({
            "rank": item.rank,
            "artist": item.artist,
            "plays": item.play_count,
            "url": item.url,
            "imageUrl": item.image_url,
        });
        told[name] = json!(item.name);
        told
    });
    told["items"] = items.collect();
    Ok(Json(told))
}

//! `POST /api/lastfm/verify` {since, until?, targets: [{title, artist, album?, count?}], background?} and
//! `GET /api/lastfm/played?title=&artist=&album=&since=&until=&background=`: whether the caller played what they were asked
//! to, and what that rests on.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{class, counted, head};
use crate::{
    http::{Services, Shared, body::Body, caller::Caller, problem::Problem},
    listening::{Answer, InvalidQuestion, Target, TargetVerdict, Verdict, VerdictSource, Window},
    system::Timestamp,
};

/// Moments that are told of one song; the number is of all.
const MOMENTS_TOLD_MAX: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Question {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    targets: Vec<Wanted>,
    background: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    title: String,
    artist: String,
    album: Option<String>,
    count: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Song {
    title: String,
    artist: String,
    album: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    background: bool,
}

pub(in crate::http) async fn post(
    services: Shared,
    caller: Caller,
    Body(question): Body<Question>,
) -> Result<Json<Value>, Problem> {
    let targets = question.targets.into_iter().enumerate();
    let targets = targets.map(target).collect::<Result<Vec<_>, _>>()?;
    let window = Window::new(question.since, question.until, services.system.now())?;
    let answer = services
        .listening
        .verify(&caller.user, window, targets, class(question.background))
        .await?;
    let mut told = told(&services, &answer);
    let targets = answer.told.targets.iter().map(|verdict| {
        let mut told = target_told(&services, verdict);
        told.insert("title".to_owned(), json!(verdict.target.title));
        told.insert("artist".to_owned(), json!(verdict.target.artist));
        told.insert("album".to_owned(), json!(verdict.target.album));
        told.insert("count".to_owned(), json!(verdict.target.count));
        told.insert("done".to_owned(), json!(verdict.done));
        Value::from(told)
    });
    told.insert("complete".to_owned(), json!(answer.told.is_complete()));
    told.insert("targets".to_owned(), targets.collect());
    Ok(Json(told.into()))
}

pub(in crate::http) async fn played(
    services: Shared,
    caller: Caller,
    song: Result<Query<Song>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(song) = song.map_err(|_| {
        Problem::bad_request(
            "invalid_query",
            "title and artist are names; since and until are milliseconds since 1970.",
        )
    })?;
    let target = Target {
        title: song.title,
        artist: song.artist,
        album: song.album,
        count: 1,
    };
    let window = Window::new(song.since, song.until, services.system.now())?;
    let class = class(song.background);
    let answer = services
        .listening
        .verify(&caller.user, window, vec![target], class)
        .await?;
    let mut told = told(&services, &answer);
    for verdict in &answer.told.targets {
        told.extend(target_told(&services, verdict));
        let moments = verdict.moments.iter().take(MOMENTS_TOLD_MAX);
        told.insert("playedAt".to_owned(), json!(moments.collect::<Vec<_>>()));
    }
    Ok(Json(told.into()))
}

fn target((index, wanted): (usize, Wanted)) -> Result<Target, InvalidQuestion> {
    let count = u32::try_from(wanted.count.unwrap_or(1)).map_err(|_| InvalidQuestion::Count { index })?;
    Ok(Target {
        title: wanted.title,
        artist: wanted.artist,
        album: wanted.album,
        count,
    })
}

/// What is the same for one song and for many.
fn told(services: &Services, answer: &Answer<Verdict>) -> Map<String, Value> {
    let mut told = head(services, answer);
    let verdict = &answer.told;
    told.insert("since".to_owned(), json!(verdict.window.since));
    told.insert("until".to_owned(), json!(verdict.window.until));
    told.insert(
        "covered".to_owned(),
        json!({"since": verdict.covered.since, "until": verdict.covered.until}),
    );
    told.insert("partial".to_owned(), json!(!verdict.whole));
    told.insert("playsInWindow".to_owned(), json!(verdict.plays));
    let source = match verdict.source {
        VerdictSource::Plays => "plays",
        VerdictSource::Chart => "chart",
    };
    told.insert("source".to_owned(), json!(source));
    if !verdict.whole {
        let left_out = match verdict.source {
            VerdictSource::Plays => {
                "What was played before covered.since is not read yet. Ask again: it goes on from there."
            }
            VerdictSource::Chart => {
                "For a window of more than 100 days only the thousand most played songs are known; what was played less \
                 often is left out."
            }
        };
        told.insert("leftOut".to_owned(), json!(left_out));
    }
    told
}

fn target_told(services: &Services, verdict: &TargetVerdict) -> Map<String, Value> {
    let near = verdict.near_misses.iter().map(|near| {
        let mut told = counted(services, &near.song);
        told.insert("score".to_owned(), json!(near.score));
        told.insert("reason".to_owned(), json!(near.reason));
        Value::from(told)
    });
    let counted = verdict
        .counted
        .iter()
        .map(|song| Value::from(counted(services, song)));
    Map::from_iter([
        ("played".to_owned(), json!(verdict.played)),
        ("lastPlayedAt".to_owned(), json!(verdict.last_played_at)),
        ("counted".to_owned(), counted.collect()),
        ("nearMisses".to_owned(), near.collect()),
    ])
}

//! `POST /api/lastfm/verify` {since, until?, targets: [{title, artist, album?, count?}], background?} and
//! `GET /api/lastfm/played?title=&artist=&album=&since=&until=&background=`: whether the caller played what they were asked
//! to, and what that rests on.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};

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
        let target = &verdict.target;
        let mut told = json!({
            "title": target.title,
            "artist": target.artist,
            "album": target.album,
            "count": target.count,
            "done": verdict.done,
        });
        tell(&mut told, &services, verdict);
        told
    });
    told["complete"] = json!(answer.told.is_complete());
    told["targets"] = targets.collect();
    Ok(Json(told))
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
        tell(&mut told, &services, verdict);
        let moments = verdict.moments.iter().take(MOMENTS_TOLD_MAX);
        told["playedAt"] = json!(moments.collect::<Vec<_>>());
    }
    Ok(Json(told))
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
fn told(services: &Services, answer: &Answer<Verdict>) -> Value {
    let mut told = head(services, answer);
    let verdict = &answer.told;
    told["since"] = json!(verdict.window.since);
    told["until"] = json!(verdict.window.until);
    told["covered"] = json!({"since": verdict.covered.since, "until": verdict.covered.until});
    told["partial"] = json!(!verdict.whole);
    told["playsInWindow"] = json!(verdict.plays);
    let source = match verdict.source {
        VerdictSource::Plays => "plays",
        VerdictSource::Chart => "chart",
    };
    told["source"] = json!(source);
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
        told["leftOut"] = json!(left_out);
    }
    told
}

/// What became of one song.
fn tell(told: &mut Value, services: &Services, verdict: &TargetVerdict) {
    let near = verdict.near_misses.iter().map(|near| {
        let mut told = counted(services, &near.song);
        told["score"] = json!(near.score);
        told["reason"] = json!(near.reason);
        told
    });
    told["played"] = json!(verdict.played);
    told["lastPlayedAt"] = json!(verdict.last_played_at);
    told["counted"] = verdict
        .counted
        .iter()
        .map(|song| counted(services, song))
        .collect();
    told["nearMisses"] = near.collect();
}

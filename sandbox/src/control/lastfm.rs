//! Last.fm's people, plays and meter, over HTTP.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, Sandboxed, done, read};
use crate::lastfm::dates;
use crate::server::Shared;
use crate::world::{DEMO_LASTFM, Listener, Refused, Song};

pub(super) fn routes() -> Router<Arc<Shared>> {
    let user = |rest: &str| format!("/_sandbox/lastfm/users/{{name}}{rest}");
    Router::new()
        .route("/_sandbox/lastfm/users", get(users).post(add_user))
        .route(&user(""), delete(remove_user))
        .route(&user("/plays"), get(plays).post(add_plays).delete(remove_play))
        .route(&user("/now-playing"), post(now_playing))
        .route(&user("/hidden"), post(set_hidden))
        .route(&user("/revoke"), post(revoke))
        .route(&user("/sessions"), post(issue_session))
        .route("/_sandbox/lastfm/meter", get(meter).delete(reset_meter))
        .route("/_sandbox/lastfm/key", post(set_key))
}

async fn users(State(shared): Sandboxed) -> Json<Value> {
    let world = shared.world();
    let now_s = world.now_s();
    Json(
        world
            .lastfm
            .users()
            .map(|listener| shown(listener, now_s))
            .collect(),
    )
}

fn shown(listener: &Listener, now_s: i64) -> Value {
    let plays = listener.plays(now_s);
    json!({
        "name": listener.name, "realName": listener.real_name, "country": listener.country,
        "registeredMs": listener.registered_s * 1000, "subscriber": listener.subscriber, "hidden": listener.hidden,
        "nowPlaying": listener.now_playing.as_ref().map(song_shown),
        "plays": plays.len(), "lastPlayedMs": plays.last().map(|play| play.at_s * 1000),
    })
}

fn song_shown(song: &Song) -> Value {
    json!({"artist": song.artist, "title": song.title, "album": song.album})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddUser {
    name: String,
    #[serde(default)]
    real_name: String,
    country: Option<String>,
    registered_ms: Option<i64>,
    #[serde(default)]
    subscriber: bool,
    #[serde(default)]
    hidden: bool,
}

async fn add_user(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let asked: AddUser = read(&body)?;
    let mut world = shared.world();
    world.lastfm.add_user(&asked.name)?;
    if let Some(listener) = world.lastfm.user_mut(&asked.name) {
        listener.real_name = asked.real_name;
        listener.country = asked.country;
        listener.subscriber = asked.subscriber;
        listener.hidden = asked.hidden;
        if let Some(registered_ms) = asked.registered_ms {
            listener.registered_s = seconds(registered_ms);
        }
    }
    Ok(done())
}

async fn remove_user(State(shared): Sandboxed, Path(name): Path<String>) -> Outcome {
    shared.world().lastfm.remove_user(&name)?;
    Ok(done())
}

async fn plays(State(shared): Sandboxed, Path(name): Path<String>) -> Outcome {
    let world = shared.world();
    let listener = world.lastfm.user(&name).ok_or(Refused::NoSuchUser(name))?;
    let shown = listener.plays(world.now_s()).iter().map(|play| {
        let mut shown = song_shown(&play.song);
        shown["at"] = json!(play.at_s * 1000);
        shown
    });
    Ok(Json(shown.collect()))
}

/// A moment: epoch milliseconds, or the word for one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Ms(i64),
    Named(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddPlays {
    artist: String,
    title: String,
    album: Option<String>,
    times: Option<u32>,
    at: Option<i64>,
    since: Option<Moment>,
    until: Option<i64>,
}

async fn add_plays(State(shared): Sandboxed, Path(name): Path<String>, body: Bytes) -> Outcome {
    let asked: AddPlays = read(&body)?;
    let mut world = shared.world();
    let now_s = world.now_s();
    let until_s = asked.until.or(asked.at).map_or(now_s, seconds);
    let from_s = match asked.since {
        None => asked.at.map_or(until_s, seconds),
        Some(Moment::Ms(ms)) => seconds(ms),
        Some(Moment::Named(name)) => dates::since(&name, now_s)
            .ok_or_else(|| Refused::Malformed(format!("since is no moment: {name:?}")))?,
    };
    let song = Song {
        artist: asked.artist,
        title: asked.title,
        album: asked.album,
    };
    let times = asked.times.unwrap_or(1);
    world.lastfm.play_many(&name, &song, times, from_s, until_s)?;
    Ok(Json(
        json!({"ok": true, "from": from_s * 1000, "until": until_s * 1000, "times": times}),
    ))
}

#[derive(Deserialize)]
struct RemovePlay {
    artist: String,
    title: String,
    at: i64,
}

async fn remove_play(State(shared): Sandboxed, Path(name): Path<String>, body: Bytes) -> Outcome {
    let RemovePlay { artist, title, at } = read(&body)?;
    let song = Song::new(&artist, &title);
    let removed = shared.world().lastfm.remove_play(&name, &song, seconds(at))?;
    Ok(Json(json!({"removed": removed})))
}

#[derive(Deserialize)]
struct NowPlaying {
    artist: Option<String>,
    title: Option<String>,
    album: Option<String>,
}

async fn now_playing(State(shared): Sandboxed, Path(name): Path<String>, body: Bytes) -> Outcome {
    let asked: NowPlaying = read(&body)?;
    let song = match (asked.artist, asked.title) {
        (None, None) => None,
        (artist, title) => Some(Song {
            artist: artist.unwrap_or_default(),
            title: title.unwrap_or_default(),
            album: asked.album,
        }),
    };
    shared.world().lastfm.now_playing(&name, song)?;
    Ok(done())
}

#[derive(Deserialize)]
struct SetHidden {
    hidden: bool,
}

async fn set_hidden(State(shared): Sandboxed, Path(name): Path<String>, body: Bytes) -> Outcome {
    let SetHidden { hidden } = read(&body)?;
    shared.world().lastfm.set_hidden(&name, hidden)?;
    Ok(done())
}

async fn revoke(State(shared): Sandboxed, Path(name): Path<String>) -> Outcome {
    shared.world().lastfm.revoke_sessions(&name)?;
    Ok(done())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueSession {
    api_key: Option<String>,
}

async fn issue_session(State(shared): Sandboxed, Path(name): Path<String>, body: Bytes) -> Outcome {
    let IssueSession { api_key } = read(&body)?;
    let api_key = api_key.as_deref().unwrap_or(DEMO_LASTFM.api_key);
    let key = shared.world().lastfm.issue_session(api_key, &name)?;
    Ok(Json(json!({"key": key})))
}

async fn meter(State(shared): Sandboxed) -> Json<Value> {
    let world = shared.world();
    let counted = |(name, count)| (String::from(name), json!(count));
    let keys: serde_json::Map<_, _> = world.lastfm.metered_keys().map(counted).collect();
    let addresses: serde_json::Map<_, _> = world.lastfm.metered_addresses().map(counted).collect();
    Json(json!({"keys": keys, "addresses": addresses}))
}

async fn reset_meter(State(shared): Sandboxed) -> Json<Value> {
    shared.world().lastfm.reset_meter();
    done()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetKey {
    suspended: bool,
    api_key: Option<String>,
}

async fn set_key(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let SetKey { suspended, api_key } = read(&body)?;
    let api_key = api_key.as_deref().unwrap_or(DEMO_LASTFM.api_key);
    shared.world().lastfm.suspend_key(api_key, suspended)?;
    Ok(done())
}

fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}

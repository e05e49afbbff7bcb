//! Last.fm's side. The sandbox of these tests begins on Saturday, 21 November 2026, at noon, UTC.

use md5::{Digest as _, Md5};
use sandbox::{DEMO_LASTFM, Sandbox, Song};
use serde_json::Value;

use crate::http::{NOON_MS, client, read, start};

mod control;
mod errors;
mod faults;
mod info;
mod login;
mod meter;
mod pages;
mod recent;
mod sessions;
mod shapes;
mod top;
mod weekly;

/// When these tests begin, as Last.fm counts.
pub const NOON_S: i64 = NOON_MS / 1000;
pub const HOUR_S: i64 = 3600;
pub const DAY_S: i64 = 24 * HOUR_S;

type Parameters<'a> = &'a [(&'a str, &'a str)];

/// A sandbox with one more listener, `Dora`, who has played nothing yet.
pub async fn with_dora() -> Sandbox {
    let sandbox = start().await;
    sandbox.world().lastfm.add_user("Dora").expect("a free name");
    sandbox
}

/// Lets Dora play a song once.
pub fn plays(sandbox: &Sandbox, artist: &str, title: &str, at_s: i64) {
    let song = Song::new(artist, title).on("Signal Path");
    sandbox
        .world()
        .lastfm
        .play("Dora", &song, at_s)
        .expect("Dora exists");
}

/// Calls the API with the demo key, in JSON, and whatever else is said; what is said twice is left to the saying.
pub async fn ask(sandbox: &Sandbox, method: &str, more: Parameters<'_>) -> (u16, Value) {
    let mut query = vec![
        ("method", method),
        ("api_key", DEMO_LASTFM.api_key),
        ("format", "json"),
    ];
    query.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    query.extend_from_slice(more);
    read(client().get(sandbox.lastfm_api_url()).query(&query)).await
}

/// The same about Dora, which has to be answered.
pub async fn ask_dora(sandbox: &Sandbox, method: &str, more: Parameters<'_>) -> Value {
    let mut parameters = vec![("user", "Dora")];
    parameters.extend_from_slice(more);
    let (status, body) = ask(sandbox, method, &parameters).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The same, signed.
pub async fn ask_signed(sandbox: &Sandbox, method: &str, more: Parameters<'_>) -> (u16, Value) {
    let mut signed = vec![("method", method), ("api_key", DEMO_LASTFM.api_key)];
    signed.extend_from_slice(more);
    let signature = signature(&signed);
    let mut parameters = more.to_vec();
    parameters.push(("api_sig", &signature));
    ask(sandbox, method, &parameters).await
}

/// The signature of these parameters with the demo secret.
pub fn signature(parameters: Parameters<'_>) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let mut digest = Md5::new();
    for (name, value) in sorted {
        digest.update(name);
        digest.update(value);
    }
    let digest = digest.chain_update(DEMO_LASTFM.shared_secret).finalize();
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The error of an answer, with its status.
pub fn error(answer: &(u16, Value)) -> (u16, i64) {
    (answer.0, answer.1["error"].as_i64().unwrap_or_default())
}

/// The titles of a list's items.
pub fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items.iter().filter_map(|item| item["name"].as_str()).collect()
}

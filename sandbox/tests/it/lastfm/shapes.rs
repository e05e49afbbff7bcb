//! How answers are written: JSON by its strange rules, XML, and the knobs of both.

use sandbox::{DEMO_LASTFM, Escaping, KeyOrder, ListShape, Sandbox};
use serde_json::{Value, json};

use super::{NOON_S, ask_dora, plays, with_dora};
use crate::http::client;

const RECENT: &str = "user.getRecentTracks";

async fn text(sandbox: &Sandbox, method: &str, more: &[(&str, &str)]) -> String {
    let mut query = vec![
        ("method", method),
        ("user", "Dora"),
        ("api_key", DEMO_LASTFM.api_key),
    ];
    query.extend_from_slice(more);
    let request = client().get(sandbox.lastfm_api_url()).query(&query);
    request
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a body")
}

#[tokio::test]
async fn a_list_has_the_shape_that_is_wanted() {
    let sandbox = with_dora().await;
    let shapes = [
        (ListShape::Array, Some(json!([])), true),
        (ListShape::BareObject, Some(json!([])), false),
        (ListShape::AbsentWhenEmpty, None, true),
        (ListShape::BareOrAbsent, None, false),
    ];
    for (shape, empty, _) in &shapes {
        sandbox.world().settings.lastfm.list_shape = *shape;
        let body = ask_dora(&sandbox, RECENT, &[]).await;
        assert_eq!(body["recenttracks"].get("track"), empty.as_ref(), "{shape:?}");
        assert_eq!(body["recenttracks"]["@attr"]["totalPages"], "0");
    }
    plays(&sandbox, "Ana Log", "one", NOON_S);
    for (shape, _, array) in &shapes {
        sandbox.world().settings.lastfm.list_shape = *shape;
        let body = ask_dora(&sandbox, RECENT, &[]).await;
        let track = &body["recenttracks"]["track"];
        assert_eq!(track.is_array(), *array, "{shape:?}");
        let one = if *array { &track[0] } else { track };
        assert_eq!(one["name"], "one");
        assert!(one["image"].is_array(), "four are never bare");
    }
    plays(&sandbox, "Ana Log", "two", NOON_S);
    let body = ask_dora(&sandbox, RECENT, &[]).await;
    assert!(body["recenttracks"]["track"].is_array(), "nor are two");
}

#[tokio::test]
async fn keys_come_in_another_order_each_time() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "one", NOON_S);
    let json = [("format", "json")];
    let mut orders = std::collections::BTreeSet::new();
    let mut values: Vec<Value> = Vec::new();
    for _ in 0..8 {
        let body = text(&sandbox, RECENT, &json).await;
        values.push(serde_json::from_str(&body).expect("JSON"));
        orders.insert(body);
    }
    assert!(orders.len() > 4, "{orders:?}");
    values.dedup();
    assert_eq!(values.len(), 1, "they say the same");
    sandbox.world().settings.lastfm.key_order = KeyOrder::Plain;
    let plain = text(&sandbox, RECENT, &json).await;
    assert_eq!(plain, text(&sandbox, RECENT, &json).await);
    assert!(
        plain.starts_with(r#"{"recenttracks":{"@attr":{"user":"Dora","totalPages":"1""#),
        "{plain}"
    );
}

#[tokio::test]
async fn strings_are_escaped_as_wanted() {
    let sandbox = with_dora().await;
    plays(&sandbox, "AC/DC", "\"夜\"\n\\𝄞", NOON_S);
    for (escaping, artist, title) in [
        (Escaping::Slashes, r"AC\/DC", "\\\"夜\\\"\\u000a\\\\𝄞"),
        (Escaping::Unicode, r"AC\/DC", r#"\"\u591c\"\u000a\\\ud834\udd1e"#),
        (Escaping::Plain, "AC/DC", "\\\"夜\\\"\\u000a\\\\𝄞"),
    ] {
        sandbox.world().settings.lastfm.escaping = escaping;
        let body = text(&sandbox, RECENT, &[("format", "json")]).await;
        assert!(
            body.contains(&format!("\"{artist}\"")) && body.contains(&format!("\"{title}\"")),
            "{body}"
        );
        let parsed: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(parsed["recenttracks"]["track"][0]["name"], "\"夜\"\n\\𝄞");
    }
}

#[tokio::test]
async fn xml_is_what_everybody_else_gets() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Simon & Garfunkel", "<\u{1}America>", 1_783_056_668);
    let body = text(&sandbox, RECENT, &[]).await;
    let base = sandbox.url();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<lfm status=\"ok\"><recenttracks user=\"Dora\" totalPages=\"1\" \
         page=\"1\" perPage=\"50\" total=\"1\"><track><artist mbid=\"\">Simon &amp; Garfunkel</artist>\
         <name>&lt;America&gt;</name>",
        "<image size=\"small\">https://lastfm.freetls.fastly.net/",
        &format!("<url>{base}/music/Simon+%26+Garfunkel/_/%3C%01America%3E</url>"),
        "<date uts=\"1783056668\">03 Jul 2026, 05:31</date></track></recenttracks></lfm>",
    ] {
        assert!(body.contains(part), "{part}\n{body}");
    }
    let body = text(&sandbox, "user.getInfo", &[("format", "xml")]).await;
    assert!(
        body.contains("<registered unixtime=\"1577836800\">2020-01-01 00:00</registered>"),
        "{body}"
    );
    let body = text(&sandbox, "user.getTopTracks", &[]).await;
    assert!(body.contains("<track rank=\"1\"><name>"), "{body}");
}

#[tokio::test]
async fn the_headers_are_those_seen() {
    let sandbox = with_dora().await;
    let query = [
        ("method", "user.getInfo"),
        ("user", "Dora"),
        ("api_key", DEMO_LASTFM.api_key),
        ("format", "json"),
    ];
    let request = client().get(sandbox.lastfm_api_url()).query(&query);
    let response = request.send().await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    for absent in ["etag", "cache-control", "x-ratelimit-remaining"] {
        assert!(response.headers().get(absent).is_none(), "{absent}");
    }
}

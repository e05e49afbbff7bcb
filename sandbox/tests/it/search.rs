//! `GET /v1/search` and `GET /v1/tracks/{id}`.

use sandbox::{DEMO_APP, LongQuery, Mode, Sandbox};
use serde_json::{Value, json};

use crate::http::{access, api, read, start};

async fn search(sandbox: &Sandbox, token: &str, query: &str, more: &[(&str, &str)]) -> (u16, Value) {
    read(
        api(sandbox, "GET", "/search", token)
            .query(&[("q", query), ("type", "track")])
            .query(more),
    )
    .await
}

/// The last character of each id found, in order.
async fn found(sandbox: &Sandbox, token: &str, query: &str) -> String {
    let (status, body) = search(sandbox, token, query, &[]).await;
    assert_eq!(status, 200, "{query}: {body}");
    let items = body["tracks"]["items"].as_array().expect("a list");
    items
        .iter()
        .map(|item| {
            item["id"]
                .as_str()
                .expect("an id")
                .chars()
                .last()
                .expect("22 of them")
        })
        .collect()
}

#[tokio::test]
async fn filters_and_words_find_what_they_should_best_first() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let rows = [
        ("isrc:ZZPBY1700002", "1"),
        ("isrc:zzpby1700002", "1"),
        ("isrc:XXXXX0000000", ""),
        (r#"track:"Ground Loop" artist:"The Loopbacks""#, "12"),
        ("track:ground loop artist:ana", "1"),
        (r#"track:"Ground Loop (Live)""#, "2"),
        ("artist:loopbacks album:\"on stage\"", "2"),
        ("artist:loopbacks year:2019", "2"),
        ("year:2019-2020", "245"),
        ("year:soon", ""),
        ("genre:noise", ""),
        ("ground loop the loopbacks", "12"),
        ("ground loop live", "21"),
        ("senal y ruido", "3"),
        ("SEÑAL RUIDO", "3"),
        ("夜の回路 水野", "4"),
        ("夜", "4"),
        ("hertz gibberish", "5"),
        ("nothing at all", ""),
    ];
    for (query, expected) in rows {
        assert_eq!(found(&sandbox, &ana, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn pages_are_ten_long_at_most_in_development_mode_and_fifty_in_extended() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    assert_eq!(search(&sandbox, &ana, "loop", &[]).await.1["tracks"]["limit"], 5);
    let (status, body) = search(&sandbox, &ana, "loop", &[("limit", "11")]).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (400, &json!("Invalid limit"))
    );
    let (_, body) = search(&sandbox, &ana, "ground loop", &[("limit", "1"), ("offset", "0")]).await;
    let page = &body["tracks"];
    assert_eq!(
        (
            &page["total"],
            page["items"].as_array().map(Vec::len),
            &page["previous"]
        ),
        (&json!(2), Some(1), &json!(null))
    );
    assert!(
        page["href"]
            .as_str()
            .is_some_and(|href| href.contains("query=ground+loop&type=track"))
    );
    let next = page["next"].as_str().expect("there is one more");
    let (_, second) = read(api(
        &sandbox,
        "GET",
        next.trim_start_matches(&sandbox.api_url()),
        &ana,
    ))
    .await;
    assert_eq!(
        second["tracks"]["items"][0]["name"], "Ground Loop (Live)",
        "the next page's address can be followed"
    );

    sandbox
        .world()
        .set_mode(DEMO_APP.client_id, Mode::Extended)
        .expect("the app exists");
    assert_eq!(search(&sandbox, &ana, "loop", &[("limit", "50")]).await.0, 200);
    assert_eq!(search(&sandbox, &ana, "loop", &[("limit", "51")]).await.0, 400);
}

#[tokio::test]
async fn its_bad_days_are_knobs() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    sandbox.world().settings.isrc_outage = true;
    assert_eq!(found(&sandbox, &ana, "isrc:ZZPBY1700002").await, "");
    assert_eq!(found(&sandbox, &ana, "track:hertz").await, "5");
    sandbox.world().settings.null_search_items = true;
    assert_eq!(
        search(&sandbox, &ana, "hertz", &[]).await.1["tracks"]["items"][0],
        Value::Null
    );

    let long = "loop ".repeat(51);
    for (knob, status) in [
        (LongQuery::Accepted, 200),
        (LongQuery::NotFound, 404),
        (LongQuery::BadRequest, 400),
    ] {
        sandbox.world().settings.long_query = knob;
        assert_eq!(search(&sandbox, &ana, &long, &[]).await.0, status);
    }
}

#[tokio::test]
async fn wrong_questions_are_400() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    for path in [
        "/search?type=track",
        "/search?q=x",
        "/search?q=x&type=song",
        "/search?q=x&type=track&offset=1001",
    ] {
        assert_eq!(read(api(&sandbox, "GET", path, &ana)).await.0, 400, "{path}");
    }
    let (_, both) = read(api(&sandbox, "GET", "/search?q=loop&type=track,artist", &ana)).await;
    assert_eq!(
        (&both["artists"]["total"], &both["tracks"]["total"]),
        (&json!(0), &json!(2))
    );
}

#[tokio::test]
async fn one_track_by_its_id() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let (_, track) = read(api(&sandbox, "GET", "/tracks/AAAAAAAAAAAAAAAAAAAAA1", &ana)).await;
    assert_eq!(
        (&track["name"], &track["external_ids"]["isrc"]),
        (&json!("Ground Loop"), &json!("ZZPBY1700002"))
    );
    assert_eq!(track["artists"][1]["name"], "Ana Log");
    assert!(track.get("popularity").is_none());
    assert_eq!(
        read(api(&sandbox, "GET", "/tracks/AAAAAAAAAAAAAAAAAAAAA9", &ana))
            .await
            .0,
        404
    );
    assert_eq!(read(api(&sandbox, "GET", "/tracks/short", &ana)).await.0, 400);
}

//! The top lists, counted from what was played.

use sandbox::{Sandbox, Song};
use serde_json::json;

use super::{DAY_S, NOON_S, ask_dora, names, plays, with_dora};

/// Three songs of two artists, played three times, twice and once.
async fn played() -> Sandbox {
    let sandbox = with_dora().await;
    for (artist, title, times) in [
        ("The Loopbacks", "Ground Loop", 3),
        ("Ana Log", "Ruido", 1),
        ("The Loopbacks", "Feedback", 2),
    ] {
        for number in 0..times {
            plays(&sandbox, artist, title, NOON_S - 100 + number);
        }
    }
    sandbox
}

#[tokio::test]
async fn songs_are_counted_and_ranked() {
    let sandbox = played().await;
    let body = ask_dora(&sandbox, "user.getTopTracks", &[]).await;
    let list = &body["toptracks"];
    assert_eq!(names(&list["track"]), ["Ground Loop", "Feedback", "Ruido"]);
    let first = &list["track"][0];
    assert_eq!(
        (&first["playcount"], &first["@attr"]),
        (&json!("3"), &json!({"rank": "1"}))
    );
    assert_eq!(
        (&first["duration"], &list["track"][1]["duration"]),
        (&json!("187"), &json!("0"))
    );
    assert_eq!(first["streamable"], json!({"fulltrack": "0", "#text": "0"}));
    let artist =
        json!({"name": "The Loopbacks", "mbid": "", "url": format!("{}/music/The+Loopbacks", sandbox.url())});
    assert_eq!(first["artist"], artist);
    let picture = first["image"][0]["#text"].as_str().expect("an address");
    assert!(picture.ends_with("/2a96cbd8b46e442fc41c2b86b821562f.png"));
    assert_eq!(
        list["@attr"],
        json!({"user": "Dora", "total": "3", "totalPages": "1", "page": "1", "perPage": "50"})
    );
}

#[tokio::test]
async fn ranks_go_on_from_page_to_page() {
    let sandbox = played().await;
    let body = ask_dora(&sandbox, "user.getTopTracks", &[("limit", "2"), ("page", "2")]).await;
    let list = &body["toptracks"];
    assert_eq!(names(&list["track"]), ["Ruido"]);
    assert_eq!(list["track"][0]["@attr"]["rank"], "3");
    assert_eq!(list["@attr"]["totalPages"], "2");
}

#[tokio::test]
async fn artists_and_albums_are_counted_too() {
    let sandbox = played().await;
    let single = Song::new("ana log", "Single");
    sandbox
        .world()
        .lastfm
        .play_many("Dora", &single, 9, NOON_S - 9, NOON_S)
        .expect("Dora exists");
    let body = ask_dora(&sandbox, "user.getTopArtists", &[]).await;
    let list = &body["topartists"]["artist"];
    assert_eq!(
        names(list),
        ["Ana Log", "The Loopbacks"],
        "in the spelling of the first play"
    );
    assert_eq!(
        (&list[0]["playcount"], &list[0]["streamable"]),
        (&json!("10"), &json!("0"))
    );
    let sizes: Vec<_> = list[0]["image"]
        .as_array()
        .expect("pictures")
        .iter()
        .map(|image| &image["size"])
        .collect();
    assert_eq!(sizes, ["small", "medium", "large", "extralarge", "mega"]);

    let body = ask_dora(&sandbox, "user.getTopAlbums", &[]).await;
    let list = &body["topalbums"]["album"];
    assert_eq!(
        names(list),
        ["Signal Path", "Signal Path"],
        "two artists, two albums; a single has none"
    );
    assert_eq!(
        (&list[0]["playcount"], &list[0]["artist"]["name"]),
        (&json!("5"), &json!("The Loopbacks"))
    );
    let picture = list[0]["image"][3]["#text"].as_str().expect("an address");
    assert!(
        !picture.contains("2a96cbd8b46e442fc41c2b86b821562f"),
        "albums have real covers"
    );
    sandbox.world().settings.lastfm.covers = false;
    let body = ask_dora(&sandbox, "user.getTopAlbums", &[]).await;
    let picture = body["topalbums"]["album"][0]["image"][3]["#text"].as_str();
    assert!(picture.is_some_and(|picture| picture.contains("2a96cbd8b46e442fc41c2b86b821562f")));
}

#[tokio::test]
async fn a_period_looks_back_from_now() {
    let sandbox = with_dora().await;
    for (title, days) in [
        ("6", 6),
        ("29", 29),
        ("89", 89),
        ("179", 179),
        ("364", 364),
        ("1000", 1000),
    ] {
        plays(&sandbox, "Ana Log", title, NOON_S - days * DAY_S);
    }
    for (period, expected) in [
        ("7day", "1"),
        ("1month", "2"),
        ("3month", "3"),
        ("6MONTH", "4"),
        ("12month", "5"),
        ("overall", "6"),
    ] {
        let body = ask_dora(&sandbox, "user.getTopTracks", &[("period", period)]).await;
        assert_eq!(body["toptracks"]["@attr"]["total"], expected, "{period}");
    }
}

#[tokio::test]
async fn hidden_or_not() {
    let sandbox = played().await;
    sandbox
        .world()
        .lastfm
        .set_hidden("Dora", true)
        .expect("Dora exists");
    for method in ["user.getTopTracks", "user.getTopArtists", "user.getTopAlbums"] {
        ask_dora(&sandbox, method, &[]).await;
    }
}

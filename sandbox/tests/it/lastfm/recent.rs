//! `user.getRecentTracks`: order, windows, pages, what plays now, what is hidden.

use sandbox::{OverCap, Song, WindowEdges};
use serde_json::{Value, json};

use super::{HOUR_S, NOON_S, ask, ask_dora, error, names, plays, with_dora};

const METHOD: &str = "user.getRecentTracks";

fn attributes(body: &Value, names: [&str; 4]) -> [String; 4] {
    names.map(|name| {
        let value = body["recenttracks"]["@attr"][name].as_str();
        value.expect("a number in a string").to_owned()
    })
}

const PAGING: [&str; 4] = ["total", "totalPages", "page", "perPage"];

#[tokio::test]
async fn a_play_looks_as_recorded() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Meat Puppets", "Oh, Me", 1_783_056_668);
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    let track = &body["recenttracks"]["track"][0];
    assert_eq!(track["artist"], json!({"mbid": "", "#text": "Meat Puppets"}));
    assert_eq!(track["album"], json!({"mbid": "", "#text": "Signal Path"}));
    assert_eq!(
        track["date"],
        json!({"uts": "1783056668", "#text": "03 Jul 2026, 05:31"})
    );
    assert_eq!(
        (&track["name"], &track["mbid"], &track["streamable"]),
        (&json!("Oh, Me"), &json!(""), &json!("0"))
    );
    let url = format!("{}/music/Meat+Puppets/_/Oh%2C+Me", sandbox.url());
    assert_eq!(track["url"], json!(url));
    let pictures = track["image"].as_array().expect("pictures");
    assert_eq!(pictures.len(), 4);
    let cover = pictures[3]["#text"].as_str().expect("an address");
    assert!(
        cover.contains("/300x300/") && !cover.contains("2a96cbd8b46e442fc41c2b86b821562f"),
        "{cover}"
    );
    assert_eq!(body["recenttracks"]["@attr"]["user"], "Dora");
    assert_eq!(attributes(&body, PAGING), ["1", "1", "1", "50"]);
    assert!(track.get("loved").is_none());
}

#[tokio::test]
async fn extended_names_the_artist_otherwise() {
    let sandbox = with_dora().await;
    plays(&sandbox, "AC/DC", "Hells Bells", NOON_S);
    let body = ask_dora(&sandbox, METHOD, &[("extended", "1")]).await;
    let track = &body["recenttracks"]["track"][0];
    let artist = &track["artist"];
    assert_eq!((&artist["name"], &track["loved"]), (&json!("AC/DC"), &json!("0")));
    assert_eq!(artist["url"], json!(format!("{}/music/AC%2FDC", sandbox.url())));
    assert!(artist.get("#text").is_none() && artist["image"].is_array());
    assert_eq!(track["album"]["#text"], "Signal Path");
}

#[tokio::test]
async fn a_track_without_an_album_has_an_empty_one_and_the_star() {
    let sandbox = with_dora().await;
    let song = Song::new("Ana Log", "Ruido");
    sandbox
        .world()
        .lastfm
        .play("Dora", &song, NOON_S)
        .expect("Dora exists");
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    let track = &body["recenttracks"]["track"][0];
    assert_eq!(track["album"], json!({"mbid": "", "#text": ""}));
    let picture = track["image"][0]["#text"].as_str().expect("an address");
    assert!(picture.ends_with("/2a96cbd8b46e442fc41c2b86b821562f.png"));
}

#[tokio::test]
async fn a_window_has_its_beginning_and_not_its_end() {
    let sandbox = with_dora().await;
    for (title, ago_s) in [("first", 30), ("second", 20), ("third", 10)] {
        plays(&sandbox, "Ana Log", title, NOON_S - ago_s);
    }
    let (from, to) = ((NOON_S - 30).to_string(), (NOON_S - 10).to_string());
    let window = [("from", from.as_str()), ("to", to.as_str())];
    let body = ask_dora(&sandbox, METHOD, &window).await;
    assert_eq!(
        names(&body["recenttracks"]["track"]),
        ["second", "first"],
        "newest first"
    );
    assert_eq!(attributes(&body, PAGING), ["2", "1", "1", "50"]);
    let body = ask_dora(&sandbox, METHOD, &[("from", &from)]).await;
    assert_eq!(
        names(&body["recenttracks"]["track"]),
        ["third", "second", "first"]
    );
    let body = ask_dora(&sandbox, METHOD, &[("to", &to), ("from", "soon")]).await;
    assert_eq!(
        names(&body["recenttracks"]["track"]),
        ["second", "first"],
        "no number, no edge"
    );

    sandbox.world().settings.lastfm.window_edges = WindowEdges::Documented;
    let body = ask_dora(&sandbox, METHOD, &window).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["second"]);
}

#[tokio::test]
async fn plays_of_the_future_come_with_the_time() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "later", NOON_S + HOUR_S);
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    assert_eq!(attributes(&body, PAGING), ["0", "0", "1", "50"]);
    sandbox.world().advance_ms(HOUR_S * 1000);
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["later"]);
}

#[tokio::test]
async fn pages_are_cut_from_a_list_that_moves() {
    let sandbox = with_dora().await;
    for number in 0..5 {
        plays(
            &sandbox,
            "Ana Log",
            &format!("song {number}"),
            NOON_S - 100 + number,
        );
    }
    let page = |page: &'static str| async {
        let body = ask_dora(&sandbox, METHOD, &[("limit", "2"), ("page", page)]).await;
        (
            names(&body["recenttracks"]["track"]).join(", "),
            attributes(&body, PAGING),
        )
    };
    assert_eq!(page("1").await.0, "song 4, song 3");
    let numbers = ["5", "3", "3", "2"].map(str::to_owned);
    assert_eq!(page("3").await, ("song 0".to_owned(), numbers));
    assert_eq!(page("4").await.0, "", "past the end is no error");
    plays(&sandbox, "Ana Log", "new", NOON_S);
    assert_eq!(page("2").await.0, "song 3, song 2", "song 3 is seen twice");
    assert_eq!(page("0").await.0, "new, song 4", "nonsense is the first page");
}

#[tokio::test]
async fn the_limit_has_a_cap() {
    let sandbox = with_dora().await;
    let song = Song::new("Ana Log", "Ruido");
    let from_s = NOON_S - HOUR_S;
    sandbox
        .world()
        .lastfm
        .play_many("Dora", &song, 250, from_s, NOON_S)
        .expect("Dora exists");
    let count = |limit: &'static str| async {
        let body = ask_dora(&sandbox, METHOD, &[("limit", limit)]).await;
        let tracks = body["recenttracks"]["track"].as_array().map(Vec::len);
        (tracks, attributes(&body, PAGING)[3].clone())
    };
    assert_eq!(count("1000").await, (Some(200), "200".to_owned()));
    assert_eq!(count("None").await, (Some(50), "50".to_owned()));
    sandbox.world().settings.lastfm.limit_cap = 1000;
    assert_eq!(count("1000").await, (Some(250), "1000".to_owned()));
    sandbox.world().settings.lastfm.over_cap = OverCap::Refused;
    let over = ask(&sandbox, METHOD, &[("user", "Dora"), ("limit", "1001")]).await;
    assert_eq!(error(&over), (400, 6));
}

#[tokio::test]
async fn what_plays_now_is_one_more_and_has_no_date() {
    let sandbox = with_dora().await;
    for title in ["old", "new"] {
        plays(&sandbox, "Ana Log", title, NOON_S - 60);
    }
    let song = Song::new("Mains Hum", "Sixty Hertz");
    sandbox
        .world()
        .lastfm
        .now_playing("Dora", Some(song))
        .expect("Dora exists");
    let body = ask_dora(&sandbox, METHOD, &[("limit", "1"), ("to", "1000")]).await;
    assert_eq!(
        names(&body["recenttracks"]["track"]),
        ["Sixty Hertz"],
        "inside any window"
    );
    let body = ask_dora(&sandbox, METHOD, &[("limit", "1")]).await;
    let tracks = &body["recenttracks"]["track"];
    assert_eq!(names(tracks), ["Sixty Hertz", "new"]);
    assert_eq!(tracks[0]["@attr"], json!({"nowplaying": "true"}));
    assert!(tracks[0].get("date").is_none() && tracks[1].get("@attr").is_none());
    assert_eq!(attributes(&body, PAGING), ["2", "2", "1", "1"]);
    let second = [("limit", "1"), ("page", "2")];
    let body = ask_dora(&sandbox, METHOD, &second).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["old"]);
    sandbox.world().settings.lastfm.now_playing_everywhere = true;
    let body = ask_dora(&sandbox, METHOD, &second).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["Sixty Hertz", "old"]);
    sandbox
        .world()
        .lastfm
        .now_playing("Dora", None)
        .expect("Dora exists");
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["new", "old"]);
}

#[tokio::test]
async fn somebody_elses_list_says_whose_it_is() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "hers", NOON_S);
    sandbox.world().settings.lastfm.wrong_user_once = true;
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    assert_eq!(body["recenttracks"]["@attr"]["user"], "ana_listens");
    assert!(!names(&body["recenttracks"]["track"]).contains(&"hers"));
    let body = ask_dora(&sandbox, METHOD, &[]).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["hers"]);
}

#[tokio::test]
async fn what_is_hidden_is_refused_while_it_is() {
    let sandbox = with_dora().await;
    sandbox
        .world()
        .lastfm
        .set_hidden("Dora", true)
        .expect("Dora exists");
    let hidden = ask(&sandbox, METHOD, &[("user", "Dora")]).await;
    assert_eq!(error(&hidden), (403, 17));
    assert_eq!(hidden.1["message"], "Login: User required to be logged in");
    sandbox
        .world()
        .lastfm
        .set_hidden("Dora", false)
        .expect("Dora exists");
    ask_dora(&sandbox, METHOD, &[]).await;
}

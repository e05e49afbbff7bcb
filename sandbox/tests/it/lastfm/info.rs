//! `user.getInfo`.

use serde_json::json;

use super::{NOON_S, ask, ask_dora, error, plays, with_dora};

#[tokio::test]
async fn it_says_who_somebody_is_in_strings_and_one_number() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "Ground Loop", NOON_S);
    plays(&sandbox, "Ana Log", "Ground Loop", NOON_S + 1);
    if let Some(dora) = sandbox.world().lastfm.user_mut("dora") {
        dora.country = Some("Chile".to_owned());
        dora.subscriber = true;
        dora.real_name = "Dora D.".to_owned();
        dora.registered_s = 1_561_177_193;
    }
    let user = &ask_dora(&sandbox, "user.getInfo", &[]).await["user"];
    let star = "https://lastfm.freetls.fastly.net/i/u/34s/2a96cbd8b46e442fc41c2b86b821562f.png";
    for (field, expected) in [
        ("name", json!("Dora")),
        ("realname", json!("Dora D.")),
        ("country", json!("Chile")),
        ("subscriber", json!("1")),
        ("playcount", json!("1")),
        ("playlists", json!("0")),
        ("type", json!("user")),
        ("url", json!(format!("{}/user/Dora", sandbox.url()))),
        (
            "registered",
            json!({"unixtime": "1561177193", "#text": 1_561_177_193}),
        ),
    ] {
        assert_eq!(
            user[field], expected,
            "{field}: a play of the future is not counted"
        );
    }
    assert_eq!(user["image"][0], json!({"size": "small", "#text": star}));
    assert_eq!(user["image"].as_array().map(Vec::len), Some(4));
    assert!(user.get("artist_count").is_none());
}

#[tokio::test]
async fn knobs_add_counters_and_take_the_star_away() {
    let sandbox = with_dora().await;
    plays(&sandbox, "Ana Log", "Ground Loop", NOON_S);
    plays(&sandbox, "ANA LOG", "Ruido", NOON_S);
    let unset = &ask_dora(&sandbox, "user.getInfo", &[]).await["user"];
    assert_eq!(unset["country"], "None");
    {
        let mut world = sandbox.world();
        let knobs = &mut world.settings.lastfm;
        knobs.extra_counters = true;
        knobs.pictures = sandbox::Pictures::Empty;
        knobs.unset_country = String::new();
    }
    let user = &ask_dora(&sandbox, "user.getInfo", &[]).await["user"];
    let counters = ["artist_count", "track_count", "album_count"].map(|name| user[name].as_str());
    assert_eq!(counters, [Some("1"), Some("2"), Some("1")]);
    assert_eq!(user["image"][3], json!({"size": "extralarge", "#text": ""}));
    assert_eq!(user["country"], "");
}

#[tokio::test]
async fn names_are_found_in_any_spelling_and_answered_in_their_own() {
    let sandbox = with_dora().await;
    let (status, body) = ask(&sandbox, "User.getinfo", &[("user", "dORA"), ("format", "JSON")]).await;
    assert_eq!((status, &body["user"]["name"]), (200, &json!("Dora")));
    let nobody = ask(&sandbox, "user.getInfo", &[("user", "nobody")]).await;
    assert_eq!(error(&nobody), (404, 6));
    assert_eq!(nobody.1["message"], "User not found");
}

#[tokio::test]
async fn a_hidden_account_still_says_who_it_is() {
    let sandbox = with_dora().await;
    sandbox
        .world()
        .lastfm
        .set_hidden("Dora", true)
        .expect("Dora exists");
    let body = ask_dora(&sandbox, "user.getInfo", &[]).await;
    assert_eq!(body["user"]["name"], "Dora");
}

#[tokio::test]
async fn once_somebody_else_is_described_and_so_often_nobody_is_found() {
    let sandbox = with_dora().await;
    sandbox.world().settings.lastfm.wrong_user_once = true;
    let wrong = ask_dora(&sandbox, "user.getInfo", &[]).await;
    assert_eq!(
        wrong["user"]["name"], "ana_listens",
        "the first who hides nothing"
    );
    assert_eq!(
        ask_dora(&sandbox, "user.getInfo", &[]).await["user"]["name"],
        "Dora"
    );

    sandbox.world().settings.lastfm.spurious_not_found = 2;
    for _ in 0..2 {
        let answer = ask(&sandbox, "user.getInfo", &[("user", "Dora")]).await;
        assert_eq!(error(&answer), (404, 6));
    }
    ask_dora(&sandbox, "user.getInfo", &[]).await;
}

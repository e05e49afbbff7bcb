//! Last.fm's part of the control face, and what a newcomer finds there.

use sandbox::{DEMO_LASTFM, Options, Sandbox, Song};
use serde_json::{Value, json};

use super::{DAY_S, NOON_S, ask, ask_dora, ask_signed, error, names, with_dora};
use crate::http::{NOON_MS, client, read};

async fn control(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_sandbox/lastfm{path}", sandbox.url());
    read(
        client()
            .request(method.parse().expect("a method"), url)
            .json(&body),
    )
    .await
}

/// The moments of Dora's plays, in seconds, oldest first.
async fn moments(sandbox: &Sandbox) -> Vec<i64> {
    let (_, plays) = control(sandbox, "GET", "/users/dora/plays", json!({})).await;
    let plays = plays.as_array().expect("a list");
    plays
        .iter()
        .map(|play| play["at"].as_i64().expect("a moment") / 1000)
        .collect()
}

#[tokio::test]
async fn one_call_plays_a_song_so_often_since_monday() {
    let sandbox = with_dora().await;
    let song = json!({"artist": "Ana Log", "title": "Ruido", "times": 20, "since": "monday"});
    let (status, body) = control(&sandbox, "POST", "/users/Dora/plays", song).await;
    assert_eq!(status, 200, "{body}");
    // From Monday, 16 November, 00:00 to Saturday noon.
    let monday = NOON_S - DAY_S * 5 - DAY_S / 2;
    let at = moments(&sandbox).await;
    assert_eq!((at.len(), at[0]), (20, monday));
    assert!(
        at.windows(2)
            .all(|pair| pair[1] - pair[0] == (NOON_S - monday) / 20)
    );
}

#[tokio::test]
async fn a_play_is_now_or_whenever_it_is_said_to_be() {
    let sandbox = with_dora().await;
    let plays = "/users/Dora/plays";
    let song = |more: Value| {
        let mut song = json!({"artist": "Ana Log", "title": "Ruido"});
        song.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        song
    };
    for (more, expected) in [
        (json!({}), vec![NOON_S]),
        (json!({"at": NOON_MS - 5500}), vec![NOON_S - 6]),
        (
            json!({"times": 2, "since": NOON_MS - 4000, "until": NOON_MS - 2000}),
            vec![NOON_S - 4, NOON_S - 3],
        ),
        (json!({"since": "today"}), vec![NOON_S - DAY_S / 2]),
        // One after another, as a person plays them.
        (json!({"times": 3}), vec![NOON_S - 360, NOON_S - 180, NOON_S]),
    ] {
        assert_eq!(control(&sandbox, "POST", plays, song(more)).await.0, 200);
        assert_eq!(moments(&sandbox).await, expected);
        for at in expected {
            let (_, removed) = control(&sandbox, "DELETE", plays, song(json!({"at": at * 1000}))).await;
            assert_eq!(removed["removed"], true);
        }
    }
    for wrong in [
        json!({"since": "someday"}),
        json!({"since": NOON_MS, "until": NOON_MS - 1000}),
        json!({"artist": " "}),
        json!({"times": 100_001}),
        json!({"tiems": 2}),
    ] {
        assert_eq!(
            control(&sandbox, "POST", plays, song(wrong.clone())).await.0,
            400,
            "{wrong}"
        );
    }
    assert!(moments(&sandbox).await.is_empty());
}

#[tokio::test]
async fn people_can_be_made_and_changed() {
    let sandbox = with_dora().await;
    let emil =
        json!({"name": "Emil", "realName": "E", "country": "Norway", "registeredMs": 1000, "hidden": true});
    assert_eq!(control(&sandbox, "POST", "/users", emil.clone()).await.0, 200);
    assert_eq!(
        control(&sandbox, "POST", "/users", json!({"name": "EMIL"}))
            .await
            .0,
        409
    );
    assert_eq!(
        control(&sandbox, "POST", "/users", json!({"name": "a b"}))
            .await
            .0,
        400
    );
    let (_, users) = control(&sandbox, "GET", "/users", json!({})).await;
    let found = users
        .as_array()
        .expect("a list")
        .iter()
        .find(|user| user["name"] == "Emil");
    let found = found.expect("he is there");
    assert_eq!(
        (
            &found["realName"],
            &found["registeredMs"],
            &found["hidden"],
            &found["plays"]
        ),
        (&json!("E"), &json!(1000), &json!(true), &json!(0))
    );
    let recent = ("user.getRecentTracks", [("user", "Emil")]);
    assert_eq!(error(&ask(&sandbox, recent.0, &recent.1).await), (403, 17));
    control(&sandbox, "POST", "/users/Emil/hidden", json!({"hidden": false})).await;
    assert_eq!(ask(&sandbox, recent.0, &recent.1).await.0, 200);
    assert_eq!(control(&sandbox, "DELETE", "/users/Emil", json!({})).await.0, 200);
    assert_eq!(error(&ask(&sandbox, recent.0, &recent.1).await), (404, 6));
    assert_eq!(control(&sandbox, "DELETE", "/users/Emil", json!({})).await.0, 404);
}

#[tokio::test]
async fn what_plays_now_comes_and_goes() {
    let sandbox = with_dora().await;
    let song = json!({"artist": "Ana Log", "title": "Ruido"});
    control(&sandbox, "POST", "/users/Dora/now-playing", song).await;
    let body = ask_dora(&sandbox, "user.getRecentTracks", &[]).await;
    assert_eq!(names(&body["recenttracks"]["track"]), ["Ruido"]);
    control(&sandbox, "POST", "/users/Dora/now-playing", json!({})).await;
    let body = ask_dora(&sandbox, "user.getRecentTracks", &[]).await;
    assert_eq!(body["recenttracks"]["track"], json!([]));
}

#[tokio::test]
async fn sessions_keys_and_the_meter_are_at_hand() {
    let sandbox = with_dora().await;
    let (_, session) = control(&sandbox, "POST", "/users/Dora/sessions", json!({})).await;
    let key = session["key"].as_str().expect("a key");
    assert_eq!(ask_signed(&sandbox, "user.getInfo", &[("sk", key)]).await.0, 200);
    control(&sandbox, "POST", "/users/Dora/revoke", json!({})).await;
    assert_eq!(
        error(&ask_signed(&sandbox, "user.getInfo", &[("sk", key)]).await),
        (403, 9)
    );

    let (_, meter) = control(&sandbox, "GET", "/meter", json!({})).await;
    let count = json!({"calls": 2, "refused": 0});
    assert_eq!(
        meter,
        json!({"keys": {"lastfm-demo": count}, "addresses": {"127.0.0.1": count}})
    );
    control(&sandbox, "DELETE", "/meter", json!({})).await;
    assert_eq!(
        control(&sandbox, "GET", "/meter", json!({})).await.1["keys"],
        json!({})
    );

    control(&sandbox, "POST", "/key", json!({"suspended": true})).await;
    assert_eq!(
        error(&ask(&sandbox, "user.getInfo", &[("user", "Dora")]).await),
        (403, 26)
    );
    assert_eq!(
        control(
            &sandbox,
            "POST",
            "/key",
            json!({"suspended": true, "apiKey": "x"})
        )
        .await
        .0,
        404
    );
}

#[tokio::test]
async fn knobs_turn_one_by_one() {
    let sandbox = with_dora().await;
    let change = |body: Value| {
        read(
            client()
                .patch(format!("{}/_sandbox/settings", sandbox.url()))
                .json(&body),
        )
    };
    let (status, all) = change(json!({"lastfm": {"limitCap": 1000, "errorTransport": "always200"}})).await;
    assert_eq!((status, &all["lastfm"]["limitCap"]), (200, &json!(1000)));
    let (_, all) = change(json!({"lastfm": {"meter": {"calls": 3}, "listShape": "bare_object"}})).await;
    assert_eq!(
        (&all["lastfm"]["limitCap"], &all["lastfm"]["meter"]["windowMs"]),
        (&json!(1000), &json!(300_000))
    );
    assert_eq!(change(json!({"lastfm": {"limitcap": 1}})).await.0, 400);
    assert_eq!(change(json!({"lastfm": 1})).await.0, 400);
    assert_eq!(sandbox.world().settings.lastfm.limit_cap, 1000);
}

#[tokio::test]
async fn a_web_page_cannot_drive_it() {
    let sandbox = with_dora().await;
    let url = format!("{}/_sandbox/lastfm/users/Dora/hidden", sandbox.url());
    let foreign = client()
        .post(url)
        .header("origin", "https://evil.example")
        .body(r#"{"hidden": true}"#);
    assert_eq!(read(foreign).await.0, 403);
    assert!(!sandbox.world().lastfm.user("Dora").expect("she exists").hidden);
}

#[tokio::test]
async fn a_newcomer_finds_four_weeks_of_somebody() {
    let options = Options {
        clock: std::sync::Arc::new(|| NOON_MS),
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.expect("a free port");
    let world = sandbox.world();
    let ana = world
        .lastfm
        .user("ana_listens")
        .expect("she is there")
        .plays(NOON_S);
    assert!((500..=900).contains(&ana.len()), "about 25 a day: {}", ana.len());
    let ago_s = |index: usize| NOON_S - ana[index].at_s;
    assert!((60..=600).contains(&ago_s(ana.len() - 1)) && ago_s(0) <= 28 * DAY_S && ago_s(0) > 26 * DAY_S);
    assert!(ana.is_sorted_by_key(|play| play.at_s));
    assert!(
        ana.iter().any(|play| !play.song.title.is_ascii()),
        "other scripts"
    );
    let titles: std::collections::BTreeSet<_> = ana.iter().map(|play| &play.song.title).collect();
    assert!(
        (30..=60).contains(&titles.len()),
        "favourites come again: {}",
        titles.len()
    );
    assert!(
        ana.iter()
            .all(|play| world.catalog().iter().any(|track| track.title == play.song.title))
    );
    assert!(world.lastfm.user("ben_listens").expect("he is there").hidden);
    assert!(
        world
            .lastfm
            .user("new_ears")
            .expect("they are there")
            .plays(NOON_S)
            .is_empty()
    );
}

#[tokio::test]
async fn the_world_refuses_what_cannot_be() {
    let sandbox = with_dora().await;
    let mut world = sandbox.world();
    let song = Song::new("Ana Log", "Ruido");
    assert!(world.lastfm.play("nobody", &song, NOON_S).is_err());
    assert!(world.lastfm.play("Dora", &Song::new("", "x"), NOON_S).is_err());
    assert!(
        world
            .lastfm
            .now_playing("Dora", Some(Song::new("x", "")))
            .is_err()
    );
    assert!(world.lastfm.add_key(DEMO_LASTFM.api_key, "s", "again").is_err());
    assert_eq!(world.lastfm.remove_play("Dora", &song, NOON_S), Ok(false));
}

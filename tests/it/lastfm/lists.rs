//! What somebody plays now, played last, and plays most.

use std::time::Duration;

use sandbox::{LastfmSettings, ListShape, Song};
use serde_json::json;

use super::studio::{A_WHILE, ACCOUNT, HOUR, Studio, song, teardrop};

#[tokio::test]
async fn the_last_plays_come_with_what_is_playing_apart() {
    let mut studio = Studio::open().await;
    studio.play(&song(1), 30, 90_000, 3_600);
    studio.play(&teardrop(), 1, 300, 300);
    let now = Some(Song::new("AC/DC", "T.N.T."));
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .now_playing(ACCOUNT, now)
        .expect("an account");
    studio.calls();
    let told = studio.ada.get("/api/lastfm/recent").await.expect(200);
    assert_eq!(told["username"], ACCOUNT);
    assert!(
        told["profileUrl"]
            .as_str()
            .expect("a page")
            .ends_with("/user/Ada_Listens"),
        "{told}"
    );
    assert_eq!(
        (&told["nowPlaying"]["artist"], &told["nowPlaying"]["title"]),
        (&json!("AC/DC"), &json!("T.N.T."))
    );
    let plays = told["plays"].as_array().expect("plays");
    assert_eq!(plays.len(), 10);
    assert_eq!(
        (&plays[0]["title"], &plays[0]["album"]),
        (&json!("Teardrop"), &json!("Mezzanine"))
    );
    assert_eq!(plays[0]["playedAt"], (studio.now_s() - 300) * 1000);
    let all = studio.ada.get("/api/lastfm/recent?limit=50").await.expect(200);
    assert_eq!(all["plays"].as_array().map(Vec::len), Some(31));
    assert_eq!(studio.calls(), 1, "one answer does for both");
    studio.app.advance(A_WHILE);
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .now_playing(ACCOUNT, None)
        .expect("an account");
    let told = studio.ada.get("/api/lastfm/recent?limit=1").await.expect(200);
    assert_eq!((&told["nowPlaying"], studio.calls()), (&json!(null), 1));
}

#[tokio::test]
async fn an_empty_account_is_no_error() {
    let mut studio = Studio::open().await;
    for shape in [
        ListShape::Array,
        ListShape::BareOrAbsent,
        ListShape::AbsentWhenEmpty,
    ] {
        studio.app.sandbox.world().settings.lastfm = LastfmSettings {
            list_shape: shape,
            ..LastfmSettings::default()
        };
        studio.app.advance(HOUR * 2);
        let told = studio.ada.get("/api/lastfm/recent").await.expect(200);
        assert_eq!(
            (&told["plays"], &told["stale"]),
            (&json!([]), &json!(false)),
            "{shape:?}"
        );
        let told = studio.ada.get("/api/lastfm/top").await.expect(200);
        assert_eq!(
            (&told["items"], &told["stale"]),
            (&json!([]), &json!(false)),
            "{shape:?}"
        );
        let told = studio.verify(7, &[("x", "y", 1)]).await;
        assert_eq!(
            (&told["playsInWindow"], &told["stale"]),
            (&json!(0), &json!(false)),
            "{shape:?}"
        );
    }
}

#[tokio::test]
async fn one_play_is_read_in_every_shape() {
    for shape in [
        ListShape::Array,
        ListShape::BareOrAbsent,
        ListShape::AbsentWhenEmpty,
    ] {
        let mut studio = Studio::open().await;
        studio.app.sandbox.world().settings.lastfm.list_shape = shape;
        studio.play(&teardrop(), 1, 300, 300);
        let told = studio.ada.get("/api/lastfm/recent").await.expect(200);
        assert_eq!(told["plays"][0]["title"], "Teardrop", "{shape:?}");
        assert_eq!(
            studio.played(7, ("Massive Attack", "Teardrop")).await,
            1,
            "{shape:?}"
        );
    }
}

#[tokio::test]
async fn what_is_played_most_is_kept_for_as_long_as_it_hardly_changes() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 7, 200_000, 600);
    studio.play(&song(2), 3, 90_000, 600);
    studio.play(
        &Song::new("The Number 2 Quartet", "Another Ballad"),
        2,
        90_000,
        600,
    );
    studio.calls();
    let told = studio.ada.get("/api/lastfm/top").await.expect(200);
    assert_eq!(
        (&told["of"], &told["period"], &told["total"]),
        (&json!("tracks"), &json!("7day"), &json!(3))
    );
    let first = &told["items"][0];
    assert_eq!(
        (&first["rank"], &first["title"], &first["artist"], &first["plays"]),
        (&json!(1), &json!("Teardrop"), &json!("Massive Attack"), &json!(7))
    );
    let artists = studio
        .ada
        .get("/api/lastfm/top?of=artists&period=overall&limit=1")
        .await
        .expect(200);
    assert_eq!(artists["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(artists["items"][0]["artist"], "Massive Attack");
    let albums = studio
        .ada
        .get("/api/lastfm/top?of=albums&period=1month")
        .await
        .expect(200);
    assert_eq!(
        (&albums["items"][0]["album"], &albums["items"][0]["plays"]),
        (&json!("Mezzanine"), &json!(7))
    );
    assert_eq!(studio.calls(), 3);
    studio.ada.get("/api/lastfm/top?limit=3").await.expect(200);
    assert_eq!(studio.calls(), 0);
    studio.app.advance(Duration::from_mins(61));
    studio.ada.get("/api/lastfm/top").await.expect(200);
    studio
        .ada
        .get("/api/lastfm/top?of=artists&period=overall")
        .await
        .expect(200);
    assert_eq!(
        studio.calls(),
        1,
        "of seven days after an hour, of all time after a day"
    );
}

#[tokio::test]
async fn what_is_asked_for_has_to_be_there() {
    let mut studio = Studio::open().await;
    for query in [
        "recent?limit=0",
        "recent?limit=51",
        "recent?limit=-1",
        "recent?limit=many",
        "recent?background=perhaps",
        "top?of=songs",
        "top?period=week",
        "top?limit=101",
        "top?limit=0",
    ] {
        let answer = studio.ada.get(&format!("/api/lastfm/{query}")).await;
        assert_eq!(answer.problem(400), "invalid_query", "{query}");
    }
    for (path, allowed) in [("/api/lastfm/verify", "POST"), ("/api/lastfm/recent", "GET,HEAD")] {
        let answer = studio.ada.put(path, json!({})).await;
        assert_eq!(answer.problem(405), "method_not_allowed");
        assert_eq!(answer.headers["allow"], allowed);
    }
}

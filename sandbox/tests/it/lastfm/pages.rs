//! The profile with its forms, and where links to music lead.

use reqwest::RequestBuilder;
use sandbox::{DEMO_LASTFM, Sandbox, Song};

use super::{DAY_S, NOON_S, plays, with_dora};
use crate::http::{client, read};

fn post(sandbox: &Sandbox, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
    client()
        .post(format!("{}/user/Dora/{path}", sandbox.lastfm_site_url()))
        .form(form)
}

async fn page(sandbox: &Sandbox, path: &str) -> (u16, String) {
    let (status, page) = read(client().get(format!("{}{path}", sandbox.url()))).await;
    (status, page.as_str().expect("HTML").to_owned())
}

#[tokio::test]
async fn a_profile_shows_what_was_played_and_nothing_of_it_is_markup() {
    let sandbox = with_dora().await;
    plays(&sandbox, "<b>Ana</b>", "<script>alert(1)</script>", NOON_S - 60);
    let now = Song::new("Mains Hum", "Sixty \"Hertz\"");
    sandbox
        .world()
        .lastfm
        .now_playing("Dora", Some(now))
        .expect("Dora exists");
    let (status, page) = page(&sandbox, "/user/dora").await;
    assert_eq!(status, 200);
    for part in [
        "Sandbox - not Last.fm",
        "<h1>Dora</h1>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;Ana&lt;/b&gt;, 21 Nov 2026, 11:59",
        "Sixty &quot;Hertz&quot;",
        "playing now",
        "Hide recent listening",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<script>") && !page.contains("<b>Ana"));
}

#[tokio::test]
async fn a_person_can_play_a_song_there() {
    let sandbox = with_dora().await;
    let form = [
        ("artist", " Ana Log "),
        ("title", "Ruido"),
        ("times", "20"),
        ("since", "monday"),
    ];
    let response = post(&sandbox, "play", &form).send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (303, &"/user/Dora".parse().expect("text"))
    );
    let once = [
        ("artist", "Ana Log"),
        ("title", "Now"),
        ("times", "1"),
        ("since", "now"),
    ];
    read(post(&sandbox, "play", &once)).await;
    let world = sandbox.world();
    let dora = world.lastfm.user("Dora").expect("she exists").plays(NOON_S);
    assert_eq!((dora.len(), dora[0].at_s), (21, NOON_S - 5 * DAY_S - DAY_S / 2));
    assert_eq!((dora[0].song.artist.as_str(), dora[20].at_s), ("Ana Log", NOON_S));
}

#[tokio::test]
async fn a_form_that_makes_no_sense_changes_nothing() {
    let sandbox = with_dora().await;
    for (name, value) in [
        ("artist", ""),
        ("title", " "),
        ("times", "0"),
        ("times", "1001"),
        ("since", "ever"),
    ] {
        let mut form = vec![
            ("artist", "Ana Log"),
            ("title", "Ruido"),
            ("times", "1"),
            ("since", "now"),
        ];
        form.retain(|(other, _)| *other != name);
        form.push((name, value));
        assert_eq!(read(post(&sandbox, "play", &form)).await.0, 400, "{name}={value}");
    }
    assert!(
        sandbox
            .world()
            .lastfm
            .user("Dora")
            .expect("she exists")
            .plays(NOON_S)
            .is_empty()
    );
    let nobody = client()
        .post(format!("{}/user/nobody/play", sandbox.url()))
        .form(&[("artist", "x")]);
    assert_eq!(read(nobody).await.0, 404);
}

#[tokio::test]
async fn what_plays_now_starts_and_stops_there() {
    let sandbox = with_dora().await;
    let playing = || {
        sandbox
            .world()
            .lastfm
            .user("Dora")
            .expect("she exists")
            .now_playing
            .clone()
    };
    read(post(
        &sandbox,
        "now-playing",
        &[("artist", "Ana Log"), ("title", "Ruido"), ("times", "1")],
    ))
    .await;
    assert_eq!(playing(), Some(Song::new("Ana Log", "Ruido")));
    assert!(page(&sandbox, "/user/Dora").await.1.contains("Stop playing"));
    read(post(&sandbox, "now-playing", &[])).await;
    assert_eq!(playing(), None);
}

#[tokio::test]
async fn the_privacy_switch_goes_both_ways() {
    let sandbox = with_dora().await;
    let hidden = || sandbox.world().lastfm.user("Dora").expect("she exists").hidden;
    read(post(&sandbox, "privacy", &[("hide", "yes")])).await;
    assert!(hidden());
    assert!(
        page(&sandbox, "/user/Dora")
            .await
            .1
            .contains("Show recent listening")
    );
    read(post(&sandbox, "privacy", &[("hide", "no")])).await;
    assert!(!hidden());
}

#[tokio::test]
async fn another_site_can_fill_in_none_of_the_forms() {
    let sandbox = with_dora().await;
    let play = [("artist", "x"), ("title", "y"), ("times", "1"), ("since", "now")];
    for (path, form) in [
        ("play", play.as_slice()),
        ("now-playing", &play),
        ("privacy", &[("hide", "yes")]),
    ] {
        for (header, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
            let foreign = post(&sandbox, path, form).header(header, value);
            assert_eq!(read(foreign).await.0, 403, "{path} {header}");
        }
    }
    let world = sandbox.world();
    let dora = world.lastfm.user("Dora").expect("she exists");
    assert!(dora.plays(NOON_S).is_empty() && dora.now_playing.is_none() && !dora.hidden);
}

#[tokio::test]
async fn links_to_music_lead_somewhere() {
    let sandbox = with_dora().await;
    for (path, parts) in [
        (
            "/music/AC%2FDC/_/Hells+Bells",
            ["<h1>Hells Bells</h1>", "by AC/DC"],
        ),
        ("/music/A%26B/_/%3Cb%3E%2B", ["<h1>&lt;b&gt;+</h1>", "by A&amp;B"]),
        ("/music/%E6%B0%B4%E9%87%8E/Album", ["<h1>Album</h1>", "by 水野"]),
        ("/music/Ana+Log", ["<h1>Ana Log</h1>", "not Last.fm"]),
    ] {
        let (status, page) = page(&sandbox, path).await;
        assert_eq!(status, 200);
        assert!(parts.iter().all(|part| page.contains(part)), "{page}");
    }
}

#[tokio::test]
async fn the_front_page_leads_to_everybody() {
    let sandbox = with_dora().await;
    let (_, index) = page(&sandbox, "/").await;
    for name in ["ana_listens", "ben_listens", "new_ears", "Dora"] {
        assert!(index.contains(&format!("href=\"/user/{name}\"")), "{name}");
    }
    assert!(index.contains(DEMO_LASTFM.api_key));
    assert_eq!(page(&sandbox, "/user/nobody").await.0, 404);
}

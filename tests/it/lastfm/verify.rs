//! Whether somebody played what they were asked to: what counts, what is read for it, and what is not read again.

use std::time::Duration;

use patchbay::store::Collection;
use sandbox::Song;
use serde_json::json;

use super::studio::{A_WHILE, ACCOUNT, API, HOUR, Studio, song, teardrop};
use crate::harness::{app::local_user, clock::until};

const DAY_S: i64 = 86_400;

const TEARDROP: (&str, &str) = ("Massive Attack", "Teardrop");

#[tokio::test]
async fn a_quest_is_counted_with_its_evidence_until_it_is_complete() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 10, 3 * DAY_S, DAY_S);
    studio.play(
        &Song::new("massive attack", "Teardrop (Remastered 2019)"),
        4,
        DAY_S,
        600,
    );
    studio.play(&Song::new("Massive Attack", "Teardrop (Live)"), 3, DAY_S, 600);
    studio.play(&Song::new("방탄소년단", "봄날"), 2, DAY_S, 600);
    studio.play(&song(1), 50, 3 * DAY_S, 600);
    let asked = [
        ("Teardrop", "Massive Attack", 20),
        ("Spring Day (봄날)", "BTS", 2),
    ];
    let told = studio.verify(7, &asked).await;
    assert_eq!(
        (
            &told["complete"],
            &told["playsInWindow"],
            &told["partial"],
            &told["source"]
        ),
        (&json!(false), &json!(69), &json!(false), &json!("plays"))
    );
    assert_eq!(
        (&told["username"], &told["verified"]),
        (&json!(ACCOUNT), &json!(false))
    );
    let [teardrops, spring] = told["targets"].as_array().expect("targets").as_slice() else {
        panic!("two targets: {told}");
    };
    assert_eq!(
        (&teardrops["played"], &teardrops["done"]),
        (&json!(14), &json!(false))
    );
    assert_eq!(teardrops["counted"][0]["plays"], 10);
    assert_eq!(teardrops["counted"][1]["title"], "Teardrop (Remastered 2019)");
    let live = &teardrops["nearMisses"][0];
    assert_eq!(
        (&live["title"], &live["plays"]),
        (&json!("Teardrop (Live)"), &json!(3))
    );
    assert_eq!(live["reason"], "a live version");
    assert!(
        live["url"]
            .as_str()
            .expect("a page")
            .ends_with("/music/Massive+Attack/_/Teardrop+(Live)"),
        "{live}"
    );
    assert_eq!((&spring["played"], &spring["done"]), (&json!(2), &json!(true)));

    studio.play(&teardrop(), 6, 60, 0);
    studio.app.advance(A_WHILE);
    let told = studio.verify(7, &asked).await;
    assert_eq!(
        (&told["complete"], &told["targets"][0]["played"]),
        (&json!(true), &json!(20))
    );
}

#[tokio::test]
async fn one_song_can_be_asked_about_alone() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 200);
    let since = studio.app.clock.now_ms() - 86_400_000;
    let path = format!("/api/lastfm/played?title=Teardrop&artist=Massive%20Attack&since={since}");
    let told = studio.ada.get(&path).await.expect(200);
    assert_eq!(told["played"], 2);
    let (first, last) = ((studio.now_s() - 600) * 1000, (studio.now_s() - 400) * 1000);
    assert_eq!(told["playedAt"], json!([last, first]));
    assert_eq!(told["lastPlayedAt"], last);
}

#[tokio::test]
async fn checking_again_after_an_hour_reads_only_the_hour() {
    let mut studio = Studio::open().await;
    for number in 0..20 {
        studio.play(&song(number), 23, 6 * DAY_S, 7_200);
    }
    studio.calls();
    assert_eq!(
        studio
            .played(7, ("The Number 3 Quartet", "Ballad of Room 3"))
            .await,
        23
    );
    assert_eq!(studio.calls(), 3, "460 plays, 200 to a page");
    let later = [
        ("Ballad of Room 1", "The Number 1 Quartet", 1),
        ("Ballad of Room 9", "The Number 9 Quartet", 1),
    ];
    studio.verify(5, &later).await;
    assert_eq!(studio.calls(), 0, "another question about what was just read");

    for _ in 0..5 {
        studio.app.advance(HOUR);
        studio.play(&song(3), 2, 900, 100);
        studio.verify(5, &later).await;
        assert_eq!(studio.calls(), 1);
    }
    studio.app.advance(A_WHILE);
    assert_eq!(
        studio
            .played(7, ("The Number 3 Quartet", "Ballad of Room 3"))
            .await,
        33
    );
    assert_eq!(studio.calls(), 1);
}

#[tokio::test]
async fn what_a_device_tells_days_later_counts_and_what_is_taken_back_does_not() {
    let mut studio = Studio::open().await;
    for number in 0..20 {
        studio.play(&song(number), 23, 6 * DAY_S, 7_200);
    }
    studio.play(&teardrop(), 5, 4 * DAY_S, 3 * DAY_S);
    assert_eq!(studio.played(6, TEARDROP).await, 5);
    studio.calls();
    // A phone that was in a tunnel since the day before yesterday.
    studio.play(&teardrop(), 3, 2 * DAY_S, 2 * DAY_S - 900);
    studio.app.advance(HOUR);
    assert_eq!(studio.played(6, TEARDROP).await, 8);
    assert!(studio.calls() <= 3, "it is looked for no further than needed");
    studio.app.advance(HOUR);
    assert_eq!(studio.played(6, TEARDROP).await, 8);
    assert_eq!(studio.calls(), 1, "and not again");

    let at_s = studio.now_s() - 2 * 3600 - 2 * DAY_S;
    let removed = studio
        .app
        .sandbox
        .world()
        .lastfm
        .remove_play(ACCOUNT, &teardrop(), at_s);
    assert_eq!(removed, Ok(true));
    studio.app.advance(HOUR);
    assert_eq!(studio.played(6, TEARDROP).await, 7);
}

#[tokio::test]
async fn a_song_that_is_told_when_it_is_over_is_not_missed() {
    let mut studio = Studio::open().await;
    studio.play(&song(1), 3, 3_600, 1_800);
    assert_eq!(studio.played(1, TEARDROP).await, 0);
    // It began before the first look, and its device told of it afterwards.
    studio.play(&teardrop(), 1, 120, 120);
    studio.app.advance(Duration::from_secs(40));
    assert_eq!(studio.played(1, TEARDROP).await, 1);
}

#[tokio::test]
async fn a_window_begins_with_its_first_second_and_ends_before_its_last() {
    let mut studio = Studio::open().await;
    let now_s = studio.now_s();
    for at_s in [now_s - 1_000, now_s - 900, now_s - 800] {
        let played = studio.app.sandbox.world().lastfm.play(ACCOUNT, &teardrop(), at_s);
        played.expect("an account");
    }
    for (since_s, until_s, played) in [
        (now_s - 1_000, now_s - 800, 2),
        (now_s - 999, now_s - 800, 1),
        (now_s - 1_000, now_s - 799, 3),
        (now_s - 1_000, now_s + 9_999, 3),
        (now_s - 799, now_s, 0),
    ] {
        let question = json!({
            "since": since_s * 1000, "until": until_s * 1000,
            "targets": [{"title": "Teardrop", "artist": "Massive Attack"}],
        });
        let told = studio.ada.post("/api/lastfm/verify", question).await.expect(200);
        assert_eq!(
            told["targets"][0]["played"], played,
            "{since_s} to {until_s}, at {now_s}"
        );
    }
}

#[tokio::test]
async fn a_window_that_is_over_is_read_once() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 4, 5 * DAY_S, 4 * DAY_S);
    let ms_ago = |days: i64| studio.app.clock.now_ms() - days * DAY_S * 1000;
    let question = json!({
        "since": ms_ago(6), "until": ms_ago(2),
        "targets": [{"title": "Teardrop", "artist": "Massive Attack", "count": 4}],
    });
    studio.calls();
    for calls in [1, 0] {
        let told = studio
            .ada
            .post("/api/lastfm/verify", question.clone())
            .await
            .expect(200);
        assert_eq!(told["complete"], true);
        assert_eq!(told["covered"]["until"], question["until"]);
        assert_eq!(studio.calls(), calls);
        studio.app.advance(Duration::from_hours(30));
    }
}

#[tokio::test]
async fn plays_that_come_in_while_pages_are_read_are_not_missed() {
    let mut studio = Studio::open().await;
    for number in 0..10 {
        studio.play(&song(number), 45, 6 * DAY_S, 7_200);
    }
    studio.app.sandbox.world().hold_next_answer(API);
    let mut ada = studio.ada.clone();
    let since = studio.app.clock.now_ms() - 7 * DAY_S * 1000;
    let asking = tokio::spawn(async move {
        let targets: Vec<_> = (0..10)
            .map(|number| {
                let song = song(number);
                json!({"title": song.title, "artist": song.artist, "count": 45})
            })
            .collect();
        ada.post("/api/lastfm/verify", json!({"since": since, "targets": targets}))
            .await
    });
    studio.app.sandbox.arrived(API).await;
    // The first page is on its way: whatever comes now moves the others.
    studio.play(&song(0), 7, 6 * DAY_S - 100, 4 * DAY_S);
    studio.app.sandbox.world().release(API);
    let told = asking.await.expect("no panic").expect(200);
    assert_eq!(told["complete"], true, "{told}");
    studio.app.advance(HOUR);
    assert_eq!(
        studio
            .played(7, ("The Number 0 Quartet", "Ballad of Room 0"))
            .await,
        52
    );
}

#[tokio::test]
async fn who_listens_without_end_is_read_in_several_goes() {
    let mut studio = Studio::open().await;
    for number in 0..40 {
        studio.play(&song(number), 300, 80 * DAY_S, 7_200);
    }
    let asked = [("Ballad of Room 7", "The Number 7 Quartet", 300)];
    let told = studio.verify(90, &asked).await;
    assert_eq!(
        (&told["partial"], &told["complete"]),
        (&json!(true), &json!(false))
    );
    assert!(
        told["covered"]["since"].as_i64() > told["since"].as_i64(),
        "{told}"
    );
    assert!(
        told["leftOut"].is_string() && told["targets"][0]["played"].as_i64() > Some(200),
        "{told}"
    );
    studio.app.advance(A_WHILE);
    let told = studio.verify(90, &asked).await;
    assert_eq!(
        (&told["partial"], &told["complete"]),
        (&json!(false), &json!(true)),
        "{told}"
    );
}

#[tokio::test]
async fn a_window_of_years_is_answered_from_the_chart() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 6, 2_000 * DAY_S, 900 * DAY_S);
    studio.play(&song(1), 9, 300 * DAY_S, DAY_S);
    studio.calls();
    for _ in 0..2 {
        let told = studio.verify(3_650, &[("Teardrop", "Massive Attack", 6)]).await;
        assert_eq!(
            (&told["source"], &told["complete"], &told["partial"]),
            (&json!("chart"), &json!(true), &json!(false))
        );
        assert_eq!(told["playsInWindow"], 15);
        assert_eq!(
            told["targets"][0]["lastPlayedAt"],
            json!(null),
            "a chart knows no moments"
        );
    }
    assert_eq!(studio.calls(), 1);
    for number in 100..1_200 {
        studio.play(&song(number), 1, 99 * DAY_S, 99 * DAY_S);
    }
    studio.app.advance(2 * HOUR);
    let told = studio.verify(3_650, &[("Teardrop", "Massive Attack", 6)]).await;
    assert_eq!(
        (&told["partial"], &told["complete"]),
        (&json!(true), &json!(true))
    );
    assert!(
        told["leftOut"].as_str().expect("a sentence").contains("thousand"),
        "{told}"
    );
}

#[tokio::test]
async fn the_same_question_from_many_callers_at_once_is_one_call() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 4, 7_200, 600);
    studio.calls();
    let since = studio.app.clock.now_ms() - 86_400_000;
    let question = json!({"since": since, "targets": [{"title": "Teardrop", "artist": "Massive Attack"}]});
    studio.app.sandbox.world().hold_next_answer(API);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let (mut ada, question) = (studio.ada.clone(), question.clone());
            tokio::spawn(async move { ada.post("/api/lastfm/verify", question).await })
        })
        .collect();
    studio.app.sandbox.arrived(API).await;
    studio.app.sandbox.world().release(API);
    for answer in asking {
        let told = answer.await.expect("no panic").expect(200);
        assert_eq!(told["targets"][0]["played"], 4);
    }
    assert_eq!(studio.calls(), 1);
    let told = studio.ada.post("/api/lastfm/verify", question).await.expect(200);
    assert_eq!((&told["stale"], studio.calls()), (&json!(false), 0));
}

#[tokio::test]
async fn who_hangs_up_loses_nothing_of_what_was_read() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 300, 5 * DAY_S, 600);
    studio.calls();
    studio.app.sandbox.world().hold_next_answer(API);
    let mut ada = studio.ada.clone();
    let since = studio.app.clock.now_ms() - 6 * 86_400_000;
    let question = json!({"since": since, "targets": [{"title": "Teardrop", "artist": "Massive Attack"}]});
    let asking = tokio::spawn(async move { ada.post("/api/lastfm/verify", question).await });
    studio.app.sandbox.arrived(API).await;
    asking.abort();
    studio.app.sandbox.world().release(API);
    studio.app.app.idle().await;
    assert_eq!(studio.calls(), 2);
    assert_eq!(studio.played(6, TEARDROP).await, 300);
    assert_eq!(studio.calls(), 0);
}

#[tokio::test]
async fn who_unlinks_while_they_are_read_leaves_nothing_behind() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 3, 5 * DAY_S, 600);
    studio.app.sandbox.world().hold_next_answer(API);
    let mut reading = studio.ada.clone();
    let question = json!({"targets": [{"title": "Teardrop", "artist": "Massive Attack"}]});
    let asking = tokio::spawn(async move { reading.post("/api/lastfm/verify", question).await });
    studio.app.sandbox.arrived(API).await;
    studio.ada.delete("/api/connections/lastfm").await.expect(200);
    studio.app.sandbox.world().release(API);
    let answer = asking.await.expect("no panic");
    assert_ne!(answer.status, 500, "{:?}", answer.json());
    studio.app.app.idle().await;
    let kept = studio
        .app
        .store
        .records_of(Collection::Listening, &local_user("ada"), 9)
        .await;
    assert_eq!(kept.expect("a database"), []);
    assert_eq!(
        studio.ada.get("/api/lastfm/recent").await.problem(409),
        "lastfm_not_linked"
    );
}

#[tokio::test]
async fn a_process_that_knows_nothing_goes_on_with_what_another_has_read() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 3, 5 * DAY_S, 600);
    assert_eq!(studio.played(7, TEARDROP).await, 3);
    studio.calls();
    let other = studio
        .app
        .another_process()
        .sandbox(studio.app.sandbox.clone())
        .start()
        .await;
    studio.ada = {
        let mut browser = other.browser();
        browser.cookies = studio.ada.cookies.clone();
        browser
    };
    assert_eq!(studio.played(6, TEARDROP).await, 3);
    assert_eq!(studio.calls(), 0);
}

#[tokio::test]
async fn whoever_reads_less_urgently_reads_all_the_same() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 3, 7_200, 600);
    let question = json!({"background": true, "targets": [{"title": "Teardrop", "artist": "Massive Attack", "count": 3}]});
    let told = studio.ada.post("/api/lastfm/verify", question).await.expect(200);
    assert_eq!(told["complete"], true);
    until("nothing is read any more", async || studio.app.app.is_idle()).await;
}

#[tokio::test]
async fn nonsense_is_told_apart_and_asks_nobody() {
    let mut studio = Studio::open().await;
    studio.calls();
    let now = studio.app.clock.now_ms();
    let song = json!({"title": "Teardrop", "artist": "Massive Attack", "count": 1});
    let many: Vec<_> = std::iter::repeat_n(song.clone(), 10_000).collect();
    for (question, code) in [
        (json!({"since": now - 5, "targets": []}), "no_targets"),
        (json!({"since": now - 5}), "no_targets"),
        (json!({"since": now - 5, "targets": many}), "too_many_targets"),
        (
            json!({"since": now - 5, "until": now - 9, "targets": [song]}),
            "window_reversed",
        ),
        (
            json!({"since": now + 5, "until": now + 9, "targets": [song]}),
            "window_in_the_future",
        ),
        (json!({"since": -5, "targets": [song]}), "invalid_moment"),
        (json!({"since": "monday", "targets": [song]}), "invalid_field"),
        (json!({"since": 1e30, "targets": [song]}), "invalid_field"),
        (
            json!({"targets": [song, {"title": "  ", "artist": "x"}]}),
            "invalid_song",
        ),
        (json!({"targets": [{"title": "x"}]}), "invalid_song"),
        (
            json!({"targets": [{"title": "x", "artist": "🎵".repeat(1_000)}]}),
            "invalid_song",
        ),
        (
            json!({"targets": [{"title": "x", "artist": "y", "count": 0}]}),
            "invalid_count",
        ),
        (
            json!({"targets": [{"title": "x", "artist": "y", "count": -1}]}),
            "invalid_count",
        ),
        (
            json!({"targets": [{"title": "x", "artist": "y", "count": 1e9}]}),
            "invalid_field",
        ),
        (json!({"targets": "Teardrop"}), "invalid_field"),
        (json!({"targets": [null]}), "invalid_field"),
    ] {
        let answer = studio.ada.post("/api/lastfm/verify", question.clone()).await;
        assert_eq!(
            answer.problem(400),
            code,
            "{}",
            question.to_string().chars().take(200).collect::<String>()
        );
    }
    for query in [
        "",
        "?title=x",
        "?title=x&artist=y&since=soon",
        "?title=x&artist=%F0%9F%8E%B5&until=1",
    ] {
        let answer = studio.ada.get(&format!("/api/lastfm/played{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    assert_eq!(studio.calls(), 0);
    let odd = json!({"targets": [{"title": "/../_/%2F", "artist": "AC/DC & 🎵 \u{0} <b>"}]});
    studio.ada.post("/api/lastfm/verify", odd).await.expect(200);
}

//! `/api/playlist/corrections`: what a person corrected is theirs, comes first, and goes with them.

use patchbay::store::{Collection, Record};
use serde_json::{Value, json};

use crate::harness::{
    app::{TestApp, local_user},
    browser::Browser,
};

const CORRECTIONS: &str = "/api/playlist/corrections";

/// Of two releases of one recording the one that search prefers, and the other; and a song that is neither.
const FIRST: &str = "spotify:track:rwQDY7sC0jQ74RXgmed5ir";
const SECOND: &str = "spotify:track:ulg68n9xfnss0PIwWoQsx0";
const HELLO: &str = "spotify:track:Gb0ZOaV1RiwzmRFCj3r0gL";

fn dynamite() -> Value {
    json!({"title": "Dynamite", "artist": "BTS"})
}

/// Exports `song` alone, under a name of its own.
async fn export(app: &TestApp, person: &mut Browser, song: Value) -> Value {
    let name = format!("Nr {}", app.sandbox.world().requests().len());
    let body = json!({"name": name, "songs": [song]});
    person.post("/api/playlist/export", body).await.expect(200)
}

async fn put(person: &mut Browser, change: Value) -> Value {
    let mut body = json!({"song": dynamite()});
    body.as_object_mut()
        .expect("an object")
        .extend(change.as_object().expect("an object").clone());
    person.put(CORRECTIONS, body).await.expect(200)
}

/// Calls to Spotify for one track, and searches.
fn asked(app: &TestApp) -> (usize, usize) {
    let world = app.sandbox.world();
    (
        world.count("GET", "/v1/tracks/"),
        world.count("GET", "/v1/search"),
    )
}

#[tokio::test]
async fn the_track_that_a_person_wants_comes_first_whatever_the_list_says() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let said = put(
        &mut ana,
        json!({"use": "https://open.spotify.com/track/Gb0ZOaV1RiwzmRFCj3r0gL?si=1"}),
    )
    .await;
    assert_eq!((&said["use"], &said["never"]), (&json!(HELLO), &json!([])));

    let variants = [
        dynamite(),
        json!({"title": "DYNAMITE", "artist": "bts", "isrc": "KRZZ92087139", "durationMs": 199_824, "album": "BE"}),
        json!({"title": "Dynamite", "artist": "BTS", "spotifyId": FIRST}),
    ];
    for song in variants {
        let done = export(&app, &mut ana, song).await;
        let matched = &done["matched"][0];
        assert_eq!(
            (&matched["uri"], &matched["how"]),
            (&json!(HELLO), &json!("corrected"))
        );
    }
    assert_eq!(asked(&app), (1, 0), "that it exists is asked once");

    let mut ben = app.connected("ben").await;
    let done = export(&app, &mut ben, dynamite()).await;
    assert_ne!(done["matched"][0]["uri"], HELLO, "it is nobody else's");
    assert_eq!(ben.get(CORRECTIONS).await.expect(200), json!({"corrections": []}));
}

#[tokio::test]
async fn a_track_that_was_turned_down_is_not_taken_and_said_to_be() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let preferred = export(&app, &mut ana, dynamite()).await["matched"][0]["uri"].clone();
    put(&mut ana, json!({"never": preferred})).await;
    let given = json!({"title": "Dynamite", "artist": "BTS", "spotifyId": preferred});
    for song in [dynamite(), given] {
        let done = export(&app, &mut ana, song).await;
        let other = &done["matched"][0]["uri"];
        assert!(other.is_string() && *other != preferred, "{done}");
    }
    let searches = asked(&app).1;
    export(&app, &mut ana, dynamite()).await;
    assert_eq!(
        asked(&app).1,
        searches,
        "what was found instead is remembered, too"
    );

    for never in [FIRST, SECOND] {
        put(&mut ana, json!({"never": never})).await;
    }
    let done = export(&app, &mut ana, dynamite()).await;
    let nearest = &done["unmatched"][0]["candidates"][0];
    assert_eq!(nearest["reason"], "you said never", "{done}");

    let mut ben = app.connected("ben").await;
    let done = export(&app, &mut ben, dynamite()).await;
    assert_eq!(done["matched"][0]["uri"], preferred, "others get the best one");
}

#[tokio::test]
async fn the_latest_word_counts() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    put(&mut ana, json!({"never": FIRST})).await;
    let used = put(&mut ana, json!({"use": FIRST})).await;
    assert_eq!((&used["use"], &used["never"]), (&json!(FIRST), &json!([])));
    let both = put(&mut ana, json!({"use": SECOND, "never": HELLO})).await;
    assert_eq!((&both["use"], &both["never"]), (&json!(SECOND), &json!([HELLO])));
    let turned_down = put(&mut ana, json!({"never": SECOND})).await;
    assert_eq!(
        (&turned_down["use"], &turned_down["never"]),
        (&json!(null), &json!([HELLO, SECOND]))
    );
    let listed = ana.get(CORRECTIONS).await.expect(200);
    assert_eq!(
        listed,
        json!({"corrections": [turned_down]}),
        "one song, one correction"
    );
    assert_eq!(
        (&turned_down["title"], &turned_down["artist"]),
        (&json!("Dynamite"), &json!("BTS"))
    );
    assert!(turned_down["updatedAt"].is_i64());
}

#[tokio::test]
async fn a_wanted_track_that_is_gone_does_not_spoil_the_export() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    put(&mut ana, json!({"use": "0000000000000000000000"})).await;
    let done = export(&app, &mut ana, dynamite()).await;
    assert_eq!((&done["tracksAdded"], &done["rejected"]), (&json!(1), &json!([])));

    put(&mut ana, json!({"use": HELLO})).await;
    export(&app, &mut ana, dynamite()).await;
    app.sandbox.world().remove_track(&HELLO["spotify:track:".len()..]);
    let done = export(&app, &mut ana, dynamite()).await;
    assert_eq!(done["rejected"][0]["uri"], HELLO, "it was there a moment ago");
    let done = export(&app, &mut ana, dynamite()).await;
    assert_ne!(done["matched"][0]["uri"], HELLO, "{done}");
    assert_eq!(done["tracksAdded"], 1);
}

#[tokio::test]
async fn it_is_taken_back_by_its_person_only_and_goes_with_them() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let mut ben = app.signed_in("ben").await;
    let id = put(&mut ana, json!({"use": FIRST})).await["id"].clone();
    let address = format!("{CORRECTIONS}?id={}", id.as_str().expect("an id"));
    assert_eq!(ben.delete(&address).await.problem(404), "correction_not_found");
    assert_eq!(ana.delete(&address).await.expect(200), json!({"success": true}));
    assert_eq!(ana.delete(&address).await.problem(404), "correction_not_found");
    assert_eq!(ana.delete(CORRECTIONS).await.problem(400), "missing_id");
    assert_eq!(app.browser().get(CORRECTIONS).await.status, 401);

    let hers = put(&mut ana, json!({"use": FIRST})).await;
    put(&mut ben, json!({"use": FIRST})).await;
    assert_eq!(ana.get("/api/me").await.expect(200)["corrections"], json!([hers]));
    let again = ana.cookies.clone();
    ana.delete("/api/me").await.expect(200);
    ana.cookies = again;
    assert_eq!(ana.get(CORRECTIONS).await.expect(200), json!({"corrections": []}));
    let left = app
        .store
        .records_of(Collection::Tracks, &local_user("ana"), 9)
        .await;
    assert_eq!(left.expect("memory"), []);
    let bens = ben.get(CORRECTIONS).await.expect(200);
    assert_eq!(bens["corrections"][0]["use"], FIRST);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_code() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let long = "x".repeat(501);
    for (body, code) in [
        (json!({}), "invalid_song"),
        (json!({"song": {"title": " "}, "use": FIRST}), "invalid_song"),
        (json!({"song": {"title": long}, "use": FIRST}), "invalid_song"),
        (
            json!({"song": {"title": "x", "artist": long}, "use": FIRST}),
            "invalid_song",
        ),
        (json!({"song": dynamite()}), "nothing_to_correct"),
        (
            json!({"song": dynamite(), "use": null, "never": null}),
            "nothing_to_correct",
        ),
        (
            json!({"song": dynamite(), "use": "spotify:album:rwQDY7sC0jQ74RXgmed5ir"}),
            "invalid_track",
        ),
        (json!({"song": dynamite(), "never": "../me"}), "invalid_track"),
        (
            json!({"song": dynamite(), "use": FIRST, "never": FIRST}),
            "contradiction",
        ),
        (json!({"song": "Dynamite", "use": FIRST}), "invalid_field"),
    ] {
        assert_eq!(
            ana.put(CORRECTIONS, body.clone()).await.problem(400),
            code,
            "{body}"
        );
    }
    assert_eq!(ana.get(CORRECTIONS).await.expect(200), json!({"corrections": []}));
}

#[tokio::test]
async fn there_is_an_end_to_what_one_person_may_correct() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for number in 0..20 {
        put(&mut ana, json!({"never": format!("{number:022}")})).await;
    }
    put(&mut ana, json!({"never": format!("{:022}", 3)})).await;
    let one_more = json!({"song": dynamite(), "never": format!("{:022}", 20)});
    assert_eq!(
        ana.put(CORRECTIONS, one_more).await.problem(409),
        "too_many_never"
    );

    for number in 1..2000 {
        let record = Record {
            owner: Some(local_user("ana")),
            body: json!({"title": number.to_string(), "artist": "", "use": FIRST, "never": [], "updatedAt": 0}),
            ..Record::default()
        };
        let written = app
            .store
            .write_record(Collection::Tracks, &number.to_string(), &record)
            .await;
        let _ = written.expect("memory");
    }
    let another = json!({"song": {"title": "Another"}, "use": FIRST});
    assert_eq!(
        ana.put(CORRECTIONS, another).await.problem(409),
        "too_many_corrections"
    );
    put(&mut ana, json!({"use": FIRST})).await;
}

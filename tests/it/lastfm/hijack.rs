//! Attaching somebody's Last.fm account to somebody else's sign-in, by every trick with a callback: nothing works, and no
//! attempt costs the person their own link.

use std::time::Duration;

use serde_json::json;

use super::{API, CONNECTION, PROVE, agrees, assert_linked, assert_sent_back_with, linked};
use crate::harness::{
    app::{APP_URL, TestApp},
    browser::{altered, parameter},
};

const COOKIE: &str = "patchbay_connect_lastfm";
const SPOTIFY: &str = "/api/spotify/auth-url";
const SPOTIFY_COOKIE: &str = "patchbay_connect_spotify";

#[tokio::test]
async fn a_link_to_a_callback_does_nothing_in_another_browser() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(PROVE).await;

    let nobody = app.browser();
    let mut signed_in_elsewhere = app.browser();
    signed_in_elsewhere.cookies = ana.cookies.clone();
    signed_in_elsewhere.cookies.remove(COOKIE);
    let mut with_a_cookie_of_its_own = app.signed_in("ana").await;
    with_a_cookie_of_its_own
        .cookies
        .insert(COOKIE.to_owned(), "A".repeat(43));
    let before = app.document("ana").await;
    for mut other in [nobody, signed_in_elsewhere, with_a_cookie_of_its_own] {
        assert_sent_back_with(&other.get(&callback).await, "wrong_browser");
    }
    assert_eq!(
        app.document("ana").await,
        before,
        "an attempt in another browser uses nothing up"
    );
    assert_linked(&ana.get(&callback).await);
}

#[tokio::test]
async fn an_account_is_not_attached_to_whoever_opens_the_link() {
    let app = TestApp::start().await;
    let mut mallory = app.signed_in("mallory").await;
    let callback = mallory.consent(PROVE).await;
    let mut ben = app.signed_in("ben").await;
    assert_sent_back_with(&ben.get(&callback).await, "other_person");
    let own = ben.consent(PROVE).await;
    assert_sent_back_with(&ben.get(&callback).await, "other_person");
    ben.cookies.remove("patchbay_session");
    assert_sent_back_with(&ben.get(&callback).await, "wrong_browser");
    assert_eq!(linked(&app, "ben").await, None);
    assert_linked(&ben.get(&own).await);
    assert_eq!(linked(&app, "mallory").await, None);
}

#[tokio::test]
async fn somebody_elses_token_is_only_ever_attached_by_who_brings_state_and_cookie() {
    // Mallory agrees as herself and hands the token over: without Ana's cookie and state it is worth nothing.
    let app = TestApp::start().await;
    agrees(&app, "ben_listens");
    let mut mallory = app.signed_in("mallory").await;
    let token = parameter(&mallory.consent(PROVE).await, "token");
    let mut ana = app.signed_in("ana").await;
    let bare = format!("/api/lastfm/callback?token={token}");
    assert_eq!(ana.get(&bare).await.problem(400), "missing_state");
    assert_eq!(linked(&app, "ana").await, None);
    assert_eq!(app.sandbox.world().count_lastfm("auth.getSession"), 0);
}

#[tokio::test]
async fn a_callback_works_once() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(PROVE).await;
    let cookies = ana.cookies.clone();
    assert_linked(&ana.get(&callback).await);
    let before = app.document("ana").await;
    app.sandbox.world().clear_requests();
    for (cookies, code) in [(cookies, "state_used"), (ana.cookies.clone(), "wrong_browser")] {
        ana.cookies = cookies;
        assert_sent_back_with(&ana.get(&callback).await, code);
    }
    assert_eq!(app.document("ana").await, before);
    assert_eq!(
        app.sandbox.world().requests(),
        [],
        "a replayed token is not even tried"
    );
}

#[tokio::test]
async fn of_two_callbacks_at_once_exactly_one_links() {
    let app = TestApp::start().await;
    let mut one = app.signed_in("ana").await;
    let callback = one.consent(PROVE).await;
    let mut other = one.clone();
    let (first, second) = tokio::join!(one.get(&callback), other.get(&callback));
    let mut outcomes = [first.location(), second.location()];
    outcomes.sort();
    assert!(outcomes[0].contains("auth=success"), "{outcomes:?}");
    assert!(outcomes[1].contains("error=state_used"), "{outcomes:?}");
    assert_eq!(app.sandbox.world().count_lastfm("auth.getSession"), 1);
}

#[tokio::test]
async fn a_state_lives_for_ten_minutes() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let in_time = ana.consent(PROVE).await;
    app.advance(Duration::from_mins(10) - Duration::from_millis(1));
    assert_linked(&ana.get(&in_time).await);
    let late = ana.consent(PROVE).await;
    app.advance(Duration::from_mins(11));
    let before = app.document("ana").await;
    assert_sent_back_with(&ana.get(&late).await, "state_expired");
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn an_altered_state_is_not_believed() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(PROVE).await;
    let state = parameter(&callback, "state");
    let before = app.document("ana").await;
    let last = state.len() - 1;
    for at in (0..last).step_by(11).chain([last]) {
        let other = if &state[at..=at] == "A" { "B" } else { "A" };
        let forged = format!("{}{other}{}", &state[..at], &state[at + 1..]);
        let answer = ana.get(&altered(&callback, "state", Some(&forged))).await;
        assert_eq!(answer.problem(400), "invalid_state", "altered at {at}");
        assert!(answer.json()["error"].to_string().contains("Last.fm"));
    }
    for nothing in [None, Some("")] {
        let answer = ana.get(&altered(&callback, "state", nothing)).await;
        assert_eq!(answer.problem(400), "missing_state");
    }
    assert_eq!(app.document("ana").await, before);
    assert_linked(&ana.get(&callback).await);
}

#[tokio::test]
async fn a_state_opens_only_the_way_back_it_was_made_for() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let from_spotify = ana.consent(SPOTIFY).await;
    let from_lastfm = ana.consent(PROVE).await;
    let before = app.document("ana").await;
    app.sandbox.world().clear_requests();
    let (spotifys, lastfms) = (
        parameter(&from_spotify, "state"),
        parameter(&from_lastfm, "state"),
    );
    for crossed in [
        altered(&from_lastfm, "state", Some(&spotifys)),
        altered(&from_spotify, "state", Some(&lastfms)),
        from_spotify.replace("/spotify/", "/lastfm/"),
        from_lastfm.replace("/lastfm/", "/spotify/"),
    ] {
        assert_eq!(ana.get(&crossed).await.problem(400), "invalid_state", "{crossed}");
    }
    assert_eq!(app.document("ana").await, before, "nothing was used up");
    assert_eq!(app.sandbox.world().requests(), [], "nothing was asked");
    assert_linked(&ana.get(&from_lastfm).await);
    assert_eq!(
        ana.get(&from_spotify).await.location(),
        format!("{APP_URL}/?auth=success")
    );
}

#[tokio::test]
async fn the_cookie_of_another_flow_opens_nothing() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(PROVE).await;
    ana.get(SPOTIFY).await.expect(200);
    let cookies = ana.cookies.clone();
    let spotifys = ana.cookies[SPOTIFY_COOKIE].clone();
    ana.cookies.insert(COOKIE.to_owned(), spotifys);
    assert_sent_back_with(&ana.get(&callback).await, "wrong_browser");
    ana.cookies = cookies.clone();
    ana.cookies.remove(COOKIE);
    assert_sent_back_with(&ana.get(&callback).await, "wrong_browser");
    ana.cookies = cookies;
    assert_linked(&ana.get(&callback).await);
    assert!(ana.cookies.contains_key(SPOTIFY_COOKIE), "it is still needed");
}

#[tokio::test]
async fn a_newer_start_takes_the_place_of_an_older_one() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let older = ana.consent(PROVE).await;
    let older_cookies = ana.cookies.clone();
    let newer = ana.consent(PROVE).await;
    let newer_cookies = ana.cookies.clone();
    for cookies in [older_cookies, newer_cookies] {
        ana.cookies = cookies;
        assert_sent_back_with(&ana.get(&older).await, "state_used");
    }
    assert_linked(&ana.get(&newer).await);
}

#[tokio::test]
async fn who_forgets_is_erased_or_starts_anew_while_a_callback_is_under_way_is_not_linked_by_it() {
    for what in ["forgets", "is erased", "starts anew"] {
        let app = TestApp::start().await;
        let mut ana = app.signed_in("ana").await;
        let callback = ana.consent(PROVE).await;
        app.sandbox.world().hold(API);
        let mut navigation = ana.clone();
        let finishing = tokio::spawn(async move { navigation.get(&callback).await });
        app.sandbox.arrived(API).await;
        match what {
            "forgets" => ana.delete(CONNECTION).await,
            "is erased" => ana.delete("/api/me").await,
            _ => ana.get(PROVE).await,
        }
        .expect(200);
        let before = app.document("ana").await;
        app.sandbox.world().release(API);
        let overtaken = finishing.await.expect("no panic");
        assert_sent_back_with(&overtaken, "state_used");
        let forgets = overtaken.headers.contains_key(http::header::SET_COOKIE);
        assert!(!forgets, "the cookie is the newer start's by now");
        assert_eq!(app.document("ana").await, before, "{what}");
        assert_eq!(before.lastfm, None, "{what}");
    }
}

#[tokio::test]
async fn who_links_by_name_while_a_callback_is_under_way_is_linked_by_what_was_proven() {
    // Both are the same person's will, and the page is the later word of the two: it was not taken back.
    let app = TestApp::start().await;
    agrees(&app, "ben_listens");
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(PROVE).await;
    app.sandbox.world().hold_next(API);
    let mut navigation = ana.clone();
    let finishing = tokio::spawn(async move { navigation.get(&callback).await });
    app.sandbox.arrived(API).await;
    ana.post(CONNECTION, json!({"username": "ana_listens"}))
        .await
        .expect(200);
    app.sandbox.world().release(API);
    assert_linked(&finishing.await.expect("no panic"));
    let link = linked(&app, "ana").await.expect("a link");
    assert_eq!((link.username.as_str(), link.verified), ("ben_listens", true));
}

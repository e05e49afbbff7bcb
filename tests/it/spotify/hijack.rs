//! Attaching somebody's account to somebody else's sign-in, by every trick with a callback: nothing works, and no
//! attempt costs the person their own connection.

use std::time::Duration;

use super::{STANDARD, altered, assert_connected, assert_sent_back_with, parameter};
use crate::harness::app::{Setup, TestApp};

const STANDARD_COOKIE: &str = "patchbay_connect_spotify";
const OWN_APP_COOKIE: &str = "patchbay_connect_spotify_byo";

#[tokio::test]
async fn a_link_to_a_callback_does_nothing_in_another_browser() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;

    let nobody = app.browser();
    let mut signed_in_elsewhere = app.browser();
    signed_in_elsewhere.cookies = ana.cookies.clone();
    signed_in_elsewhere.cookies.remove(STANDARD_COOKIE);
    let mut with_a_cookie_of_its_own = app.signed_in("ana").await;
    with_a_cookie_of_its_own
        .cookies
        .insert(STANDARD_COOKIE.to_owned(), "A".repeat(43));
    let before = app.document("ana").await;
    for mut other in [nobody, signed_in_elsewhere, with_a_cookie_of_its_own] {
        assert_sent_back_with(&other.get(&callback).await, "wrong_browser");
    }

    assert_eq!(
        app.document("ana").await,
        before,
        "an attempt in another browser uses nothing up"
    );
    assert_connected(&ana.get(&callback).await);
}

#[tokio::test]
async fn an_account_is_not_attached_to_whoever_opens_the_link() {
    let app = TestApp::start().await;
    let mut mallory = app.signed_in("mallory").await;
    let callback = mallory.consent(STANDARD).await;
    let mut ben = app.signed_in("ben").await;
    assert_sent_back_with(&ben.get(&callback).await, "other_person");
    // With a connection of their own under way, too: it is theirs, not the link's, that then works.
    let own = ben.consent(STANDARD).await;
    assert_sent_back_with(&ben.get(&callback).await, "other_person");
    assert!(app.document("ben").await.integrations.is_empty());
    assert_connected(&ben.get(&own).await);
}

#[tokio::test]
async fn a_link_opened_while_signed_out_does_not_break_what_is_under_way() {
    let app = TestApp::start().await;
    let mut mallory = app.signed_in("mallory").await;
    let link = mallory.consent(STANDARD).await;
    let mut ana = app.signed_in("ana").await;
    let own = ana.consent(STANDARD).await;
    ana.cookies.remove("patchbay_session");
    assert_sent_back_with(&ana.get(&link).await, "wrong_browser");
    assert_connected(&ana.get(&own).await);
    assert!(app.document("mallory").await.integrations.is_empty());
}

#[tokio::test]
async fn who_signed_in_meanwhile_does_not_get_the_account() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in("ana").await;
    let callback = browser.consent(STANDARD).await;
    browser
        .post("/api/session", serde_json::json!({"name": "ben"}))
        .await
        .expect(200);
    assert_sent_back_with(&browser.get(&callback).await, "other_person");
    assert!(app.document("ana").await.integrations.is_empty());
    assert!(app.document("ben").await.integrations.is_empty());
    browser
        .post("/api/session", serde_json::json!({"name": "ana"}))
        .await
        .expect(200);
    assert_connected(&browser.get(&callback).await);
}

#[tokio::test]
async fn a_callback_works_once() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    let cookies = ana.cookies.clone();
    assert_connected(&ana.get(&callback).await);
    let before = app.document("ana").await;
    app.sandbox.world().clear_requests();
    for cookies in [cookies, ana.cookies.clone()] {
        ana.cookies = cookies;
        let replayed = ana.get(&callback).await.location();
        assert!(
            replayed.ends_with("error=state_used") || replayed.ends_with("error=wrong_browser"),
            "{replayed}"
        );
    }
    assert_eq!(app.document("ana").await, before);
    assert_eq!(
        app.sandbox.world().requests(),
        [],
        "a replayed code is not even tried"
    );
}

#[tokio::test]
async fn of_two_callbacks_at_once_exactly_one_connects() {
    let app = TestApp::start().await;
    let mut one = app.signed_in("ana").await;
    let callback = one.consent(STANDARD).await;
    let mut other = one.clone();
    let (first, second) = tokio::join!(one.get(&callback), other.get(&callback));
    let mut outcomes = [first.location(), second.location()];
    outcomes.sort();
    assert!(outcomes[0].ends_with("auth=success"), "{outcomes:?}");
    assert!(outcomes[1].ends_with("error=state_used"), "{outcomes:?}");
    assert_eq!(app.sandbox.world().count_grant_type("authorization_code"), 1);
}

#[tokio::test]
async fn a_state_lives_for_ten_minutes() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let in_time = ana.consent(STANDARD).await;
    app.advance(Duration::from_mins(10) - Duration::from_millis(1));
    assert_connected(&ana.get(&in_time).await);
    let late = ana.consent(STANDARD).await;
    app.advance(Duration::from_mins(11));
    let before = app.document("ana").await;
    assert_sent_back_with(&ana.get(&late).await, "state_expired");
    assert_eq!(app.document("ana").await, before);
}

#[tokio::test]
async fn an_altered_state_is_not_believed_wherever_it_is_altered() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    let state = parameter(&callback, "state");
    let before = app.document("ana").await;
    let last = state.len() - 1;
    for at in (0..last).step_by(7).chain([last]) {
        let other = if &state[at..=at] == "A" { "B" } else { "A" };
        let forged = format!("{}{other}{}", &state[..at], &state[at + 1..]);
        let answer = ana.get(&altered(&callback, "state", Some(&forged))).await;
        assert_eq!(answer.problem(400), "invalid_state", "altered at {at}");
    }
    let unsigned = state.rsplit_once('.').expect("a signature").0.to_owned();
    for forged in [
        unsigned,
        state.replacen("v1", "v2", 1),
        state.repeat(9),
        "v1..".to_owned(),
        "\u{fffd}".to_owned(),
    ] {
        let answer = ana.get(&altered(&callback, "state", Some(&forged))).await;
        assert_eq!(answer.problem(400), "invalid_state", "{forged}");
    }
    assert_eq!(
        ana.get(&altered(&callback, "state", None)).await.problem(400),
        "missing_state"
    );
    assert_eq!(
        ana.get(&altered(&callback, "state", Some(""))).await.problem(400),
        "missing_state"
    );
    assert_eq!(app.document("ana").await, before);
    assert_connected(&ana.get(&callback).await);
}

#[tokio::test]
async fn a_state_signed_with_other_keys_is_not_believed() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    for (variable, value) in [
        (
            "SPOTIFY_USER_SECRET_KEY",
            "k1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        ),
        ("SPOTIFY_STATE_SECRET", "another-key-for-states-and-nothing-else"),
    ] {
        let other = app
            .another_process()
            .sandbox(app.sandbox.clone())
            .variable(variable, value)
            .start()
            .await;
        let mut there = other.browser();
        there.cookies = ana.cookies.clone();
        assert_eq!(
            there.get(&callback).await.problem(400),
            "invalid_state",
            "{variable}"
        );
    }
    assert_connected(&ana.get(&callback).await);
}

#[tokio::test]
async fn the_cookie_of_one_slot_does_not_open_the_other() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    let cookies = ana.cookies.clone();
    let binding = ana
        .cookies
        .remove(STANDARD_COOKIE)
        .expect("a cookie of the start");
    ana.cookies.insert(OWN_APP_COOKIE.to_owned(), binding);
    assert_sent_back_with(&ana.get(&callback).await, "wrong_browser");
    ana.cookies = cookies;
    assert_connected(&ana.get(&callback).await);
}

#[tokio::test]
async fn a_newer_start_takes_the_place_of_an_older_one() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let older = ana.consent(STANDARD).await;
    let older_cookies = ana.cookies.clone();
    let newer = ana.consent(STANDARD).await;
    let newer_cookies = ana.cookies.clone();
    for cookies in [older_cookies, newer_cookies] {
        ana.cookies = cookies;
        assert_sent_back_with(&ana.get(&older).await, "state_used");
    }
    assert_connected(&ana.get(&newer).await);
}

#[tokio::test]
async fn nobody_becomes_somebody_by_a_callback() {
    // A callback signs nobody in: what it connects belongs to who started it.
    let app = Setup::default().start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.consent(STANDARD).await;
    ana.cookies.remove("patchbay_session");
    assert_connected(&ana.get(&callback).await);
    assert_eq!(ana.get("/api/me").await.problem(401), "not_signed_in");
    assert!(!app.document("ana").await.integrations.is_empty());
}

#[tokio::test]
async fn who_disconnects_is_erased_or_starts_anew_while_a_callback_is_under_way_is_not_connected_by_it() {
    for what in ["disconnects", "is erased", "starts anew"] {
        let app = TestApp::start().await;
        let mut ana = app.signed_in("ana").await;
        let callback = ana.consent(STANDARD).await;
        app.sandbox.world().hold("/v1/me");
        let mut navigation = ana.clone();
        let finishing = tokio::spawn(async move { navigation.get(&callback).await });
        app.sandbox.arrived("/v1/me").await;
        match what {
            "disconnects" => ana.post("/api/spotify/disconnect", serde_json::json!({})).await,
            "is erased" => ana.delete("/api/me").await,
            _ => ana.get(STANDARD).await,
        }
        .expect(200);
        let before = app.document("ana").await;
        app.sandbox.world().release("/v1/me");
        let overtaken = finishing.await.expect("no panic");
        assert_sent_back_with(&overtaken, "state_used");
        let forgets = overtaken.headers.contains_key(http::header::SET_COOKIE);
        assert!(!forgets, "the cookie is the newer start's by now");
        assert_eq!(app.document("ana").await, before, "{what}");
        assert!(before.integrations.is_empty(), "{what}");
    }
}

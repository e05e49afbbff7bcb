//! Linking an account by its name and by Last.fm's page, what is kept of it, and forgetting it.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::SweepLimits,
    secret::{RefreshToken, Secret as _, SessionKey},
    store::{DatabaseUrl, UserDocument},
    vault::{Place, Vault},
};
use sandbox::{DEMO_LASTFM, Fault, FaultKind};
use serde_json::json;

use super::{API, CONNECTION, PROVE, agrees, assert_linked, assert_sent_back_with, link_by_name, linked};
use crate::harness::{
    app::{APP_URL, KEY_RING, Setup, TestApp, local_user},
    browser::altered,
    entropy::SeededEntropy,
    flaky_store::{Call, FlakyStore, When},
};

#[tokio::test]
async fn an_account_is_linked_by_its_name_as_lastfm_writes_it() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_eq!(
        ana.get(CONNECTION).await.expect(200),
        json!({"available": true, "canVerify": true, "linked": false})
    );
    let profile = format!("{}/user/ana_listens", app.sandbox.lastfm_site_url());
    for typed in [
        "ana_listens",
        "  ANA_Listens\n",
        "https://www.last.fm/user/ana_listens",
        "last.fm/de/user/Ana_Listens/library?page=2",
    ] {
        let answer = link_by_name(&mut ana, typed).await.expect(200);
        let at = linked(&app, "ana").await.expect("a link").connected_at;
        assert_eq!(
            answer,
            json!({
                "available": true,
                "canVerify": true,
                "linked": true,
                "username": "ana_listens",
                "verified": false,
                "connectedAt": at,
                "profileUrl": profile,
                "sessionKept": false,
            }),
            "{typed}"
        );
        assert_eq!(ana.get(CONNECTION).await.expect(200), answer);
        ana.delete(CONNECTION).await.expect(200);
    }
}

#[tokio::test]
async fn what_cannot_be_a_name_is_refused_before_anybody_is_asked() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let long = "a".repeat(1000);
    for typed in [
        "",
        "   ",
        "two words",
        "a/b",
        "../../user",
        "ana\u{0}listens",
        "ana\u{1f3b5}",
        "ana@example.com",
        "ana&method=auth.getSession",
        "https://open.spotify.com/user/ana",
        "https://www.last.fm/music/Cher",
        "https://www.last.fm.example/user/ana_listens",
        &long,
    ] {
        let code = link_by_name(&mut ana, typed).await.problem(400);
        assert_eq!(code, "invalid_username", "{typed:?}");
    }
    let nothing = ana.post(CONNECTION, json!({})).await.problem(400);
    assert_eq!(nothing, "invalid_username");
    assert_eq!(
        ana.post(CONNECTION, json!({"username": 7})).await.problem(400),
        "invalid_field"
    );
    assert_eq!(app.sandbox.world().count("GET", API), 0);
    assert_eq!(linked(&app, "ana").await, None);
}

#[tokio::test]
async fn nobody_is_linked_whom_lastfm_does_not_know() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let answer = link_by_name(&mut ana, "nobody_here").await;
    assert_eq!(answer.problem(404), "lastfm_user_not_found");
    assert!(answer.json()["remedy"].is_string());
    assert_eq!(app.document("ana").await, UserDocument::default());
}

#[tokio::test]
async fn lastfms_own_page_proves_whose_an_account_is() {
    let app = TestApp::start().await;
    agrees(&app, "ben_listens");
    let mut ben = app.signed_in("ben").await;
    assert_linked(&ben.connect(PROVE).await);
    assert!(!ben.cookies.contains_key("patchbay_connect_lastfm"));
    let document = app.document("ben").await;
    assert_eq!(document.pending_link, None);
    let link = document.lastfm.expect("a link");
    assert_eq!((link.username.as_str(), link.verified), ("ben_listens", true));
    let shown = ben.get(CONNECTION).await.expect(200);
    assert_eq!(
        (&shown["verified"], &shown["sessionKept"], &shown["username"]),
        (&json!(true), &json!(true), &json!("ben_listens"))
    );

    // The key is sealed at its place, and opens there as what it is and nowhere else.
    let vault = Vault::new(
        KEY_RING.parse().expect("a key ring"),
        Arc::new(SeededEntropy::new(9)),
    );
    let sealed = link.session_key_enc.expect("a sealed key");
    let (ben_id, ana_id) = (local_user("ben"), local_user("ana"));
    let key: SessionKey = vault.open(&sealed, Place::lastfm(&ben_id)).expect("it opens");
    assert_eq!(key.expose().len(), 32);
    assert!(vault.open::<SessionKey>(&sealed, Place::lastfm(&ana_id)).is_err());
    assert!(
        vault
            .open::<RefreshToken>(&sealed, Place::lastfm(&ben_id))
            .is_err()
    );
}

#[tokio::test]
async fn a_person_goes_back_to_where_they_came_from_and_nowhere_else() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let answer = ana
        .connect("/api/lastfm/auth-url?returnTo=%2Flistening%3Ftab%3D1%23top")
        .await;
    assert_eq!(
        answer.location(),
        format!("{APP_URL}/listening?tab=1&auth=success&service=lastfm#top")
    );
    let elsewhere = ana.get("/api/lastfm/auth-url?returnTo=//evil.example").await;
    assert_eq!(elsewhere.problem(400), "invalid_return_to");
}

#[tokio::test]
async fn the_name_of_a_proven_account_leaves_it_proven_and_another_name_does_not() {
    let app = TestApp::start().await;
    agrees(&app, "ana_listens");
    let mut ana = app.signed_in("ana").await;
    assert_linked(&ana.connect(PROVE).await);
    let proven = linked(&app, "ana").await.expect("a link");
    app.advance(Duration::from_hours(1));
    link_by_name(&mut ana, "ANA_LISTENS").await.expect(200);
    let again = linked(&app, "ana").await.expect("a link");
    assert!(again.verified);
    assert_eq!(
        (&again.session_key_enc, again.connected_at),
        (&proven.session_key_enc, proven.connected_at)
    );
    assert!(again.updated_at > proven.updated_at);

    link_by_name(&mut ana, "ben_listens").await.expect(200);
    let other = linked(&app, "ana").await.expect("a link");
    assert_eq!(other.username, "ben_listens");
    assert!(!other.verified && other.session_key_enc.is_none());
    assert!(other.connected_at > proven.connected_at);

    // And what was typed can be proven afterwards.
    agrees(&app, "ben_listens");
    assert_linked(&ana.connect(PROVE).await);
    let proven = linked(&app, "ana").await.expect("a link");
    assert!(proven.verified && proven.session_key_enc.is_some());
    assert_eq!(proven.connected_at, other.connected_at);
}

#[tokio::test]
async fn who_comes_back_without_a_token_has_declined() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for token in [None, Some("")] {
        let callback = ana.consent(PROVE).await;
        let declined = ana.get(&altered(&callback, "token", token)).await;
        assert_sent_back_with(&declined, "access_denied");
        assert!(!ana.cookies.contains_key("patchbay_connect_lastfm"));
        assert_eq!(app.document("ana").await.pending_link, None);
        // The token was not used, and cannot be any more.
        assert!(
            ana.get(&callback)
                .await
                .location()
                .contains("error=wrong_browser")
        );
    }
    assert_eq!(app.sandbox.world().count_lastfm("auth.getSession"), 0);
}

#[tokio::test]
async fn a_token_that_lastfm_does_not_take_links_nothing() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let foreign = "0".repeat(32);
    let endless = "a".repeat(4000);
    for token in [foreign.as_str(), "not a token &?=", &endless] {
        let callback = ana.consent(PROVE).await;
        let refused = ana.get(&altered(&callback, "token", Some(token))).await;
        assert_sent_back_with(&refused, "token_refused");
    }
    app.sandbox.world().settings.lastfm.token_ttl_s = 60;
    let callback = ana.consent(PROVE).await;
    app.advance(Duration::from_mins(2));
    assert_sent_back_with(&ana.get(&callback).await, "token_refused");
    assert_eq!(linked(&app, "ana").await, None);
    assert_eq!(app.document("ana").await.pending_link, None);
}

#[tokio::test]
async fn a_secret_of_another_key_and_a_suspended_key_are_told_to_the_operator() {
    let app = Setup::default()
        .variable("LASTFM_SHARED_SECRET", "the-secret-of-another-key-altogether")
        .start()
        .await;
    let mut ana = app.signed_in("ana").await;
    assert_sent_back_with(&ana.connect(PROVE).await, "lastfm_secret_refused");
    app.sandbox
        .world()
        .lastfm
        .suspend_key(DEMO_LASTFM.api_key, true)
        .expect("a key");
    let answer = link_by_name(&mut ana, "ana_listens").await;
    assert_eq!(answer.problem(503), "lastfm_key_refused");
    let remedy = answer.json()["remedy"].to_string();
    assert!(remedy.contains("LASTFM_API_KEY"), "{remedy}");
    assert_eq!(linked(&app, "ana").await, None);
}

#[tokio::test]
async fn an_outage_of_lastfm_is_no_fault_of_the_name_or_the_person() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let offline = FaultKind::json(503, r#"{"error":11,"message":"Service Offline"}"#);
    let limited = FaultKind::json(429, r#"{"error":29,"message":"Rate Limit Exceeded"}"#);
    for (kind, code) in [(offline, "provider_unavailable"), (limited, "rate_limited")] {
        for method in ["user.getInfo", "auth.getSession"] {
            // However often it is asked again.
            app.sandbox.world().fault(Fault::on_lastfm(method, kind.clone()));
        }
        assert_eq!(link_by_name(&mut ana, "ana_listens").await.problem(503), code);
        // A refusal may close the way for some minutes, for everybody.
        app.advance(Duration::from_mins(20));
        assert_sent_back_with(&ana.connect(PROVE).await, code);
        app.advance(Duration::from_mins(20));
        app.sandbox.world().clear_faults();
        assert_eq!(linked(&app, "ana").await, None);
    }
    link_by_name(&mut ana, "ana_listens").await.expect(200);
    assert_linked(&ana.connect(PROVE).await);
}

#[tokio::test]
async fn without_a_key_nothing_is_offered_and_what_is_linked_can_still_be_forgotten() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_linked(&ana.connect(PROVE).await);

    let keyless = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .variable("LASTFM_API_KEY", "")
        .variable("LASTFM_SHARED_SECRET", "")
        .start()
        .await;
    let mut there = keyless.signed_in("ana").await;
    let shown = there.get(CONNECTION).await.expect(200);
    assert_eq!(
        (&shown["available"], &shown["canVerify"], &shown["linked"]),
        (&json!(false), &json!(false), &json!(true))
    );
    assert_eq!(
        link_by_name(&mut there, "ana_listens").await.problem(409),
        "lastfm_not_configured"
    );
    assert_eq!(there.get(PROVE).await.problem(409), "lastfm_not_configured");
    there.delete(CONNECTION).await.expect(200);
    assert_eq!(linked(&app, "ana").await, None);
}

#[tokio::test]
async fn without_a_secret_an_account_is_linked_by_its_name_alone() {
    let app = Setup::default()
        .variable("LASTFM_SHARED_SECRET", "")
        .start()
        .await;
    let mut ana = app.signed_in("ana").await;
    assert_eq!(ana.get(PROVE).await.problem(409), "lastfm_cannot_verify");
    assert_eq!(app.document("ana").await, UserDocument::default());
    let shown = link_by_name(&mut ana, "ana_listens").await.expect(200);
    assert_eq!(
        (&shown["canVerify"], &shown["linked"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn who_forgets_the_account_keeps_everything_else() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let before = app.document("ana").await.integrations;
    assert_linked(&ana.connect(PROVE).await);
    let under_way = ana.consent(PROVE).await;
    for _ in 0..2 {
        assert_eq!(ana.delete(CONNECTION).await.expect(200), json!({"success": true}));
        let document = app.document("ana").await;
        assert_eq!((document.lastfm, document.pending_link), (None, None));
        assert_eq!(document.integrations, before);
    }
    assert_sent_back_with(&ana.get(&under_way).await, "state_used");
    assert_eq!(linked(&app, "ana").await, None);
    // And the other way round: Spotify's end is not Last.fm's.
    assert_linked(&ana.connect(PROVE).await);
    ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
    assert!(linked(&app, "ana").await.is_some());
}

#[tokio::test]
async fn everything_that_is_held_of_it_is_shown_and_erased() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    assert_linked(&ana.connect(PROVE).await);
    let under_way = ana.consent("/api/lastfm/auth-url?returnTo=/again").await;
    let me = ana.get("/api/me").await.expect(200);
    let link = linked(&app, "ana").await.expect("a link");
    assert_eq!(
        me["connections"],
        json!([{
            "slot": "lastfm",
            "username": "ana_listens",
            "verified": true,
            "connectedAt": link.connected_at,
            "updatedAt": link.updated_at,
            "sealed": ["sessionKey"],
        }])
    );
    let pending = app.document("ana").await.pending_link.expect("a way back");
    assert_eq!(
        me["pending"],
        json!([{
            "slot": "lastfm",
            "startedAt": pending.created_at,
            "expiresAt": pending.expires_at,
            "returnTo": "/again",
        }])
    );
    let cookies = ana.cookies.clone();
    ana.delete("/api/me").await.expect(200);
    assert_eq!(app.document("ana").await, UserDocument::default());
    ana.cookies = cookies;
    assert_sent_back_with(&ana.get(&under_way).await, "state_used");
    assert_eq!(app.document("ana").await, UserDocument::default());
}

#[tokio::test]
async fn a_way_that_was_not_finished_is_swept_away_and_the_account_is_not() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    link_by_name(&mut ana, "ana_listens").await.expect(200);
    ana.consent(PROVE).await;
    let limits = SweepLimits {
        time: Duration::from_mins(1),
        concurrency: 2,
    };
    let sweep = || app.app.grants().sweep(limits);
    app.advance(Duration::from_mins(10) - Duration::from_millis(1));
    assert_eq!(sweep().await.expect("a sweep").visited, 0);
    app.advance(Duration::from_millis(1));
    assert_eq!(sweep().await.expect("a sweep").visited, 1);
    let document = app.document("ana").await;
    assert_eq!((document.pending_link, document.next_due_at), (None, None));
    assert_eq!(document.lastfm.expect("a link").username, "ana_listens");
}

#[tokio::test]
async fn who_forgets_is_erased_or_links_another_while_lastfm_is_asked_has_the_last_word() {
    for what in ["forgets", "is erased", "links another"] {
        let app = TestApp::start().await;
        let mut ana = app.signed_in("ana").await;
        link_by_name(&mut ana, "new_ears").await.expect(200);
        app.sandbox.world().hold_next(API);
        let mut slow = ana.clone();
        let linking = tokio::spawn(async move { link_by_name(&mut slow, "ana_listens").await });
        app.sandbox.arrived(API).await;
        match what {
            "forgets" => ana.delete(CONNECTION).await,
            "is erased" => ana.delete("/api/me").await,
            _ => link_by_name(&mut ana, "ben_listens").await,
        }
        .expect(200);
        let before = app.document("ana").await;
        app.sandbox.world().release(API);
        let answer = linking.await.expect("no panic");
        assert_eq!(answer.problem(409), "link_changed", "{what}");
        assert_eq!(app.document("ana").await, before, "{what}");
    }
}

#[tokio::test]
async fn the_same_name_twice_at_once_is_linked_once_and_nobody_is_refused() {
    let app = TestApp::start().await;
    let mut one = app.signed_in("ana").await;
    let mut other = one.clone();
    let (first, second) = tokio::join!(
        link_by_name(&mut one, "ana_listens"),
        link_by_name(&mut other, "ANA_LISTENS")
    );
    first.expect(200);
    second.expect(200);
    assert_eq!(linked(&app, "ana").await.expect("a link").username, "ana_listens");
}

#[tokio::test]
async fn a_database_that_is_away_leaves_no_half_link() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut ana = app.signed_in("ana").await;
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_eq!(
        link_by_name(&mut ana, "ana_listens").await.problem(503),
        "store_unavailable"
    );
    assert_eq!(app.document("ana").await, UserDocument::default());

    let callback = ana.consent(PROVE).await;
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_sent_back_with(&ana.get(&callback).await, "store_unavailable");
    // Nothing was used up: the same browser comes through a moment later.
    assert_linked(&ana.get(&callback).await);
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_eq!(ana.delete(CONNECTION).await.problem(503), "store_unavailable");
    ana.delete(CONNECTION).await.expect(200);
    assert_eq!(linked(&app, "ana").await, None);
}

#[tokio::test]
async fn only_who_is_signed_in_on_our_own_page_links_or_forgets() {
    let app = TestApp::start().await;
    for answer in [
        app.browser().get(CONNECTION).await,
        app.browser().delete(CONNECTION).await,
        app.browser().get(PROVE).await,
        link_by_name(&mut app.browser(), "ana_listens").await,
    ] {
        assert_eq!(answer.problem(401), "not_signed_in");
    }
    let mut ana = app.signed_in("ana").await;
    ana.origin = Some("https://elsewhere.example".to_owned());
    assert_eq!(
        link_by_name(&mut ana, "ana_listens").await.problem(403),
        "cross_site_write"
    );
    assert_eq!(ana.delete(CONNECTION).await.problem(403), "cross_site_write");
    assert_eq!(app.sandbox.world().count("GET", API), 0);
}

//! When it does not work: each cause by its own name, and the last known answer rather than nothing.

use std::time::Duration;

use patchbay::{
    ids::UserId,
    limits::LASTFM,
    store::{Collection, Edit, StoredLastfm, UserChange, Version},
    system::Timestamp,
};
use sandbox::{DEMO_LASTFM, Fault, FaultKind};
use serde_json::{Value, json};

use super::studio::{A_WHILE, ACCOUNT, API, HOUR, Studio, linked, teardrop};
use crate::harness::{
    app::{Setup, TestApp, local_user},
    clock::{ManualClock, until},
};

const RECENT: &str = "/api/lastfm/recent";

const DAY: Duration = Duration::from_hours(24);

fn refusal(status: u16, code: u16) -> FaultKind {
    FaultKind::json(status, &json!({"error": code, "message": "no"}).to_string())
}

fn fault(studio: &Studio, kind: FaultKind) {
    studio.app.sandbox.world().fault(Fault::on("GET", API, kind));
}

#[tokio::test]
async fn hidden_listening_is_told_as_such_and_not_asked_about_for_a_day() {
    let mut studio = Studio::open().await;
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(ACCOUNT, true)
        .expect("an account");
    studio.calls();
    for _ in 0..3 {
        let answer = studio.ada.get(RECENT).await;
        assert_eq!(answer.problem(409), "listening_hidden");
        assert!(
            answer.json()["remedy"]
                .as_str()
                .expect("a remedy")
                .contains("Privacy")
        );
        studio.app.advance(HOUR);
    }
    assert_eq!(studio.calls(), 1);
    studio.ada.get("/api/lastfm/top").await.expect(200);
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(ACCOUNT, false)
        .expect("an account");
    studio.app.advance(DAY);
    studio.ada.get(RECENT).await.expect(200);
}

#[tokio::test]
async fn who_links_again_is_asked_about_at_once() {
    let mut studio = Studio::open().await;
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(ACCOUNT, true)
        .expect("an account");
    assert_eq!(studio.ada.get(RECENT).await.problem(409), "listening_hidden");
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(ACCOUNT, false)
        .expect("an account");
    assert_eq!(studio.ada.get(RECENT).await.problem(409), "listening_hidden");
    let again = json!({"username": ACCOUNT});
    studio
        .ada
        .post("/api/connections/lastfm", again)
        .await
        .expect(200);
    studio.ada.get(RECENT).await.expect(200);
}

#[tokio::test]
async fn what_was_known_before_it_was_hidden_is_told_as_old() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 100);
    let now = Some(teardrop());
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .now_playing(ACCOUNT, now)
        .expect("an account");
    let told = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(
        (&told["nowPlaying"]["title"], &told["stale"]),
        (&json!("Teardrop"), &json!(false))
    );
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(ACCOUNT, true)
        .expect("an account");
    studio.app.advance(HOUR);
    let told = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(
        (&told["stale"], &told["ageMs"]),
        (&json!(true), &json!(3_600_000))
    );
    assert_eq!(told["problem"]["code"], "listening_hidden");
    assert_eq!(told["nowPlaying"], json!(null), "now was an hour ago");
    assert_eq!(told["plays"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn nobody_is_said_to_be_gone_before_it_was_said_twice() {
    let mut studio = Studio::open().await;
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .remove_user(ACCOUNT)
        .expect("an account");
    studio.calls();
    let unsure = studio.ada.get(RECENT).await;
    assert_eq!(unsure.problem(503), "lastfm_user_unconfirmed");
    assert_eq!(unsure.json()["retryAfterMs"], 60_000);
    studio.app.advance(Duration::from_secs(50));
    assert_eq!(
        studio.ada.get(RECENT).await.problem(503),
        "lastfm_user_unconfirmed"
    );
    assert_eq!(studio.calls(), 1, "a minute has to go by");
    studio.app.advance(Duration::from_secs(10));
    assert_eq!(studio.ada.get(RECENT).await.problem(404), "lastfm_user_not_found");
    assert_eq!(studio.ada.get(RECENT).await.problem(404), "lastfm_user_not_found");
    assert_eq!(studio.calls(), 1);
    let link = studio.app.document("ada").await.lastfm;
    assert_eq!(
        link.map(|link| link.username),
        Some(ACCOUNT.to_owned()),
        "the link is kept"
    );
}

#[tokio::test]
async fn a_spurious_no_such_user_passes() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 100);
    studio.app.sandbox.world().settings.lastfm.spurious_not_found = 1;
    assert_eq!(
        studio.ada.get(RECENT).await.problem(503),
        "lastfm_user_unconfirmed"
    );
    studio.app.advance(Duration::from_mins(2));
    studio.ada.get(RECENT).await.expect(200);
    studio.app.sandbox.world().settings.lastfm.spurious_not_found = 1;
    studio.app.advance(Duration::from_mins(2));
    let told = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(
        told["problem"]["code"], "lastfm_user_unconfirmed",
        "the first one counts no more"
    );
}

#[tokio::test]
async fn a_suspended_key_is_never_used_again_until_it_is_another() {
    let mut studio = Studio::open().await;
    let other_key = "ba5eba11ba5eba11ba5eba11ba5eba11";
    {
        let mut world = studio.app.sandbox.world();
        world
            .lastfm
            .add_key(other_key, "secret", "another")
            .expect("a new key");
        world
            .lastfm
            .suspend_key(DEMO_LASTFM.api_key, true)
            .expect("a key");
    }
    studio.calls();
    for _ in 0..4 {
        let answer = studio.ada.get(RECENT).await;
        assert_eq!(answer.problem(503), "lastfm_key_refused");
        assert!(
            answer.json()["remedy"]
                .as_str()
                .expect("a remedy")
                .contains("LASTFM_API_KEY")
        );
        studio.app.advance(DAY);
    }
    assert_eq!(studio.calls(), 1);
    let process = studio.app.another_process().sandbox(studio.app.sandbox.clone());
    let process = process.variable("LASTFM_API_KEY", other_key).start().await;
    let mut ada = process.signed_in("ada").await;
    ada.get(RECENT).await.expect(200);
}

#[tokio::test]
async fn a_refusal_stops_every_process_and_each_lasts_longer_than_the_one_before() {
    let mut studio = Studio::open().await;
    let process = studio
        .app
        .another_process()
        .sandbox(studio.app.sandbox.clone())
        .start()
        .await;
    let mut other = process.browser();
    other.cookies = studio.ada.cookies.clone();
    studio.calls();
    for minutes in [1, 2, 4] {
        let refused = Fault::on("GET", API, refusal(429, 29)).times(1);
        studio.app.sandbox.world().fault(refused);
        studio.app.advance(A_WHILE);
        let answer = studio.ada.get(RECENT).await;
        assert_eq!(answer.problem(503), "rate_limited");
        assert_eq!(answer.json()["retryAfterMs"], minutes * 60_000, "{minutes}");
        assert_eq!(studio.calls(), 1);
        studio.app.advance(Duration::from_secs(minutes * 60 - 30));
        assert_eq!(other.get("/api/lastfm/top").await.problem(503), "rate_limited");
        assert_eq!(studio.calls(), 0, "nor in another process");
        studio.app.advance(Duration::from_secs(30));
    }
    studio.ada.get(RECENT).await.expect(200);
}

#[tokio::test]
async fn an_outage_is_tried_three_times_and_then_the_last_answer_is_told() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 3, 7_200, 600);
    let told = studio.verify(7, &[("Teardrop", "Massive Attack", 9)]).await;
    assert_eq!(told["targets"][0]["played"], 3);
    studio.ada.get(RECENT).await.expect(200);
    for kind in [
        refusal(500, 8),
        refusal(200, 16),
        refusal(503, 11),
        FaultKind::html(502),
        FaultKind::Garbage200,
        FaultKind::DropConnection,
        FaultKind::json(200, "{}"),
    ] {
        studio.app.advance(Duration::from_mins(5));
        studio.calls();
        fault(&studio, kind.clone());
        let told = studio.verify(7, &[("Teardrop", "Massive Attack", 9)]).await;
        assert_eq!(
            (&told["stale"], &told["targets"][0]["played"]),
            (&json!(true), &json!(3)),
            "{kind:?}"
        );
        assert_eq!(told["problem"]["code"], "provider_unavailable", "{kind:?}");
        assert!(told["ageMs"].as_i64() >= Some(300_000), "{told}");
        assert_eq!(studio.calls(), 3, "{kind:?}");
        let told = studio.ada.get(RECENT).await.expect(200);
        assert_eq!(told["problem"]["code"], "provider_unavailable", "{kind:?}");
        assert_eq!(
            studio.ada.get("/api/lastfm/top").await.problem(503),
            "provider_unavailable"
        );
        studio.app.sandbox.world().clear_faults();
    }
    studio.app.advance(A_WHILE);
    let told = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(told["stale"], false);
}

#[tokio::test]
async fn one_bad_answer_in_a_row_of_pages_costs_one_more_call() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 500, 500_000, 600);
    for kind in [refusal(500, 8), FaultKind::html(502)] {
        studio
            .app
            .sandbox
            .world()
            .fault(Fault::on("GET", API, kind).times(1));
        studio.calls();
        studio.ada.delete("/api/connections/lastfm").await.expect(200);
        let again = json!({"username": ACCOUNT});
        studio
            .ada
            .post("/api/connections/lastfm", again)
            .await
            .expect(200);
        assert_eq!(studio.played(7, ("Massive Attack", "Teardrop")).await, 500);
        assert_eq!(
            studio.calls(),
            5,
            "the account, three pages, and one of them twice"
        );
    }
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_not_taken() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 100);
    {
        let mut world = studio.app.sandbox.world();
        world.lastfm.add_user("somebody_else").expect("a new name");
        let song = sandbox::Song::new("Somebody", "Else");
        let at_s = world.now_ms() / 1000 - 60;
        world
            .lastfm
            .play("somebody_else", &song, at_s)
            .expect("an account");
        world.settings.lastfm.wrong_user_once = true;
    }
    studio.calls();
    let told = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(told["plays"][0]["title"], "Teardrop");
    assert_eq!(studio.calls(), 2);
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up() {
    let clock = ManualClock::strict();
    let app = Setup::default().clock(clock.clone()).start().await;
    let studio = Studio::over(app).await;
    fault(&studio, FaultKind::Hang);
    let mut ada = studio.ada.clone();
    let asking = tokio::spawn(async move { ada.get(RECENT).await });
    until("it is given up", async || {
        clock.advance(Duration::from_millis(200));
        asking.is_finished()
    })
    .await;
    assert_eq!(
        asking.await.expect("no panic").problem(503),
        "provider_unavailable"
    );
    studio.app.sandbox.world().clear_faults();
}

#[tokio::test]
async fn who_would_wait_too_long_is_told_how_long_at_once() {
    const PEOPLE: usize = 130;
    let clock = ManualClock::strict();
    let app = Setup::default().clock(clock.clone()).start().await;
    let mut asking = Vec::new();
    for number in 0..PEOPLE {
        let name = format!("person-{number}");
        let user: UserId = local_user(&name);
        let change = UserChange {
            lastfm: Edit::Put(StoredLastfm {
                username: "ana_listens".to_owned(),
                ..StoredLastfm::default()
            }),
            ..UserChange::default()
        };
        let written = app.store.write_user(&user, Version::ABSENT, &change).await;
        let _ = written.expect("a database");
        let mut browser = app.signed_in(&name).await;
        asking.push(tokio::spawn(async move { browser.get(RECENT).await }));
    }
    // No time passes: some go at once, whoever is 20 s away or less waits, and the others are told.
    let waiting =
        |asking: &[tokio::task::JoinHandle<_>]| asking.iter().filter(|asking| !asking.is_finished()).count();
    let hold_20_s = 20_000 / usize::try_from(LASTFM.spacing_ms).expect("a spacing");
    until("all but those are told", async || waiting(&asking) <= hold_20_s).await;
    let (mut answered, mut told) = (0, 0);
    for asking in asking {
        if !asking.is_finished() {
            asking.abort();
            continue;
        }
        let answer = asking.await.expect("no panic");
        if answer.status == 200 {
            answered += 1;
            continue;
        }
        told += 1;
        assert_eq!(answer.problem(503), "throttled_here");
        let retry_after_ms = answer.json()["retryAfterMs"].as_i64();
        assert!(retry_after_ms > Some(20_000), "{}", answer.json());
    }
    assert!((1..=5).contains(&answered), "the bucket holds five: {answered}");
    assert!(told >= 20, "{told}");
    let meter = app.sandbox.world().lastfm.meter(DEMO_LASTFM.api_key);
    assert_eq!(meter.refused, 0);
}

#[tokio::test]
async fn without_a_key_everything_says_so() {
    let app = Setup::default()
        .variable("LASTFM_API_KEY", "")
        .variable("LASTFM_SHARED_SECRET", "")
        .start()
        .await;
    let mut ada = app.signed_in("ada").await;
    for path in [RECENT, "/api/lastfm/top", "/api/lastfm/played?title=x&artist=y"] {
        assert_eq!(
            ada.get(path).await.problem(409),
            "lastfm_not_configured",
            "{path}"
        );
    }
    let question = json!({"targets": [{"title": "x", "artist": "y"}]});
    assert_eq!(
        ada.post("/api/lastfm/verify", question).await.problem(409),
        "lastfm_not_configured"
    );
}

#[tokio::test]
async fn who_is_not_signed_in_or_not_linked_is_told_so() {
    let app = TestApp::start().await;
    assert_eq!(app.browser().get(RECENT).await.problem(401), "not_signed_in");
    let mut ada = app.signed_in("ada").await;
    assert_eq!(ada.get(RECENT).await.problem(409), "lastfm_not_linked");
}

#[tokio::test]
async fn no_more_is_kept_than_the_terms_allow_and_the_oldest_goes_first() {
    const MEGABYTE: usize = 1_000_000;
    let app = Setup::default()
        .variable("LASTFM_STORED_MB_MAX", "1")
        .start()
        .await;
    let people = ["ada", "bea", "cleo", "dora", "elsa", "fay", "gwen", "hope"];
    for name in people {
        {
            let mut world = app.sandbox.world();
            world.lastfm.add_user(name).expect("a new name");
            let now_s = world.now_ms() / 1000;
            for number in 0..600 {
                let title = format!("{name} {number} {}", "very long ".repeat(35));
                let song = sandbox::Song::new("Those Who Go On", &title);
                world
                    .lastfm
                    .play(name, &song, now_s - 600 * 60 + number * 60)
                    .expect("an account");
            }
        }
        let mut browser = linked(&app, name, name).await;
        let question = json!({"targets": [{"title": "x", "artist": "y"}]});
        browser.post("/api/lastfm/verify", question).await.expect(200);
        app.advance(HOUR);
    }
    app.app.pass(Duration::from_secs(9)).await.expect("a pass");
    let kept = app
        .store
        .records_due(Collection::Listening, Timestamp::MAX, 99)
        .await;
    let kept = kept.expect("a database");
    let bytes: usize = kept.iter().map(|(_, record)| record.body.to_string().len()).sum();
    assert!((MEGABYTE / 2..=MEGABYTE).contains(&bytes), "{bytes}");
    let owners: Vec<_> = kept
        .iter()
        .filter_map(|(_, record)| record.owner.clone())
        .collect();
    assert!(
        owners.contains(&local_user("hope")) && !owners.contains(&local_user("ada")),
        "{owners:?}"
    );
}

#[tokio::test]
async fn what_nobody_asks_about_any_more_is_forgotten() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 100);
    studio.ada.get(RECENT).await.expect(200);
    studio.played(7, ("Massive Attack", "Teardrop")).await;
    let kept = async || {
        let kept = studio
            .app
            .store
            .records_due(Collection::Listening, Timestamp::MAX, 99)
            .await;
        kept.expect("a database").len()
    };
    assert_eq!(kept().await, 2);
    studio.app.advance(DAY * 8);
    studio.app.app.pass(Duration::from_secs(9)).await.expect("a pass");
    assert_eq!(kept().await, 1);
    studio.app.advance(DAY * 40);
    studio.app.app.pass(Duration::from_secs(9)).await.expect("a pass");
    assert_eq!(kept().await, 0);
}

/// What a session key that its person takes back means for whoever reads with it.
#[tokio::test]
async fn a_session_that_is_taken_back_is_forgotten_and_said_so_once() {
    let mut studio = Studio::open().await;
    studio.play(&teardrop(), 2, 600, 100);
    let callback = studio.ada.consent("/api/lastfm/auth-url").await;
    assert!(
        studio
            .ada
            .get(&callback)
            .await
            .location()
            .contains("auth=success")
    );
    let account = studio.app.document("ada").await.lastfm.expect("a link").username;
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .set_hidden(&account, true)
        .expect("an account");
    studio.ada.get(RECENT).await.expect(200);
    studio
        .app
        .sandbox
        .world()
        .lastfm
        .revoke_sessions(&account)
        .expect("an account");
    studio.app.advance(A_WHILE);
    let told: Value = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(told["problem"]["code"], "lastfm_session_revoked");
    let link = studio.app.document("ada").await.lastfm.expect("a link");
    assert_eq!((link.username, link.session_key_enc), (account, None));
    studio.app.advance(A_WHILE);
    let told: Value = studio.ada.get(RECENT).await.expect(200);
    assert_eq!(told["problem"]["code"], "listening_hidden");
}

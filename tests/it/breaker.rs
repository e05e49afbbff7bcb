//! The breaker: a provider that refuses everybody by mistake costs nobody their connection, and one that means it is
//! believed in the end.

use std::time::Duration;

use patchbay::store::Collection;
use sandbox::{App, DEMO_APP, Mode, OWN_APP, User};
use serde_json::{Value, json};

use crate::harness::{app::TestApp, browser::Browser};

/// The access token has four minutes left: it works, and is due for renewal.
const DUE: Duration = Duration::from_mins(56);

/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_mins(5);

const HOUR: Duration = Duration::from_hours(1);

/// How a connection is and why, as the front end polls it.
async fn polled(person: &mut Browser) -> (String, Value) {
    let mut status = person.get("/api/spotify/status?token=false").await.expect(200);
    let health = status["tokenHealth"]
        .as_str()
        .expect("something is connected")
        .to_owned();
    (health, status["errorReason"].take())
}

/// What a use of the token tells its person.
async fn used(person: &mut Browser) -> Value {
    person.get("/api/spotify/status").await.expect(200)
}

/// Which secrets are kept of the only connection.
async fn sealed(person: &mut Browser) -> Value {
    person.get("/api/me").await.expect(200)["connections"][0]["sealed"].take()
}

#[track_caller]
fn assert_health(status: &Value, health: &str) {
    assert_eq!(status["tokenHealth"], health, "{status}");
    assert_eq!(status["needsReauth"], health == "needs_reauth", "{status}");
}

async fn assert_all(people: &mut [Browser], health: &str) {
    for (index, person) in people.iter_mut().enumerate() {
        let polled = polled(person).await;
        assert_eq!(polled.0, health, "person {index}: {polled:?}");
    }
}

/// Somebody new with a Spotify account of the same name, who agrees to whatever comes next.
async fn newcomer(app: &TestApp, name: &str) -> Browser {
    let added = app.sandbox.world().add_user(User::new(name, name));
    added.expect("a new name");
    app.sandbox.world().settings.auto_approve_as = Some(name.to_owned());
    app.signed_in(name).await
}

/// So many people, connected through the operator's app.
async fn crowd(app: &TestApp, people: usize) -> Vec<Browser> {
    let extended = app.sandbox.world().set_mode(DEMO_APP.client_id, Mode::Extended);
    extended.expect("the app is there");
    let mut crowd = Vec::new();
    for number in 0..people {
        let mut person = newcomer(app, &format!("person{number}")).await;
        person.connect("/api/spotify/auth-url").await;
        crowd.push(person);
    }
    crowd
}

/// So many people, connected through one app that each of them registered as theirs.
async fn club(app: &TestApp, people: usize) -> Vec<Browser> {
    let extended = app.sandbox.world().set_mode(OWN_APP.client_id, Mode::Extended);
    extended.expect("the app is there");
    let mut club = Vec::new();
    for number in 0..people {
        let mut person = newcomer(app, &format!("member{number}")).await;
        person
            .connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
            .await;
        club.push(person);
    }
    club
}

fn refuse_everybody(app: &TestApp, refuse: bool) {
    app.sandbox.world().settings.spurious_invalid_grant = refuse;
}

async fn sweep(app: &TestApp) {
    app.app
        .pass(Duration::from_mins(1))
        .await
        .expect("the store works");
}

#[tokio::test]
async fn a_mass_of_false_refusals_costs_nobody_their_connection() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 12).await;
    refuse_everybody(&app, true);
    app.advance(DUE);
    for person in &mut crowd[..4] {
        assert_health(&used(person).await, "needs_reauth");
    }
    for person in &mut crowd[4..] {
        let status = used(person).await;
        assert_health(&status, "degraded");
        assert!(
            status["accessToken"].is_string(),
            "the life that is left is not lost: {status}"
        );
    }
    for person in &mut crowd {
        assert_eq!(
            polled(person).await,
            ("degraded".to_owned(), "quarantined".into())
        );
        assert!(
            sealed(person)
                .await
                .as_array()
                .expect("a list")
                .contains(&"refreshToken".into())
        );
    }
    for _ in 0..6 {
        app.advance(PAUSE);
        sweep(&app).await;
        assert_all(&mut crowd, "degraded").await;
    }
    refuse_everybody(&app, false);
    app.advance(PAUSE);
    sweep(&app).await;
    // Few find out; everybody comes by within another pause.
    app.advance(PAUSE);
    sweep(&app).await;
    assert_all(&mut crowd, "healthy").await;
    // It is closed again: one person who takes the app away is believed.
    app.sandbox.world().revoke_user("person7");
    app.advance(HOUR);
    assert_health(&used(&mut crowd[7]).await, "needs_reauth");
    assert_health(&used(&mut crowd[6]).await, "healthy");
}

#[tokio::test]
async fn everybody_refused_at_the_same_moment_is_spared() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 12).await;
    refuse_everybody(&app, true);
    app.advance(HOUR);
    let mut uses = tokio::task::JoinSet::new();
    for mut person in crowd.clone() {
        uses.spawn(async move { used(&mut person).await });
    }
    uses.join_all().await;
    assert_all(&mut crowd, "degraded").await;
}

#[tokio::test]
async fn one_refusal_is_believed_at_once() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 2).await;
    app.sandbox.world().revoke_user("person0");
    app.advance(HOUR);
    assert_health(&used(&mut crowd[0]).await, "needs_reauth");
    assert_health(&used(&mut crowd[1]).await, "healthy");
}

#[tokio::test]
async fn a_grant_that_is_past_its_life_is_no_sign_of_a_wave() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 8).await;
    app.advance(Duration::from_hours(180 * 24));
    for (number, person) in crowd.iter_mut().enumerate() {
        // The local sign-in is over, too.
        let name = json!({"name": format!("person{number}")});
        person.post("/api/session", name).await.expect(200);
        let status = used(person).await;
        assert_health(&status, "needs_reauth");
        assert_eq!(status["errorReason"], "grant_expired");
    }
}

#[tokio::test]
async fn after_a_day_the_providers_word_is_final() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 12).await;
    app.sandbox.world().revoke_all();
    app.advance(HOUR);
    for person in &mut crowd {
        used(person).await;
    }
    for _ in 0..23 {
        app.advance(HOUR);
        sweep(&app).await;
        assert_all(&mut crowd, "degraded").await;
    }
    app.advance(HOUR);
    sweep(&app).await;
    assert_all(&mut crowd, "needs_reauth").await;
    app.advance(24 * HOUR);
    sweep(&app).await;
    for person in &mut crowd {
        assert_eq!(
            sealed(person).await,
            json!([]),
            "what is dead is erased a day later"
        );
    }
}

#[tokio::test]
async fn who_reconnected_or_left_meanwhile_is_left_alone() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 6).await;
    refuse_everybody(&app, true);
    app.advance(HOUR);
    for person in &mut crowd[..4] {
        assert_health(&used(person).await, "needs_reauth");
    }
    app.sandbox.world().settings.auto_approve_as = Some("person0".to_owned());
    crowd[0].connect("/api/spotify/auth-url").await;
    crowd[1]
        .post("/api/spotify/disconnect", Value::Null)
        .await
        .expect(200);
    for person in &mut crowd[4..] {
        assert_health(&used(person).await, "degraded");
    }
    assert_eq!(polled(&mut crowd[0]).await.0, "healthy");
    assert_eq!(used(&mut crowd[1]).await["connected"], false);
    assert_all(&mut crowd[2..], "degraded").await;
}

#[tokio::test]
async fn refusals_of_different_apps_do_not_add_up() {
    let app = TestApp::start().await;
    let mut people = crowd(&app, 4).await;
    for number in 0..4 {
        let (name, client_id) = (format!("owner{number}"), format!("{number:032x}"));
        let mut owner = newcomer(&app, &name).await;
        let own = App::new(&client_id, &name);
        let secret = own.client_secret.clone();
        app.sandbox.world().add_app(own).expect("a new app");
        owner.connect_own(&client_id, secret.as_deref()).await;
        people.push(owner);
    }
    refuse_everybody(&app, true);
    app.advance(HOUR);
    for person in &mut people {
        assert_health(&used(person).await, "needs_reauth");
    }
    assert_all(&mut people, "needs_reauth").await;
}

#[tokio::test]
async fn the_end_of_one_wave_is_not_the_end_of_another() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 6).await;
    let mut club = club(&app, 6).await;
    for number in 0..6 {
        app.sandbox.world().revoke_user(&format!("member{number}"));
    }
    refuse_everybody(&app, true);
    app.advance(HOUR);
    for person in crowd.iter_mut().chain(&mut club) {
        used(person).await;
    }
    assert_all(&mut crowd, "degraded").await;
    assert_all(&mut club, "degraded").await;
    refuse_everybody(&app, false);
    app.advance(PAUSE);
    for person in &mut crowd {
        assert_health(&used(person).await, "healthy");
    }
    // Were they one, this would be the first refusal since it is closed, and believed.
    assert_health(&used(&mut club[0]).await, "degraded");
}

#[tokio::test]
async fn who_was_refused_is_forgotten_within_minutes() {
    let app = TestApp::start().await;
    let mut person = crowd(&app, 1).await.remove(0);
    app.sandbox.world().revoke_all();
    app.advance(HOUR);
    used(&mut person).await;
    let (id, _) = only_breaker(&app).await.expect("a refusal is counted");
    assert!(!id.contains(DEMO_APP.client_id), "{id}");
    app.advance(PAUSE);
    sweep(&app).await;
    assert_eq!(only_breaker(&app).await, None);
    let kept = app
        .store
        .find_record(Collection::Budgets, &id)
        .await
        .expect("the store works");
    assert_eq!(kept, None, "nothing is left to remember");
}

#[tokio::test]
async fn a_process_that_dies_after_it_saw_the_wave_leaves_nobody_behind() {
    let app = TestApp::start().await;
    let mut crowd = crowd(&app, 4).await;
    refuse_everybody(&app, true);
    app.advance(HOUR);
    for person in &mut crowd {
        assert_health(&used(person).await, "needs_reauth");
    }
    // The last thing that the fifth one's process did.
    let (id, _) = only_breaker(&app).await.expect("refusals are counted");
    let breaker = app
        .store
        .find_record(Collection::Budgets, &id)
        .await
        .expect("the store works");
    let mut breaker = breaker.expect("it is there");
    breaker.body["openedAt"] = app.clock.now_ms().into();
    let _ = app
        .store
        .write_record(Collection::Budgets, &id, &breaker)
        .await
        .expect("the store works");
    app.advance(PAUSE);
    sweep(&app).await;
    assert_all(&mut crowd, "degraded").await;
}

/// The breaker that lists anybody.
async fn only_breaker(app: &TestApp) -> Option<(String, Value)> {
    let late = patchbay::system::Timestamp::MAX;
    let mut due = app
        .store
        .records_due(Collection::Budgets, late, 10)
        .await
        .expect("the store works");
    assert!(due.len() <= 1, "{due:?}");
    due.pop().map(|(id, record)| (id, record.body))
}

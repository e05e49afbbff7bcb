//! Progress: as events, by polling, and what makes an export go on that nobody waits for.

use std::time::Duration;

use http::{HeaderValue, header};
use sandbox::{Bucket, DEMO_APP, Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{
    app::{CRON_SECRET, TestApp},
    browser::{Answer, Browser},
    clock::ManualClock,
};

const EXPORT: &str = "/api/playlist/export";

/// Two that are there, one that is not.
fn songs() -> Value {
    json!([
        {"title": "Teardrop", "artist": "Massive Attack"},
        {"title": "A Song Nobody Wrote", "artist": "Nobody At All"},
        {"title": "Dynamite", "artist": "BTS"},
    ])
}

fn request() -> Value {
    json!({"name": "Late autumn", "songs": songs()})
}

fn wants_events(browser: &Browser) -> Browser {
    let mut browser = browser.clone();
    let kind = HeaderValue::from_static("application/json;q=0.5, text/event-stream");
    browser.headers.insert(header::ACCEPT, kind);
    browser
}

fn prefers_async(browser: &Browser) -> Browser {
    let mut browser = browser.clone();
    let preference = HeaderValue::from_static("wait=10, respond-async");
    browser.headers.insert("prefer", preference);
    browser
}

/// The events of an answer: names and data.
#[track_caller]
fn events(answer: &Answer) -> Vec<(String, Value)> {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/event-stream");
    let text = std::str::from_utf8(&answer.bytes).expect("UTF-8");
    let blocks = text.split("\n\n").filter(|block| block.starts_with("event:"));
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name));
        line.expect("both fields").trim_start().to_owned()
    };
    blocks
        .map(|block| {
            let data = field(block, "data:");
            (field(block, "event:"), serde_json::from_str(&data).expect("JSON"))
        })
        .collect()
}

/// The last event, after nothing but progress.
#[track_caller]
fn last(answer: &Answer) -> (String, Value) {
    let mut events = events(answer);
    let last = events.pop().expect("an event");
    assert!(events.iter().all(|(name, _)| name == "progress"), "{events:?}");
    last
}

fn path_of(job: &Value) -> String {
    format!("{EXPORT}?id={}", job["exportId"].as_str().expect("an id"))
}

#[tokio::test]
async fn events_tell_every_stage_and_end_with_the_plain_answer() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let answer = wants_events(&ana).post(EXPORT, request()).await;
    let told = events(&answer);
    let (name, finished) = last(&answer);
    assert_eq!(name, "finished");
    assert_eq!(ana.get(&path_of(&finished)).await.expect(200), finished);

    // A listener sees the latest and may miss what is between, but never anything that is not so.
    let progress: Vec<&Value> = told[..told.len() - 1].iter().map(|(_, data)| data).collect();
    let first = progress.first().expect("a first sign of life");
    assert_eq!(first["exportId"], finished["exportId"]);
    assert_eq!(first["code"], "running");
    assert!(first["remainingMs"].is_u64(), "{first}");
    for data in &progress {
        assert!(data["done"].as_u64() <= data["total"].as_u64(), "{data}");
        if let Some(index) = data["currentSong"]["index"].as_u64() {
            let index = usize::try_from(index).expect("small");
            assert_eq!(data["currentSong"]["title"], songs()[index]["title"]);
        }
    }
    assert!(
        progress
            .iter()
            .any(|data| data["currentSong"]["artist"].is_string()),
        "the song at hand was never shown: {progress:?}"
    );
    let after = wants_events(&ana).get(&path_of(&finished)).await;
    assert_eq!(events(&after), [("finished".to_owned(), finished)]);
}

#[tokio::test]
async fn events_end_with_what_has_to_be_mended_or_waited_for() {
    let app = TestApp::start().await;
    let zoe = app.signed_in("zoe").await;
    let (name, problem) = last(&wants_events(&zoe).post(EXPORT, request()).await);
    assert_eq!(
        (name.as_str(), &problem["status"], &problem["code"]),
        ("problem", &json!(409), &json!("not_connected"))
    );
    assert!(problem["error"].is_string() && problem["remedy"].is_string());

    let ana = app.connected("ana").await;
    exhaust(&app);
    let (name, parked) = last(&wants_events(&ana).post(EXPORT, request()).await);
    assert_eq!(
        (name.as_str(), &parked["code"]),
        ("waiting", &json!("quota_exceeded"))
    );
    assert!(parked["resumeAt"].as_i64().expect("an instant") > app.clock.now_ms());
    assert_eq!(
        parked["remainingMs"],
        Value::Null,
        "nobody knows how long it waits"
    );
    // Looking at it as events tells the same, once, and does not make it try.
    let asked = app.sandbox.world().count("GET", "/v1/search");
    let (name, looked) = last(&wants_events(&ana).get(&path_of(&parked)).await);
    assert_eq!((name.as_str(), &looked), ("waiting", &parked));
    assert_eq!(app.sandbox.world().count("GET", "/v1/search"), asked);
}

#[tokio::test]
async fn everybody_who_watches_a_run_of_this_process_sees_it_to_its_end() {
    let app = TestApp::start().await;
    let ana = app.connected("ana").await;
    app.sandbox.world().hold("/v1/playlists/");
    let mut first = wants_events(&ana);
    let mut headers = first.headers.clone();
    headers.insert("idempotency-key", HeaderValue::from_static("watched"));
    first.headers = headers;
    let running = tokio::spawn(async move { first.post(EXPORT, request()).await });
    app.sandbox.arrived("/v1/playlists/").await;

    let id = only_export(&app).await;
    let path = format!("{EXPORT}?id={id}");
    let polled = ana.clone().get(&path).await.expect(202);
    assert_eq!(
        (&polled["stage"], &polled["code"], &polled["resumeAt"]),
        (&json!("fill"), &json!("running"), &Value::Null)
    );
    let mut second = wants_events(&ana);
    let watching = tokio::spawn(async move { second.get(&path).await });
    tokio::task::yield_now().await;
    app.sandbox.world().release("/v1/playlists/");
    let done = last(&running.await.expect("an answer"));
    assert_eq!(done.0, "finished");
    assert_eq!(last(&watching.await.expect("an answer")), done);
}

/// The id of the one job that there is.
async fn only_export(app: &TestApp) -> String {
    let stored = app
        .store
        .records_of(
            patchbay::store::Collection::Exports,
            &crate::harness::app::local_user("ana"),
            10,
        )
        .await
        .expect("the store works");
    let mut jobs = stored
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| !id.contains(['/', ':']));
    let id = jobs.next().expect("a job");
    assert_eq!(jobs.next(), None);
    id
}

#[tokio::test]
async fn a_run_of_another_process_is_followed_through_the_database() {
    let app = TestApp::start().await;
    let ana = app.connected("ana").await;
    let other = app
        .another_process()
        // Who looks again and again must not make time pass for the one that is looked at.
        .clock(ManualClock::patient())
        .variable("SPOTIFY_ACCOUNTS_URL", app.sandbox.accounts_url())
        .variable("SPOTIFY_API_URL", app.sandbox.api_url())
        .start()
        .await;
    app.sandbox.world().hold("/v1/playlists/");
    let mut there = ana.clone();
    let running = tokio::spawn(async move { there.post(EXPORT, request()).await });
    app.sandbox.arrived("/v1/playlists/").await;
    let path = format!("{EXPORT}?id={}", only_export(&app).await);

    let mut here = Browser::new(other.router.clone());
    here.cookies = ana.cookies.clone();
    let mut listener = wants_events(&here);
    let same_path = path.clone();
    let listening = tokio::spawn(async move { listener.get(&same_path).await });
    let polled = here.get(&path).await.expect(202);
    assert_eq!(polled["code"], "running");
    app.sandbox.world().release("/v1/playlists/");
    let done = running.await.expect("an answer").expect(200);
    assert_eq!(
        last(&listening.await.expect("an answer")),
        ("finished".to_owned(), done)
    );
}

#[tokio::test]
async fn a_caller_who_would_rather_not_wait_is_answered_at_once() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().hold("/v1/playlists/");
    let answer = prefers_async(&ana).post(EXPORT, request()).await;
    assert_eq!(answer.headers["preference-applied"], "respond-async");
    let begun = answer.expect(202);
    assert_eq!(begun["code"], "running");
    assert!(!app.app.is_idle(), "the export goes on");
    app.sandbox.arrived("/v1/playlists/").await;
    app.sandbox.world().release("/v1/playlists/");
    app.app.idle().await;
    assert_eq!(ana.get(&path_of(&begun)).await.expect(200)["tracksAdded"], 2);
}

#[tokio::test]
async fn a_poll_makes_an_export_go_on_when_its_time_has_come_and_not_before() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    exhaust(&app);
    let parked = ana.post(EXPORT, request()).await.expect(202);
    app.sandbox.world().reset_limits();
    app.advance(Duration::from_mins(59));
    let early = ana.get(&path_of(&parked)).await.expect(202);
    assert_eq!(early["code"], "quota_exceeded");
    app.advance(Duration::from_mins(2));
    let going = ana.get(&path_of(&parked)).await.expect(202);
    assert_eq!(going["code"], "running");
    app.app.idle().await;
    assert_eq!(ana.get(&path_of(&parked)).await.expect(200)["tracksAdded"], 2);
}

#[tokio::test]
async fn an_export_whose_grant_ended_goes_on_once_its_person_has_connected_again() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let blocked = blocked_in_the_middle(&app, &mut ana).await;
    let path = path_of(&blocked);
    let looked = ana.get(&path).await.expect(202);
    assert_eq!(
        (&looked["code"], &looked["resumeAt"]),
        (&json!("needs_reauth"), &Value::Null)
    );
    ana.connect("/api/spotify/auth-url").await;
    // The page that the person comes back to looks, and that is all it takes.
    assert_eq!(ana.get(&path).await.expect(202)["code"], "running");
    app.app.idle().await;
    let done = ana.get(&path).await.expect(200);
    assert_eq!(done["tracksAdded"], 2);
    assert_eq!(app.sandbox.world().count("POST", "/v1/me/playlists"), 1);
}

#[tokio::test]
async fn the_sweep_looks_again_whether_what_blocks_an_export_is_mended() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    let blocked = blocked_in_the_middle(&app, &mut ana).await;
    ana.connect("/api/spotify/auth-url").await;
    assert_eq!(sweep(&app).await["exportsDue"], 0, "it has looked a moment ago");
    app.advance(Duration::from_mins(15));
    assert_eq!(sweep(&app).await["exportsFinished"], 1);
    assert_eq!(ana.get(&path_of(&blocked)).await.expect(200)["tracksAdded"], 2);
}

/// An export whose grant was taken away before the tracks were added.
async fn blocked_in_the_middle(app: &TestApp, ana: &mut Browser) -> Value {
    app.sandbox.world().hold("/v1/playlists/");
    let mut waiting = ana.clone();
    let running = tokio::spawn(async move { waiting.post(EXPORT, request()).await });
    app.sandbox.arrived("/v1/playlists/").await;
    app.sandbox.world().revoke_user("ana");
    app.sandbox.world().fault(
        Fault::on(
            "POST",
            "/v1/playlists/",
            FaultKind::json(
                401,
                r#"{"error":{"status":401,"message":"Missing/invalid/expired access token"}}"#,
            ),
        )
        .times(1),
    );
    app.sandbox.world().release("/v1/playlists/");
    let refused = running.await.expect("an answer");
    assert_eq!(refused.problem(409), "needs_reauth");
    refused.json()
}

async fn sweep(app: &TestApp) -> Value {
    let mut timer = Browser::bearer(app.router.clone(), CRON_SECRET);
    timer.post("/api/cron/refresh", json!({})).await.expect(200)
}

#[tokio::test]
async fn the_same_words_within_ten_minutes_are_the_same_export() {
    let app = TestApp::start().await;
    let ana = app.connected("ana").await;
    let playlists = || app.sandbox.world().playlists().count();
    let (mut one, mut two) = (ana.clone(), ana.clone());
    // Nobody waits: the first to come begins it, the others are told that it runs.
    app.sandbox.world().hold("/v1/me/playlists");
    let first = tokio::spawn(async move { one.post(EXPORT, request()).await });
    app.sandbox.arrived("/v1/me/playlists").await;
    let same = two.post(EXPORT, request()).await.expect(202);
    app.sandbox.world().release("/v1/me/playlists");
    let first = first.await.expect("an answer").expect(200);
    assert_eq!(first["exportId"], same["exportId"]);
    app.advance(Duration::from_mins(9));
    assert_eq!(two.post(EXPORT, request()).await.expect(200), first);
    let other = json!({"name": "Another", "songs": songs()});
    assert_ne!(
        two.post(EXPORT, other).await.expect(200)["exportId"],
        first["exportId"]
    );
    assert_eq!(playlists(), 2);
    app.advance(Duration::from_mins(2));
    let later = two.post(EXPORT, request()).await.expect(200);
    assert_ne!(later["exportId"], first["exportId"]);
    assert_eq!(playlists(), 3);
    let mut ben = app.connected("ben").await;
    assert_ne!(
        ben.post(EXPORT, request()).await.expect(200)["exportId"],
        later["exportId"]
    );
}

#[tokio::test]
async fn a_cancelled_export_ends_where_it_is_and_nothing_is_kept_of_it() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().hold("/v1/me/playlists");
    let mut waiting = ana.clone();
    let running = tokio::spawn(async move { waiting.post(EXPORT, request()).await });
    app.sandbox.arrived("/v1/me/playlists").await;
    let path = format!("{EXPORT}?id={}", only_export(&app).await);
    let mut ben = app.connected("ben").await;
    assert_eq!(ben.delete(&path).await.problem(404), "export_not_found");
    let left = ana.delete(&path).await.expect(200);
    assert_eq!(
        left,
        json!({"success": true, "playlistUrl": null, "tracksAdded": 0})
    );
    app.sandbox.world().release("/v1/me/playlists");
    assert_eq!(running.await.expect("an answer").problem(404), "export_not_found");
    assert_eq!(
        app.sandbox.world().count("POST", "/v1/playlists/"),
        0,
        "nothing was added after it was cancelled"
    );
    assert_eq!(ana.delete(&path).await.problem(404), "export_not_found");
    assert_eq!(ana.delete(EXPORT).await.problem(400), "missing_id");
    let kept = ana.get("/api/me").await.expect(200)["exports"].clone();
    let kept = kept.as_array().expect("a list").iter();
    assert!(
        kept.map(|record| record["id"].as_str().expect("an id"))
            .all(|id| id.starts_with("again:")),
        "a job or its songs are still there"
    );

    // Who asks in the same words again gets a whole new one.
    let done = ana.post(EXPORT, request()).await.expect(200);
    assert_eq!(done["tracksAdded"], 2);
    let left = ana.delete(&path_of(&done)).await.expect(200);
    assert_eq!(
        (&left["tracksAdded"], &left["playlistUrl"]),
        (&json!(2), &done["playlistUrl"])
    );
}

fn exhaust(app: &TestApp) {
    let mut world = app.sandbox.world();
    let developer = world.app(DEMO_APP.client_id).expect("the demo app").owner.clone();
    world.exhaust_quota(&developer, Bucket::Search, 3_600_000);
}

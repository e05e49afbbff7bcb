//! `POST /api/playlist/export?forecast=true`: what an export would cost, without beginning it.

use std::{sync::Arc, time::Duration};

use patchbay::{
    ids::AppName,
    limits::{Kind, Ledger},
    secret::{ClientId, Secret as _},
    store::SqliteStore,
    system::System,
};
use sandbox::{Bucket, DEMO_APP, OWN_APP};
use serde_json::{Value, json};

use crate::harness::{
    app::{Setup, TestApp},
    browser::Browser,
    clock::ManualClock,
    entropy::SeededEntropy,
    flaky_store::{Call, FlakyStore},
};

const EXPORT: &str = "/api/playlist/export";
const FORECAST: &str = "/api/playlist/export?forecast=true";

/// Every call of the port that may change something.
const WRITES: [Call; 9] = [
    Call::WriteUser,
    Call::DeleteUser,
    Call::WriteRecord,
    Call::WriteTrack,
    Call::DeleteRecord,
    Call::DeleteRecordsOf,
    Call::TakeTurns,
    Call::CloseBucket,
    Call::Ping,
];

async fn service() -> (TestApp, Arc<FlakyStore>) {
    // Turns go by the database's clock: it has to be the one that waiting moves.
    let clock = Arc::new(ManualClock::default());
    let database = SqliteStore::in_memory()
        .expect("memory")
        .with_clock(clock.clone());
    let flaky = FlakyStore::over(Arc::new(database));
    let setup = Setup::default().store(Arc::clone(&flaky) as _).clock(clock);
    let app = setup.start().await;
    (app, flaky)
}

fn list() -> Value {
    json!({"name": "Late autumn", "songs": [
        {"title": "Teardrop", "artist": "Massive Attack"},
        {"title": "A Song Nobody Wrote", "artist": "Nobody At All"},
        {"title": "Dynamite", "artist": "BTS", "isrc": "KRZZ92087139"},
        {"title": "Teardrop", "artist": "Massive Attack"},
        {"title": "Hello", "artist": "Adele", "spotifyId": "Gb0ZOaV1RiwzmRFCj3r0gL"},
    ]})
}

async fn forecast(person: &mut Browser, body: Value) -> Value {
    person.post(FORECAST, body).await.expect(200)
}

#[tokio::test]
async fn it_counts_what_is_not_known_and_changes_nothing() {
    let (app, flaky) = service().await;
    let mut ana = app.connected("ana").await;
    let requests = app.sandbox.world().requests().len();
    let writes = || WRITES.map(|call| flaky.calls(call));
    let written = writes();

    let first = forecast(&mut ana, list()).await;
    assert_eq!(
        (&first["totalSongs"], &first["remembered"]),
        (&json!(5), &json!(0))
    );
    // Three different songs to search for, one of them by its code, too; the named one only if it is not there.
    assert_eq!(
        first["calls"]["search"],
        json!({"least": 3, "likely": 4, "most": 9})
    );
    assert_eq!(
        first["calls"]["playlist"],
        json!({"least": 0, "likely": 2, "most": 2})
    );
    assert_eq!(
        first["calls"]["other"],
        json!({"least": 2, "likely": 2, "most": 2})
    );
    // Six turns of 200 ms, two writes of 400 ms.
    assert_eq!(first["takesMs"], 2000);
    assert_eq!(
        (&first["mode"], &first["fits"]),
        (&json!("standard"), &json!("unknown"))
    );
    assert_eq!(
        app.sandbox.world().requests().len(),
        requests,
        "no provider is asked"
    );
    assert_eq!(writes(), written, "nothing is written");
    assert_eq!(ana.get("/api/me").await.expect(200)["exports"], json!([]));

    ana.post(EXPORT, list()).await.expect(200);
    let again = forecast(&mut ana, list()).await;
    assert_eq!(
        again["remembered"], 4,
        "what a request names is looked at each time: {again}"
    );
    assert_eq!(
        again["calls"]["search"],
        json!({"least": 0, "likely": 0, "most": 2})
    );
}

#[tokio::test]
async fn it_is_as_right_as_it_says() {
    let (app, _) = service().await;
    let mut ana = app.connected("ana").await;
    let said = forecast(&mut ana, list()).await;
    let before = app.sandbox.world().count("GET", "/v1/search");
    ana.post(EXPORT, list()).await.expect(200);
    let searches = app.sandbox.world().count("GET", "/v1/search") - before;
    let limit = |which: &str| said["calls"]["search"][which].as_u64().expect("a number");
    let searches = u64::try_from(searches).expect("few");
    assert!(
        (limit("least")..=limit("most")).contains(&searches),
        "{searches}: {said}"
    );
    let world = app.sandbox.world();
    let playlist = world.count("POST", "/v1/me/playlists") + world.count("POST", "/v1/playlists/");
    assert_eq!(said["calls"]["playlist"]["likely"], playlist);
}

#[tokio::test]
async fn what_a_person_corrected_needs_no_search() {
    let (app, _) = service().await;
    let mut ana = app.connected("ana").await;
    let song = json!({"title": "A Song Nobody Wrote", "artist": "Nobody At All"});
    let correction = json!({"song": song, "use": "Gb0ZOaV1RiwzmRFCj3r0gL"});
    ana.put("/api/playlist/corrections", correction).await.expect(200);
    let only = json!({"name": "One", "songs": [song]});
    let unseen = forecast(&mut ana, only.clone()).await;
    assert_eq!(unseen["calls"]["search"]["likely"], 0);
    assert_eq!(unseen["calls"]["other"]["likely"], 2, "it is looked at once");
    ana.post(EXPORT, only.clone()).await.expect(200);
    let seen = forecast(&mut ana, only).await;
    assert_eq!(
        (&seen["calls"]["other"]["likely"], &seen["remembered"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn the_account_is_the_one_that_an_export_would_take() {
    let (app, _) = service().await;
    let mut zoe = app.signed_in("zoe").await;
    assert_eq!(zoe.post(FORECAST, list()).await.problem(409), "not_connected");
    let mut ana = app.connected("ana").await;
    ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
        .await;
    assert_eq!(forecast(&mut ana, list()).await["mode"], "byo");
    let mut standard = list();
    standard["mode"] = json!("standard");
    assert_eq!(forecast(&mut ana, standard).await["mode"], "standard");
    let mut owner = list();
    owner["mode"] = json!("owner");
    assert_eq!(
        ana.post(FORECAST, owner).await.problem(409),
        "owner_not_configured"
    );
    assert_eq!(
        ana.post(FORECAST, json!({"name": "x", "songs": []}))
            .await
            .problem(400),
        "no_songs"
    );

    let tokens = app.sandbox.world().issue_grant(DEMO_APP.client_id, "ana", "");
    let mut bearer = Browser::bearer(app.router.clone(), &tokens.expect("ana may").access_token);
    ana.post(EXPORT, list()).await.expect(200);
    let requests = app.sandbox.world().requests().len();
    let theirs = forecast(&mut bearer, list()).await;
    assert_eq!(theirs["mode"], "bearer");
    assert_eq!(
        theirs["remembered"], 0,
        "who is not recognized is not told what others searched for"
    );
    assert_eq!(
        theirs["calls"]["search"],
        json!({"least": 4, "likely": 6, "most": 15})
    );
    assert_eq!(app.sandbox.world().requests().len(), requests);
}

#[tokio::test]
async fn a_refused_app_is_told_at_once() {
    let (app, _) = service().await;
    let mut ana = app.connected("ana").await;
    let developer = app
        .sandbox
        .world()
        .app(DEMO_APP.client_id)
        .expect("an app")
        .owner
        .clone();
    app.sandbox
        .world()
        .exhaust_quota(&developer, Bucket::Search, 7_200_000);
    ana.post(EXPORT, list()).await.expect(202);
    let said = forecast(&mut ana, list()).await;
    assert_eq!(said["fits"], "no");
    assert!(said["budget"]["closedUntil"].as_i64() > Some(0), "{said}");
    let sentence = said["sentence"].as_str().expect("text");
    assert!(
        sentence.contains("Spotify refuses this app for another "),
        "{sentence}"
    );
    assert!(sentence.contains(" hours; the export would wait"), "{sentence}");
}

#[tokio::test]
async fn it_goes_by_what_the_app_was_seen_to_hold() {
    let (app, _) = service().await;
    let mut ana = app.connected("ana").await;
    ana.post(EXPORT, list()).await.expect(200);
    let (searches, writes) = {
        let world = app.sandbox.world();
        let made = world.count("POST", "/v1/me/playlists") + world.count("POST", "/v1/playlists/");
        (world.count("GET", "/v1/search"), made)
    };
    let other = || json!({"name": "Another", "songs": [{"title": "Number 1"}, {"title": "Number 2"}]});
    let never_refused = forecast(&mut ana, other()).await;
    assert_eq!(never_refused["fits"], "unknown");
    assert_eq!(
        never_refused["budget"],
        json!({
            "spentSearch24h": searches, "spentPlaylist24h": writes,
            "refusedAfterSearch": null, "refusedAfterPlaylist": null, "closedUntil": null,
        })
    );

    let system = System {
        clock: app.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(9)),
    };
    let ledger = Ledger::new(app.store.clone(), system);
    let budget = format!(
        "spotify:{}",
        AppName::of(&ClientId::from_plain(DEMO_APP.client_id.into()))
    );
    let note = async |searches: u32, used_up| {
        let calls = [(Kind::Search, searches)].into();
        ledger.note(&budget, &calls, used_up).await.expect("memory");
    };
    note(2000, Some(Kind::Search)).await;
    app.advance(Duration::from_hours(26));
    // 2,000 and those of the export, before the refusal; two songs need three searches.
    let held = 2000 + u32::try_from(searches).expect("few");
    note(held - 3, None).await;
    let fits = forecast(&mut ana, other()).await;
    assert_eq!(
        (&fits["fits"], &fits["budget"]["refusedAfterSearch"]),
        (&json!("yes"), &json!(held))
    );
    assert!(
        fits["sentence"]
            .as_str()
            .expect("text")
            .ends_with("searches: this should fit."),
        "{fits}"
    );
    note(1, None).await;
    assert_eq!(forecast(&mut ana, other()).await["fits"], "no");
}

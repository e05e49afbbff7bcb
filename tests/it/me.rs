//! `/api/me`: everything that is held about somebody, without a secret; and nothing, once they are erased.

use std::sync::Arc;

use patchbay::{
    store::{Collection, DatabaseUrl, Record, Store, UserDocument, Written},
    system::Timestamp,
};
use rusqlite::Connection;
use sandbox::OWN_APP;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    app::{Setup, TestApp, local_user},
    flaky_store::{Call, FlakyStore, When},
};

async fn keep_export(store: &Arc<dyn Store>, id: &str, owner: &str) {
    let record = Record {
        owner: Some(local_user(owner)),
        due_at: Some(Timestamp::from_ms(1)),
        body: json!({"name": "Summer"}),
        ..Record::default()
    };
    let written = store.write_record(Collection::Exports, id, &record).await;
    assert!(matches!(written, Ok(Written::As(_))));
}

async fn exports(store: &Arc<dyn Store>, owner: &str) -> usize {
    store
        .records_of(Collection::Exports, &local_user(owner), 10)
        .await
        .expect("the store works")
        .len()
}

#[tokio::test]
async fn everything_that_is_held_is_shown_and_no_secret() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let nothing = ana.get("/api/me").await.expect(200);
    assert_eq!(
        nothing,
        json!({"userId": "local:ana", "connections": [], "pending": [], "events": [], "listening": [], "corrections": [], "exports": [], "exportsComplete": true})
    );

    ana.connect("/api/spotify/auth-url").await;
    ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret))
        .await;
    ana.get("/api/spotify/auth-url?returnTo=/again").await.expect(200);
    keep_export(&app.store, "an-export", "ana").await;
    let answer = ana.get("/api/me").await;
    let me = answer.expect(200);
    let slots: Vec<_> = me["connections"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["slot"])
        .collect();
    assert_eq!(slots, ["spotify", "spotifyByo"]);
    let own = &me["connections"][1];
    assert_eq!(
        own["sealed"],
        json!(["accessToken", "refreshToken", "clientId", "clientSecret"])
    );
    assert_eq!(
        (&own["accountId"], &own["tokenHealth"]),
        (&json!("AnaAnaAnaAna"), &json!("healthy"))
    );
    assert_eq!(me["pending"][0]["returnTo"], "/again");
    assert_eq!(me["exports"].as_array().map(Vec::len), Some(1));

    let text = String::from_utf8(answer.bytes).expect("text");
    let mut secrets = vec![
        OWN_APP.client_secret.to_owned(),
        OWN_APP.client_id.to_owned(),
        "v1.k1.".to_owned(),
    ];
    secrets.extend(app.sandbox.world().grants().map(|grant| grant.refresh_token));
    let status = ana.get("/api/spotify/status").await.expect(200);
    secrets.push(status["accessToken"].as_str().expect("a token").to_owned());
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn who_is_erased_leaves_nothing_and_takes_nobody_along() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.connected("ben").await;
    let under_way = ana.consent("/api/spotify/auth-url").await;
    keep_export(&app.store, "hers", "ana").await;
    keep_export(&app.store, "his", "ben").await;
    let ben = app.document("ben").await;
    let (session, binding) = (ana.cookies["patchbay_session"].clone(), ana.cookies.clone());

    assert_eq!(ana.delete("/api/me").await.expect(200), json!({"success": true}));
    assert!(!ana.cookies.contains_key("patchbay_session"), "signed out");
    assert_eq!(app.document("ana").await, UserDocument::default());
    assert_eq!(
        (exports(&app.store, "ana").await, exports(&app.store, "ben").await),
        (0, 1)
    );
    assert_eq!(app.document("ben").await, ben);
    // What was under way cannot bring it back, and a second time is fine.
    ana.cookies = binding;
    assert!(ana.get(&under_way).await.location().ends_with("error=state_used"));
    ana.cookies.insert("patchbay_session".to_owned(), session);
    ana.delete("/api/me").await.expect(200);
    assert_eq!(app.document("ana").await, UserDocument::default());
}

#[tokio::test]
async fn an_erasure_that_fails_half_way_says_so_and_can_be_repeated() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    let mut ana = app.connected("ana").await;
    keep_export(&app.store, "hers", "ana").await;
    for call in [Call::DeleteRecordsOf, Call::DeleteUser] {
        flaky.fail_next(1, call, When::Before);
        assert_eq!(ana.delete("/api/me").await.problem(503), "store_unavailable");
        assert!(
            ana.cookies.contains_key("patchbay_session"),
            "still signed in, to try again"
        );
    }
    ana.delete("/api/me").await.expect(200);
    assert_eq!(
        (app.document("ana").await, exports(&app.store, "ana").await),
        (UserDocument::default(), 0)
    );
}

#[tokio::test]
async fn what_the_host_application_keeps_beside_it_stays() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("shared.db");
    let store = DatabaseUrl::Sqlite(file.clone()).open().expect("a database file");
    let app = Setup::default().store(store).start().await;
    let hosts = json!({"email": "ana@example.org", "integrations": {"mailer": {"list": 7}}, "pending": {"invoice": 1}});
    let host = Connection::open(&file).expect("the host opens it, too");
    host.execute(
        "INSERT INTO users (id, document) VALUES ('local:ana', ?1)",
        [hosts.to_string()],
    )
    .expect("a row");
    let document = || -> Value {
        let text: String = host
            .query_row("SELECT document FROM users WHERE id = 'local:ana'", [], |row| {
                row.get(0)
            })
            .expect("the row is there");
        serde_json::from_str(&text).expect("JSON")
    };
    let mut ana = app.connected("ana").await;
    ana.get("/api/spotify/auth-url").await.expect(200);
    assert!(document()["integrations"]["spotify"].is_object());
    assert_eq!(
        document()["integrations"]["mailer"],
        hosts["integrations"]["mailer"]
    );
    ana.delete("/api/me").await.expect(200);
    assert_eq!(document(), hosts);
}

//! Secrets are planted everywhere and hunted in everything that leaves the process: the log, answers, debug output,
//! the database file.

mod lastfm;

use std::{
    collections::HashMap,
    fs, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::header;
use patchbay::{config::Config, grants::SweepLimits, ids::Slot, store::DatabaseUrl};
use sandbox::{DEMO_APP, Fault, FaultKind, Matcher, OWN_APP, Rotation};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};
use url::Url;

use crate::harness::{
    app::{CRON_SECRET, JWT_SECRET, Setup, TestApp, local_user},
    browser::{Answer, Browser, consent},
    flaky_store::{Call, FlakyStore, When},
};

const STATE_SECRET: &str = "a-key-for-states-planted-to-be-found";
const BROKEN_ANSWER: &str = "a-token-in-an-answer-that-is-not-one";

/// A log that can be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics in here")).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panics in here")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// What was planted, by name, and what was seen of the service.
#[derive(Default)]
struct Hunt {
    secrets: Vec<(String, String)>,
    /// PKCE challenges: whatever hashes to one of them is its verifier.
    challenges: Vec<String>,
    answers: Vec<String>,
}

impl Hunt {
    fn plant(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 16, "{name} is long enough to be recognised");
        self.secrets.push((name.to_owned(), secret.to_owned()));
    }

    /// Keeps body and address of an answer; its cookies are for the browser alone.
    fn saw(&mut self, answer: &Answer) {
        let location = answer
            .headers
            .get(header::LOCATION)
            .map(|location| String::from_utf8_lossy(location.as_bytes()));
        self.answers.push(format!(
            "{} {}",
            location.unwrap_or_default(),
            String::from_utf8_lossy(&answer.bytes)
        ));
    }

    fn plant_cookies(&mut self, browser: &Browser) {
        for (name, value) in &browser.cookies {
            self.plant(name, value);
        }
    }

    /// Starts at an address that was given out, and agrees: the way back, whose code is planted.
    async fn agree(&mut self, url: &str) -> String {
        let parameter = |url: &str, wanted: &str| {
            let url = Url::parse("http://127.0.0.1")
                .expect("a base")
                .join(url)
                .expect("an address");
            url.query_pairs()
                .find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
                .expect("it is there")
        };
        self.challenges.push(parameter(url, "code_challenge"));
        let callback = consent(url).await;
        self.plant("code", &parameter(&callback, "code"));
        callback
    }

    fn assert_clean(&self, what: &str, text: &str) {
        for (name, secret) in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{what} shows the {name}");
        }
        let is_verifier_char = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
        for word in text
            .split(|letter| !is_verifier_char(letter))
            .filter(|word| (43..=128).contains(&word.len()))
        {
            let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(word));
            assert!(
                !self.challenges.contains(&challenge),
                "{what} shows a code verifier"
            );
        }
    }
}

/// Connects by both ways, comes back with what Spotify refuses, and lets everything fail that can.
async fn live_a_life(app: &TestApp, flaky: &FlakyStore, hunt: &mut Hunt) {
    let mut ana = app.signed_in("ana").await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    let own = json!({"clientId": OWN_APP.client_id, "clientSecret": OWN_APP.client_secret});
    let broken = FaultKind::json(
        200,
        &json!({"access_token": BROKEN_ANSWER, "refresh_token": BROKEN_ANSWER}).to_string(),
    );
    let outages = [
        None,
        Some(("/api/token", FaultKind::json(400, r#"{"error":"invalid_grant"}"#))),
        Some(("/api/token", FaultKind::DropConnection)),
        Some(("/api/token", broken.clone())),
        Some(("/v1/me", FaultKind::html(403))),
        Some((
            "/v1/me",
            FaultKind::json(200, &json!({"id": 7, "note": BROKEN_ANSWER}).to_string()),
        )),
        None,
    ];
    for outage in outages {
        for registers in [true, false] {
            let started = if registers {
                ana.post("/api/spotify/client-credentials", own.clone()).await
            } else {
                ana.get("/api/spotify/auth-url").await
            };
            hunt.plant_cookies(&ana);
            let url = started.expect(200)["url"]
                .as_str()
                .expect("an address")
                .to_owned();
            let callback = hunt.agree(&url).await;
            if let Some((path, kind)) = outage.clone() {
                let matcher = Matcher {
                    method: None,
                    path: path.to_owned(),
                    lastfm_method: None,
                };
                app.sandbox.world().fault(Fault {
                    matcher,
                    times: Some(1),
                    kind,
                });
            }
            if outage.is_none() {
                flaky.fail_next(1, Call::WriteUser, When::Before);
                hunt.saw(&ana.get(&callback).await);
            }
            hunt.saw(&app.browser().get(&callback).await);
            hunt.saw(&ana.get(&callback).await);
            hunt.saw(&ana.get(&callback).await);
            plant_tokens(app, hunt).await;
        }
    }
    for (secret, id) in [
        ("a-secret-that-is-malformed", OWN_APP.client_id),
        (DEMO_APP.client_secret, OWN_APP.client_id),
    ] {
        hunt.saw(
            &ana.post(
                "/api/spotify/client-credentials",
                json!({"clientId": id, "clientSecret": secret}),
            )
            .await,
        );
    }
    for kind in [broken, FaultKind::html(503), FaultKind::DropConnection] {
        app.advance(Duration::from_hours(1));
        app.sandbox
            .world()
            .fault(Fault::on("POST", "/api/token", kind).times(2));
        hunt.saw(&ana.get("/api/spotify/status?token=false").await);
        // This one may show the token that works now, and nothing else.
        ana.get("/api/spotify/status").await.expect(200);
        app.advance(Duration::from_mins(10));
        let limits = SweepLimits {
            time: Duration::from_mins(1),
            concurrency: 2,
        };
        app.app
            .grants()
            .sweep(limits)
            .await
            .expect("the list can be read");
        plant_tokens(app, hunt).await;
    }
    hunt.saw(&ana.get("/api/me").await);
    app.sandbox
        .world()
        .rotate_secret(DEMO_APP.client_id)
        .expect("an app");
    app.sandbox.world().revoke_user("ana");
    app.advance(Duration::from_hours(1));
    for mode in ["byo", "standard"] {
        hunt.saw(&ana.get(&format!("/api/spotify/status?mode={mode}")).await);
    }
    hunt.saw(&ana.get("/api/me").await);
}

/// The tokens that work now.
async fn plant_tokens(app: &TestApp, hunt: &mut Hunt) {
    let refresh_tokens: Vec<_> = app
        .sandbox
        .world()
        .grants()
        .map(|grant| grant.refresh_token)
        .collect();
    for token in refresh_tokens {
        hunt.plant("refresh token", &token);
    }
    for slot in Slot::ALL {
        let grant = app.document("ana").await.integrations.remove(&slot);
        if grant.is_some_and(|grant| grant.expires_at.as_ms() > app.clock.now_ms()) {
            let token = app
                .app
                .grants()
                .live_token(&local_user("ana"), slot, Duration::ZERO)
                .await;
            hunt.plant(
                "access token",
                patchbay::secret::Secret::expose(&token.expect("it lives").token),
            );
        }
    }
}

#[tokio::test]
async fn no_secret_leaves_the_process_by_a_side_door() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("patchbay=trace"))
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    // While there is only one subscriber in the process, `tracing` asks the thread that is first at a line of code
    // whether anybody listens; that may be another test's, where nobody does.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _here = tracing::subscriber::set_default(subscriber);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("grants.db");
    let flaky = FlakyStore::over(DatabaseUrl::Sqlite(file).open().expect("a database file"));
    let app = Setup::default()
        .store(Arc::clone(&flaky) as _)
        .variable("SPOTIFY_STATE_SECRET", STATE_SECRET);
    let app = app.start().await;

    let mut hunt = Hunt::default();
    for (name, secret) in [
        ("operator's client secret", DEMO_APP.client_secret),
        ("own client secret", OWN_APP.client_secret),
        ("malformed client secret", "a-secret-that-is-malformed"),
        ("token in a broken answer", BROKEN_ANSWER),
        ("state key", STATE_SECRET),
        ("JWT key", JWT_SECRET),
        ("cron secret", CRON_SECRET),
        ("master key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
    ] {
        hunt.plant(name, secret);
    }
    live_a_life(&app, &flaky, &mut hunt).await;
    lastfm::live_a_life(&app, &flaky, &mut hunt).await;
    assert!(
        hunt.secrets.len() > 60 && hunt.challenges.len() == 14,
        "there is something to be found"
    );

    let text = log.text();
    for expected in [
        "a connection was not finished",
        "a code could not be exchanged",
        "a renewal failed",
    ] {
        assert!(text.contains(expected), "the log is the service's: {expected}");
    }
    assert!(!text.contains("local:ana"), "people have pseudonyms in the log");
    hunt.assert_clean("the log", &text);
    for answer in &hunt.answers {
        hunt.assert_clean("an answer", answer);
    }
    // Of the own app even the id is sealed.
    hunt.plant("own client id", OWN_APP.client_id);
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        hunt.assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
    }
    hunt.assert_clean("debug output", &format!("{:?} {:?}", app.app, app.app.grants()));
}

#[test]
fn no_configuration_shows_its_secrets() {
    let planted = "planted-planted-planted-planted-planted";
    let good = HashMap::from([
        ("APP_URL", "http://127.0.0.1:8787".to_owned()),
        (
            "DATABASE_URL",
            format!("mongodb://{planted}:{planted}@127.0.0.1/app"),
        ),
        ("SPOTIFY_CLIENT_ID", "decafbaddecafbaddecafbaddecafbad".to_owned()),
        ("SPOTIFY_CLIENT_SECRET", planted.to_owned()),
        ("SPOTIFY_PLAYLIST_REFRESH_TOKEN", planted.to_owned()),
        ("SPOTIFY_PLAYLIST_OWNER_ID", "ana".to_owned()),
        (
            "SPOTIFY_USER_SECRET_KEY",
            format!("k1:{}", BASE64_URL_SAFE_NO_PAD.encode(&planted[..32])),
        ),
        ("SPOTIFY_STATE_SECRET", planted.to_owned()),
        ("LASTFM_API_KEY", planted.to_owned()),
        ("LASTFM_SHARED_SECRET", planted.to_owned()),
        ("AUTH_JWT_SECRET", planted.to_owned()),
        ("CRON_SECRET", planted.to_owned()),
        ("ADMIN_TOKEN", planted.to_owned()),
    ]);
    let config = Config::parse(|name| good.get(name).cloned()).expect("all is fine");
    let shown = format!("{config:?} {config:#?}");
    assert!(
        !shown.contains(planted) && !shown.contains(&good["SPOTIFY_USER_SECRET_KEY"][3..]),
        "{shown}"
    );

    // A mistake with any variable is told by name and remedy, never by value.
    for variable in Config::VARIABLES {
        for value in [
            format!("{planted} \u{7}"),
            format!("k1:{planted}"),
            format!("ftp://{planted}@x:y"),
            "pl\"4nted".to_owned(),
        ] {
            let wrong = |name: &str| {
                if name == variable.name {
                    Some(value.clone())
                } else {
                    good.get(name).cloned()
                }
            };
            if let Err(errors) = Config::parse(wrong) {
                let shown = format!("{errors} {errors:?}");
                assert!(shown.contains(variable.name), "{}: {shown}", variable.name);
                assert!(
                    !shown.contains("planted") && !shown.contains("pl\"4nted"),
                    "{}: {shown}",
                    variable.name
                );
            }
        }
    }
}

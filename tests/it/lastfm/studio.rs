//! A service beside Last.fm's sandbox, and people who play songs there.

use std::time::Duration;

use sandbox::Song;
use serde_json::{Value, json};

use crate::harness::{app::TestApp, browser::Browser};

/// How the sandbox spells people's accounts: as they typed it, but for the case.
pub const ACCOUNT: &str = "Ada_Listens";

/// Long enough for whatever was read to be read again.
pub const A_WHILE: Duration = Duration::from_secs(31);

pub const HOUR: Duration = Duration::from_hours(1);

/// The path of all of Last.fm's calls.
pub const API: &str = "/2.0";

/// A service, and somebody with an account of their own that is linked.
pub struct Studio {
    pub app: TestApp,
    pub ada: Browser,
}

impl Studio {
    /// On the usual service.
    pub async fn open() -> Self {
        Self::over(TestApp::start().await).await
    }

    pub async fn over(app: TestApp) -> Self {
        app.sandbox.world().lastfm.add_user(ACCOUNT).expect("a new name");
        let ada = linked(&app, "ada", "ada_listens").await;
        Self { app, ada }
    }

    /// Now, in whole seconds.
    pub fn now_s(&self) -> i64 {
        self.app.clock.now_ms() / 1000
    }

    /// Lets the account play a song so often, evenly from so many seconds ago to so many.
    pub fn play(&self, song: &Song, times: u32, from_s_ago: i64, to_s_ago: i64) {
        let now_s = self.now_s();
        let mut world = self.app.sandbox.world();
        world
            .lastfm
            .play_many(ACCOUNT, song, times, now_s - from_s_ago, now_s - to_s_ago)
            .expect("an account");
    }

    /// Calls to Last.fm since this was asked last.
    pub fn calls(&self) -> usize {
        let mut world = self.app.sandbox.world();
        let calls = world.count("GET", API);
        world.clear_requests();
        calls
    }

    /// Asks whether the account played `targets`, given as title, artist and count, in the last `days` days.
    pub async fn verify(&mut self, days: i64, targets: &[(&str, &str, u32)]) -> Value {
        let since = self.app.clock.now_ms() - days * 86_400_000;
        let targets: Vec<Value> = targets
            .iter()
            .map(|(title, artist, count)| json!({"title": title, "artist": artist, "count": count}))
            .collect();
        let question = json!({"since": since, "targets": targets});
        self.ada.post("/api/lastfm/verify", question).await.expect(200)
    }

    /// How often a song was played in the last `days` days, as far as can be told.
    pub async fn played(&mut self, days: i64, song: (&str, &str)) -> u64 {
        let told = self.verify(days, &[(song.1, song.0, 1)]).await;
        assert_eq!(told["stale"], false, "{told}");
        told["targets"][0]["played"].as_u64().expect("a number")
    }
}

/// Somebody who is signed in by this name and has linked this account.
pub async fn linked(app: &TestApp, name: &str, account: &str) -> Browser {
    let mut browser = app.signed_in(name).await;
    browser
        .post("/api/connections/lastfm", json!({"username": account}))
        .await
        .expect(200);
    browser
}

/// A song that goes with the others of a list.
pub fn song(number: usize) -> Song {
    Song::new(
        &format!("The Number {number} Quartet"),
        &format!("Ballad of Room {number}"),
    )
}

pub fn teardrop() -> Song {
    Song::new("Massive Attack", "Teardrop").on("Mezzanine")
}

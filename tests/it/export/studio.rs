//! An exporter with what surrounds it: a sandbox, a database in memory, a clock that the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use patchbay::{
    export::{
        Caller, Draft, ExportError, ExportId, Exporter, Finished, Outcome, OwnerAccount, Progress, Request,
        SongDraft,
    },
    grants::{self, Grants, NewGrant},
    ids::{Slot, UserId},
    limits::{self, Pacer},
    metrics::Metrics,
    providers::{
        AppCredentials, HttpClient, Internet, Transport,
        spotify::{Profile, Spotify},
    },
    secret::{AccessToken, ClientId, ClientSecret, RefreshToken, Secret as _},
    store::{SqliteStore, Store, UserChange, Written},
    system::{System, Timestamp},
    vault::{KeyRing, Place, Vault},
};
use sandbox::{DEMO_APP, Options, Sandbox, Track};

use crate::harness::{
    clock::ManualClock,
    entropy::SeededEntropy,
    exits::{Exits, Outside, Outward},
    flaky_store::FlakyStore,
};

pub const SCOPES: &str = "playlist-modify-public playlist-modify-private playlist-read-private";

/// Longer than any test's export takes on its clock.
pub const HOUR: Duration = Duration::from_hours(1);

/// After so long without a word from a runner, any other may take its job: the lease, and as much as clocks may differ.
pub const TAKEN_OVER: Duration = Duration::from_secs(120 + 30);

pub struct Studio {
    pub exporter: Arc<Exporter>,
    pub clock: Arc<ManualClock>,
    pub sandbox: Sandbox,
    pub store: Arc<FlakyStore>,
    pub metrics: Metrics,
    /// What all processes call, in the order of their calls.
    pub exits: Arc<Exits>,
    transport: Arc<dyn Transport>,
    vault: Vault,
}

/// How a process gets to the sandbox.
enum Way {
    Over(Arc<dyn Transport>),
    Direct,
}

impl Studio {
    pub async fn open() -> Self {
        Self::with(|_| None).await
    }

    /// No network lies between this one and its sandbox: for tests of tens of thousands of calls.
    pub async fn next_door() -> Self {
        Self::around(Arc::default(), Way::Direct, |_| None).await
    }

    /// The operator offers `ben`'s account, to everybody.
    pub async fn with_owner() -> Self {
        Self::with(|sandbox| {
            let pair = sandbox.world().issue_grant(DEMO_APP.client_id, "ben", SCOPES);
            Some(OwnerAccount {
                app: operator_app(),
                refresh_token: RefreshToken::from_plain(pair.expect("ben may").refresh_token),
                account_id: "ben".into(),
                open_to_bearers: true,
            })
        })
        .await
    }

    async fn with(owner: impl FnOnce(&Sandbox) -> Option<OwnerAccount>) -> Self {
        Self::over(Arc::default(), Arc::new(Internet::default()), owner).await
    }

    /// On this clock, with this way to the sandbox.
    pub async fn over(
        clock: Arc<ManualClock>,
        transport: Arc<dyn Transport>,
        owner: impl FnOnce(&Sandbox) -> Option<OwnerAccount>,
    ) -> Self {
        Self::around(clock, Way::Over(transport), owner).await
    }

    async fn around(
        clock: Arc<ManualClock>,
        way: Way,
        owner: impl FnOnce(&Sandbox) -> Option<OwnerAccount>,
    ) -> Self {
        let ticking = clock.clone();
        let options = Options {
            clock: Arc::new(move || ticking.now_ms()),
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.expect("a free port");
        let database = SqliteStore::in_memory()
            .expect("memory")
            .with_clock(clock.clone());
        let exits = Arc::new(Exits::default());
        let store = FlakyStore::behind(exits.clone(), Arc::new(database));
        let transport: Arc<dyn Transport> = Arc::new(Outward {
            exits: exits.clone(),
            outside: match way {
                Way::Over(transport) => Outside::Over(transport),
                Way::Direct => Outside::Next(sandbox.clone()),
            },
        });
        let vault = Vault::new(key_ring(), Arc::new(SeededEntropy::new(5)));
        let metrics = Metrics::new();
        let exporter = hire(&sandbox, &store, &clock, &transport, owner(&sandbox), &metrics);
        Self {
            exporter: Arc::new(exporter),
            clock,
            sandbox,
            store,
            metrics,
            exits,
            transport,
            vault,
        }
    }

    /// Another process of the same deployment.
    pub fn another_exporter(&self) -> Exporter {
        hire(
            &self.sandbox,
            &self.store,
            &self.clock,
            &self.transport,
            None,
            &Metrics::new(),
        )
    }

    /// Somebody who brings a token of `user`'s.
    pub fn bearer(&self, user: &str) -> Caller {
        let pair = self.sandbox.world().issue_grant(DEMO_APP.client_id, user, SCOPES);
        Caller::Bearer(AccessToken::from_plain(pair.expect("may").access_token))
    }

    /// Somebody who is signed in and has connected `user`'s account through the operator's app.
    pub async fn connected(&self, name: &str, user: &str) -> Caller {
        let id: UserId = name.parse().expect("an id");
        let pair = self.sandbox.world().issue_grant(DEMO_APP.client_id, user, SCOPES);
        let pair = pair.expect("may");
        let place = Place::grant(&id, Slot::Spotify);
        let access_token = AccessToken::from_plain(pair.access_token);
        let refresh_token = RefreshToken::from_plain(pair.refresh_token);
        let mut document = self.store.find_user(&id).await.expect("memory");
        let read = document.version;
        grants::connect(
            &mut document,
            Slot::Spotify,
            NewGrant {
                access_token_enc: self.vault.seal(&access_token, place),
                refresh_token_enc: Some(self.vault.seal(&refresh_token, place)),
                client_id_enc: None,
                client_secret_enc: None,
                scopes: SCOPES.split(' ').map(str::to_owned).collect(),
                expires_in: HOUR,
                grant_life: None,
                profile: Profile {
                    account_id: user.into(),
                    user_id: user.into(),
                    display_name: None,
                    avatar_url: None,
                },
            },
            Timestamp::from_ms(self.clock.now_ms()),
        );
        let put = |(slot, grant)| (slot, Some(grant));
        let change = UserChange {
            integrations: document.integrations.into_iter().map(put).collect(),
            ..UserChange::default()
        };
        let written = self.store.write_user(&id, read, &change).await.expect("memory");
        assert!(matches!(written, Written::As(_)));
        Caller::User(id)
    }

    /// Adds tracks to the catalogue that are named by their number, and asks for them by id.
    pub fn tracks(&self, count: usize) -> Vec<SongDraft> {
        let mut world = self.sandbox.world();
        (0..count)
            .map(|number| {
                let track = numbered(number);
                let _ = world.add_track(track.clone());
                SongDraft {
                    title: track.title,
                    artist: Some(track.artists[0].clone()),
                    spotify_id: Some(track.id),
                    ..SongDraft::default()
                }
            })
            .collect()
    }

    /// What is in the one playlist that has anything in it.
    pub fn playlist(&self) -> Vec<String> {
        let world = self.sandbox.world();
        let filled: Vec<_> = world
            .playlists()
            .filter(|playlist| !playlist.rows.is_empty())
            .collect();
        assert!(
            filled.len() <= 1,
            "one list of songs went into {} playlists",
            filled.len()
        );
        filled
            .first()
            .map(|playlist| playlist.rows.iter().map(|row| row.uri.clone()).collect())
            .unwrap_or_default()
    }

    pub fn playlists(&self) -> usize {
        self.sandbox.world().playlists().count()
    }

    /// How often the sandbox was asked this.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.sandbox.world().count(method, path)
    }

    pub async fn look(&self, id: &ExportId, caller: &Caller) -> Result<Outcome, ExportError> {
        Ok(self.exporter.look(id, caller).await?.outcome)
    }

    pub async fn start(&self, request: &Request, caller: &Caller) -> Result<Outcome, ExportError> {
        self.exporter.start(request, caller, HOUR).await
    }

    /// Runs `request` until the sandbox holds a call to `path`, and then drops the runner as if it had been killed.
    /// Its lease has run out when this returns, and the call goes on.
    pub async fn kill_at(&self, path: &str, request: &Request, caller: &Caller) {
        tokio::select! {
            outcome = self.exporter.start(request, caller, HOUR) => panic!("not held: {outcome:?}"),
            () = self.sandbox.arrived(path) => {}
        }
        self.sandbox.world().release(path);
        self.clock.advance(TAKEN_OVER);
    }
}

pub fn uris(songs: &[SongDraft]) -> Vec<String> {
    let ids = songs
        .iter()
        .map(|song| song.spotify_id.as_deref().expect("given"));
    ids.map(|id| format!("spotify:track:{id}")).collect()
}

pub fn numbered(number: usize) -> Track {
    Track {
        id: format!("Nr{number:020}"),
        title: format!("Number {number}"),
        artists: vec!["The Counters".into()],
        album: "Counting".into(),
        isrc: None,
        duration_ms: 180_000,
        year: 2026,
    }
}

pub fn request(songs: Vec<SongDraft>, key: Option<&str>) -> Request {
    let draft = Draft {
        name: "Mixtape".into(),
        songs,
        ..Draft::default()
    };
    Request::new(draft, key).expect("valid")
}

#[track_caller]
pub fn finished(outcome: Result<Outcome, ExportError>) -> Finished {
    match outcome.expect("no error") {
        Outcome::Finished(finished) => *finished,
        Outcome::Unfinished(progress) => panic!("unfinished: {progress:?}"),
    }
}

#[track_caller]
pub fn unfinished(outcome: Result<Outcome, ExportError>) -> Progress {
    match outcome.expect("no error") {
        Outcome::Unfinished(progress) => progress,
        Outcome::Finished(finished) => panic!("finished: {finished:?}"),
    }
}

fn operator_app() -> AppCredentials {
    AppCredentials {
        client_id: ClientId::from_plain(DEMO_APP.client_id.into()),
        client_secret: Some(ClientSecret::from_plain(DEMO_APP.client_secret.into())),
    }
}

/// An exporter of one process.
fn hire(
    sandbox: &Sandbox,
    store: &Arc<FlakyStore>,
    clock: &Arc<ManualClock>,
    transport: &Arc<dyn Transport>,
    owner: Option<OwnerAccount>,
    metrics: &Metrics,
) -> Exporter {
    // No two processes make the same names.
    static HIRED: AtomicU64 = AtomicU64::new(100);
    let entropy = Arc::new(SeededEntropy::new(HIRED.fetch_add(1, Ordering::Relaxed)));
    let store: Arc<dyn Store> = store.clone();
    let system = System {
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let url = |text: String| text.parse().expect("an address");
    let spotify = Spotify::new(
        &HttpClient::new(transport.clone(), system.clone()),
        &url(sandbox.accounts_url()),
        &url(sandbox.api_url()),
    );
    let grants = Grants::new(
        store.clone(),
        Arc::new(Vault::new(key_ring(), entropy)),
        spotify.clone(),
        system.clone(),
        Some(operator_app()),
        Duration::from_mins(5),
        metrics.clone(),
    );
    let pacer = Arc::new(Pacer::new(limits::SPOTIFY, store.clone(), system.clone()));
    Exporter::new(&store, grants, &spotify, pacer, &system, owner, metrics.clone())
}

/// The same for every process.
fn key_ring() -> KeyRing {
    KeyRing::generate(&SeededEntropy::new(3)).0
}

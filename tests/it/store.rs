//! The store's contract: one story, told over every engine; and what only files and processes can do.

mod contract;
mod costs;
mod cut;
mod engine;
mod failover;
mod faults;
mod full_disk;
mod host_application;
mod locked;
mod processes;
mod races;
mod remembering;
mod renewing;

use patchbay::{
    ids::{Slot, UserId},
    store::{
        GrantStatus, StoredEvent, StoredGrant, StoredLastfm, StoredLease, StoredPending, StoredPendingLink,
        UserChange, Version, Written,
    },
    system::Timestamp,
};

/// One test a story and engine: the story is an `async fn(Engine)` in `stories`.
macro_rules! over_every_engine {
    ($($story:ident),+ $(,)?) => {
        $crate::store::over_engines!([sqlite_in_memory, sqlite_file, mongodb] $($story)+);
    };
}
use over_every_engine;

/// The same, without the one that nobody else can get at.
macro_rules! over_every_shared_engine {
    ($($story:ident),+ $(,)?) => {
        $crate::store::over_engines!([sqlite_file, mongodb] $($story)+);
    };
}
use over_every_shared_engine;

macro_rules! over_engines {
    ($engines:tt $($story:ident)+) => {$(
        mod $story {
            $crate::store::over_engines!(@one $story $engines);
        }
    )+};
    (@one $story:ident [$($engine:ident),+]) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $engine() {
            // Only MongoDB may be missing.
            if let Some(engine) = Option::from($crate::store::engine::Engine::$engine()) {
                super::stories::$story(engine).await;
            }
        }
    )+};
}
use over_engines;

fn user(id: &str) -> UserId {
    id.parse().expect("a good user id")
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

/// The version that a write gave.
#[track_caller]
fn version(written: Written) -> Version {
    match written {
        Written::As(version) => version,
        Written::Conflict => panic!("somebody else wrote first"),
    }
}

/// A grant in which every field is filled.
fn grant(account: &str) -> StoredGrant {
    StoredGrant {
        access_token_enc: Some("v1.k1.access".into()),
        refresh_token_enc: Some("v1.k1.refresh".into()),
        client_id_enc: Some("v1.k1.client".into()),
        client_secret_enc: Some("v1.k1.secret".into()),
        token_type: "Bearer".into(),
        scopes: vec!["playlist-modify-public".into(), "user-read-private".into()],
        expires_at: at(1_790_000_000_000),
        authorized_at: at(1_780_000_000_000),
        grant_expires_at: Some(at(1_800_000_000_000)),
        account_id: account.into(),
        spotify_user_id: account.into(),
        display_name: Some("Zoë \"$quoted\" 東京".into()),
        avatar_url: Some("https://i.example.net/a.jpg".into()),
        status: GrantStatus::Quarantined,
        status_reason: Some("invalid_grant".into()),
        status_since: at(1_780_000_000_001),
        generation: 7,
        lease: Some(StoredLease {
            holder: "someone".into(),
            until: Timestamp::MAX,
        }),
        failures: 3,
        next_attempt_at: Some(at(-1)),
        last_used_at: at(0),
        updated_at: at(1_780_000_000_002),
        announced: Some(30),
    }
}

/// An event in which every field is filled.
fn event(id: &str) -> StoredEvent {
    StoredEvent {
        id: id.into(),
        slot: Slot::Spotify,
        kind: "grant_ends_soon".into(),
        at: at(1_790_000_000_000),
        reason: Some("six_months".into()),
        days_left: Some(14),
    }
}

fn pending(state: &str) -> StoredPending {
    StoredPending {
        state_hash: state.into(),
        binding_hash: "binding".into(),
        code_verifier_enc: "v1.k1.verifier".into(),
        client_id_enc: None,
        client_secret_enc: None,
        scopes: vec![],
        return_to: "/settings".into(),
        switch_account: true,
        created_at: at(1),
        expires_at: at(2),
    }
}

/// A Last.fm account in which every field is filled.
fn lastfm(username: &str) -> StoredLastfm {
    StoredLastfm {
        username: username.into(),
        connected_at: at(1_790_000_000_003),
        verified: true,
        session_key_enc: Some("v1.k1.session".into()),
        updated_at: Some(at(1_790_000_000_004)),
    }
}

fn pending_link(state: &str) -> StoredPendingLink {
    StoredPendingLink {
        state_hash: state.into(),
        binding_hash: "binding".into(),
        return_to: "/listening".into(),
        created_at: at(3),
        expires_at: at(4),
    }
}

/// A change that puts one grant.
fn putting(slot: Slot, grant: StoredGrant) -> UserChange {
    UserChange {
        integrations: [(slot, Some(grant))].into(),
        ..UserChange::default()
    }
}

/// A change that only sets when the sweep has to look.
fn due(at_ms: i64) -> UserChange {
    UserChange {
        next_due_at: Some(at(at_ms)),
        ..UserChange::default()
    }
}

//! Answers that are lost, late or long in coming, at every call that must not be made twice.

use std::time::Duration;

use patchbay::export::{Caller, Draft, Outcome, Request, SongDraft, WaitsFor, Why};
use sandbox::{Fault, FaultKind, PlaylistRow};

use super::studio::{HOUR, Studio, finished, request, unfinished, uris};
use crate::harness::clock::until;

const CREATE: &str = "/v1/me/playlists";
const ADD: &str = "/v1/playlists/";

/// How long a call is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// After which an export looks again when Spotify did not answer properly.
const A_MINUTE: Duration = Duration::from_mins(1);

/// More looks than it takes to believe that a playlist was not made.
const LOOKS_MAX: usize = 6;

/// `kind` happens to the call behind the next `before` ones.
fn later(studio: &Studio, path: &str, before: u32, kind: FaultKind) {
    let mut world = studio.sandbox.world();
    if before > 0 {
        world.fault(Fault::on("POST", path, FaultKind::DelayMs(0)).times(before));
    }
    world.fault(Fault::on("POST", path, kind).times(1));
}

/// Sweeps every minute until it is done.
async fn sweep_until_done(studio: &Studio, request: &Request, caller: &Caller) -> usize {
    for looks in 0..LOOKS_MAX {
        let outcome = studio.start(request, caller).await.expect("no error");
        if matches!(outcome, Outcome::Finished(_)) {
            return looks;
        }
        studio.clock.advance(A_MINUTE);
        let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
        assert_eq!(swept.failed, 0, "{swept:?}");
    }
    panic!("it never ends");
}

#[tokio::test]
async fn whatever_becomes_of_an_answer_nothing_is_made_twice() {
    for (path, before) in [(CREATE, 0), (ADD, 0), (ADD, 1), (ADD, 2)] {
        for kind in [
            FaultKind::CommitThenStatus(502),
            FaultKind::CommitThenStatus(504),
            FaultKind::CommitThenDrop,
            FaultKind::DropConnection,
            FaultKind::html(500),
        ] {
            let what = format!("{path} {before} {kind:?}");
            let studio = Studio::next_door().await;
            let caller = studio.connected("user-1", "ana").await;
            let songs = studio.tracks(210);
            let request = request(songs.clone(), Some("key"));
            later(&studio, path, before, kind);
            sweep_until_done(&studio, &request, &caller).await;
            assert_eq!(studio.playlist(), uris(&songs), "{what}");
            assert_eq!(studio.playlists(), 1, "{what}");
        }
    }
}

/// Runs it until the call behind `before` others to `path` hangs, for longer than anybody waits; then it is parked.
async fn park_at_a_hang(studio: &Studio, request: &Request, caller: &Caller, path: &str, before: u32) {
    later(studio, path, before, FaultKind::Hang);
    let hangs = || async { studio.count("POST", path) > before as usize };
    let patience_ends = async {
        until("a call that hangs", hangs).await;
        studio.clock.advance(PATIENCE);
    };
    let (outcome, ()) = tokio::join!(studio.start(request, caller), patience_ends);
    let parked = unfinished(outcome);
    assert_eq!(parked.waits_for, WaitsFor::Time(Why::ProviderUnavailable));
}

#[tokio::test]
async fn a_batch_that_is_added_after_nobody_waits_for_it_any_more_is_not_added_again() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(210);
    let request = request(songs.clone(), Some("key"));
    park_at_a_hang(&studio, &request, &caller, ADD, 1).await;
    {
        let mut world = studio.sandbox.world();
        let id = world.playlists().next().expect("one").id.clone();
        let rows = uris(&songs[100..200]).into_iter().map(|uri| PlaylistRow {
            uri,
            added_at_ms: 0,
            added_by: "ana".into(),
        });
        world.playlist_mut(&id).expect("there").rows.extend(rows);
    }
    sweep_until_done(&studio, &request, &caller).await;
    assert_eq!(studio.playlist(), uris(&songs));
}

#[tokio::test]
async fn a_playlist_that_is_made_after_nobody_waits_for_it_any_more_is_not_made_again() {
    for is_made in [true, false] {
        let studio = Studio::open().await;
        let caller = studio.connected("user-1", "ana").await;
        let songs = studio.tracks(3);
        let request = request(songs.clone(), Some("key"));
        park_at_a_hang(&studio, &request, &caller, CREATE, 0).await;
        if is_made {
            let made = studio.sandbox.world().add_playlist("ana", "Mixtape");
            assert!(made.is_ok(), "{made:?}");
        }
        sweep_until_done(&studio, &request, &caller).await;
        assert_eq!(studio.playlist(), uris(&songs));
        assert_eq!(studio.playlists(), 1, "was it made? {is_made}");
    }
}

#[tokio::test]
async fn a_piece_of_a_refused_batch_is_not_left_out_when_its_answer_is_lost() {
    let studio = Studio::next_door().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(100);
    let bad = songs[41].spotify_id.clone().expect("given");
    studio.sandbox.world().settings.half_gone_tracks = [bad].into();
    for before in 1..=3 {
        let key = format!("key-{before}");
        let request = request(songs.clone(), Some(&key));
        later(&studio, ADD, before, FaultKind::DropConnection);
        let done = finished(studio.start(&request, &caller).await);
        let mut expected = uris(&songs);
        expected.remove(41);
        let world = studio.sandbox.world();
        let made = world
            .playlist(done.playlist_id.as_deref().expect("one"))
            .expect("there");
        let rows: Vec<_> = made.rows.iter().map(|row| row.uri.clone()).collect();
        assert_eq!(rows, expected, "the answer behind {before} others was lost");
    }
}

#[tokio::test]
async fn a_new_playlist_that_is_listed_late_is_waited_for() {
    for (lag_s, playlists) in [(0, 1), (30, 1), (119, 1), (600, 2)] {
        let studio = Studio::next_door().await;
        let caller = studio.connected("user-1", "ana").await;
        let songs = studio.tracks(3);
        let request = request(songs.clone(), Some("key"));
        studio.sandbox.world().settings.playlist_list_lag_s = lag_s;
        later(&studio, CREATE, 0, FaultKind::CommitThenStatus(502));
        sweep_until_done(&studio, &request, &caller).await;
        assert_eq!(studio.playlist(), uris(&songs));
        // Nobody waits for ever: what is listed later than two minutes stays behind, empty.
        assert_eq!(studio.playlists(), playlists, "listed after {lag_s} s");
    }
}

fn named(name: &str, songs: &[SongDraft], key: &str) -> Request {
    let draft = Draft {
        name: name.into(),
        songs: songs.to_vec(),
        ..Draft::default()
    };
    Request::new(draft, Some(key)).expect("valid")
}

/// The contents of all playlists, sorted.
fn contents(studio: &Studio) -> Vec<Vec<String>> {
    let world = studio.sandbox.world();
    let rows = |playlist: &sandbox::Playlist| playlist.rows.iter().map(|row| row.uri.clone()).collect();
    let mut contents: Vec<Vec<String>> = world.playlists().map(rows).collect();
    contents.sort();
    contents
}

#[tokio::test]
async fn two_exports_of_one_name_that_both_lose_their_answer_get_a_playlist_each() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(6);
    let (one, other) = (named("Mix", &songs[..3], "1"), named("Mix", &songs[3..], "2"));
    {
        let mut world = studio.sandbox.world();
        world.fault(Fault::on("POST", CREATE, FaultKind::CommitThenStatus(502)).times(2));
        world.hold_answer(CREATE);
    }
    let both_are_made = async {
        studio.sandbox.arrived_count(CREATE, 2).await;
        studio.sandbox.world().release(CREATE);
    };
    let second = studio.another_exporter();
    let (first, second, ()) = tokio::join!(
        studio.start(&one, &caller),
        second.start(&other, &caller, HOUR),
        both_are_made
    );
    assert_ne!(finished(first).playlist_id, finished(second).playlist_id);
    assert_eq!(contents(&studio), [uris(&songs[..3]), uris(&songs[3..])]);
}

#[tokio::test]
async fn an_export_whose_new_playlist_was_taken_for_anothers_lost_one_gets_its_own() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(6);
    let (slow, other) = (named("Mix", &songs[..3], "1"), named("Mix", &songs[3..], "2"));
    studio.sandbox.world().hold_next_answer(CREATE);
    let second = studio.another_exporter();
    let overtaken = async {
        studio.sandbox.arrived(CREATE).await;
        later(&studio, CREATE, 0, FaultKind::DropConnection);
        finished(second.start(&other, &caller, HOUR).await);
        studio.sandbox.world().release(CREATE);
    };
    let (outcome, ()) = tokio::join!(studio.start(&slow, &caller), overtaken);
    unfinished(outcome);
    sweep_until_done(&studio, &slow, &caller).await;
    assert_eq!(contents(&studio), [uris(&songs[..3]), uris(&songs[3..])]);
}

//! What others do while an export runs: another process that has the same job, the person in their playlist, and
//! Spotify, which has had enough for today.

use std::time::Duration;

use patchbay::export::{Blocked, ExportError, Outcome, WaitsFor, Why};
use sandbox::{Fault, FaultKind, PlaylistRow};

use super::studio::{HOUR, Studio, TAKEN_OVER, finished, request, unfinished, uris};

const ADD: &str = "/v1/playlists/";

#[tokio::test]
async fn one_key_at_the_same_moment_in_two_processes_is_one_export() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(120);
    let request = request(songs.clone(), Some("key"));
    let other = studio.another_exporter();
    let (one, two) = tokio::join!(
        studio.start(&request, &caller),
        other.start(&request, &caller, HOUR)
    );
    let done = |outcome: &Result<Outcome, ExportError>| matches!(outcome, Ok(Outcome::Finished(_)));
    assert!(done(&one) || done(&two), "{one:?} {two:?}");
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.playlists(), 1);
}

#[tokio::test]
async fn two_that_go_on_with_one_dead_runners_job_are_one_runner() {
    for path in ["/v1/tracks/", "/v1/me/playlists", ADD] {
        let studio = Studio::open().await;
        let caller = studio.connected("user-1", "ana").await;
        let songs = studio.tracks(120);
        let request = request(songs.clone(), Some("key"));
        studio.sandbox.world().hold_answer(path);
        studio.kill_at(path, &request, &caller).await;
        let (one, two) = (studio.another_exporter(), studio.another_exporter());
        let (by_request, by_sweep) = tokio::join!(one.start(&request, &caller, HOUR), two.run_due(10, HOUR));
        assert!(
            by_request.is_ok() && by_sweep.is_ok(),
            "{by_request:?} {by_sweep:?}"
        );
        studio.clock.advance(TAKEN_OVER);
        finished(studio.start(&request, &caller).await);
        assert_eq!(studio.playlist(), uris(&songs), "{path}");
        assert_eq!(studio.playlists(), 1, "{path}");
    }
}

/// Something that a person does to their playlist.
type Edit = fn(&mut Vec<PlaylistRow>);

fn by_hand(uri: &str) -> PlaylistRow {
    PlaylistRow {
        uri: uri.to_owned(),
        added_at_ms: 0,
        added_by: "ana".into(),
    }
}

const EDITS: [(&str, Edit); 6] = [
    ("nothing", |_| {}),
    ("one at the end", |rows| {
        rows.push(by_hand("spotify:track:ByHand0000000000000000"));
    }),
    ("one in the middle", |rows| {
        rows.insert(50, by_hand("spotify:track:ByHand0000000000000000"));
    }),
    ("one taken out", |rows| drop(rows.remove(10))),
    ("most taken out", |rows| rows.truncate(20)),
    ("all turned round", |rows| rows.reverse()),
];

/// The first batch is in when the person comes; what becomes of the second, and of its answer, is not known then.
#[tokio::test]
async fn what_the_person_does_to_the_playlist_stays_and_nothing_is_there_twice() {
    for (what, edit) in EDITS {
        for kind in [FaultKind::CommitThenStatus(502), FaultKind::DropConnection] {
            let studio = Studio::next_door().await;
            let caller = studio.connected("user-1", "ana").await;
            let songs = studio.tracks(210);
            let request = request(songs.clone(), Some("key"));
            let edited = async {
                studio.sandbox.arrived(ADD).await;
                let mut world = studio.sandbox.world();
                world.release(ADD);
                // The hold was for the first batch; this one is for the second.
                world.hold(ADD);
            };
            studio.sandbox.world().hold_next_answer(ADD);
            let meanwhile = async {
                edited.await;
                studio.sandbox.arrived(ADD).await;
                let mut world = studio.sandbox.world();
                let id = world.playlists().next().expect("one").id.clone();
                edit(&mut world.playlist_mut(&id).expect("there").rows);
                world.fault(Fault::on("POST", ADD, kind.clone()).times(1));
                world.release(ADD);
            };
            let (outcome, ()) = tokio::join!(studio.start(&request, &caller), meanwhile);
            let done = finished(outcome);
            assert_eq!(done.tracks_added(), 210, "{what}");
            let mut expected: Vec<_> = uris(&songs)[..100].iter().map(|uri| by_hand(uri)).collect();
            edit(&mut expected);
            let mut expected: Vec<_> = expected.into_iter().map(|row| row.uri).collect();
            expected.extend_from_slice(&uris(&songs)[100..]);
            assert_eq!(studio.playlist(), expected, "{what}, {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_playlist_that_is_gone_is_said_to_be_and_nothing_is_made_in_its_place() {
    let studio = Studio::next_door().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(120);
    let request = request(songs.clone(), Some("key"));
    let gone = Fault {
        matcher: sandbox::Matcher {
            method: None,
            path: ADD.into(),
            lastfm_method: None,
        },
        times: None,
        kind: FaultKind::json(404, r#"{"error":{"status":404,"message":"Not found."}}"#),
    };
    studio.sandbox.world().fault(gone);
    for _ in 0..2 {
        let outcome = studio.start(&request, &caller).await;
        assert!(
            matches!(
                outcome,
                Err(ExportError::Blocked {
                    blocked: Blocked::PlaylistGone,
                    ..
                })
            ),
            "{outcome:?}"
        );
    }
    studio.sandbox.world().clear_faults();
    finished(studio.start(&request, &caller).await);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.playlists(), 1);
}

/// Unfollowing is all that deleting means: whoever has the link still has the playlist.
#[tokio::test]
async fn a_playlist_that_its_person_deleted_is_filled_and_not_made_again() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(120);
    let request = request(songs.clone(), Some("key"));
    studio.sandbox.world().hold_answer(ADD);
    studio.kill_at(ADD, &request, &caller).await;
    {
        let mut world = studio.sandbox.world();
        let id = world.playlists().next().expect("one").id.clone();
        world.unfollow_playlist(&id).expect("there");
    }
    finished(studio.start(&request, &caller).await);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.playlists(), 1);
}

#[tokio::test]
async fn a_long_refusal_at_any_stage_is_waited_out_to_the_instant() {
    let body = r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
    for (method, path, before) in [
        ("GET", "/v1/tracks/", 60),
        ("POST", "/v1/me/playlists", 0),
        ("POST", ADD, 0),
        ("POST", ADD, 1),
    ] {
        for (body, why) in [
            (body, Why::QuotaExceeded),
            ("Too many requests", Why::RateLimited),
        ] {
            let what = format!("{method} {path} {before} {why:?}");
            let studio = Studio::next_door().await;
            let caller = studio.connected("user-1", "ana").await;
            let songs = studio.tracks(120);
            let request = request(songs.clone(), Some("key"));
            {
                let refusal = FaultKind::Status {
                    status: 429,
                    content_type: "application/json".into(),
                    body: body.into(),
                    retry_after_s: Some(7_200),
                };
                let mut world = studio.sandbox.world();
                if before > 0 {
                    world.fault(Fault::on(method, path, FaultKind::DelayMs(0)).times(before));
                }
                world.fault(Fault::on(method, path, refusal).times(1));
            }
            let parked = unfinished(studio.start(&request, &caller).await);
            assert_eq!(parked.waits_for, WaitsFor::Time(why), "{what}");
            let now_ms = studio.clock.now_ms();
            let resume_at_ms = parked.resume_at.expect("stated").as_ms();
            let calls = || studio.count("GET", "/v1/") + studio.count("POST", "/v1/");
            let calls_before = calls();
            let wait_ms = u64::try_from(resume_at_ms - now_ms).expect("later");
            assert!((7_199_000..=7_200_000).contains(&wait_ms), "{what}: {wait_ms}");
            // Less than half a minute would be waited out by who asks then.
            studio.clock.advance(Duration::from_millis(wait_ms - 60_000));
            let parked = unfinished(studio.start(&request, &caller).await);
            assert_eq!(calls(), calls_before, "{what}: a call too early");
            // What the app's bucket says by now: the refused call and its neighbour may have moved the clock between them.
            let resume_at_ms = parked.resume_at.expect("stated").as_ms();
            let left_ms = u64::try_from(resume_at_ms - studio.clock.now_ms()).expect("later");
            assert!((59_000..=60_000).contains(&left_ms), "{what}: {left_ms}");
            studio.clock.advance(Duration::from_millis(left_ms - 1));
            let early = studio.exporter.run_due(10, HOUR).await.expect("memory");
            assert_eq!(early.due, 0, "{what}: {early:?}");
            studio.clock.advance(Duration::from_millis(1));
            let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
            assert_eq!((swept.due, swept.finished), (1, 1), "{what}: {swept:?}");
            assert_eq!(studio.playlist(), uris(&songs), "{what}");
            assert_eq!(studio.playlists(), 1, "{what}");
        }
    }
}

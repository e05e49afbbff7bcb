//! Exports from the first song to the last, on good days and bad ones: nothing is lost, nothing is there twice.

mod chaos;
mod crash;
mod dice;
mod ledger;
mod lost;
mod meanwhile;
mod memory;
mod pacing;
mod studio;

use std::time::Duration;

use patchbay::export::{
    Blocked, Caller, Draft, ExportError, How, Mode, Outcome, Request, SongDraft, Stage, WaitsFor, Why,
};
use sandbox::{Bucket, Fault, FaultKind};

use crate::harness::flaky_store::{Call, When};

use self::studio::{HOUR, Studio, TAKEN_OVER, finished, request, unfinished, uris};

/// A budget that is over before a long list is.
const SOME_SECONDS: Duration = Duration::from_secs(10);

fn song(title: &str, artist: &str) -> SongDraft {
    SongDraft {
        title: title.into(),
        artist: Some(artist.into()),
        ..SongDraft::default()
    }
}

#[tokio::test]
async fn songs_are_found_and_every_one_is_accounted_for() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = vec![
        song("Dynamite", "BTS"),
        song("A song that nobody ever wrote", "Nobody At All"),
        song("DYNAMITE", "bts"),
        SongDraft {
            isrc: Some("KRZZ91774629".into()),
            ..song("봄날", "방탄소년단")
        },
        SongDraft {
            spotify_id: Some("0000000000000000000000".into()),
            ..song("Dynamite (Instrumental)", "BTS")
        },
    ];
    let done = finished(studio.start(&request(songs, None), &caller).await);

    assert_eq!(done.total_songs, 5);
    let places: Vec<usize> = done.matched.iter().map(|song| song.index).collect();
    assert_eq!(places, [0, 3, 4], "{:?}", done.unmatched);
    assert_eq!(done.matched[1].how, How::Isrc);
    assert_ne!(
        done.matched[2].how,
        How::Given,
        "an id that is none is searched for"
    );
    assert_eq!((done.unmatched[0].index, done.unmatched.len()), (1, 1));
    assert_eq!((done.duplicates[0].index, done.duplicates[0].of), (2, 0));
    let added: Vec<String> = done.matched.iter().map(|song| song.uri.clone()).collect();
    assert_eq!(studio.playlist(), added);
    assert_eq!(
        (done.mode, done.account_id.as_deref()),
        (Mode::Bearer, Some("AnaAnaAnaAna"))
    );
    assert!(studio.sandbox.world().unexpected().is_empty());
}

#[tokio::test]
async fn where_nothing_is_found_no_playlist_is_made() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let nothing = request(vec![song("Qqqq Xxxx", "Zzzz")], None);
    let done = finished(studio.start(&nothing, &caller).await);
    assert_eq!((done.tracks_added(), done.playlist_id), (0, None));
    assert_eq!(studio.playlists(), 0);
}

#[tokio::test]
async fn long_lists_go_in_batches_of_a_hundred_and_keep_their_order() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(250);
    let done = finished(studio.start(&request(songs.clone(), None), &caller).await);
    assert_eq!(done.tracks_added(), 250);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.count("POST", "/v1/playlists/"), 3);
}

#[tokio::test]
async fn a_lost_answer_adds_nothing_twice_and_loses_nothing() {
    for kind in [
        FaultKind::CommitThenStatus(502),
        FaultKind::CommitThenDrop,
        FaultKind::DropConnection,
        FaultKind::html(503),
        FaultKind::Garbage200,
    ] {
        let studio = Studio::open().await;
        let caller = studio.bearer("ana");
        let songs = studio.tracks(150);
        studio
            .sandbox
            .world()
            .fault(Fault::on("POST", "/v1/playlists/", kind.clone()).times(2));
        let done = finished(studio.start(&request(songs.clone(), None), &caller).await);
        assert_eq!(done.tracks_added(), 150, "{kind:?}");
        assert_eq!(studio.playlist(), uris(&songs), "{kind:?}");
    }
}

#[tokio::test]
async fn a_playlist_whose_making_was_answered_by_a_gateway_is_found_again() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(3);
    let lost = Fault::on("POST", "/v1/me/playlists", FaultKind::CommitThenStatus(502));
    studio.sandbox.world().fault(lost.times(1));
    finished(studio.start(&request(songs.clone(), None), &caller).await);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.playlists(), 1);
}

#[tokio::test]
async fn one_bad_uri_is_taken_out_of_its_batch() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(100);
    let request = request(songs.clone(), None);
    studio.sandbox.world().hold("/v1/me/playlists");
    let vanishes = async {
        studio.sandbox.arrived("/v1/me/playlists").await;
        let mut world = studio.sandbox.world();
        world.remove_track(songs[41].spotify_id.as_deref().expect("given"));
        world.release("/v1/me/playlists");
    };
    let (outcome, ()) = tokio::join!(studio.start(&request, &caller), vanishes);
    let done = finished(outcome);

    let mut expected = uris(&songs);
    let gone = expected.remove(41);
    assert_eq!(studio.playlist(), expected);
    assert_eq!(done.tracks_added(), 99);
    assert_eq!(
        (done.rejected[0].index, &done.rejected[0].uri, done.rejected.len()),
        (41, &gone, 1)
    );
    assert!(studio.count("POST", "/v1/playlists/") <= 15);
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_out() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(40);
    studio.sandbox.world().settings.rate_limit = Some(sandbox::RateLimit::of(60));
    let slow = FaultKind::Status {
        status: 429,
        content_type: "text/plain".into(),
        body: "Too many requests".into(),
        retry_after_s: Some(3),
    };
    studio
        .sandbox
        .world()
        .fault(Fault::on("GET", "/v1/tracks/", slow).times(1));
    let before = studio.clock.now_ms();
    finished(studio.start(&request(songs.clone(), None), &caller).await);
    assert!(studio.clock.now_ms() - before >= 3_000);
    assert_eq!(studio.playlist(), uris(&songs));
}

#[tokio::test]
async fn a_used_up_quota_parks_the_job_and_the_next_one_of_that_account() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(30);
    let until = studio.clock.now_ms() + 7_200_000;
    studio
        .sandbox
        .world()
        .exhaust_quota("ana", Bucket::Playlists, 7_200_000);
    let first = request(songs.clone(), Some("first"));
    let parked = unfinished(studio.start(&first, &caller).await);
    assert_eq!(
        (parked.stage, parked.waits_for),
        (Stage::Create, WaitsFor::Time(Why::QuotaExceeded))
    );
    let resume_at = parked.resume_at.expect("stated").as_ms();
    assert!(
        (until..until + 1_000).contains(&resume_at),
        "{resume_at} is not {until}"
    );

    let calls = studio.sandbox.world().requests().len();
    let second = unfinished(
        studio
            .start(&request(studio.tracks(2), Some("second")), &caller)
            .await,
    );
    assert_eq!(second.waits_for, WaitsFor::Time(Why::QuotaExceeded));
    assert_eq!(
        studio.sandbox.world().requests().len(),
        calls,
        "asking would be of no use"
    );

    assert_eq!(
        studio.exporter.run_due(10, HOUR).await.expect("memory").due,
        0,
        "not yet"
    );
    studio.clock.advance(Duration::from_secs(7_201));
    let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
    assert_eq!((swept.due, swept.finished), (2, 2), "{swept:?}");
    let done = finished(studio.start(&first, &caller).await);
    assert_eq!(done.tracks_added(), 30);
    assert_eq!(studio.playlists(), 2);
}

#[tokio::test]
async fn what_does_not_fit_into_one_request_goes_on_in_the_next() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(120);
    let request = request(songs.clone(), None);
    let mut outcome = studio.exporter.start(&request, &caller, SOME_SECONDS).await;
    let mut runs = 1;
    let done = loop {
        let progress = match outcome.expect("no error") {
            Outcome::Finished(done) => break done,
            Outcome::Unfinished(progress) => progress,
        };
        assert_eq!(progress.waits_for, WaitsFor::Time(Why::TimeBudget));
        assert_eq!(progress.resume_at.expect("now").as_ms(), studio.clock.now_ms());
        runs += 1;
        assert!(runs < 10, "no progress: {progress:?}");
        outcome = studio.exporter.resume(&progress.id, &caller, SOME_SECONDS).await;
    };
    assert!(runs > 1, "the budget was never over");
    assert_eq!(done.tracks_added(), 120);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(
        studio.count("GET", "/v1/tracks/"),
        120,
        "nothing is looked up twice"
    );
}

#[tokio::test]
async fn a_killed_runner_leaves_one_playlist_in_the_right_order() {
    for (path, before_work) in [
        ("/v1/tracks/", true),
        ("/v1/me/playlists", true),
        ("/v1/me/playlists", false),
        ("/v1/playlists/", true),
        ("/v1/playlists/", false),
    ] {
        let studio = Studio::open().await;
        let caller = studio.connected("user-1", "ana").await;
        let songs = studio.tracks(230);
        let request = request(songs.clone(), Some("key"));
        if before_work {
            studio.sandbox.world().hold(path);
        } else {
            studio.sandbox.world().hold_answer(path);
        }
        studio.kill_at(path, &request, &caller).await;
        let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
        assert_eq!(
            (swept.due, swept.finished),
            (1, 1),
            "{path} {before_work}: {swept:?}"
        );
        assert_eq!(studio.playlist(), uris(&songs), "{path} {before_work}");
        assert_eq!(studio.playlists(), 1, "{path} {before_work}");
        let done = finished(studio.start(&request, &caller).await);
        assert_eq!(done.tracks_added(), 230);
    }
}

#[tokio::test]
async fn a_request_that_was_stored_by_half_is_stored_anew_when_it_comes_again() {
    for (call, when) in [(Call::WriteRecord, When::After), (Call::FindRecord, When::Before)] {
        let studio = Studio::open().await;
        let caller = studio.connected("user-1", "ana").await;
        let songs = studio.tracks(120);
        let request = request(songs.clone(), Some("key"));
        studio.sandbox.world().hold("/v1/me");
        let breaks = async {
            studio.sandbox.arrived("/v1/me").await;
            studio.store.fail_next(1, call, when);
            studio.sandbox.world().release("/v1/me");
        };
        let (outcome, ()) = tokio::join!(studio.start(&request, &caller), breaks);
        assert!(
            matches!(outcome, Err(ExportError::Store(_))),
            "{call:?}: {outcome:?}"
        );
        let early = unfinished(studio.start(&request, &caller).await);
        assert_eq!(
            early.waits_for,
            WaitsFor::Nothing,
            "for all anyone knows it is running"
        );
        studio.clock.advance(TAKEN_OVER);
        let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
        assert_eq!(swept.blocked, 1, "the sweep does not have the songs: {swept:?}");
        finished(studio.start(&request, &caller).await);
        assert_eq!(studio.playlist(), uris(&songs), "{call:?}");
    }
}

#[tokio::test]
async fn a_job_that_is_running_is_not_run_twice() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(5);
    let request = request(songs.clone(), Some("key"));
    studio.sandbox.world().hold("/v1/me/playlists");
    let meanwhile = async {
        studio.sandbox.arrived("/v1/me/playlists").await;
        let other = unfinished(studio.start(&request, &caller).await);
        assert_eq!((other.waits_for, other.stage), (WaitsFor::Nothing, Stage::Create));
        studio.sandbox.world().release("/v1/me/playlists");
    };
    let (outcome, ()) = tokio::join!(studio.start(&request, &caller), meanwhile);
    finished(outcome);
    assert_eq!(studio.playlist(), uris(&songs));
}

#[tokio::test]
async fn a_key_is_one_export_of_one_caller() {
    let studio = Studio::open().await;
    let (ana, ben) = (studio.bearer("ana"), studio.bearer("ben"));
    let songs = studio.tracks(3);
    let first = finished(studio.start(&request(songs.clone(), Some("key")), &ana).await);
    let again = finished(studio.start(&request(songs.clone(), Some("key")), &ana).await);
    assert_eq!(first.playlist_id, again.playlist_id);
    let other = studio
        .start(&request(songs[..2].to_vec(), Some("key")), &ana)
        .await;
    assert!(matches!(other, Err(ExportError::KeyReused)), "{other:?}");

    for outcome in [
        studio.look(&first.id, &ben).await,
        studio.exporter.resume(&first.id, &ben, HOUR).await,
    ] {
        assert!(matches!(outcome, Err(ExportError::NotFound)), "{outcome:?}");
    }
    let looked = finished(studio.look(&first.id, &ana).await);
    assert_eq!(looked.tracks_added(), 3);
    let bens = finished(studio.start(&request(songs, Some("key")), &ben).await);
    assert_ne!(bens.playlist_id, first.playlist_id);
}

#[tokio::test]
async fn an_expired_token_is_told_before_anything_is_done() {
    let studio = Studio::with_owner().await;
    let caller = studio.bearer("ana");
    let songs = studio.tracks(3);
    studio.sandbox.world().expire_access_tokens();
    let refused = studio.start(&request(songs.clone(), None), &caller).await;
    assert!(
        matches!(
            refused,
            Err(ExportError::Blocked {
                id: None,
                blocked: Blocked::TokenExpired,
                can_fall_back: true
            })
        ),
        "{refused:?}"
    );
    let draft = Draft {
        name: "Mixtape".into(),
        songs: songs.clone(),
        fallback_to_owner: Some(true),
        ..Draft::default()
    };
    let allowed = Request::new(draft, None).expect("valid");
    let done = finished(studio.start(&allowed, &caller).await);
    assert_eq!((done.mode, done.used_fallback), (Mode::Owner, true));
    assert_eq!(done.account_id.as_deref(), Some("BenBenBenBen"));
    assert_eq!(studio.playlist(), uris(&songs));
    let looked = finished(studio.look(&done.id, &caller).await);
    assert_eq!(looked.playlist_id, done.playlist_id);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_in_the_middle() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(120);
    let request = request(songs.clone(), None);
    studio.sandbox.world().hold("/v1/playlists/");
    let expires = async {
        studio.sandbox.arrived("/v1/playlists/").await;
        let mut world = studio.sandbox.world();
        world.expire_access_tokens();
        world.release("/v1/playlists/");
    };
    let (outcome, ()) = tokio::join!(studio.start(&request, &caller), expires);
    finished(outcome);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.sandbox.world().count_grant_type("refresh_token"), 1);
}

#[tokio::test]
async fn a_grant_that_ends_in_the_middle_blocks_the_job_until_it_is_connected_again() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(120);
    let request = request(songs.clone(), Some("key"));
    studio.sandbox.world().hold("/v1/playlists/");
    let ends = async {
        studio.sandbox.arrived("/v1/playlists/").await;
        let mut world = studio.sandbox.world();
        world.expire_access_tokens();
        world.revoke_user("ana");
        world.release("/v1/playlists/");
    };
    let (outcome, ()) = tokio::join!(studio.start(&request, &caller), ends);
    let Err(ExportError::Blocked {
        id: Some(id),
        blocked: Blocked::NeedsReauth,
        ..
    }) = outcome
    else {
        panic!("not blocked: {outcome:?}");
    };
    let looked = unfinished(studio.look(&id, &caller).await);
    assert_eq!(looked.waits_for, WaitsFor::Person(Blocked::NeedsReauth));
    assert_eq!((looked.stage, looked.total), (Stage::Fill, 120));

    let stranger = studio.connected("user-1", "ben").await;
    let wrong = studio.exporter.resume(&id, &stranger, HOUR).await;
    assert!(
        matches!(
            wrong,
            Err(ExportError::Blocked {
                blocked: Blocked::AccountChanged,
                ..
            })
        ),
        "{wrong:?}"
    );
    let caller = studio.connected("user-1", "ana").await;
    finished(studio.exporter.resume(&id, &caller, HOUR).await);
    assert_eq!(studio.playlist(), uris(&songs));
    assert_eq!(studio.playlists(), 1);
}

#[tokio::test]
async fn who_is_not_connected_is_told_so_and_nothing_is_kept() {
    let studio = Studio::open().await;
    let nobody = Caller::User("user-9".parse().expect("an id"));
    let refused = studio
        .start(&request(vec![song("Dynamite", "BTS")], Some("key")), &nobody)
        .await;
    assert!(
        matches!(
            refused,
            Err(ExportError::Blocked {
                id: None,
                blocked: Blocked::NotConnected,
                can_fall_back: false
            })
        ),
        "{refused:?}"
    );
    let caller = studio.connected("user-9", "ana").await;
    finished(
        studio
            .start(&request(vec![song("Dynamite", "BTS")], Some("key")), &caller)
            .await,
    );
}

#[tokio::test]
async fn the_operators_account_has_to_be_configured() {
    let studio = Studio::open().await;
    let caller = studio.bearer("ana");
    let draft = Draft {
        name: "Mixtape".into(),
        songs: vec![song("Dynamite", "BTS")],
        mode: Some(patchbay::export::Through::Owner),
        ..Draft::default()
    };
    let refused = studio
        .start(&Request::new(draft, None).expect("valid"), &caller)
        .await;
    assert!(
        matches!(refused, Err(ExportError::OwnerNotConfigured)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn old_exports_are_forgotten() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let done = finished(studio.start(&request(studio.tracks(3), None), &caller).await);
    studio.clock.advance(Duration::from_hours(31 * 24));
    let swept = studio.exporter.run_due(10, HOUR).await.expect("memory");
    assert_eq!((swept.due, swept.forgotten), (1, 1));
    let looked = studio.look(&done.id, &caller).await;
    assert!(matches!(looked, Err(ExportError::NotFound)), "{looked:?}");
    assert_eq!(studio.exporter.run_due(10, HOUR).await.expect("memory").due, 0);
}

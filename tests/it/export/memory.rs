//! What was found once is not searched again, and no longer than it should be.

use std::time::Duration;

use patchbay::{
    export::{Finished, How, SongDraft},
    store::{Collection, Store as _},
    system::Timestamp,
};

use super::{
    song,
    studio::{HOUR, Studio, finished, numbered, request},
};
use crate::harness::flaky_store::{Call, When};

const DAY: Duration = Duration::from_hours(24);

fn list() -> Vec<SongDraft> {
    vec![
        song("Dynamite", "BTS"),
        song("Hello", "Adele"),
        song("A song that nobody ever wrote", "Nobody At All"),
        song("봄날 (Spring Day)", "BTS"),
    ]
}

/// Exports `songs` once more; answers the end of it and how many searches it took.
async fn export(studio: &Studio, user: &str, songs: Vec<SongDraft>) -> (Finished, usize) {
    let before = studio.count("GET", "/v1/search");
    let caller = studio.bearer(user);
    let key = format!("{user} {}", studio.sandbox.world().requests().len());
    let done = finished(
        studio
            .start(&request(songs, Some(&key.replace(' ', "-"))), &caller)
            .await,
    );
    (done, studio.count("GET", "/v1/search") - before)
}

fn uris(done: &Finished) -> Vec<&str> {
    done.matched.iter().map(|song| song.uri.as_str()).collect()
}

async fn remembered(studio: &Studio) -> usize {
    let all = studio
        .store
        .records_due(Collection::Tracks, Timestamp::MAX, 1000)
        .await;
    all.expect("memory").len()
}

#[tokio::test]
async fn a_second_export_of_the_same_list_makes_no_search() {
    let studio = Studio::open().await;
    let (first, searches) = export(&studio, "ana", list()).await;
    assert!(searches >= 4, "{searches}");
    assert!(first.matched.iter().all(|song| song.how != How::Remembered));
    for user in ["ana", "ben"] {
        let (again, searches) = export(&studio, user, list()).await;
        assert_eq!(searches, 0, "{user}");
        assert_eq!(uris(&again), uris(&first));
        assert!(again.matched.iter().all(|song| song.how == How::Remembered));
        assert_eq!(
            again.unmatched, first.unmatched,
            "with the same reason and candidates"
        );
    }
    let mut spelled = list();
    spelled[0] = song("DYNAMITE", "bts");
    assert_eq!(
        export(&studio, "ana", spelled).await.1,
        0,
        "another spelling of the same"
    );
}

#[tokio::test]
async fn a_song_that_a_list_has_twice_is_searched_for_once() {
    let studio = Studio::open().await;
    let once = export(
        &studio,
        "ana",
        vec![song("Hello", "Adele"), song("A song nobody wrote", "Nobody")],
    )
    .await;
    let studio = Studio::open().await;
    let twice = vec![
        song("Hello", "Adele"),
        song("A song nobody wrote", "Nobody"),
        song("Hello", "Adele"),
        song("A song nobody wrote", "Nobody"),
    ];
    let (done, searches) = export(&studio, "ana", twice).await;
    assert_eq!(searches, once.1);
    assert_eq!((done.duplicates.len(), done.unmatched.len()), (1, 2));
}

#[tokio::test]
async fn what_was_not_found_is_asked_for_again_after_a_day_and_may_be_there_then() {
    let studio = Studio::open().await;
    let wanted = || vec![song("Number 7", "The Counters")];
    assert_eq!(export(&studio, "ana", wanted()).await.0.unmatched.len(), 1);
    let _ = studio.sandbox.world().add_track(numbered(7));
    studio.clock.advance(DAY.saturating_sub(HOUR));
    let (early, searches) = export(&studio, "ana", wanted()).await;
    assert_eq!((early.unmatched.len(), searches), (1, 0));
    studio.clock.advance(2 * HOUR);
    let (late, _) = export(&studio, "ana", wanted()).await;
    assert_eq!(uris(&late), [format!("spotify:track:{}", numbered(7).id)]);
    assert_eq!(export(&studio, "ana", wanted()).await.1, 0);
}

#[tokio::test]
async fn an_empty_search_by_code_is_not_believed_for_long() {
    let coded = |title: &str, artist: &str| SongDraft {
        isrc: Some("QZZZZ9900001".into()),
        ..song(title, artist)
    };
    for (wanted, believed) in [
        (coded("Nothing like it", "Nobody"), HOUR),
        (coded("Hello", "Adele"), DAY),
    ] {
        let studio = Studio::open().await;
        assert!(export(&studio, "ana", vec![wanted.clone()]).await.1 >= 2);
        studio
            .clock
            .advance(believed.saturating_sub(Duration::from_mins(1)));
        assert_eq!(
            export(&studio, "ana", vec![wanted.clone()]).await.1,
            0,
            "{wanted:?}"
        );
        studio.clock.advance(Duration::from_mins(1));
        assert!(
            export(&studio, "ana", vec![wanted.clone()]).await.1 >= 2,
            "{wanted:?}"
        );
    }
}

#[tokio::test]
async fn a_false_code_says_nothing_about_the_song() {
    let studio = Studio::open().await;
    let wrong = SongDraft {
        // Of Adele's "Hello".
        isrc: Some("GBZZ91500453".into()),
        ..song("Dynamite", "BTS")
    };
    export(&studio, "ana", vec![wrong]).await;
    let given = SongDraft {
        spotify_id: Some("Gb0ZOaV1RiwzmRFCj3r0gL".into()),
        ..song("Dynamite", "BTS")
    };
    export(&studio, "ana", vec![given]).await;
    let (right, searches) = export(&studio, "ben", vec![song("Dynamite", "BTS")]).await;
    assert!(searches > 0, "nothing was remembered of what a caller says");
    assert_ne!(uris(&right), ["spotify:track:Gb0ZOaV1RiwzmRFCj3r0gL"]);
}

#[tokio::test]
async fn a_memory_that_cannot_be_read_or_written_stops_nothing() {
    let studio = Studio::open().await;
    let (first, searches) = export(&studio, "ana", list()).await;
    studio
        .store
        .fail_next(usize::MAX, Call::FindRecords, When::Before);
    let (again, more) = export(&studio, "ana", list()).await;
    assert_eq!((uris(&again), more), (uris(&first), searches));
    studio.store.heal();

    let studio = Studio::open().await;
    studio.store.fail_next(usize::MAX, Call::WriteTrack, When::Before);
    let (done, _) = export(&studio, "ana", list()).await;
    assert_eq!(uris(&done), uris(&first));
    assert_eq!(remembered(&studio).await, 0);
}

#[tokio::test]
async fn a_track_that_spotify_takes_no_more_is_forgotten() {
    let studio = Studio::open().await;
    let wanted = || vec![song("Hello", "Adele"), song("Hello", "Lionel Richie")];
    let (first, _) = export(&studio, "ana", wanted()).await;
    let gone = uris(&first)[0].to_owned();
    let id = gone.strip_prefix("spotify:track:").expect("a track");
    assert!(studio.sandbox.world().remove_track(id));
    let (second, searches) = export(&studio, "ana", wanted()).await;
    assert_eq!((second.rejected[0].uri.as_str(), searches), (gone.as_str(), 0));
    let (third, searches) = export(&studio, "ana", wanted()).await;
    assert!(searches > 0);
    assert_eq!((third.rejected.len(), third.unmatched.len()), (0, 1));
    assert_eq!(
        third.matched[0].how,
        How::Remembered,
        "the other one is still known"
    );
}

#[tokio::test]
async fn the_sweep_forgets_what_is_a_month_old() {
    let studio = Studio::open().await;
    export(&studio, "ana", list()).await;
    assert_eq!(remembered(&studio).await, 4);
    studio.clock.advance(29 * DAY);
    studio.exporter.run_due(10, HOUR).await.expect("memory");
    assert_eq!(remembered(&studio).await, 4);
    studio.clock.advance(DAY + HOUR);
    studio.exporter.run_due(10, HOUR).await.expect("memory");
    assert_eq!(remembered(&studio).await, 0);
    assert!(export(&studio, "ana", list()).await.1 > 0);
}

//! Bad days and odd lists at random: whatever fails and whoever is killed, one playlist comes out, complete and in order,
//! and every song is accounted for once.

use patchbay::export::{Caller, ExportError, Outcome, Request, SongDraft};
use sandbox::{Fault, FaultKind};

use super::{
    crash::every_song_once,
    dice::Dice,
    studio::{HOUR, Studio, TAKEN_OVER, finished, request},
};
use crate::harness::flaky_store::{Call, When};

/// Different days; each is the same in every run.
const DAYS: u64 = 10;

/// More runs than any of the days needs.
const RUNS_MAX: usize = 40;

fn trouble(dice: &mut Dice) -> Fault {
    let slow_down = |retry_after_s| FaultKind::Status {
        status: 429,
        content_type: "text/plain".into(),
        body: "Too many requests".into(),
        retry_after_s,
    };
    let kind = dice.one(&[
        FaultKind::CommitThenStatus(502),
        FaultKind::CommitThenDrop,
        FaultKind::DropConnection,
        FaultKind::html(500),
        FaultKind::Garbage200,
        slow_down(Some(2)),
        slow_down(Some(90)),
        slow_down(None),
        FaultKind::json(
            401,
            r#"{"error":{"status":401,"message":"Missing/invalid/expired access token"}}"#,
        ),
    ]);
    let (method, path) = dice.one(&[
        ("POST", "/v1/playlists/"),
        ("POST", "/v1/playlists/"),
        ("GET", "/v1/playlists/"),
        ("POST", "/v1/me/playlists"),
        ("GET", "/v1/tracks/"),
        ("GET", "/v1/me"),
    ]);
    let times = u32::try_from(1 + dice.below(3)).expect("small");
    Fault::on(method, path, kind).times(times)
}

/// A song as lists have them: found or not, well given or badly, and quite possibly there already.
fn any_song(dice: &mut Dice, numbered: &[SongDraft], so_far: &[SongDraft]) -> SongDraft {
    let words = |title: &str, artist: &str| SongDraft {
        title: title.into(),
        artist: Some(artist.into()),
        ..SongDraft::default()
    };
    let given = dice.one(numbered);
    let id = given.spotify_id.clone().expect("given");
    match dice.below(16) {
        0 => words("Dynamite", "BTS"),
        1 => words("DYNAMITE", "bts"),
        2 => words("봄날", "방탄소년단"),
        3 => words("Ὕμνος εἰς τὴν Ἐλευθερίαν", "Ανώνυμος"),
        4 => words("أغنية لا يعرفها أحد", ""),
        5 => SongDraft {
            artist: None,
            ..words("君の知らない歌 🎵", "")
        },
        6 => SongDraft {
            isrc: Some("KRZZ91774629".into()),
            ..words("Not what the code says", "Nobody At All")
        },
        7 => SongDraft {
            isrc: Some("nonsense".into()),
            ..words("Spring Day", "BTS")
        },
        8 => SongDraft {
            spotify_id: Some("0000000000000000000000".into()),
            ..words("Dynamite (Instrumental)", "BTS")
        },
        9 => SongDraft {
            spotify_id: Some("no/id at all?".into()),
            ..given
        },
        10 => SongDraft {
            spotify_id: Some(format!("spotify:track:{id}")),
            ..given
        },
        11 => SongDraft {
            spotify_id: Some(format!("https://open.spotify.com/track/{id}?si=x")),
            ..words("?", "?")
        },
        12 if !so_far.is_empty() => dice.one(so_far),
        _ => given,
    }
}

/// Runs until Spotify has done what `path` is for and not answered yet; then the runner is killed, or loses the
/// database for a moment. `None` when it was killed.
async fn run_into(
    studio: &Studio,
    dice: &mut Dice,
    path: &str,
    request: &Request,
    caller: &Caller,
) -> Option<Result<Outcome, ExportError>> {
    studio.sandbox.world().hold_answer(path);
    let mut run = std::pin::pin!(studio.exporter.start(request, caller, HOUR));
    let ended = tokio::select! {
        outcome = &mut run => Some(outcome),
        () = studio.sandbox.arrived(path) => None,
    };
    let killed = dice.below(2) == 0;
    if ended.is_none() && !killed {
        let call = dice.one(&[Call::WriteRecord, Call::FindRecord]);
        let times = 1 + dice.below(2);
        studio
            .store
            .fail_next(times, call, dice.one(&[When::Before, When::After]));
    }
    studio.sandbox.world().release(path);
    match ended {
        None if !killed => Some(run.await),
        ended => ended,
    }
}

#[tokio::test]
async fn one_complete_playlist_comes_out_of_every_day() {
    for day in 0..DAYS {
        let mut dice = Dice(day);
        let studio = Studio::open().await;
        let caller = studio.connected("user-1", "ana").await;
        let numbered = studio.tracks(150 + dice.below(100));
        let mut songs = numbered.clone();
        for _ in 0..20 + dice.below(20) {
            let song = any_song(&mut dice, &numbered, &songs);
            let place = dice.below(songs.len());
            songs.insert(place, song);
        }
        {
            let half_gone = (0..dice.below(4)).map(|_| dice.one(&numbered).spotify_id.expect("given"));
            studio.sandbox.world().settings.half_gone_tracks = half_gone.collect();
        }
        let request = request(songs.clone(), Some("key"));
        let mut runs = 0;
        let done = loop {
            runs += 1;
            assert!(runs < RUNS_MAX, "day {day} never ends");
            if runs < 8 {
                studio.sandbox.world().fault(trouble(&mut dice));
            }
            let held = (runs < 8 && dice.below(2) == 0)
                .then(|| dice.one(&["/v1/me", "/v1/playlists/", "/v1/me/playlists", "/v1/tracks/"]));
            let outcome = match held {
                None => Some(studio.exporter.start(&request, &caller, HOUR).await),
                Some(path) => run_into(&studio, &mut dice, path, &request, &caller).await,
            };
            studio.store.heal();
            if let Some(Ok(Outcome::Finished(done))) = outcome {
                break done;
            }
            studio.clock.advance(TAKEN_OVER);
        };
        let what = format!("day {day}");
        assert_eq!(done.total_songs, songs.len(), "{what}");
        every_song_once(&done, &what);
        let added: Vec<_> = done.matched.iter().map(|song| song.uri.clone()).collect();
        assert_eq!(studio.playlist(), added, "{what}");
        assert!(done.matched.is_sorted_by_key(|song| song.index), "{what}");
        let refused = studio.sandbox.world().settings.half_gone_tracks.len();
        assert_eq!(done.rejected.len(), refused, "{what}: {:?}", done.rejected);
        let said_again = finished(studio.start(&request, &caller).await);
        assert_eq!(format!("{said_again:?}"), format!("{done:?}"), "{what}");
        assert!(studio.sandbox.world().unexpected().is_empty(), "day {day}");
    }
}

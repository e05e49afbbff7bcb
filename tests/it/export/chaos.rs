//! Bad days at random: whatever fails and whoever is killed, one playlist comes out, complete and in order.

use patchbay::export::{Caller, ExportError, Outcome, Request};
use sandbox::{Fault, FaultKind};

use super::{
    dice::Dice,
    studio::{HOUR, Studio, TAKEN_OVER, request, uris},
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
        let songs = studio.tracks(150 + dice.below(100));
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
        assert_eq!(done.tracks_added(), songs.len(), "day {day}");
        assert_eq!(studio.playlist(), uris(&songs), "day {day}");
        assert!(studio.sandbox.world().unexpected().is_empty(), "day {day}");
    }
}

//! Bad days at random: whatever fails and whoever is killed, one playlist comes out, complete and in order.

use std::time::Duration;

use patchbay::export::Outcome;
use sandbox::{Fault, FaultKind};

use super::studio::{HOUR, Studio, request, uris};

/// Different days; each is the same in every run.
const DAYS: u64 = 8;

/// More runs than any of the days needs.
const RUNS_MAX: usize = 40;

/// A small generator is enough to choose among troubles (Knuth's constants).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn one<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

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
            let killed_at = (runs < 8 && dice.below(3) == 0)
                .then(|| dice.one(&["/v1/playlists/", "/v1/me/playlists", "/v1/tracks/"]));
            if let Some(path) = killed_at {
                studio.sandbox.world().hold_answer(path);
            }
            let outcome = tokio::select! {
                outcome = studio.exporter.start(&request, &caller, HOUR) => Some(outcome),
                () = async {
                    match killed_at {
                        Some(path) => studio.sandbox.arrived(path).await,
                        None => std::future::pending().await,
                    }
                } => None,
            };
            if let Some(path) = killed_at {
                studio.sandbox.world().release(path);
            }
            if let Some(Ok(Outcome::Finished(done))) = outcome {
                break done;
            }
            studio.clock.advance(Duration::from_secs(130));
        };
        assert_eq!(done.tracks_added(), songs.len(), "day {day}");
        assert_eq!(studio.playlist(), uris(&songs), "day {day}");
        assert!(studio.sandbox.world().unexpected().is_empty(), "day {day}");
    }
}

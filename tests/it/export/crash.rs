//! The crash matrix: an export is stopped at every single call that leaves its process, before the call has its effect
//! and before its answer is seen. Whoever goes on, and however, one playlist comes out, complete and in order, and every
//! song is accounted for.
//!
//! Looking songs up is hundreds of calls that are alike, so a usual run stops at some of those only. All of them:
//! `PATCHBAY_CRASH_ALL=1 cargo test --test it -- export::crash`.

use std::env;

use patchbay::export::{
    Blocked, Caller, ExportError, ExportId, Exporter, Finished, Outcome, Progress, Request, SongDraft,
    WaitsFor,
};

use super::{
    dice::Dice,
    studio::{HOUR, Studio, TAKEN_OVER, finished, request, uris},
};
use crate::harness::exits::Side;

/// Of the calls before a playlist is made, a usual run stops at one in so many. A prime, to meet all kinds.
const LOOK_UP_STRIDE: usize = 97;

/// Runs after which an export that nothing hinders any more is not coming to its end.
const RUNS_MAX: usize = 10;

/// Pairs of moments at which two runners die, one after the other.
const PAIRS: usize = 6;

/// To die after a question is to die after the last call that had an effect: a usual run does it at one in so many.
const QUESTION_STRIDE: usize = 7;

/// Of all moments, a usual run falls asleep at one in so many.
const SLEEP_STRIDE: usize = 4;

/// The songs whose tracks cannot be added, in the middle of the first and of the second batch.
const HALF_GONE: [usize; 2] = [41, 180];

/// A list with everything in it, and who wants it.
struct Scene {
    studio: Studio,
    caller: Caller,
    request: Request,
}

/// How it goes on after a runner is gone.
#[derive(Clone, Copy, Debug)]
enum Next {
    SameRequest,
    ById,
    Sweep,
}

/// What has to come out, known from a day on which nothing happened.
struct Truth {
    id: ExportId,
    rows: Vec<String>,
    calls: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        let studio = Studio::next_door().await;
        let caller = studio.connected("user-1", "ana").await;
        let given = studio.tracks(250);
        {
            let half_gone = HALF_GONE.map(|at| given[at].spotify_id.clone().expect("given"));
            studio.sandbox.world().settings.half_gone_tracks = half_gone.into();
        }
        let song = |title: &str, artist: &str| SongDraft {
            title: title.into(),
            artist: Some(artist.into()),
            ..SongDraft::default()
        };
        let mut songs = given[..100].to_vec();
        songs.push(song("Dynamite", "BTS"));
        songs.push(song("A song that nobody ever wrote", "Nobody At All"));
        songs.push(given[7].clone());
        songs.push(SongDraft {
            isrc: Some("KRZZ91774629".into()),
            ..song("봄날", "방탄소년단")
        });
        songs.extend_from_slice(&given[100..]);
        let request = request(songs, Some("key"));
        studio.exits.forget();
        Self {
            studio,
            caller,
            request,
        }
    }

    /// Runs it until it ends, or until it is stopped at an exit: then it is dead.
    async fn run_and_die(&self, exporter: &Exporter) -> Option<Result<Outcome, ExportError>> {
        tokio::select! {
            outcome = exporter.start(&self.request, &self.caller, HOUR) => Some(outcome),
            () = self.studio.exits.stopped() => None,
        }
    }

    /// What the next process makes of it, when the dead one's time is over.
    async fn go_on(&self, how: Next, id: &ExportId) -> Finished {
        let studio = &self.studio;
        let exporter = studio.another_exporter();
        studio.exits.go_on();
        for _ in 0..RUNS_MAX {
            studio.clock.advance(TAKEN_OVER);
            let outcome = match how {
                Next::SameRequest => exporter.start(&self.request, &self.caller, HOUR).await,
                Next::ById => exporter.resume(id, &self.caller, HOUR).await,
                Next::Sweep => {
                    let swept = exporter.run_due(10, HOUR).await.expect("memory");
                    assert_eq!(swept.failed, 0, "{swept:?}");
                    exporter.look(id, &self.caller).await.map(|seen| seen.outcome)
                }
            };
            match outcome {
                Ok(Outcome::Finished(finished)) => return *finished,
                // It died before all of the songs were stored; only who asked has them.
                Ok(Outcome::Unfinished(Progress {
                    waits_for: WaitsFor::Person(Blocked::Incomplete),
                    ..
                }))
                | Err(
                    ExportError::NotFound
                    | ExportError::Blocked {
                        blocked: Blocked::Incomplete,
                        ..
                    },
                ) => return finished(exporter.start(&self.request, &self.caller, HOUR).await),
                Ok(Outcome::Unfinished(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("it never ends");
    }

    /// One playlist, these rows in this order, and every song in exactly one list.
    async fn check(&self, done: &Finished, truth: &Truth, what: &str) {
        {
            let world = self.studio.sandbox.world();
            let playlists: Vec<_> = world.playlists().collect();
            assert_eq!(playlists.len(), 1, "{what}: playlists");
            let rows: Vec<_> = playlists[0].rows.iter().map(|row| row.uri.clone()).collect();
            assert_eq!(rows, truth.rows, "{what}: rows");
            assert_eq!(done.playlist_id.as_ref(), Some(&playlists[0].id), "{what}");
            assert!(world.unexpected().is_empty(), "{what}: {:?}", world.unexpected());
        }
        every_song_once(done, what);
        let added: Vec<_> = done.matched.iter().map(|song| song.uri.clone()).collect();
        assert_eq!(added, truth.rows, "{what}: what is said to be in it");
        let again = finished(self.studio.start(&self.request, &self.caller).await);
        assert_eq!(format!("{again:?}"), format!("{done:?}"), "{what}: said again");
        assert_eq!(self.studio.playlists(), 1, "{what}: the same request once more");
    }
}

#[track_caller]
pub fn every_song_once(done: &Finished, what: &str) {
    let mut indices: Vec<usize> = Vec::new();
    indices.extend(done.matched.iter().map(|song| song.index));
    indices.extend(done.duplicates.iter().map(|song| song.index));
    indices.extend(done.unmatched.iter().map(|song| song.index));
    indices.extend(done.rejected.iter().map(|song| song.index));
    indices.sort_unstable();
    assert_eq!(indices, (0..done.total_songs).collect::<Vec<_>>(), "{what}");
}

async fn a_quiet_day() -> Truth {
    let scene = Scene::new().await;
    let done = finished(scene.studio.start(&scene.request, &scene.caller).await);
    let calls = scene.studio.exits.names();
    let rows = scene.studio.playlist();
    let truth = Truth {
        id: done.id.clone(),
        rows,
        calls,
    };
    scene.check(&done, &truth, "a quiet day").await;
    assert_eq!(
        (
            done.tracks_added(),
            done.unmatched.len(),
            done.duplicates.len(),
            done.rejected.len()
        ),
        (250, 1, 1, 2)
    );
    let mut given = uris(&scene.studio.tracks(250));
    for at in HALF_GONE.iter().rev() {
        given.remove(*at);
    }
    let numbered: Vec<_> = truth
        .rows
        .iter()
        .filter(|uri| given.contains(uri))
        .cloned()
        .collect();
    assert_eq!(numbered, given);
    assert_eq!(scene.studio.count("POST", "/v1/me/playlists"), 1);
    truth
}

fn stops_everywhere() -> bool {
    env::var_os("PATCHBAY_CRASH_ALL").is_some()
}

/// A call of the quiet day, and a side of it.
#[derive(Clone, Debug)]
struct Moment {
    name: String,
    /// Calls of the same name before it.
    nth: usize,
    side: Side,
}

/// The moments worth stopping at: from the first word about a playlist on, every call; before it, some.
fn moments(calls: &[String]) -> Vec<Moment> {
    let made = calls.iter().position(|name| name == "POST /v1/me/playlists");
    // What comes right before it is the note that it is about to be made.
    let playlist_from = made.expect("a playlist") - 3;
    let numbers = (0..calls.len())
        .filter(|&number| number >= playlist_from || number % LOOK_UP_STRIDE == 0 || stops_everywhere());
    let moment = |number: usize, side| Moment {
        name: calls[number].clone(),
        nth: calls[..number]
            .iter()
            .filter(|name| **name == calls[number])
            .count(),
        side,
    };
    numbers
        .flat_map(|number| {
            // What only asks has no effect: whether it was asked makes no difference.
            let (before, after) = (moment(number, Side::Before), moment(number, Side::After));
            let before = (!after.only_asks()).then_some(before);
            before.into_iter().chain([after])
        })
        .collect()
}

impl Moment {
    fn arm(&self, scene: &Scene) {
        scene.studio.exits.stop_at(&self.name, self.nth, self.side);
    }

    fn only_asks(&self) -> bool {
        ["GET", "Find", "TakeTurns"]
            .iter()
            .any(|like| self.name.starts_with(like))
    }

    /// How often something is asked differs a little from day to day: two songs are looked up at the same time.
    fn may_be_missed(&self) -> bool {
        self.only_asks()
    }

    /// A call that is on its way when the process falls asleep is not made by it when it wakes.
    fn is_on_the_way(&self) -> bool {
        self.side == Side::Before && self.name.starts_with("POST")
    }
}

const WAYS: [Next; 3] = [Next::SameRequest, Next::ById, Next::Sweep];

#[tokio::test]
async fn killed_at_any_call_it_makes_one_playlist() {
    let truth = a_quiet_day().await;
    let moments = moments(&truth.calls).into_iter().enumerate();
    let moments = moments.filter(|(number, moment)| {
        !moment.only_asks() || number % QUESTION_STRIDE == 0 || stops_everywhere()
    });
    for ((_, moment), how) in moments.zip(WAYS.into_iter().cycle()) {
        let what = format!("killed at {moment:?}, then {how:?}");
        let scene = Scene::new().await;
        moment.arm(&scene);
        let ended = scene.run_and_die(&scene.studio.exporter).await;
        assert!(ended.is_none() || moment.may_be_missed(), "{what}: {ended:?}");
        let done = scene.go_on(how, &truth.id).await;
        scene.check(&done, &truth, &what).await;
    }
}

/// A process that is suspended, or a machine that is moved: it does not know that it was away.
#[tokio::test]
async fn asleep_at_any_call_for_longer_than_its_lease_it_does_nothing_twice() {
    let truth = a_quiet_day().await;
    let moments = moments(&truth.calls);
    let stride = if stops_everywhere() { 1 } else { SLEEP_STRIDE };
    let moments = moments
        .iter()
        .filter(|moment| !moment.is_on_the_way())
        .step_by(stride);
    for (moment, how) in moments.zip(WAYS.into_iter().cycle()) {
        sleep_at(moment, how, &truth).await;
    }
}

#[tokio::test]
async fn asleep_while_its_songs_are_stored_it_takes_nothing_away_from_them() {
    let truth = a_quiet_day().await;
    // The head, three parts, the head again.
    for nth in 0..5 {
        for side in [Side::Before, Side::After] {
            let name = "WriteRecord".to_owned();
            sleep_at(&Moment { name, nth, side }, Next::SameRequest, &truth).await;
        }
    }
}

async fn sleep_at(moment: &Moment, how: Next, truth: &Truth) {
    let what = format!("asleep at {moment:?}, then {how:?}");
    let scene = Scene::new().await;
    moment.arm(&scene);
    let mut sleeper = Box::pin(scene.studio.exporter.start(&scene.request, &scene.caller, HOUR));
    let ended = tokio::select! {
        outcome = &mut sleeper => Some(outcome),
        () = scene.studio.exits.stopped() => None,
    };
    assert!(ended.is_none() || moment.may_be_missed(), "{what}: {ended:?}");
    let done = Box::pin(scene.go_on(how, &truth.id)).await;
    if ended.is_none() {
        let woken = finished(sleeper.await);
        assert_eq!(woken.playlist_id, done.playlist_id, "{what}");
    }
    Box::pin(scene.check(&done, truth, &what)).await;
}

#[tokio::test]
async fn killed_twice_it_makes_one_playlist() {
    let truth = a_quiet_day().await;
    let moments = moments(&truth.calls);
    let mut dice = Dice(1);
    for how in WAYS.into_iter().cycle().take(PAIRS) {
        let first = dice.one(&moments);
        let scene = Scene::new().await;
        first.arm(&scene);
        let _ = scene.run_and_die(&scene.studio.exporter).await;
        scene.studio.clock.advance(TAKEN_OVER);
        // What is left is less; the second one dies at any of the next calls, or comes to its end.
        let (second, side) = (dice.below(60), dice.one(&[Side::Before, Side::After]));
        scene.studio.exits.go_on();
        scene.studio.exits.stop_after(second, side);
        let ended = scene.run_and_die(&scene.studio.another_exporter()).await;
        let what = format!("killed at {first:?}, {side:?} {second} calls later, then {how:?}: {ended:?}");
        let done = scene.go_on(how, &truth.id).await;
        scene.check(&done, &truth, &what).await;
    }
}

//! What Spotify sees of exports on the wire: at most so much at a time, and never a second refusal in a row.
//!
//! Time passes here only when nobody has anything to do but to wait for it, and an answer takes its time on the same
//! clock: what is held does not depend on how fast the machine is.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::{Request as HttpRequest, Response};
use patchbay::{
    export::{Draft, Request, Through},
    limits,
    pace::TRIAL_MS,
    providers::{Internet, Transport, TransportError},
    store::{Collection, Store as _},
    system::{Clock as _, Timestamp},
};
use sandbox::{RateLimit, Seen};

use super::studio::{HOUR, Studio, finished, request};
use crate::harness::{
    clock::{ManualClock, a_moment},
    flaky_store::Counted,
};

/// Calls of one export that may be under way at the same time.
const AT_ONCE: usize = 2;

/// Fewer calls in 30 s than the 150 of our own pace.
const CALLS_IN_30_S: u32 = 100;

/// How often work and those who do something for it take turns until nobody of them can go on; it is a few times.
const ROUNDS: usize = 16;

/// An answer that comes before the next call is sent.
const NEAR: Duration = Duration::from_millis(120);

/// An answer that takes so long that the spacing of calls is not what holds an export up.
const FAR: Duration = Duration::from_millis(500);

/// A way to the sandbox that takes time.
#[derive(Debug)]
struct Distant {
    internet: Internet,
    clock: Arc<ManualClock>,
    latency: Duration,
    /// Exchanges that the sandbox has heard and not answered.
    heard: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

#[async_trait]
impl Transport for Distant {
    async fn exchange(
        &self,
        request: HttpRequest<Vec<u8>>,
        body_bytes_max: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let _under_way = Counted::one(&self.under_way);
        self.most_under_way
            .fetch_max(self.under_way.load(Ordering::SeqCst), Ordering::SeqCst);
        self.clock.sleep(self.latency / 2).await;
        let answer = {
            let _heard = Counted::one(&self.heard);
            self.internet.exchange(request, body_bytes_max).await
        };
        self.clock.sleep(self.latency / 2).await;
        answer
    }
}

struct Town {
    studio: Studio,
    way: Arc<Distant>,
}

impl Town {
    async fn at(latency: Duration) -> Self {
        let clock = ManualClock::strict();
        let way = Arc::new(Distant {
            internet: Internet::default(),
            clock: clock.clone(),
            latency,
            heard: AtomicUsize::default(),
            under_way: AtomicUsize::default(),
            most_under_way: AtomicUsize::default(),
        });
        let studio = Studio::over(clock, way.clone(), |_| None).await;
        Self { studio, way }
    }

    /// Does `work`, and lets time pass whenever everybody in it waits for that.
    fn live<'a, T>(&'a self, work: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
        let mut work = Box::pin(work);
        Box::pin(async move {
            loop {
                // Whoever does something for it, and it for them, until both wait.
                for _ in 0..ROUNDS {
                    tokio::select! {
                        biased;
                        done = &mut work => return done,
                        () = tokio::task::yield_now() => {}
                    }
                }
                let is_quiet = self.way.heard.load(Ordering::SeqCst) == 0 && self.studio.store.is_idle();
                if !(is_quiet && self.studio.clock.advance_to_next()) {
                    a_moment().await;
                }
            }
        })
    }

    fn calls(&self) -> Vec<Seen> {
        let mut seen = self.studio.sandbox.world().requests();
        seen.retain(|seen| seen.path.starts_with("/v1/"));
        seen
    }
}

fn is_refused(seen: &Seen) -> bool {
    seen.status == Some(429)
}

/// After each refusal nobody asks for as long as it says (the sandbox says whole seconds), then one call goes alone, and
/// is answered. How many refusals there were.
#[track_caller]
fn refusals_are_heeded(calls: &[Seen]) -> usize {
    let times: Vec<_> = calls.iter().map(|seen| (seen.at_ms, seen.status)).collect();
    for (at, _) in calls.iter().enumerate().filter(|(_, seen)| is_refused(seen)) {
        let Some([refused, trial, next]) = calls.get(at..at + 3) else {
            continue;
        };
        assert!(!is_refused(trial), "two refusals in a row: {times:?}");
        assert!(
            trial.at_ms - refused.at_ms >= 1_000,
            "somebody did not wait: {times:?}"
        );
        assert!(
            next.at_ms - trial.at_ms >= TRIAL_MS,
            "the first did not go alone: {times:?}"
        );
    }
    calls.iter().filter(|seen| is_refused(seen)).count()
}

#[tokio::test]
async fn an_export_that_is_too_fast_is_never_refused_twice_in_a_row() {
    let town = Town::at(NEAR).await;
    town.studio.sandbox.world().settings.rate_limit = Some(RateLimit::of(CALLS_IN_30_S));
    let caller = town.studio.connected("user-1", "ana").await;
    let songs = town.studio.tracks(500);
    let outcome = town.live(town.studio.start(&request(songs, None), &caller)).await;
    finished(outcome);
    let refusals = refusals_are_heeded(&town.calls());
    assert!((1..=6).contains(&refusals), "{refusals}");
}

#[tokio::test]
async fn two_processes_that_export_for_one_app_share_its_pace() {
    let town = Town::at(NEAR).await;
    let studio = &town.studio;
    let (ana, ben) = (
        studio.connected("user-1", "ana").await,
        studio.connected("user-2", "ben").await,
    );
    let songs = studio.tracks(250);
    let other = studio.another_exporter();
    let both = async |key| {
        let list = request(songs.clone(), Some(key));
        tokio::join!(studio.start(&list, &ana), other.start(&list, &ben, HOUR))
    };

    // Nobody refuses: together they are no faster than one.
    let (anas, bens) = town.live(both("first")).await;
    finished(anas);
    finished(bens);
    let calls = town.calls();
    assert!(calls.len() > 500);
    let spacing_ms = i64::from(limits::SPOTIFY.spacing_ms);
    for pair in calls.windows(2) {
        assert!(pair[1].at_ms - pair[0].at_ms >= spacing_ms, "{pair:?}");
    }

    // They are refused: what one of them hears, the other heeds.
    studio.sandbox.world().clear_requests();
    studio.sandbox.world().settings.rate_limit = Some(RateLimit::of(CALLS_IN_30_S));
    let (anas, bens) = town.live(both("second")).await;
    finished(anas);
    finished(bens);
    assert!(refusals_are_heeded(&town.calls()) > 0);
}

#[tokio::test]
async fn where_answers_take_long_two_calls_are_under_way_all_the_time() {
    let town = Town::at(FAR).await;
    let caller = town.studio.connected("user-1", "ana").await;
    let songs = town.studio.tracks(300);
    let began = town.studio.clock.now();
    let outcome = town.live(town.studio.start(&request(songs, None), &caller)).await;
    finished(outcome);
    let took = town.studio.clock.now().since(began);
    let calls = u32::try_from(town.calls().len()).expect("few");
    let least = FAR * calls / u32::try_from(AT_ONCE).expect("two");
    assert!(took <= least.mul_f64(1.2), "{took:?} for {least:?}");
    assert_eq!(town.way.most_under_way.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test]
async fn the_operators_account_counts_for_the_operators_app() {
    let studio = Studio::with_owner().await;
    let caller = studio.connected("user-1", "ana").await;
    finished(studio.start(&request(studio.tracks(3), None), &caller).await);
    let draft = Draft {
        name: "Mixtape".into(),
        songs: studio.tracks(2),
        mode: Some(Through::Owner),
        ..Draft::default()
    };
    finished(
        studio
            .start(&Request::new(draft, None).expect("valid"), &caller)
            .await,
    );
    let kept = studio
        .store
        .records_due(Collection::Budgets, Timestamp::MAX, 9)
        .await;
    let kept = kept.expect("memory");
    let buckets = kept.iter().filter(|(id, _)| id.starts_with("bucket:"));
    assert_eq!(buckets.count(), 1, "{kept:?}");
}

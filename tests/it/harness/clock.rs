//! A clock that moves when a test says so.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use patchbay::system::{BoxFuture, Clock, Timestamp};
use tokio::sync::oneshot;

/// 2026-11-21T12:00:00Z, a day on which the providers behaved as the sandbox does.
const START_MS: i64 = 1_795_262_400_000;

/// Short waits (pacing, polling, back-off) move the clock themselves and end at once; longer ones are limits, and end
/// only when the test moves the clock past them.
const SHORT: Duration = Duration::from_secs(5);

/// What becomes of a short wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// It moves the clock.
    Moves,
    /// It takes a real moment, and leaves the time alone.
    TakesAMoment,
    /// It is a wait like any other.
    Waits,
}

/// Stands still, but for [`ManualClock::advance`] and short waits.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
    short: Short,
    waiting: Mutex<Vec<(Timestamp, oneshot::Sender<()>)>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self {
            now_ms: AtomicI64::new(START_MS),
            short: Short::Moves,
            waiting: Mutex::default(),
        }
    }
}

impl ManualClock {
    /// A clock that short waits do not move: for who looks again and again whether somebody else is done, which takes
    /// the real moments that it takes.
    pub fn patient() -> Arc<Self> {
        Arc::new(Self {
            short: Short::TakesAMoment,
            ..Self::default()
        })
    }

    /// A clock that nothing but the test moves.
    pub fn strict() -> Arc<Self> {
        Arc::new(Self {
            short: Short::Waits,
            ..Self::default()
        })
    }

    /// Moves the clock to the moment for which somebody waits first; `false` when nobody waits any more.
    pub fn advance_to_next(&self) -> bool {
        let next = {
            let mut waiting = self.waiting.lock().expect("no test panics in here");
            waiting.retain(|(_, wake)| !wake.is_closed());
            waiting.iter().map(|(until, _)| *until).min()
        };
        if let Some(next) = next {
            self.advance(next.since(self.now()));
        }
        next.is_some()
    }

    /// Moves the clock, and wakes whoever waited for a moment that is past now.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).expect("a test's span fits");
        let now = Timestamp::from_ms(self.now_ms.fetch_add(by_ms, Ordering::SeqCst) + by_ms);
        let mut waiting = self.waiting.lock().expect("no test panics in here");
        for (_, wake) in waiting.extract_if(.., |(until, _)| *until <= now) {
            // Who does not wait any more does not mind.
            let _ = wake.send(());
        }
    }

    /// The present moment, in milliseconds, for the sandbox.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.short {
            Short::TakesAMoment if duration <= SHORT => return Box::pin(a_moment()),
            Short::Moves if duration <= SHORT => {
                self.advance(duration);
                return Box::pin(tokio::task::yield_now());
            }
            _ => {}
        }
        let (wake, woken) = oneshot::channel();
        self.waiting
            .lock()
            .expect("no test panics in here")
            .push((self.now() + duration, wake));
        Box::pin(async move {
            // A clock that is gone will never say; neither does this.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Lets everybody else go on. Real, so that looking out for something does not burn a processor.
#[expect(clippy::disallowed_methods, reason = "nothing depends on how long it is")]
pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets whoever has something to do do it, as far as it goes without waiting: those who wait for them, too.
pub async fn let_others_go_on() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

/// Looks until `seen` says so; gives up after as many moments as no healthy machine needs.
pub async fn until<F: Future<Output = bool>>(what: &str, seen: impl Fn() -> F) {
    for _ in 0..10_000 {
        if seen().await {
            return;
        }
        a_moment().await;
    }
    panic!("it never happened: {what}");
}

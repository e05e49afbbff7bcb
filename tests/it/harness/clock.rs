//! A clock that moves when a test says so.

use std::{
    sync::{
        Mutex,
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

/// Stands still, but for [`ManualClock::advance`] and short waits.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicI64,
    waiting: Mutex<Vec<(Timestamp, oneshot::Sender<()>)>>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { now_ms: AtomicI64::new(START_MS), waiting: Mutex::default() }
    }
}

impl ManualClock {
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
        if duration <= SHORT {
            self.advance(duration);
            return Box::pin(tokio::task::yield_now());
        }
        let (wake, woken) = oneshot::channel();
        self.waiting.lock().expect("no test panics in here").push((self.now() + duration, wake));
        Box::pin(async move {
            // A clock that is gone will never say; neither does this.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

//! The machine's own clock and entropy: the only file that asks for either.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{BoxFuture, Clock, Entropy, Timestamp};

/// The machine's wall clock.
#[derive(Clone, Copy, Debug)]
pub struct RealClock;

impl Clock for RealClock {
    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970: every grant then looks fresh for long, which is no worse than
        // any other wrong clock, and nothing here may panic over it.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the real clock")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The operating system's random number generator.
#[derive(Clone, Copy, Debug)]
pub struct RealEntropy;

impl Entropy for RealEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the real entropy")]
    fn fill(&self, bytes: &mut [u8]) {
        // A machine without entropy must not hand out predictable keys and states: stopping is the safe answer.
        getrandom::fill(bytes).expect("the operating system has a random number generator");
    }
}

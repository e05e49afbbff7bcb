//! Clock and entropy: the ports through which the outside world's time and chance come in, and the real ones.

mod real;
mod timestamp;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

pub use real::{RealClock, RealEntropy};
pub use timestamp::Timestamp;

/// The most by which the clocks of two processes, and of a provider, may differ; a process whose clock is further off
/// may ask a provider twice, never write over somebody else's work (`grants::lease` says what rests on it). Servers that
/// keep their time by NTP stay below a second.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(30);

/// A future that can be kept in a struct and sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What time it is, and waiting for it to be later.
///
/// Every wait in patchbay goes through here, so that a test moves the time instead of waiting for it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Completes once `duration` has passed on this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Where unpredictable bytes come from.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` unpredictable bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// The two ports that nearly every room needs, handed around together.
#[derive(Clone, Debug)]
pub struct System {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where nonces, states and verifiers come from.
    pub entropy: Arc<dyn Entropy>,
}

impl System {
    /// The machine's own clock and entropy.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(RealClock),
            entropy: Arc::new(RealEntropy),
        }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `work`, but no longer than `limit`; `None` when the time ran out first.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.clock.sleep(limit) => None,
        }
    }
}

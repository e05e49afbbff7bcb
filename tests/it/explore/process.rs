//! A process of the service that a test can stop, kill and start: its own runtime, service, clock and chance.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use patchbay::{
    app::{App, Ports},
    config::Config,
    system::System,
    vault::{KeyRing, Vault},
};
use tokio::runtime::{Builder, Runtime};

use super::outside::{Life, Outside, View};
use crate::harness::entropy::SeededEntropy;

/// The keys that an operator puts in front one after another, each 32 bytes.
const KEYS: [&str; 4] = [
    "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    "k3:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
    "k4:YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=",
];

/// The newest of so many keys there are.
pub const KEYS_MAX: usize = KEYS.len();

fn ring(keys: usize) -> String {
    let newest_first: Vec<_> = KEYS[..keys].iter().rev().copied().collect();
    newest_first.join(",")
}

/// A vault that opens whatever any process has sealed.
pub fn master_vault() -> Vault {
    let ring: KeyRing = ring(KEYS_MAX).parse().expect("a key ring");
    Vault::new(ring, Arc::new(SeededEntropy::new(0)))
}

pub struct Process {
    pub view: View,
    pub app: App,
    pub is_paused: bool,
    /// How many keys its ring has.
    pub keys: usize,
    idle: Arc<Mutex<Option<Waker>>>,
    // Dropped last: what lives in it goes with it, as when a process is killed.
    runtime: Runtime,
}

impl Process {
    pub fn start(outside: &Outside, who: Life, skew_ms: i64, keys: usize) -> Self {
        let view = View {
            outside: outside.clone(),
            who,
            skew_ms,
        };
        let seed = (who.process as u64 + 1) << 32 | u64::from(who.number);
        let ports = Ports {
            store: Arc::new(view.clone()),
            transport: Arc::new(view.clone()),
            system: System {
                clock: Arc::new(view.clone()),
                entropy: Arc::new(SeededEntropy::new(seed)),
            },
        };
        let ring = ring(keys);
        let variable = |name: &str| {
            let value = match name {
                "APP_URL" | "SPOTIFY_ACCOUNTS_URL" => "http://127.0.0.1:9",
                "SPOTIFY_API_URL" => "http://127.0.0.1:9/v1",
                "SPOTIFY_CLIENT_ID" => "0123456789abcdef0123456789abcdef",
                "SPOTIFY_CLIENT_SECRET" => "fedcba9876543210fedcba9876543210",
                "DATABASE_URL" => "sqlite::memory:",
                "LOCAL_SIGN_IN" => "on",
                "SPOTIFY_USER_SECRET_KEY" => &ring,
                _ => return None,
            };
            Some(value.to_owned())
        };
        let config = Config::parse(variable).expect("the test's variables are fine");
        let idle: Arc<Mutex<Option<Waker>>> = Arc::default();
        let parked = idle.clone();
        let runtime = Builder::new_current_thread()
            .on_thread_park(move || {
                let waker = parked.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            })
            .build()
            .expect("a runtime");
        let app = runtime.block_on(async { App::over(ports, config, None) });
        Self {
            view,
            app,
            is_paused: false,
            keys,
            idle,
            runtime,
        }
    }

    /// Begins something in the process.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Lets the process run until everything in it waits for something outside. Nothing of a paused one runs.
    pub fn turn(&self) {
        if self.is_paused {
            return;
        }
        let mut is_waiting = false;
        // The runtime parks only when no task of it can go on.
        self.runtime.block_on(poll_fn(|context| {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if is_waiting && idle.is_none() {
                return Poll::Ready(());
            }
            is_waiting = true;
            *idle = Some(context.waker().clone());
            Poll::Pending
        }));
    }
}

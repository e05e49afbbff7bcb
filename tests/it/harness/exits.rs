//! Every call that leaves a process, counted: at any one of them the process can be stopped, before the call has its
//! effect or before its answer is seen. A test then drops what runs (a kill) or lets it go on later (a long sleep).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use http::{Request, Response};
use patchbay::providers::{Transport, TransportError};
use sandbox::Sandbox;
use tokio::sync::watch;

/// Where in a call the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nobody outside has heard of the call.
    Before,
    /// It has had its effect, and its answer has come as far as this process.
    After,
}

/// The exits of a process.
#[derive(Default)]
pub struct Exits {
    state: Mutex<State>,
    stopped: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    names: Vec<String>,
    stop: Option<Stop>,
}

/// Every call of this name, or of any, is counted down to the one that is stopped at.
struct Stop {
    name: Option<String>,
    calls_before: usize,
    side: Side,
}

impl fmt::Debug for Exits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exits")
    }
}

impl Exits {
    /// Whoever makes a call of this name after so many others of it, counted from now, stops there. Names and not plain
    /// numbers, because how often a turn is asked for depends on the machine.
    pub fn stop_at(&self, name: &str, calls_before: usize, side: Side) {
        self.lock().stop = Some(Stop {
            name: Some(name.to_owned()),
            calls_before,
            side,
        });
    }

    /// Whoever makes a call after so many others stops there.
    pub fn stop_after(&self, calls_before: usize, side: Side) {
        self.lock().stop = Some(Stop {
            name: None,
            calls_before,
            side,
        });
    }

    /// Waits until somebody has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        // The sender is here.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Lets whoever stopped go on, and nobody stop any more.
    pub fn go_on(&self) {
        self.lock().stop = None;
        self.stopped.send_replace(false);
    }

    /// Counts from here on.
    pub fn forget(&self) {
        self.lock().names.clear();
    }

    /// What was called so far, by number.
    pub fn names(&self) -> Vec<String> {
        self.lock().names.clone()
    }

    /// Makes a call, unless the process stops here.
    pub async fn leave<T>(&self, name: &str, call: impl Future<Output = T>) -> T {
        let stop = self.note(name);
        if stop == Some(Side::Before) {
            self.stand_still().await;
        }
        let answer = call.await;
        if stop == Some(Side::After) {
            self.stand_still().await;
        }
        answer
    }

    fn note(&self, name: &str) -> Option<Side> {
        let mut state = self.lock();
        state.names.push(name.to_owned());
        let stop = state.stop.as_mut()?;
        if stop.name.as_deref().is_some_and(|wanted| wanted != name) {
            return None;
        }
        if stop.calls_before > 0 {
            stop.calls_before -= 1;
            return None;
        }
        state.stop.take().map(|stop| stop.side)
    }

    async fn stand_still(&self) {
        self.stopped.send_replace(true);
        let mut stopped = self.stopped.subscribe();
        let _ = stopped.wait_for(|stopped| !*stopped).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The world outside, through these exits.
pub struct Outward {
    pub exits: Arc<Exits>,
    pub outside: Outside,
}

/// How the sandbox is reached.
pub enum Outside {
    /// As every provider is.
    Over(Arc<dyn Transport>),
    /// Without a network between, which is many times as fast.
    Next(Sandbox),
}

impl fmt::Debug for Outward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outward")
    }
}

#[async_trait]
impl Transport for Outward {
    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        body_bytes_max: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let name = format!("{} {}", request.method(), request.uri().path());
        let exchange = async {
            match &self.outside {
                Outside::Over(transport) => transport.exchange(request, body_bytes_max).await,
                Outside::Next(sandbox) => sandbox
                    .ask(request)
                    .await
                    .ok_or_else(|| TransportError::Broken("dropped".into())),
            }
        };
        self.exits.leave(&name, exchange).await
    }
}

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
    stop_at: Option<(usize, Side)>,
}

impl fmt::Debug for Exits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exits")
    }
}

impl Exits {
    /// Whoever makes the call of this number, from 0, stops there.
    pub fn stop_at(&self, number: usize, side: Side) {
        self.lock().stop_at = Some((number, side));
    }

    /// Waits until somebody has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        // The sender is here.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Lets whoever stopped go on, and nobody stop any more.
    pub fn go_on(&self) {
        self.lock().stop_at = None;
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
        let number = state.names.len();
        state.names.push(name.to_owned());
        let stop = state.stop_at.take_if(|(at, _)| *at == number);
        stop.map(|(_, side)| side)
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

//! A turn, and the place of somebody who waits for one: whoever drops either gives it back.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{NoTurn, desk::Desk};
use crate::{pace::Token, store::StoreError, system::Timestamp};

/// The right to make one call, now. One that is dropped before it was spent is given back, for the next.
#[derive(Debug)]
#[must_use = "a turn that is dropped is given back; `spend` it when the call is made"]
pub struct Turn {
    desk: Arc<Desk>,
    holds: Option<Holds>,
}

/// What a turn is.
#[derive(Debug)]
pub(super) enum Holds {
    Token(Token),
    Lease(Lease),
}

impl Turn {
    pub(super) fn new(desk: Arc<Desk>, holds: Holds) -> Self {
        Self {
            desk,
            holds: Some(holds),
        }
    }

    /// Uses it up: the call is made.
    pub fn spend(mut self) {
        self.holds = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(holds) = self.holds.take() {
            self.desk.take_back(holds);
        }
    }
}

/// Somebody's place before the desk; who drops it has hung up.
pub(super) struct Standing {
    desk: Arc<Desk>,
    number: u64,
    told: oneshot::Receiver<Result<Turn, NoTurn>>,
}

impl Standing {
    pub(super) fn new(desk: Arc<Desk>, number: u64, told: oneshot::Receiver<Result<Turn, NoTurn>>) -> Self {
        Self { desk, number, told }
    }

    pub(super) async fn turn(mut self) -> Result<Turn, NoTurn> {
        let told = (&mut self.told).await;
        // The clerk ends early only with the runtime that it runs on.
        told.unwrap_or_else(|_| Err(StoreError::unavailable("nobody asks for turns any more").into()))
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.desk.leave(self.number);
    }
}

/// A token that was taken beside another, to be used without a question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// On this process's clock, before it asked.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) closings: u64,
}

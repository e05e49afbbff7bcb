//! The clerk of a desk: asks the bucket for all who stand before it, as long as somebody does.
//!
//! A task of its own, so that whoever hangs up while a question is under way does not take the answer with them: it may be
//! a token, which somebody has to give back.

use std::{sync::Arc, time::Duration};

use super::{Place, desk::Desk};

/// Asks, passes on what it hears, and asks again when somebody's turn may have come or something new has come up.
pub(super) async fn attend(desk: Arc<Desk>) {
    let mut duty = OnDuty(Some(desk));
    while let Some(desk) = &duty.0 {
        let Some(look_after) = ask(desk).await else {
            duty.0 = None;
            return;
        };
        if let Some(look_after) = look_after {
            let sleep = desk.office().system.clock.sleep(look_after);
            tokio::select! {
                () = sleep => {}
                () = desk.news() => {}
            }
        }
    }
}

/// One question; `None` when there is none, else when the next one is due, if anybody waits for it.
async fn ask(desk: &Arc<Desk>) -> Option<Option<Duration>> {
    let ask = desk.next_ask()?;
    let office = desk.office();
    let asked_at = office.system.now();
    let answer = match &office.place {
        Place::Here => Ok(desk.ask_here(&ask)),
        Place::Store(store) => store.take_turns(desk.id(), office.pace, &ask).await,
    };
    match answer {
        Ok(answer) => {
            let look_after = answer.look_after;
            desk.hear(answer, asked_at);
            Some(look_after)
        }
        Err(error) => {
            if ask.waiting.is_empty() {
                // What was to be given back is lost: a few spacings for somebody.
                tracing::debug!(%error, "a turn that was not used could not be given back");
            }
            desk.hear_nothing(&ask, error);
            Some(None)
        }
    }
}

/// Whoever drops this with a desk in it leaves without a word.
struct OnDuty(Option<Arc<Desk>>);

impl Drop for OnDuty {
    fn drop(&mut self) {
        if let Some(desk) = &self.0 {
            desk.abandon();
        }
    }
}

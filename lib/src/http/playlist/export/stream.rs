//! Progress as server-sent events (WHATWG HTML, "Server-sent events"): `progress` again and again, and one last event,
//! `finished`, `waiting` or `problem`, with the body that the plain answer would have had.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::response::{
    IntoResponse, Response, Sse,
    sse::{Event, KeepAlive},
};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    answers::{FinishedBody, ProgressBody},
    under_way::{BUDGET, News, UnderWay},
};
use crate::{
    export::{Caller, ExportId, Outcome, Progress, Seen, WaitsFor},
    http::{Services, problem::Problem},
};

/// How often an export that another process runs is looked at; it writes down how far it is every few seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Proxies close what says nothing for a minute, some sooner.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait for a slow reader; after that the story waits for them.
const EVENTS_AHEAD: usize = 8;

/// nginx and its kin would hold the events back until there are many.
const NO_BUFFERING: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// What there is to tell of.
pub(super) enum Story {
    /// An export that was begun here and now.
    Ours(UnderWay),
    /// One that was there; somebody else may be running it.
    Theirs(ExportId, Seen),
}

/// Whether a caller wants events.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/event-stream")
        })
}

/// The answer that tells `story`. A listener who goes away ends the telling, not the export.
pub(super) fn tell(services: Arc<Services>, caller: Caller, story: Story) -> Response {
    let (speaker, listener) = mpsc::channel(EVENTS_AHEAD);
    let teller = Teller {
        services,
        caller,
        speaker,
        last: None,
    };
    tokio::spawn(async move {
        // Nobody listens any more: that is all an error means.
        let _ = teller.tell(story).await;
    });
    let events = stream::unfold(listener, async |mut listener| {
        let event = listener.recv().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    ([NO_BUFFERING], sse).into_response()
}

struct Teller {
    services: Arc<Services>,
    caller: Caller,
    speaker: mpsc::Sender<Event>,
    /// What was told last, so that nothing is told twice.
    last: Option<Progress>,
}

/// The listener went away.
struct Alone;

impl Teller {
    async fn tell(mut self, story: Story) -> Result<(), Alone> {
        let (id, seen) = match story {
            Story::Theirs(id, seen) => (id, seen),
            Story::Ours(mut under_way) => {
                let end = loop {
                    match under_way.next().await {
                        News::Progress(progress) => self.progress(progress).await?,
                        News::End(end) => break end,
                    }
                };
                match end {
                    // Somebody else has it: how that goes on is told, too.
                    Ok(Outcome::Unfinished(progress)) if progress.waits_for == WaitsFor::Nothing => {
                        match self.services.exporter.look(&progress.id, &self.caller).await {
                            Ok(seen) => (progress.id, seen),
                            Err(error) => return self.end(Err(error.into())).await,
                        }
                    }
                    end => return self.end(end).await,
                }
            }
        };
        self.follow(&id, seen).await
    }

    /// Tells of an export that somebody else runs, for as long as our own run would take at most.
    async fn follow(mut self, id: &ExportId, mut seen: Seen) -> Result<(), Alone> {
        let until = self.services.system.now() + BUDGET;
        loop {
            let progress = match seen.outcome {
                Outcome::Unfinished(progress) if progress.waits_for == WaitsFor::Nothing => progress,
                outcome => return self.end(Ok(outcome)).await,
            };
            if self.services.system.now() >= until {
                return self.end(Ok(Outcome::Unfinished(progress))).await;
            }
            self.progress(progress).await?;
            match seen.audience.map(|audience| audience.join()) {
                Some(mut seat) => {
                    while let Ok(()) = seat.changed().await {
                        let progress = seat.borrow_and_update().clone();
                        if let Some(progress) = progress {
                            self.progress(progress).await?;
                        }
                    }
                }
                None => self.services.system.clock.sleep(LOOK_EVERY).await,
            }
            seen = match self.services.exporter.look_as(id, &seen.owner).await {
                Ok(seen) => seen,
                Err(error) => return self.end(Err(error.into())).await,
            };
        }
    }

    async fn progress(&mut self, progress: Progress) -> Result<(), Alone> {
        if self.last.as_ref() == Some(&progress) {
            return if self.speaker.is_closed() {
                Err(Alone)
            } else {
                Ok(())
            };
        }
        self.last = Some(progress.clone());
        self.say("progress", &ProgressBody::from(progress)).await
    }

    async fn end(self, end: Result<Outcome, Problem>) -> Result<(), Alone> {
        match end {
            Ok(Outcome::Finished(finished)) => self.say("finished", &FinishedBody::from(*finished)).await,
            Ok(Outcome::Unfinished(progress)) => self.say("waiting", &ProgressBody::from(progress)).await,
            Err(problem) => self.say("problem", &told(&problem)).await,
        }
    }

    async fn say(&self, event: &'static str, data: &impl serde::Serialize) -> Result<(), Alone> {
        // Bodies are text, numbers and lists of them: they always become JSON.
        let data = serde_json::to_string(data).unwrap_or_default();
        let event = Event::default().event(event).data(data);
        self.speaker.send(event).await.map_err(|_| Alone)
    }
}

/// A problem's body with its status, as there is no other place for that. Headers are sent, so the log is written here.
fn told(problem: &Problem) -> Value {
    let (status, code) = (problem.status(), problem.code());
    if status.is_server_error() {
        tracing::error!(status = status.as_u16(), code, cause = ?problem.cause(), "an export's events end with a problem");
    }
    let mut body = problem.body("");
    if let Some(fields) = body.as_object_mut() {
        fields.remove("requestId");
        fields.insert("status".to_owned(), json!(status.as_u16()));
    }
    body
}

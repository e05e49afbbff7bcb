//! A run in a task of its own: a person who closes the page does not stop the export half-way through a call.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    export::{Audience, Caller, ExportError, ExportId, Outcome, Progress, Request},
    http::{
        Services,
        problem::{Problem, internal},
    },
};

/// A minute less than the function may take (`vercel.json`): the call in hand is still finished and written down.
pub(super) const BUDGET: Duration = Duration::from_mins(4);

/// What is to be run.
pub(super) enum Wanted {
    /// A new export, or one that the same request began before.
    Start(Box<Request>),
    /// One that is there.
    GoOn(ExportId),
}

/// An export that was begun here.
pub(super) struct UnderWay {
    progress: watch::Receiver<Option<Progress>>,
    end: JoinHandle<Result<Outcome, ExportError>>,
}

/// What comes next from it.
pub(super) enum News {
    /// It came further.
    Progress(Progress),
    /// It ended, or cannot begin.
    End(Result<Outcome, Problem>),
}

impl UnderWay {
    pub(super) fn begin(services: &Arc<Services>, wanted: Wanted, caller: Caller) -> Self {
        let audience = Audience::default();
        let progress = audience.join();
        // Taken before the task runs, so that a process that is about to stop knows of it.
        let errand = services.exporter.errand();
        let services = Arc::clone(services);
        let end = tokio::spawn(async move {
            let _errand = errand;
            let exporter = &services.exporter;
            match wanted {
                Wanted::Start(request) => exporter.start_before(&audience, &request, &caller, BUDGET).await,
                Wanted::GoOn(id) => exporter.resume_before(&audience, &id, &caller, BUDGET).await,
            }
        });
        Self { progress, end }
    }

    /// What happens next. Nothing may be asked after the end.
    pub(super) async fn next(&mut self) -> News {
        loop {
            tokio::select! {
                // The end says more than the last progress does.
                biased;
                ended = &mut self.end => return News::End(settled(ended)),
                Ok(()) = self.progress.changed() => {
                    let progress = self.progress.borrow_and_update().clone();
                    if let Some(progress) = progress {
                        return News::Progress(progress);
                    }
                }
            }
        }
    }

    /// How far it is as soon as it has begun; or its end, where that comes first.
    pub(super) async fn begun(mut self) -> Result<Outcome, Problem> {
        match self.next().await {
            News::Progress(progress) => Ok(Outcome::Unfinished(progress)),
            News::End(end) => end,
        }
    }

    /// What it comes to.
    pub(super) async fn end(self) -> Result<Outcome, Problem> {
        settled(self.end.await)
    }
}

fn settled(ended: Result<Result<Outcome, ExportError>, tokio::task::JoinError>) -> Result<Outcome, Problem> {
    let outcome = ended.map_err(|error| internal().because(error))?;
    Ok(outcome?)
}

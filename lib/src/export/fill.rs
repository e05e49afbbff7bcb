//! Third stage: the tracks go into the playlist, in order, one batch after another.
//!
//! Adding is not idempotent. Whenever it is not certain what the playlist holds (a lost answer, a run that goes on
//! where another one stopped), it is read back, and only what is missing is sent. A batch that Spotify may still be
//! working on is given a minute before that. Meanwhile the playlist is its person's: what they add, take out or move
//! stays so, and their hand is not taken for ours unless most of a batch is there.

use std::{collections::VecDeque, ops::Range};

use super::{
    blocked::Blocked,
    fate::Fate,
    halt::{Halt, Stop},
    head::Stage,
    job::Job,
    jobs::Jobs,
    plan::{Plan, cut, landed},
    session::Session,
};
use crate::{
    limits::Kind,
    providers::spotify::{ApiError, ITEMS_PER_CALL_MAX},
};

/// Lost answers in one run after which it comes back later.
const LOST_ANSWERS_MAX: usize = 3;

/// Tracks refused alone, one after another, after which the fault is not theirs.
const REFUSED_IN_A_ROW_MAX: usize = 10;

/// Entries read back at most. A batch has at most a hundred; more were added by somebody else meanwhile.
const READ_BACK_MAX: usize = 200;

/// What is going on in one run of this stage.
struct Filling<'a> {
    session: &'a Session<'a>,
    jobs: &'a Jobs,
    playlist_id: String,
    /// Places to send next, when they are not simply the next hundred: the pieces of a refused batch.
    pieces: VecDeque<Range<usize>>,
    /// Whether the playlist is known to hold what the job says.
    certain: bool,
    lost_answers: usize,
    refused_in_a_row: usize,
}

/// Adds what is missing. `new` says that this run made the playlist, so there is nothing in it to read back.
pub(super) async fn fill(session: &Session<'_>, jobs: &Jobs, job: &mut Job, new: bool) -> Result<(), Halt> {
    let Some(playlist_id) = job.head.playlist.as_ref().map(|playlist| playlist.id.clone()) else {
        // Cannot be: this stage begins with a playlist. Making one again is the way out all the same.
        job.head.stage = Stage::Create;
        return Ok(());
    };
    let mut filling = Filling {
        session,
        jobs,
        playlist_id,
        pieces: VecDeque::new(),
        certain: new,
        lost_answers: 0,
        refused_in_a_row: 0,
    };
    while job.head.filled < job.head.planned {
        filling.step(job).await?;
    }
    job.head.stage = Stage::Done;
    Ok(())
}

impl Filling<'_> {
    async fn step(&mut self, job: &mut Job) -> Result<(), Halt> {
        let plan = job.plan();
        let filled = job.head.filled;
        // A runner may have been killed between noting that a track is refused and going on.
        if plan.tracks.get(filled).is_some_and(|track| track.rejected) {
            self.pieces.clear();
            return self.go_on(job, filled + 1).await;
        }
        if !self.certain {
            return self.make_certain(job, &plan).await;
        }
        let next_batch = filled..plan.tracks.len().min(filled + ITEMS_PER_CALL_MAX);
        let places = self.pieces.front().cloned().unwrap_or(next_batch);
        let uris = plan.uris(places.clone());
        match self.add(job, &uris).await {
            Ok(()) => {
                self.refused_in_a_row = 0;
                self.pieces.pop_front();
                self.go_on(job, places.end).await
            }
            Err(Stop::Api(error)) if error.is_ambiguous() => self.lost_answer(&error),
            Err(Stop::Api(ApiError::NotFound)) => Err(Blocked::PlaylistGone.into()),
            Err(Stop::Api(ApiError::Rejected { message, .. })) => {
                self.refused(job, &plan, places, &uris, message).await
            }
            Err(stop) => Err(self.session.ended(stop)),
        }
    }

    async fn add(&self, job: &mut Job, uris: &[String]) -> Result<(), Stop> {
        let (api, playlist_id) = (self.session.web_api(), self.playlist_id.as_str());
        self.session
            .write(self.jobs, job, |token| async move {
                api.add_items(&token, playlist_id, uris).await
            })
            .await
    }

    async fn go_on(&mut self, job: &mut Job, filled: usize) -> Result<(), Halt> {
        job.head.filled = filled;
        self.jobs.save_head(job).await
    }

    fn lost_answer(&mut self, error: &ApiError) -> Result<(), Halt> {
        tracing::warn!(%error, "whether a batch was added is not known");
        self.certain = false;
        self.lost_answers += 1;
        if self.lost_answers < LOST_ANSWERS_MAX && !error.may_be_acted_upon_later() {
            Ok(())
        } else {
            Err(Halt::unavailable(self.session.now()))
        }
    }

    /// One bad URI fails a whole batch: it is cut until the bad one is alone. The pieces stay in order.
    async fn refused(
        &mut self,
        job: &mut Job,
        plan: &Plan,
        places: Range<usize>,
        uris: &[String],
        message: String,
    ) -> Result<(), Halt> {
        self.pieces.pop_front();
        if let [_, _, ..] = uris {
            for piece in cut(places.start, uris, &message).into_iter().rev() {
                self.pieces.push_front(piece);
            }
            return Ok(());
        }
        self.refused_in_a_row += 1;
        if self.refused_in_a_row == REFUSED_IN_A_ROW_MAX {
            return Err(Blocked::ItemsRefused.into());
        }
        if let Some(track) = plan.tracks.get(places.start) {
            let uri = track.uri.clone();
            let part = job.decide(track.index, Fate::Rejected { uri, reason: message });
            self.jobs.save_part(job, part).await?;
        }
        self.go_on(job, places.end).await
    }

    /// Reads back what the playlist holds after what the job is sure of.
    async fn make_certain(&mut self, job: &mut Job, plan: &Plan) -> Result<(), Halt> {
        let before = plan.items_after(job.head.filled);
        let batch = plan.uris(job.head.filled..plan.tracks.len().min(job.head.filled + ITEMS_PER_CALL_MAX));
        let (total, tail) = self.read_back(before, batch.len()).await?;
        let arrived = landed(&batch, total.saturating_sub(before), &tail);
        self.certain = true;
        if arrived > 0 {
            self.pieces.clear();
            let filled = job.head.filled + arrived;
            self.go_on(job, filled).await?;
        }
        Ok(())
    }

    /// How many entries the playlist has, and those after the first `before`. Where it is neither as long as that nor
    /// longer by the whole batch, somebody took entries out, and ours are further to the front than they would be: then
    /// as many as a batch has, counted from the end.
    async fn read_back(&self, before: usize, batch: usize) -> Result<(usize, Vec<Option<String>>), Halt> {
        let (mut entries, mut total) = self.page(before).await?;
        let mut offset = before;
        if total != before && total < before + batch {
            offset = total.saturating_sub(batch);
            (entries, total) = self.page(offset).await?;
        }
        while !entries.is_empty() && offset + entries.len() < total && entries.len() < READ_BACK_MAX {
            let (page, _) = self.page(offset + entries.len()).await?;
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        Ok((total, entries))
    }

    async fn page(&self, offset: usize) -> Result<(Vec<Option<String>>, usize), Halt> {
        let (api, playlist_id) = (self.session.web_api(), self.playlist_id.as_str());
        let page = self
            .session
            .read(Kind::Playlist, |token| async move {
                api.items(&token, playlist_id, offset).await
            })
            .await;
        page.map_err(|stop| match stop {
            Stop::Api(ApiError::NotFound) => Blocked::PlaylistGone.into(),
            stop => self.session.ended(stop),
        })
    }
}

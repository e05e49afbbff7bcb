//! First stage: every song is looked up, before anything is made in anybody's account.
//!
//! What the person corrected comes first, then the track that the request names, then what was found before; only then
//! Spotify is searched.

mod search;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{StreamExt as _, stream};

use self::search::search_for;
use super::{
    fate::{Fate, How},
    halt::{Halt, Stop},
    head::Stage,
    job::Job,
    jobs::Jobs,
    memory::{Kept, Learnt, Memory, Own, Recalled, Subject},
    request::{SongSpec, track_id},
    session::Session,
};
use crate::{
    limits::Kind,
    providers::spotify::{ApiError, Track},
    system::{BoxFuture, Timestamp},
};

/// Songs looked up at the same time. Bursts alone have cost apps hours of refusals (reference: rate limit).
const CONCURRENCY: usize = 2;

/// Songs that Spotify was asked about after which the part they are in is written: what a killed runner loses at most.
const CHECKPOINT_SONGS: usize = 20;

/// Songs whose normal forms are made without letting others have the thread: names of the greatest length allowed take
/// some milliseconds each.
const SONGS_A_TURN: usize = 8;

/// Looks up all songs that have no fate yet.
pub(super) async fn resolve(
    session: &Session<'_>,
    jobs: &Jobs,
    memory: &Memory,
    job: &mut Job,
) -> Result<(), Halt> {
    let resolving = Resolving {
        session,
        jobs,
        memory,
        // A help that cannot be read is done without; a person's word is not.
        own: memory.corrections.of(&job.owner).await?,
        searched: Mutex::default(),
    };
    for part in 0..job.parts.len() {
        resolving.part(job, part).await?;
    }
    let plan = job.plan();
    job.head.planned = plan.tracks.len();
    job.head.song = None;
    job.head.stage = match job.head.planned {
        0 => Stage::Done,
        _ => Stage::Create,
    };
    Ok(())
}

/// One run of this stage.
struct Resolving<'a> {
    session: &'a Session<'a>,
    jobs: &'a Jobs,
    memory: &'a Memory,
    own: Own,
    /// What this run searched for: a list may have a song twice.
    searched: Mutex<HashMap<Subject, Fate>>,
}

/// One song with what is known of it.
pub(super) struct Case<'a> {
    pub(super) index: usize,
    song: SongSpec,
    subject: Subject,
    own: Option<&'a Kept>,
    recalled: Option<Recalled>,
}

/// A song that was looked up.
struct Settled {
    fate: Fate,
    learnt: Option<Learnt>,
}

/// The song's place in the request, and what came of it.
type LookUp<'a> = BoxFuture<'a, (usize, Result<Settled, Halt>)>;

impl From<Fate> for Settled {
    fn from(fate: Fate) -> Self {
        Self { fate, learnt: None }
    }
}

/// What is known of `songs` before Spotify is asked.
pub(super) async fn cases<'a>(memory: &Memory, own: &'a Own, songs: Vec<(usize, SongSpec)>) -> Vec<Case<'a>> {
    let mut cases: Vec<Case<'a>> = Vec::with_capacity(songs.len());
    for (index, song) in songs {
        if cases.len().is_multiple_of(SONGS_A_TURN) {
            tokio::task::yield_now().await;
        }
        let own = own.about(&song);
        cases.push(Case {
            index,
            subject: Subject::of(&song, own.map_or(&[], Kept::never)),
            song,
            own,
            recalled: None,
        });
    }
    let recalled = memory.recall(cases.iter().map(|case| &case.subject)).await;
    for case in &mut cases {
        case.recalled = recalled.get(&case.subject.key).cloned();
    }
    cases
}

impl Case<'_> {
    /// The fate that needs no call to Spotify.
    pub(super) fn known(&self, now: Timestamp) -> Option<Fate> {
        match self.own.and_then(|own| Some((own.uses()?, own.was_seen()))) {
            Some((uri, true)) => Some(corrected(uri)),
            Some((_, false)) => None,
            None if self.given().is_some() => None,
            None => self.remembered(now),
        }
    }

    /// The URI of a track that has to be looked at, because the person or the request names it.
    pub(super) fn named_track(&self) -> Option<String> {
        let wanted = self.own.and_then(Kept::uses);
        let given = || self.given().map(|id| format!("spotify:track:{id}"));
        wanted.map(str::to_owned).or_else(given)
    }

    /// What memory knows the song by.
    pub(super) fn into_subject(self) -> Subject {
        self.subject
    }

    /// The id that the request names, unless the person does not want that track.
    fn given(&self) -> Option<&str> {
        self.song.given_id().filter(|id| !self.is_turned_down(id))
    }

    fn is_turned_down(&self, id_or_uri: &str) -> bool {
        let never = self.own.map_or(&[][..], Kept::never);
        never.iter().any(|uri| uri.ends_with(id_or_uri))
    }

    fn remembered(&self, now: Timestamp) -> Option<Fate> {
        self.recalled.as_ref()?.fate(&self.subject, now)
    }
}

impl Resolving<'_> {
    async fn part(&self, job: &mut Job, part: usize) -> Result<(), Halt> {
        let cases = cases(self.memory, &self.own, job.open(part)).await;
        let mut changed = false;
        let mut open = Vec::new();
        for case in cases {
            if let Some(fate) = case.known(self.session.now()) {
                job.decide(case.index, fate);
                changed = true;
            } else {
                open.push(self.look_up(case));
            }
        }
        let mut settled = stream::iter(open).buffered(CONCURRENCY);
        let mut learnt = Vec::new();
        let mut unsaved = 0;
        let mut end = Ok(());
        while let Some((index, settled)) = settled.next().await {
            match settled {
                Ok(settled) => {
                    job.decide(index, settled.fate);
                    job.show_song(index, self.session.now());
                    learnt.extend(settled.learnt);
                }
                Err(halt) => {
                    end = Err(halt);
                    break;
                }
            }
            changed = true;
            unsaved += 1;
            if unsaved == CHECKPOINT_SONGS || self.jobs.lease_is_short(job) {
                self.save(job, part, std::mem::take(&mut learnt)).await?;
                (unsaved, changed) = (0, false);
            }
        }
        if changed {
            self.save(job, part, learnt).await?;
        }
        end
    }

    async fn save(&self, job: &mut Job, part: usize, learnt: Vec<Learnt>) -> Result<(), Halt> {
        self.jobs.save_part(job, part).await?;
        self.jobs.save_head(job).await?;
        self.memory.note(learnt).await;
        Ok(())
    }

    /// Boxed, because the compiler cannot see that a stream of these futures by name may move between threads.
    fn look_up<'a>(&'a self, case: Case<'a>) -> LookUp<'a> {
        Box::pin(async move {
            let settled = self.find(&case).await;
            (case.index, settled.map_err(|stop| self.session.ended(stop)))
        })
    }

    async fn find(&self, case: &Case<'_>) -> Result<Settled, Stop> {
        if let Some(fate) = self.by_correction(case).await? {
            return Ok(fate.into());
        }
        if let Some(fate) = self.by_given_id(case).await? {
            return Ok(fate.into());
        }
        let now = self.session.now();
        if let Some(fate) = self.searched(&case.subject).or_else(|| case.remembered(now)) {
            return Ok(fate.into());
        }
        let never = case.own.map_or(&[][..], Kept::never);
        let searched = search_for(self.session, &case.song, never).await?;
        let (fate, doubtful) = (searched.fate, searched.doubtful);
        let learnt = Learnt::new(
            &case.subject,
            case.recalled.as_ref(),
            &fate,
            doubtful,
            self.session.now(),
        );
        self.lock().insert(case.subject.clone(), fate.clone());
        Ok(Settled { fate, learnt })
    }

    /// The track that the person wants, once it was seen.
    async fn by_correction(&self, case: &Case<'_>) -> Result<Option<Fate>, Stop> {
        let Some((own, uri)) = case.own.and_then(|own| Some((own, own.uses()?))) else {
            return Ok(None);
        };
        if own.was_seen() {
            return Ok(Some(corrected(uri)));
        }
        if self.track(track_id(uri).unwrap_or(uri)).await?.is_none() {
            tracing::info!(
                uri,
                "a track that a person wants is not there; the song is searched for"
            );
            return Ok(None);
        }
        self.memory.corrections.mark(own, true).await;
        Ok(Some(corrected(uri)))
    }

    /// The track that the request names, if it is one. One that does not exist must not come into a batch, which it
    /// would spoil as a whole; the song is then searched for like any other.
    async fn by_given_id(&self, case: &Case<'_>) -> Result<Option<Fate>, Stop> {
        let Some(id) = case.given() else {
            return Ok(None);
        };
        let track = self.track(id).await?;
        Ok(track
            .filter(|track| !case.is_turned_down(&track.uri))
            .map(|track| Fate::Matched {
                uri: track.uri,
                score: 1.0,
                how: How::Given,
            }))
    }

    /// `None` for an id that is none.
    async fn track(&self, id: &str) -> Result<Option<Track>, Stop> {
        let api = self.session.web_api();
        match self
            .session
            .read(Kind::Catalog, |token| async move { api.track(&token, id).await })
            .await
        {
            Ok(track) => Ok(Some(track)),
            Err(Stop::Api(ApiError::NotFound | ApiError::Rejected { .. })) => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    fn searched(&self, subject: &Subject) -> Option<Fate> {
        self.lock().get(subject).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Subject, Fate>> {
        self.searched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn corrected(uri: &str) -> Fate {
    Fate::Matched {
        uri: uri.to_owned(),
        score: 1.0,
        how: How::Corrected,
    }
}

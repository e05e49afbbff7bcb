//! Forgetting an export before its time: the person has changed their mind, or wants nothing kept.

use super::{Caller, ExportError, ExportId, Exporter, job::Job};
use crate::{
    store::{StoreError, Written},
    system::Timestamp,
};

/// A runner writes every few seconds, so a race that is lost is mostly won the next time.
const TRIES_MAX: usize = 8;

/// What is left of an export that was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// The playlist, if there is one: it is the person's, and stays.
    pub playlist_url: Option<String>,
    /// Tracks that are in it for certain; a batch that is on its way may follow.
    pub tracks_added: usize,
}

impl Exporter {
    /// Forgets an export of this caller's, with its songs. Whoever runs it finds it gone before the next call that
    /// changes anything.
    ///
    /// # Errors
    /// [`ExportError`]; `NotFound` for everybody else's.
    pub async fn cancel(&self, id: &ExportId, caller: &Caller) -> Result<Cancelled, ExportError> {
        let who = self.recognize(caller, Timestamp::MAX).await?;
        for _ in 0..TRIES_MAX {
            let found = self.jobs.find(id, &who.owner).await?;
            let (head, version) = found.ok_or(ExportError::NotFound)?;
            let (total, playlist) = (head.total, head.playlist.clone());
            let cancelled = self
                .what_stays(Job::new(id.clone(), who.owner.clone(), version, head))
                .await;
            // The head first: without it a runner can do nothing more, and nobody can begin.
            if let Written::As(_) = self.jobs.remove_head(id, version).await? {
                self.jobs.remove_parts(id, total).await?;
                if let Some(playlist) = playlist {
                    self.jobs.release_playlist(&playlist.id).await?;
                }
                return Ok(cancelled);
            }
        }
        Err(StoreError::unavailable("an export is written faster than it can be removed").into())
    }

    async fn what_stays(&self, job: Job) -> Cancelled {
        let (playlist, filled) = (job.head.playlist.clone(), job.head.filled);
        // Songs that cannot be read are one more reason to let go of them.
        let tracks_added = match self.jobs.with_parts(job).await {
            Ok(job) => job.plan().items_after(filled),
            Err(_) => filled,
        };
        Cancelled {
            playlist_url: playlist.map(|playlist| playlist.url),
            tracks_added,
        }
    }
}

//! What a person plays now, and what they played last.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Answer, FRESH, Listening, ListeningError,
    account::{Account, Part},
    calls::Patience,
    lookup::Subject,
};
use crate::{
    ids::UserId,
    limits::Class,
    metrics::LastfmCall,
    providers::lastfm::{Play, RecentAsk, RecentPage, Track},
    system::{BoxFuture, Timestamp},
};

/// Plays that are told at most, and that are always asked for: one answer does for everybody.
pub const RECENT_MAX: usize = 50;

/// The last known answer is kept for so long, for when there is no newer one.
const LIFE: Duration = Duration::from_hours(7 * 24);

/// What a person plays now, and what they played last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// What is playing; no play yet. Never told of another moment than the present.
    pub now_playing: Option<Track>,
    /// What was played, the latest first.
    pub plays: Vec<Play>,
}

/// The same as it is stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRecent {
    now_playing: Option<StoredTrack>,
    plays: Vec<(Timestamp, StoredTrack)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredTrack {
    artist: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
}

impl Listening {
    /// What the account that `user` has linked plays now, and its last plays, [`RECENT_MAX`] at most.
    ///
    /// # Errors
    /// [`ListeningError`], when nothing is known.
    pub async fn recent(&self, user: &UserId, class: Class) -> Result<Answer<Recent>, ListeningError> {
        self.calls()?;
        let account = self.account(user).await?;
        let patience = self.patience(class);
        let subject = Subject {
            name: "recent".to_owned(),
            part: Part::Plays,
            fresh: FRESH,
            life: LIFE,
        };
        let known = self.look_up(
            &account,
            subject,
            move |listening, account| -> BoxFuture<'static, _> {
                Box::pin(async move { ask(&listening, &account, patience).await })
            },
        );
        let (stored, as_of, problem) = known.await?;
        let mut recent: Recent = stored.into();
        if problem.is_some() {
            recent.now_playing = None;
        }
        Ok(self.answer(account, recent, as_of, problem))
    }
}

async fn ask(
    listening: &Listening,
    account: &Account,
    patience: Patience,
) -> Result<StoredRecent, super::CallError> {
    let calls = listening.calls()?;
    let ask = RecentAsk {
        user: &account.username,
        session: account.session.as_ref(),
        from: None,
        to: None,
        limit: u32::try_from(RECENT_MAX).unwrap_or(u32::MAX),
        page: 1,
    };
    let page = calls
        .make(LastfmCall::Recent, patience, || calls.lastfm.recent_tracks(&ask))
        .await?;
    Ok(page.into())
}

impl From<RecentPage> for StoredRecent {
    fn from(page: RecentPage) -> Self {
        let plays = page.plays.into_iter().take(RECENT_MAX);
        Self {
            now_playing: page.now_playing.map(StoredTrack::from),
            plays: plays.map(|play| (play.at, play.track.into())).collect(),
        }
    }
}

impl From<StoredRecent> for Recent {
    fn from(stored: StoredRecent) -> Self {
        let play = |(at, track): (Timestamp, StoredTrack)| Play {
            track: track.into(),
            at,
        };
        Self {
            now_playing: stored.now_playing.map(Track::from),
            plays: stored.plays.into_iter().map(play).collect(),
        }
    }
}

impl From<Track> for StoredTrack {
    fn from(track: Track) -> Self {
        Self {
            artist: track.artist,
            title: track.title,
            album: track.album,
            url: track.url,
            image_url: track.image_url,
        }
    }
}

impl From<StoredTrack> for Track {
    fn from(track: StoredTrack) -> Self {
        Self {
            artist: track.artist,
            title: track.title,
            album: track.album,
            url: track.url,
            image_url: track.image_url,
        }
    }
}

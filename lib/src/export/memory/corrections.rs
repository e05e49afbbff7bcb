//! What a person corrected ("use this one", "never that one"): theirs, kept until they or their account go.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    export::{
        id::digest_of,
        request::{SongSpec, TEXT_CHARS_MAX, track_id},
    },
    ids::UserId,
    songs,
    store::{Collection, Record, Store, StoreError, Version, Written},
    system::{System, Timestamp},
};

/// Songs that one person may have corrected: far more than anybody does by hand, and read in one go by every export.
pub const CORRECTIONS_MAX: usize = 2000;

/// Tracks that a person may have turned down for one song: two pages of search results.
pub const NEVER_MAX: usize = 20;

/// Races over one correction that are tried again; each lost one means that the same person said something else.
const TRIES_MAX: usize = 4;

/// What one person said about one song, whatever code, album or length a list gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// Its name, for taking it back.
    #[serde(skip)]
    pub id: String,
    /// The song's title, as last written.
    pub title: String,
    /// The song's artist; empty where the list has none.
    pub artist: String,
    /// The URI of the track to take for it.
    #[serde(rename = "use")]
    pub uses: Option<String>,
    /// The URIs of tracks never to take for it.
    pub never: Vec<String>,
    /// When the person last said something about it.
    pub updated_at: Timestamp,
    /// Whether the track to take was seen at Spotify: one that is not there would spoil its whole batch.
    #[serde(default)]
    seen: bool,
}

/// A correction in the caller's words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CorrectionDraft {
    /// Which song.
    pub song: CorrectedSong,
    /// The track to take, as an id, a URI or a link.
    #[serde(rename = "use")]
    pub uses: Option<String>,
    /// A track never to take.
    pub never: Option<String>,
}

/// The song that a correction is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CorrectedSong {
    /// Its title, version words and all.
    pub title: String,
    /// Who made it, as one line.
    pub artist: Option<String>,
}

/// What is wrong with a correction. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCorrection {
    /// Which song?
    #[error("the song needs a title, and neither title nor artist has more than {TEXT_CHARS_MAX} characters")]
    Song,
    /// Neither a track to take nor one never to take.
    #[error("there is neither a track to use nor one never to use")]
    Nothing,
    /// Not the shape of a track.
    #[error("a track is an id of 22 letters and digits, a spotify:track: URI or an open.spotify.com link")]
    Track,
    /// Both at once.
    #[error("the same track cannot be the one to use and never to be used")]
    Contradiction,
}

/// Why a correction was not made or not taken back.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    /// The request.
    #[error(transparent)]
    Invalid(#[from] InvalidCorrection),
    /// The person has [`CORRECTIONS_MAX`] already.
    #[error("a person corrects at most {CORRECTIONS_MAX} songs")]
    TooMany,
    /// The song has [`NEVER_MAX`] already.
    #[error("at most {NEVER_MAX} tracks are turned down for one song")]
    TooManyNever,
    /// There is none of this name, or it is somebody else's.
    #[error("no such correction")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The corrections in the store.
#[derive(Clone, Debug)]
pub struct Corrections {
    store: Arc<dyn Store>,
    system: System,
}

/// Everything one person corrected, for one run.
#[derive(Debug, Default)]
pub(in crate::export) struct Own(HashMap<String, Kept>);

/// A correction as it was found in the store.
#[derive(Clone, Debug)]
pub(in crate::export) struct Kept {
    owner: UserId,
    version: Version,
    correction: Correction,
}

impl Corrections {
    pub(super) fn new(store: Arc<dyn Store>, system: System) -> Self {
        Self { store, system }
    }

    /// What `owner` corrected, the latest last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list(&self, owner: &UserId) -> Result<Vec<Correction>, StoreError> {
        let kept = self.kept(owner).await?;
        Ok(kept.into_iter().map(|kept| kept.correction).collect())
    }

    /// Adds what `draft` says to what `owner` said about that song before. The latest word counts: a track to use is no
    /// longer turned down, and one that is turned down no longer used.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub async fn put(&self, owner: &UserId, draft: CorrectionDraft) -> Result<Correction, CorrectionError> {
        let said = Said::new(draft)?;
        let id = id_of(owner, &said.title, &said.artist);
        for _ in 0..TRIES_MAX {
            let found = self.store.find_record(Collection::Tracks, &id).await?;
            if found.is_none() && self.kept(owner).await?.len() >= CORRECTIONS_MAX {
                return Err(CorrectionError::TooMany);
            }
            let version = found.as_ref().map_or(Version::ABSENT, |record| record.version);
            let before = found.and_then(|record| read(id.clone(), owner, &record));
            let correction = said.added_to(before.map(|kept| kept.correction), self.system.now())?;
            let mut kept = Kept {
                owner: owner.clone(),
                version,
                correction,
            };
            kept.correction.id.clone_from(&id);
            if let Written::As(_) = self.write(&kept).await? {
                return Ok(kept.correction);
            }
        }
        Err(StoreError::unavailable("a correction changes faster than it can be written").into())
    }

    /// Takes back everything `owner` said about one song.
    ///
    /// # Errors
    /// [`CorrectionError`].
    pub async fn delete(&self, owner: &UserId, id: &str) -> Result<(), CorrectionError> {
        for _ in 0..TRIES_MAX {
            let found = self.store.find_record(Collection::Tracks, id).await?;
            let theirs = found.filter(|record| record.owner.as_ref() == Some(owner));
            let version = theirs.ok_or(CorrectionError::NotFound)?.version;
            let removed = self.store.delete_record(Collection::Tracks, id, version).await?;
            if let Written::As(_) = removed {
                return Ok(());
            }
        }
        Err(StoreError::unavailable("a correction changes faster than it can be removed").into())
    }

    /// What `owner` corrected, by song.
    pub(in crate::export) async fn of(&self, owner: &UserId) -> Result<Own, StoreError> {
        let by_song = |kept: Kept| {
            let song = &kept.correction;
            (songs::key(&song.title, &song.artist), kept)
        };
        Ok(Own(self.kept(owner).await?.into_iter().map(by_song).collect()))
    }

    /// Notes whether the track to use is there. One that could not be noted is looked for once more next time.
    pub(in crate::export) async fn mark(&self, kept: &Kept, seen: bool) {
        if kept.correction.seen == seen {
            return;
        }
        let mut marked = kept.clone();
        marked.correction.seen = seen;
        if let Err(error) = self.write(&marked).await {
            tracing::warn!(%error, "whether a corrected track is there cannot be noted");
        }
    }

    async fn kept(&self, owner: &UserId) -> Result<Vec<Kept>, StoreError> {
        let records = self
            .store
            .records_of(Collection::Tracks, owner, CORRECTIONS_MAX)
            .await?;
        Ok(records
            .into_iter()
            .filter_map(|(id, record)| read(id, owner, &record))
            .collect())
    }

    async fn write(&self, kept: &Kept) -> Result<Written, StoreError> {
        let record = Record {
            version: kept.version,
            owner: Some(kept.owner.clone()),
            due_at: None,
            body: serde_json::to_value(&kept.correction).map_err(StoreError::unreadable)?,
        };
        self.store
            .write_record(Collection::Tracks, &kept.correction.id, &record)
            .await
    }
}

impl Own {
    /// What the person said about this song.
    pub(in crate::export) fn about(&self, song: &SongSpec) -> Option<&Kept> {
        // Most people corrected nothing, and a normal form takes longer than this.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&songs::key(&song.title, &song.artist))
    }
}

impl Kept {
    /// The URI of the track to use.
    pub(in crate::export) fn uses(&self) -> Option<&str> {
        self.correction.uses.as_deref()
    }

    /// Whether that track was seen at Spotify.
    pub(in crate::export) fn was_seen(&self) -> bool {
        self.correction.seen
    }

    /// The URIs of tracks never to use.
    pub(in crate::export) fn never(&self) -> &[String] {
        &self.correction.never
    }
}

/// What was asked for, checked.
#[derive(Debug)]
struct Said {
    title: String,
    artist: String,
    uses: Option<String>,
    never: Option<String>,
}

impl Said {
    fn new(draft: CorrectionDraft) -> Result<Self, InvalidCorrection> {
        let title = draft.song.title.trim().to_owned();
        let artist = draft.song.artist.unwrap_or_default().trim().to_owned();
        let too_long = |text: &str| text.chars().count() > TEXT_CHARS_MAX;
        if title.is_empty() || too_long(&title) || too_long(&artist) {
            return Err(InvalidCorrection::Song);
        }
        let uri = |given: Option<String>| {
            given
                .map(|given| track_id(given.trim()).map(uri_of).ok_or(InvalidCorrection::Track))
                .transpose()
        };
        let (uses, never) = (uri(draft.uses)?, uri(draft.never)?);
        match (&uses, &never) {
            (None, None) => Err(InvalidCorrection::Nothing),
            (uses, never) if uses == never => Err(InvalidCorrection::Contradiction),
            _ => Ok(Self {
                title,
                artist,
                uses,
                never,
            }),
        }
    }

    fn added_to(&self, before: Option<Correction>, now: Timestamp) -> Result<Correction, CorrectionError> {
        let (mut uses, mut never, mut seen) = before.map_or((None, Vec::new(), false), |before| {
            (before.uses, before.never, before.seen)
        });
        if let Some(uri) = &self.uses {
            never.retain(|turned_down| turned_down != uri);
            seen &= uses.as_ref() == Some(uri);
            uses = Some(uri.clone());
        }
        if let Some(uri) = &self.never {
            uses.take_if(|used| used == uri);
            if !never.contains(uri) {
                if never.len() >= NEVER_MAX {
                    return Err(CorrectionError::TooManyNever);
                }
                never.push(uri.clone());
            }
        }
        Ok(Correction {
            id: String::new(),
            title: self.title.clone(),
            artist: self.artist.clone(),
            seen: seen && uses.is_some(),
            uses,
            never,
            updated_at: now,
        })
    }
}

fn uri_of(id: &str) -> String {
    format!("spotify:track:{id}")
}

fn id_of(owner: &UserId, title: &str, artist: &str) -> String {
    digest_of(&["correction", owner.as_str(), &songs::key(title, artist)])
}

/// What this version cannot read corrects nothing.
fn read(id: String, owner: &UserId, record: &Record) -> Option<Kept> {
    let mut correction = Correction::deserialize(&record.body).ok()?;
    correction.id = id;
    Some(Kept {
        owner: owner.clone(),
        version: record.version,
        correction,
    })
}

//! Playlists and their rows, and the rules for writing them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{FixedFlag, Refused, World};

/// Rows one call may add, replace or remove (reference: §10.3).
const BATCH_MAX: usize = 100;

/// One playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Playlist {
    /// 22 characters of base 62.
    pub id: String,
    /// User id of the owner.
    pub owner: String,
    /// Need not be unique.
    pub name: String,
    /// Absent: null.
    pub description: Option<String>,
    /// Listed on the owner's profile. Not access control.
    pub public: bool,
    /// Others with the link may add.
    pub collaborative: bool,
    /// Users who may write besides the owner.
    pub collaborators: BTreeSet<String>,
    /// Opaque; changes with each write.
    pub snapshot_id: String,
    /// The contents, in order.
    pub rows: Vec<PlaylistRow>,
    /// Epoch milliseconds.
    pub created_at_ms: i64,
    /// True once its owner took it out of the library: no longer listed, still there for whoever has the link.
    pub unfollowed: bool,
}

/// One row of a playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaylistRow {
    /// `spotify:track:…`.
    pub uri: String,
    /// Epoch milliseconds.
    pub added_at_ms: i64,
    /// User id.
    pub added_by: String,
}

/// Why a write was refused; the Web API's words for each are its own business.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    NotFound,
    NotYours,
    TooMany,
    BadUri(String),
    BadPosition,
    BadDescription,
    /// None, or an empty one.
    BadName,
    NameTooLong,
    Full,
}

/// What `PUT /playlists/{id}` may change.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub name: Option<String>,
    pub description: Option<String>,
    pub public: Option<bool>,
    pub collaborative: Option<bool>,
}

impl World {
    /// The playlist with this id.
    #[must_use]
    pub fn playlist(&self, id: &str) -> Option<&Playlist> {
        self.playlists.get(id)
    }

    /// For tests that change one behind the API's back.
    pub fn playlist_mut(&mut self, id: &str) -> Option<&mut Playlist> {
        self.playlists.get_mut(id)
    }

    /// Every playlist, by id.
    pub fn playlists(&self) -> impl Iterator<Item = &Playlist> {
        self.playlists.values()
    }

    /// Makes an empty public playlist and answers its id.
    ///
    /// # Errors
    /// No such user.
    pub fn add_playlist(&mut self, owner: &str, name: &str) -> Result<String, Refused> {
        self.user_or_refuse(owner)?;
        Ok(self.insert_playlist(owner, name, None, true, false))
    }

    /// Takes a playlist out of its owner's library, which is all that "delete" means.
    ///
    /// # Errors
    /// `Malformed` if there is none.
    pub fn unfollow_playlist(&mut self, id: &str) -> Result<(), Refused> {
        let playlist = self.playlists.get_mut(id);
        playlist
            .ok_or_else(|| Refused::Malformed(format!("there is no playlist {id}")))?
            .unfollowed = true;
        Ok(())
    }

    pub(crate) fn create_playlist(&mut self, owner: &str, details: &Details) -> Result<String, WriteError> {
        check_texts(details)?;
        let name = details
            .name
            .as_deref()
            .filter(|name| !name.is_empty())
            .ok_or(WriteError::BadName)?;
        let public = self.settings.public_flag == FixedFlag::Ignored || details.public.unwrap_or(true);
        let collaborative = details.collaborative.unwrap_or(false);
        Ok(self.insert_playlist(owner, name, details.description.clone(), public, collaborative))
    }

    pub(crate) fn change_playlist(
        &mut self,
        id: &str,
        user: &str,
        details: Details,
    ) -> Result<(), WriteError> {
        check_texts(&details)?;
        let flag_ignored = self.settings.public_flag == FixedFlag::Ignored;
        let playlist = self.playlists.get_mut(id).ok_or(WriteError::NotFound)?;
        if playlist.owner != user {
            return Err(WriteError::NotYours);
        }
        if let Some(name) = details.name {
            playlist.name = name;
        }
        if let Some(description) = details.description {
            playlist.description = Some(description);
        }
        if let Some(public) = details.public.filter(|_| !flag_ignored) {
            playlist.public = public;
        }
        if let Some(collaborative) = details.collaborative {
            playlist.collaborative = collaborative;
        }
        self.touch(id);
        Ok(())
    }

    /// Adds rows in order at `position`, or at the end. One bad URI refuses the whole batch.
    pub(crate) fn add_items(
        &mut self,
        id: &str,
        user: &str,
        uris: &[String],
        position: Option<usize>,
    ) -> Result<String, WriteError> {
        let rows = self.rows(uris, user)?;
        let full_at = self.settings.playlist_items_max;
        let playlist = self.writable(id, user)?;
        if playlist.rows.len() + rows.len() > full_at {
            return Err(WriteError::Full);
        }
        let at = position.unwrap_or(playlist.rows.len());
        if at > playlist.rows.len() {
            return Err(WriteError::BadPosition);
        }
        playlist.rows.splice(at..at, rows);
        Ok(self.touch(id))
    }

    pub(crate) fn replace_items(
        &mut self,
        id: &str,
        user: &str,
        uris: &[String],
    ) -> Result<String, WriteError> {
        let rows = self.rows(uris, user)?;
        self.writable(id, user)?.rows = rows;
        Ok(self.touch(id))
    }

    /// Moves `length` rows from `start` to stand before the row that is at `before` now.
    pub(crate) fn reorder_items(
        &mut self,
        id: &str,
        user: &str,
        (start, length, before): (usize, usize, usize),
    ) -> Result<String, WriteError> {
        let playlist = self.writable(id, user)?;
        let end = start
            .checked_add(length)
            .filter(|&end| end <= playlist.rows.len());
        let end = end
            .filter(|_| before <= playlist.rows.len())
            .ok_or(WriteError::BadPosition)?;
        if before < start || before > end {
            let moved: Vec<_> = playlist.rows.drain(start..end).collect();
            let at = if before > end { before - length } else { before };
            playlist.rows.splice(at..at, moved);
        }
        Ok(self.touch(id))
    }

    /// Removes every row of each URI.
    pub(crate) fn remove_items(
        &mut self,
        id: &str,
        user: &str,
        uris: &[String],
    ) -> Result<String, WriteError> {
        if uris.len() > BATCH_MAX {
            return Err(WriteError::TooMany);
        }
        self.writable(id, user)?
            .rows
            .retain(|row| !uris.contains(&row.uri));
        Ok(self.touch(id))
    }

    /// The `public` that answers show, which has not always been the stored one.
    pub(crate) fn public_echo(&self, playlist: &Playlist) -> bool {
        match self.settings.public_flag {
            FixedFlag::Honoured | FixedFlag::Ignored => playlist.public,
            FixedFlag::True => true,
            FixedFlag::False => false,
        }
    }

    fn insert_playlist(
        &mut self,
        owner: &str,
        name: &str,
        description: Option<String>,
        public: bool,
        collaborative: bool,
    ) -> String {
        let id = self.random.base62(22);
        let playlist = Playlist {
            id: id.clone(),
            owner: owner.to_owned(),
            name: name.to_owned(),
            description,
            public,
            collaborative,
            collaborators: BTreeSet::new(),
            snapshot_id: String::new(),
            rows: Vec::new(),
            created_at_ms: self.now_ms(),
            unfollowed: false,
        };
        self.playlists.insert(id.clone(), playlist);
        self.touch(&id);
        id
    }

    fn writable(&mut self, id: &str, user: &str) -> Result<&mut Playlist, WriteError> {
        let playlist = self.playlists.get_mut(id).ok_or(WriteError::NotFound)?;
        if !playlist.opens_to(user) {
            return Err(WriteError::NotYours);
        }
        Ok(playlist)
    }

    fn rows(&self, uris: &[String], user: &str) -> Result<Vec<PlaylistRow>, WriteError> {
        if uris.len() > BATCH_MAX {
            return Err(WriteError::TooMany);
        }
        let known = |uri: &str| {
            uri.strip_prefix("spotify:track:").is_some_and(|id| {
                self.catalog.get(id).is_some() && !self.settings.half_gone_tracks.contains(id)
            })
        };
        if let Some(bad) = uris.iter().find(|uri| !known(uri)) {
            return Err(WriteError::BadUri(bad.clone()));
        }
        let added_at_ms = self.now_ms();
        Ok(uris
            .iter()
            .map(|uri| PlaylistRow {
                uri: uri.clone(),
                added_at_ms,
                added_by: user.to_owned(),
            })
            .collect())
    }

    /// Gives a playlist a new snapshot id and answers it.
    fn touch(&mut self, id: &str) -> String {
        let snapshot_id = format!("AAAAAQ{}", self.random.base62(26));
        if let Some(playlist) = self.playlists.get_mut(id) {
            playlist.snapshot_id.clone_from(&snapshot_id);
        }
        snapshot_id
    }
}

impl Playlist {
    /// True for the owner and the collaborators, who alone may read and write its rows.
    pub(crate) fn opens_to(&self, user: &str) -> bool {
        self.owner == user || self.collaborators.contains(user)
    }
}

/// The limits on names and descriptions (reference: §10.5).
fn check_texts(details: &Details) -> Result<(), WriteError> {
    if details
        .name
        .as_ref()
        .is_some_and(|name| name.chars().count() > 200)
    {
        return Err(WriteError::NameTooLong);
    }
    let bad = |text: &String| text.chars().count() > 300 || text.contains(['\n', '\r']);
    if details.description.as_ref().is_some_and(bad) {
        return Err(WriteError::BadDescription);
    }
    Ok(())
}

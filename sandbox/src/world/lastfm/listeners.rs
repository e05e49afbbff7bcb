//! People with a Last.fm account, and what they played.

use std::sync::Arc;

use super::Lastfm;
use crate::world::Refused;

/// The most plays that one call may add, so that a slip of the hand does not fill the memory.
const TIMES_MAX: u32 = 100_000;

/// A song takes about so long.
const SONG_S: i64 = 180;

/// What was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Song {
    /// The artist, as scrobbled.
    pub artist: String,
    /// The title, as scrobbled.
    pub title: String,
    /// The album; a scrobble may have none.
    pub album: Option<String>,
}

impl Song {
    /// A song without an album.
    #[must_use]
    pub fn new(artist: &str, title: &str) -> Self {
        Self {
            artist: artist.to_owned(),
            title: title.to_owned(),
            album: None,
        }
    }

    /// The same, from this album.
    #[must_use]
    pub fn on(self, album: &str) -> Self {
        Self {
            album: Some(album.to_owned()),
            ..self
        }
    }

    fn is_nameless(&self) -> bool {
        self.artist.trim().is_empty() || self.title.trim().is_empty()
    }
}

/// One play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// What.
    pub song: Arc<Song>,
    /// When, in UNIX seconds.
    pub at_s: i64,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The name, spelled as its owner spells it.
    pub name: String,
    /// The name of the person; may be empty.
    pub real_name: String,
    /// The country; absent if none was named.
    pub country: Option<String>,
    /// When the account was made, in UNIX seconds.
    pub registered_s: i64,
    /// Whether the account pays.
    pub subscriber: bool,
    /// "Hide recent listening information" in the privacy settings.
    pub hidden: bool,
    /// What plays right now.
    pub now_playing: Option<Song>,
    /// Oldest first.
    pub(super) plays: Vec<Play>,
}

impl Listener {
    /// What was played until `now_s`, oldest first.
    #[must_use]
    pub fn plays(&self, now_s: i64) -> &[Play] {
        &self.plays[..self.plays.partition_point(|play| play.at_s <= now_s)]
    }
}

impl Lastfm {
    /// Adds an account with nothing played, made on 1 January 2020.
    ///
    /// # Errors
    /// The name is not of ASCII letters, digits, underscores and hyphens, is longer than 64, or is taken in any
    /// spelling.
    pub fn add_user(&mut self, name: &str) -> Result<(), Refused> {
        /// Last.fm's own limit is 15; a test may want to say more.
        const NAME_CHARS_MAX: usize = 64;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(plain) {
            return Err(Refused::Malformed(
                "name is not of letters, digits, underscores and hyphens".to_owned(),
            ));
        }
        let key = name.to_ascii_lowercase();
        if self.listeners.contains_key(&key) {
            return Err(Refused::Taken(name.to_owned()));
        }
        let listener = Listener {
            name: name.to_owned(),
            real_name: String::new(),
            country: None,
            registered_s: 1_577_836_800,
            subscriber: false,
            hidden: false,
            now_playing: None,
            plays: Vec::new(),
        };
        self.listeners.insert(key, listener);
        Ok(())
    }

    /// The account with this name, in any spelling.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&Listener> {
        self.listeners.get(&name.to_ascii_lowercase())
    }

    /// The same, to change its fields. The name is also the key it is found by: leave it as it is.
    pub fn user_mut(&mut self, name: &str) -> Option<&mut Listener> {
        self.listeners.get_mut(&name.to_ascii_lowercase())
    }

    /// Everybody, by name.
    pub fn users(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.values()
    }

    /// Deletes an account with its plays and sessions.
    ///
    /// # Errors
    /// No such account.
    pub fn remove_user(&mut self, name: &str) -> Result<(), Refused> {
        self.revoke_sessions(name)?;
        self.listeners.remove(&name.to_ascii_lowercase());
        Ok(())
    }

    /// Adds one play.
    ///
    /// # Errors
    /// No such account, or a song without artist or title.
    pub fn play(&mut self, name: &str, song: &Song, at_s: i64) -> Result<(), Refused> {
        self.play_many(name, song, 1, at_s, at_s)
    }

    /// Adds so many plays, evenly spread over `[from_s, to_s)`: the first at its beginning, none at its end. If
    /// that is empty, one after another as a person plays them, the last one at its end.
    ///
    /// # Errors
    /// No such account, a song without artist or title, more than 100 000 plays, or an end before its beginning.
    pub fn play_many(
        &mut self,
        name: &str,
        song: &Song,
        times: u32,
        from_s: i64,
        to_s: i64,
    ) -> Result<(), Refused> {
        if song.is_nameless() {
            return Err(Refused::Malformed("artist or title is empty".to_owned()));
        }
        if times > TIMES_MAX {
            return Err(Refused::Malformed(format!("at most {TIMES_MAX} plays at once")));
        }
        let length_s = to_s
            .checked_sub(from_s)
            .filter(|&length_s| length_s >= 0)
            .ok_or_else(|| Refused::Malformed("the end is before the beginning".to_owned()))?;
        let (from_s, length_s) = if length_s == 0 {
            let times = i64::from(times);
            (from_s.saturating_sub((times - 1) * SONG_S), times * SONG_S)
        } else {
            (from_s, length_s)
        };
        let listener = self.listener_mut(name)?;
        let song = Arc::new(song.clone());
        listener.plays.extend((0..times).map(|index| {
            // Below the length, which is an i64.
            let after_s = i128::from(length_s) * i128::from(index) / i128::from(times);
            Play {
                song: Arc::clone(&song),
                at_s: from_s + i64::try_from(after_s).unwrap_or(0),
            }
        }));
        // Stable: of plays in the same second the later added is the newer.
        listener.plays.sort_by_key(|play| play.at_s);
        Ok(())
    }

    /// Takes one play of that second away; answers whether there was one.
    ///
    /// # Errors
    /// No such account.
    pub fn remove_play(&mut self, name: &str, song: &Song, at_s: i64) -> Result<bool, Refused> {
        let plays = &mut self.listener_mut(name)?.plays;
        let same = |play: &Play| {
            play.at_s == at_s && play.song.artist == song.artist && play.song.title == song.title
        };
        let index = plays.iter().position(same);
        if let Some(index) = index {
            plays.remove(index);
        }
        Ok(index.is_some())
    }

    /// Sets what plays right now, until it is set again.
    ///
    /// # Errors
    /// No such account, or a song without artist or title.
    pub fn now_playing(&mut self, name: &str, song: Option<Song>) -> Result<(), Refused> {
        if song.as_ref().is_some_and(Song::is_nameless) {
            return Err(Refused::Malformed("artist or title is empty".to_owned()));
        }
        self.listener_mut(name)?.now_playing = song;
        Ok(())
    }

    /// Turns "hide recent listening information" on or off.
    ///
    /// # Errors
    /// No such account.
    pub fn set_hidden(&mut self, name: &str, hidden: bool) -> Result<(), Refused> {
        self.listener_mut(name)?.hidden = hidden;
        Ok(())
    }

    pub(super) fn listener_mut(&mut self, name: &str) -> Result<&mut Listener, Refused> {
        self.user_mut(name)
            .ok_or_else(|| Refused::NoSuchUser(name.to_owned()))
    }
}

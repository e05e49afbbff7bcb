//! What an export is asked for: the words of the caller, checked once into a request that can be carried out.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::id::digest;
use crate::songs;

/// Twice what a playlist takes: songs that are named twice or not found leave room for others.
pub const SONGS_MAX: usize = 20_000;
/// The longest name. Spotify documents none, over 200 has failed with a 500, exporters cut at 100.
pub const NAME_CHARS_MAX: usize = 100;
/// The longest description; longer ones are answered 400 or 500 (reference: Spotify, limits on text).
pub const DESCRIPTION_CHARS_MAX: usize = 300;
/// The longest title, credit or album: far beyond every real one, and small enough to compare and to keep.
pub const TEXT_CHARS_MAX: usize = 500;
/// The longest `spotifyId` looked at: a share link with its tracking parameters.
const SPOTIFY_ID_CHARS_MAX: usize = 500;
/// The longest ISRC looked at: twelve characters, some hyphens, some spaces.
const ISRC_CHARS_MAX: usize = 40;
/// The longest idempotency key, as the header's draft standard has no limit and a database has.
const KEY_CHARS_MAX: usize = 255;
/// An id of Spotify's is 22 base-62 characters.
const SPOTIFY_ID_CHARS: usize = 22;

/// A request in the caller's words. Fields that are not named here are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Draft {
    /// The playlist's name.
    pub name: String,
    /// The playlist's description.
    pub description: Option<String>,
    /// Whether the playlist is listed on the profile; it is not, unless asked for.
    pub public: Option<bool>,
    /// The songs, in order.
    pub songs: Vec<SongDraft>,
    /// Through which account; the caller's own one, the BYO one first, unless said.
    pub mode: Option<Through>,
    /// Whether the operator's account may stand in when the caller's cannot be used.
    pub fallback_to_owner: Option<bool>,
}

/// One song in the caller's words.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SongDraft {
    /// Its title, version words and all.
    pub title: String,
    /// Who made it, as one line.
    pub artist: Option<String>,
    /// The album's title.
    pub album: Option<String>,
    /// The recording's code.
    pub isrc: Option<String>,
    /// Its length in milliseconds.
    pub duration_ms: Option<u64>,
    /// Its id on Spotify, as an id, a URI or a link.
    pub spotify_id: Option<String>,
}

/// The accounts a caller can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Through {
    /// The caller's grant through their own app.
    Byo,
    /// The caller's grant through the operator's app.
    Standard,
    /// The operator's own account.
    Owner,
}

/// A request that can be carried out.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) playlist: PlaylistSpec,
    pub(super) songs: Vec<SongSpec>,
    pub(super) through: Option<Through>,
    pub(super) fallback_to_owner: bool,
    pub(super) key: Option<String>,
}

/// The playlist to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlaylistSpec {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) public: bool,
}

/// One song to find.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SongSpec {
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) artist: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) album: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) isrc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration_ms: Option<u64>,
    /// What the caller gave as its id, not yet looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spotify_id: Option<String>,
}

/// What is wrong with a request. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The name.
    #[error("the playlist needs a name of 1 to {NAME_CHARS_MAX} characters, without control characters")]
    Name,
    /// The description.
    #[error("the description has at most {DESCRIPTION_CHARS_MAX} characters and no line breaks")]
    Description,
    /// An empty list.
    #[error("there is no song in the list")]
    NoSongs,
    /// More than any playlist could take.
    #[error("one export takes at most {limit} songs, and the list has {given}")]
    TooManySongs {
        /// How many it takes.
        limit: usize,
        /// How many there are.
        given: usize,
    },
    /// One song.
    #[error("song {index} has {what}")]
    Song {
        /// Its place in the request, from 0.
        index: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The `Idempotency-Key`.
    #[error("an idempotency key has 1 to {KEY_CHARS_MAX} visible ASCII characters")]
    Key,
}

impl Request {
    /// Checks `draft`; `key` is the caller's `Idempotency-Key`.
    ///
    /// # Errors
    /// [`InvalidRequest`], the first thing that is wrong.
    pub fn new(draft: Draft, key: Option<&str>) -> Result<Self, InvalidRequest> {
        let count = draft.songs.len();
        if count == 0 {
            return Err(InvalidRequest::NoSongs);
        }
        if count > SONGS_MAX {
            return Err(InvalidRequest::TooManySongs {
                limit: SONGS_MAX,
                given: count,
            });
        }
        Ok(Self {
            playlist: PlaylistSpec {
                name: name(&draft.name)?,
                description: description(draft.description)?,
                public: draft.public.unwrap_or(false),
            },
            songs: draft
                .songs
                .into_iter()
                .enumerate()
                .map(|(index, draft)| song(draft).map_err(|what| InvalidRequest::Song { index, what }))
                .collect::<Result<_, _>>()?,
            through: draft.mode,
            fallback_to_owner: draft.fallback_to_owner.unwrap_or(false),
            key: key.map(idempotency_key).transpose()?,
        })
    }

    /// Equal for requests that ask for the same.
    pub(super) fn fingerprint(&self) -> String {
        let asked = (&self.playlist, &self.songs, self.through, self.fallback_to_owner);
        // Text, numbers and lists of them always become JSON; were it otherwise, all would count as different.
        let bytes = serde_json::to_vec(&asked).unwrap_or_default();
        digest(Sha256::new_with_prefix(bytes))
    }
}

impl SongSpec {
    /// The id that the caller gave, when it has the shape of one: bare, as a URI or as a link.
    pub(super) fn given_id(&self) -> Option<&str> {
        track_id(self.spotify_id.as_deref()?)
    }

    /// Shows the song as the room `songs` wants to see it.
    pub(super) fn with_song<T>(&self, look: impl FnOnce(&songs::Song<'_>) -> T) -> T {
        let artists = [self.artist.as_str()];
        look(&songs::Song {
            title: &self.title,
            artists: if self.artist.is_empty() { &[] } else { &artists },
            album: self.album.as_deref(),
            isrc: self.isrc.as_deref(),
            duration_ms: self.duration_ms,
        })
    }
}

/// The id in `given`, when it has the shape of one: bare, as a URI or as a link.
pub(super) fn track_id(given: &str) -> Option<&str> {
    let id = given
        .strip_prefix("spotify:track:")
        .or_else(|| given.split_once("/track/").map(|(_, rest)| rest))
        .unwrap_or(given);
    let id = id.split(['?', '#']).next().unwrap_or(id);
    (id.len() == SPOTIFY_ID_CHARS && id.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(id)
}

fn name(name: &str) -> Result<String, InvalidRequest> {
    let name = name.trim();
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(InvalidRequest::Name);
    }
    Ok(name.to_owned())
}

fn description(description: Option<String>) -> Result<Option<String>, InvalidRequest> {
    let Some(description) = filled(description) else {
        return Ok(None);
    };
    let breaks_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if description.chars().count() > DESCRIPTION_CHARS_MAX || description.chars().any(breaks_line) {
        return Err(InvalidRequest::Description);
    }
    Ok(Some(description))
}

fn song(draft: SongDraft) -> Result<SongSpec, &'static str> {
    let within = |text: Option<&str>, chars_max| text.is_none_or(|text| text.chars().count() <= chars_max);
    let song = SongSpec {
        title: draft.title.trim().to_owned(),
        artist: filled(draft.artist).unwrap_or_default(),
        album: filled(draft.album),
        isrc: filled(draft.isrc),
        duration_ms: draft.duration_ms.filter(|ms| i64::try_from(*ms).is_ok()),
        spotify_id: filled(draft.spotify_id),
    };
    if song.title.is_empty() {
        return Err("no title");
    }
    if !within(Some(&song.title), TEXT_CHARS_MAX) {
        return Err("a title of more than 500 characters");
    }
    if !within(Some(&song.artist), TEXT_CHARS_MAX) {
        return Err("an artist of more than 500 characters");
    }
    if !within(song.album.as_deref(), TEXT_CHARS_MAX) {
        return Err("an album of more than 500 characters");
    }
    if !within(song.isrc.as_deref(), ISRC_CHARS_MAX) {
        return Err("an ISRC of more than 40 characters");
    }
    if !within(song.spotify_id.as_deref(), SPOTIFY_ID_CHARS_MAX) {
        return Err("a spotifyId of more than 500 characters");
    }
    Ok(song)
}

fn idempotency_key(key: &str) -> Result<String, InvalidRequest> {
    let fits = (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| key.to_owned()).ok_or(InvalidRequest::Key)
}

/// Text that is more than blanks, without those around it.
fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(name: &str, songs: usize) -> Draft {
        Draft {
            name: name.to_owned(),
            songs: vec![
                SongDraft {
                    title: "One".into(),
                    ..SongDraft::default()
                };
                songs
            ],
            ..Draft::default()
        }
    }

    fn refusal(draft: Draft) -> InvalidRequest {
        Request::new(draft, None).expect_err("a refusal")
    }

    #[test]
    fn names_and_descriptions_have_their_limits() {
        assert!(Request::new(draft(&format!(" {} ", "ü".repeat(100)), 1), None).is_ok());
        for name in ["", " \t", "a\nb", "a\u{0}b", &"x".repeat(101)] {
            assert_eq!(refusal(draft(name, 1)), InvalidRequest::Name, "{name:?}");
        }
        for text in ["two\nlines", "two\u{2028}lines", &"x".repeat(301)] {
            let described = Draft {
                description: Some(text.to_owned()),
                ..draft("n", 1)
            };
            assert_eq!(refusal(described), InvalidRequest::Description, "{text:?}");
        }
    }

    #[test]
    fn the_list_has_its_limits() {
        assert_eq!(refusal(draft("n", 0)), InvalidRequest::NoSongs);
        assert!(Request::new(draft("n", SONGS_MAX), None).is_ok());
        assert_eq!(
            refusal(draft("n", SONGS_MAX + 1)),
            InvalidRequest::TooManySongs {
                limit: SONGS_MAX,
                given: SONGS_MAX + 1
            }
        );
    }

    #[test]
    fn a_bad_song_is_named_by_its_place() {
        let mut bad = draft("n", 3);
        bad.songs[2].title = "x".repeat(501);
        assert!(matches!(refusal(bad), InvalidRequest::Song { index: 2, .. }));
    }

    #[test]
    fn unknown_fields_and_nulls_are_no_error() {
        let draft: Draft = serde_json::from_str(
            r#"{"name":"n","description":null,"colour":1,"songs":[{"title":"t","artist":null,"x":[]}]}"#,
        )
        .expect("lenient");
        assert!(Request::new(draft, Some("k")).is_ok());
    }

    #[test]
    fn ids_are_read_bare_as_uri_and_as_link() {
        let id = "4iV5W9uYEdYUVa79Axb7Rh";
        for (given, expected) in [
            (id.to_owned(), Some(id)),
            (format!("spotify:track:{id}"), Some(id)),
            (
                format!("https://open.spotify.com/intl-de/track/{id}?si=abc"),
                Some(id),
            ),
            (format!("spotify:album:{id}"), None),
            ("4iV5W9uYEdYUVa79Axb7R".to_owned(), None),
            ("../../me/playlists/aaaa".to_owned(), None),
        ] {
            let song = SongSpec {
                spotify_id: Some(given.clone()),
                ..SongSpec::default()
            };
            assert_eq!(song.given_id(), expected, "{given}");
        }
    }

    #[test]
    fn the_fingerprint_tells_requests_apart_and_ignores_the_key() {
        let one = Request::new(draft("n", 1), Some("a")).expect("valid");
        let same = Request::new(draft(" n ", 1), Some("b")).expect("valid");
        let other = Request::new(draft("n", 2), Some("a")).expect("valid");
        assert_eq!(one.fingerprint(), same.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}

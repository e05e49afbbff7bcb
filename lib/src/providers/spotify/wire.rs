//! What the Web API sends and takes. Every field that development mode may leave out is optional, old and new names
//! are both read, and nothing is inferred from absence.

use serde::{Deserialize, Serialize};

/// `GET /me`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Stable and pseudonymous since May 2026: what to link accounts on. The user id where it is missing.
    pub account_id: String,
    /// The public user id.
    pub user_id: String,
    /// May be missing.
    pub display_name: Option<String>,
    /// The largest picture offered first; may be missing.
    pub avatar_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ProfileBody {
    id: String,
    account_id: Option<String>,
    display_name: Option<String>,
    images: Option<Vec<ImageBody>>,
}

#[derive(Deserialize)]
struct ImageBody {
    url: String,
}

impl From<ProfileBody> for Profile {
    fn from(body: ProfileBody) -> Self {
        let account_id = body
            .account_id
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| body.id.clone());
        let avatar_url = body
            .images
            .unwrap_or_default()
            .into_iter()
            .next()
            .map(|image| image.url);
        Self {
            account_id,
            user_id: body.id,
            display_name: body.display_name,
            avatar_url,
        }
    }
}

/// A track, as search and lookup give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// `spotify:track:<id>`.
    pub uri: String,
    /// Its title, version words included.
    pub title: String,
    /// Every artist, the main one first.
    pub artists: Vec<String>,
    /// The album's title.
    pub album: Option<String>,
    /// The recording's ISRC.
    pub isrc: Option<String>,
    /// Its length in milliseconds.
    pub duration_ms: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct TrackBody {
    uri: String,
    name: String,
    #[serde(default)]
    artists: Vec<ArtistBody>,
    album: Option<AlbumBody>,
    external_ids: Option<ExternalIdsBody>,
    duration_ms: Option<u64>,
}

#[derive(Deserialize)]
struct ArtistBody {
    name: Option<String>,
}

#[derive(Deserialize)]
struct AlbumBody {
    name: Option<String>,
}

#[derive(Deserialize)]
struct ExternalIdsBody {
    isrc: Option<String>,
}

impl From<TrackBody> for Track {
    fn from(body: TrackBody) -> Self {
        Self {
            uri: body.uri,
            title: body.name,
            artists: body
                .artists
                .into_iter()
                .filter_map(|artist| artist.name)
                .collect(),
            album: body.album.and_then(|album| album.name),
            isrc: body.external_ids.and_then(|ids| ids.isrc),
            duration_ms: body.duration_ms,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SearchBody {
    tracks: Page<TrackBody>,
}

impl SearchBody {
    pub(super) fn into_tracks(self) -> Vec<Track> {
        self.tracks.items.into_iter().flatten().map(Track::from).collect()
    }
}

/// A page of a list. Any entry may be null.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(default = "Vec::new")]
    pub(super) items: Vec<Option<T>>,
    pub(super) total: Option<u64>,
}

/// One entry of a playlist: `item` since February 2026, `track` before and still here and there.
#[derive(Deserialize)]
pub(super) struct EntryBody {
    #[serde(alias = "track")]
    item: Option<UriBody>,
}

#[derive(Deserialize)]
struct UriBody {
    uri: Option<String>,
}

impl EntryBody {
    pub(super) fn into_uri(self) -> Option<String> {
        self.item.and_then(|item| item.uri)
    }
}

/// What `POST /me/playlists` takes. `public` only decides about the profile and search: whoever has the link can
/// open the playlist either way (reference: concepts/playlists).
#[derive(Clone, Debug, Serialize)]
pub struct NewPlaylist<'a> {
    /// Its name.
    pub name: &'a str,
    /// Listed on the profile or not.
    pub public: bool,
    /// At most 300 characters, no line breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
}

/// A playlist that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playlist {
    /// Its id.
    pub id: String,
    /// Where a person opens it.
    pub url: String,
}

#[derive(Deserialize)]
pub(super) struct PlaylistBody {
    id: String,
    external_urls: Option<ExternalUrlsBody>,
}

#[derive(Deserialize)]
struct ExternalUrlsBody {
    spotify: Option<String>,
}

impl From<PlaylistBody> for Playlist {
    fn from(body: PlaylistBody) -> Self {
        let url = body
            .external_urls
            .and_then(|urls| urls.spotify)
            .unwrap_or_else(|| format!("https://open.spotify.com/playlist/{}", body.id));
        Self { id: body.id, url }
    }
}

/// A playlist as the list of one's own playlists shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPlaylist {
    /// The playlist.
    pub playlist: Playlist,
    /// Its name.
    pub name: String,
    /// The user id of whose it is.
    pub owner_id: Option<String>,
    /// How many items it has, where the answer says.
    pub total: Option<u64>,
    /// What somebody wrote about it; not letter by letter as they wrote it.
    pub description: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ListedPlaylistBody {
    #[serde(flatten)]
    playlist: PlaylistBody,
    #[serde(default)]
    name: String,
    owner: Option<OwnerBody>,
    items: Option<TotalBody>,
    tracks: Option<TotalBody>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct OwnerBody {
    id: Option<String>,
}

#[derive(Deserialize)]
struct TotalBody {
    total: Option<u64>,
}

impl From<ListedPlaylistBody> for ListedPlaylist {
    fn from(body: ListedPlaylistBody) -> Self {
        Self {
            playlist: body.playlist.into(),
            name: body.name,
            owner_id: body.owner.and_then(|owner| owner.id),
            total: body.items.or(body.tracks).and_then(|items| items.total),
            description: body.description.filter(|text| !text.is_empty()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct AddItems<'a> {
    pub(super) uris: &'a [String],
}

//! The calls of the Web API that patchbay makes, all of which development-mode apps still have.

use std::time::Duration;

use http::{Method, Request, header};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{
    ApiError, ITEMS_PER_CALL_MAX, ListedPlaylist, NewPlaylist, Playlist, Profile, Track, below, error,
    wire::{AddItems, EntryBody, ListedPlaylistBody, Page, PlaylistBody, ProfileBody, SearchBody, TrackBody},
};
use crate::{
    providers::{HttpClient, Limits},
    secret::{AccessToken, Secret as _},
};

/// The longest that one call takes; then it is given up, and what became of it is not known.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// A page of a hundred entries in extended mode, with their market lists, is about a megabyte.
const LIMITS: Limits = Limits {
    timeout: CALL_TIMEOUT,
    body_bytes_max: 4 * 1024 * 1024,
};

/// Development mode gives at most ten results for each type (migration guide, February 2026).
const SEARCH_RESULTS: &str = "10";

/// `GET …/items` gives at most 50 entries (reference: get-playlists-items).
const ITEMS_PER_PAGE: usize = 50;

/// `GET /me/playlists` gives at most 50 (reference: get-a-list-of-current-users-playlists).
const PLAYLISTS_PER_PAGE: &str = "50";

/// The Web API at one base address.
#[derive(Clone, Debug)]
pub struct WebApi {
    http: HttpClient,
    base: Url,
}

impl WebApi {
    pub(super) fn new(http: HttpClient, base: Url) -> Self {
        Self { http, base }
    }

    /// Whose token this is. The only proof that a consent is worth anything: people who are not on a
    /// development-mode app's list get tokens, too, and a 403 here.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn me(&self, token: &AccessToken) -> Result<Profile, ApiError> {
        let body: ProfileBody = self.get(token, self.url(&["me"])).await?;
        Ok(body.into())
    }

    /// Tracks that answer to `query`, at most ten, Spotify's best guess first. Never take the first one unseen.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn search(&self, token: &AccessToken, query: &str) -> Result<Vec<Track>, ApiError> {
        let mut url = self.url(&["search"]);
        url.query_pairs_mut()
            .append_pair("q", query)
            .append_pair("type", "track")
            .append_pair("limit", SEARCH_RESULTS);
        let body: SearchBody = self.get(token, url).await?;
        Ok(body.into_tracks())
    }

    /// One track by its id.
    ///
    /// # Errors
    /// [`ApiError`]; `NotFound` or `Rejected` for an id that is none.
    pub async fn track(&self, token: &AccessToken, id: &str) -> Result<Track, ApiError> {
        let body: TrackBody = self.get(token, self.url(&["tracks", id])).await?;
        Ok(body.into())
    }

    /// Makes a playlist. Not idempotent: names need not be unique.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn create_playlist(
        &self,
        token: &AccessToken,
        playlist: &NewPlaylist<'_>,
    ) -> Result<Playlist, ApiError> {
        let body: PlaylistBody = self.post(token, self.url(&["me", "playlists"]), playlist).await?;
        Ok(body.into())
    }

    /// Appends items in the order given. Not idempotent; one bad URI fails them all.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn add_items(
        &self,
        token: &AccessToken,
        playlist_id: &str,
        uris: &[String],
    ) -> Result<(), ApiError> {
        debug_assert!(uris.len() <= ITEMS_PER_CALL_MAX, "callers cut their lists");
        let url = self.url(&["playlists", playlist_id, "items"]);
        let _snapshot: serde_json::Value = self.post(token, url, &AddItems { uris }).await?;
        Ok(())
    }

    /// One page of a playlist's entries from `offset`, as URIs, with how many the whole has. An entry that is gone
    /// from the catalogue is `None`.
    ///
    /// # Errors
    /// [`ApiError`]; `Forbidden` for a playlist that the person neither owns nor shares.
    pub async fn items(
        &self,
        token: &AccessToken,
        playlist_id: &str,
        offset: usize,
    ) -> Result<(Vec<Option<String>>, usize), ApiError> {
        let mut url = self.url(&["playlists", playlist_id, "items"]);
        url.query_pairs_mut()
            .append_pair("limit", &ITEMS_PER_PAGE.to_string())
            .append_pair("offset", &offset.to_string());
        let page: Page<EntryBody> = self.get(token, url).await?;
        let total = page
            .total
            .and_then(|total| usize::try_from(total).ok())
            .ok_or(ApiError::Unreadable)?;
        Ok((
            page.items
                .into_iter()
                .map(|entry| entry.and_then(EntryBody::into_uri))
                .collect(),
            total,
        ))
    }

    /// The person's playlists, the first fifty. Which come first is not documented; new ones have always done.
    /// Those that are not public are among them only with the scope `playlist-read-private`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn my_playlists(&self, token: &AccessToken) -> Result<Vec<ListedPlaylist>, ApiError> {
        let mut url = self.url(&["me", "playlists"]);
        url.query_pairs_mut().append_pair("limit", PLAYLISTS_PER_PAGE);
        let page: Page<ListedPlaylistBody> = self.get(token, url).await?;
        Ok(page
            .items
            .into_iter()
            .flatten()
            .map(ListedPlaylist::from)
            .collect())
    }

    fn url(&self, segments: &[&str]) -> Url {
        below(&self.base, segments)
    }

    async fn get<T: DeserializeOwned>(&self, token: &AccessToken, url: Url) -> Result<T, ApiError> {
        self.call(token, Request::get(url.as_str()), Vec::new()).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        token: &AccessToken,
        url: Url,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let body = serde_json::to_vec(body).map_err(|_| ApiError::Unreadable)?;
        let request = Request::builder().method(Method::POST).uri(url.as_str());
        self.call(
            token,
            request.header(header::CONTENT_TYPE, "application/json"),
            body,
        )
        .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        token: &AccessToken,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<T, ApiError> {
        // A token that is no header value cannot be a token that Spotify accepts.
        let request = request
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(body)
            .map_err(|_| ApiError::Unauthorized)?;
        let answer = self
            .http
            .send(request, LIMITS)
            .await
            .map_err(ApiError::Unreachable)?;
        if !answer.status.is_success() {
            return Err(error::sort(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| ApiError::Unreadable)
    }
}

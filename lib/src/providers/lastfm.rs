//! Last.fm: the calls that read what a person listens to, and the one that proves whose an account is.
//!
//! Facts and their sources: the official method pages, <https://lastfm-docs.github.io/api-docs/>, and recorded traffic of
//! 2026. Its JSON is XML turned over by a machine, so nothing is taken for granted about it but its names.

mod answers;
mod call;
mod error;
mod json;
#[cfg(test)]
mod tests;

use std::time::Duration;

use url::Url;

pub use self::answers::{Play, Profile, RecentPage, Session, TopItem, TopPage, Track};
pub use self::error::{LastfmError, Trouble};

use self::{call::Call, error::About};
use super::HttpClient;
use crate::{
    secret::{ApiKey, LoginToken, Secret as _, SessionKey, SharedSecret},
    system::Timestamp,
};

/// The longest that one call takes; then it is given up.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The most plays that one page is sure to hold (documented: 200; 1,000 by other accounts).
pub const PLAYS_PER_PAGE_MAX: u32 = 200;

/// The most rows that a list of the most played holds (reference: top lists, weekly charts).
pub const ROWS_PER_PAGE_MAX: u32 = 1000;

/// The operator's account with Last.fm's API.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Goes with every call.
    pub api_key: ApiKey,
    /// Signs what has to be signed; without it accounts cannot be proven, and what is hidden stays hidden.
    pub shared_secret: Option<SharedSecret>,
}

/// Last.fm, as one API key sees it.
#[derive(Clone, Debug)]
pub struct Lastfm {
    http: HttpClient,
    api: Url,
    site: Url,
    credentials: Credentials,
}

/// Which plays are asked for. Whoever reads several pages gives `to`, or new plays push old ones from page to page.
#[derive(Clone, Debug)]
pub struct RecentAsk<'a> {
    /// Whose.
    pub user: &'a str,
    /// Reads as the account itself, which sees what it hides from others. Without a shared secret no such call can be
    /// signed: then it is not used, and what is hidden is [`LastfmError::Hidden`].
    pub session: Option<&'a SessionKey>,
    /// No play before this comes back.
    pub from: Option<Timestamp>,
    /// No play at or after this comes back.
    pub to: Option<Timestamp>,
    /// At most so many, up to [`PLAYS_PER_PAGE_MAX`].
    pub limit: u32,
    /// Which page, from 1.
    pub page: u32,
}

/// Of what the most played are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TopOf {
    /// Songs.
    Tracks,
    /// Artists.
    Artists,
    /// Albums.
    Albums,
}

impl TopOf {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Tracks, Self::Artists, Self::Albums];

    /// Its name in questions and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracks => "tracks",
            Self::Artists => "artists",
            Self::Albums => "albums",
        }
    }
}

/// Over which time (reference: user.getTopTracks).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Ever.
    Overall,
    /// `7day`.
    Week,
    /// `1month`.
    Month,
    /// `3month`.
    Quarter,
    /// `6month`.
    HalfYear,
    /// `12month`.
    Year,
}

impl Period {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::Year,
        Self::Overall,
    ];

    /// Its name in calls and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overall => "overall",
            Self::Week => "7day",
            Self::Month => "1month",
            Self::Quarter => "3month",
            Self::HalfYear => "6month",
            Self::Year => "12month",
        }
    }
}

impl Lastfm {
    /// Last.fm at these two addresses: the API (`https://ws.audioscrobbler.com/2.0/`) and the site (`https://www.last.fm/`).
    /// The slash at the end of the API's is added where it is missing.
    #[must_use]
    pub fn new(http: &HttpClient, api: &Url, site: &Url, credentials: Credentials) -> Self {
        Self {
            http: http.clone(),
            api: folder(api, &[]),
            site: site.clone(),
            credentials,
        }
    }

    /// The credentials, for what has to be told apart by them.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where a person allows this API key to read as them; the browser comes back to `callback` with `token` added to its
    /// query (reference: webauth §2). There is no `state`: it has to be in `callback`. The address holds the API key, which
    /// no more than that browser has to see.
    #[must_use]
    pub fn login_url(&self, callback: &Url) -> Url {
        let mut url = folder(&self.site, &["api", "auth"]);
        url.query_pairs_mut()
            .append_pair("api_key", self.credentials.api_key.expose())
            .append_pair("cb", callback.as_str());
        url
    }

    /// `user.getInfo`.
    ///
    /// # Errors
    /// [`LastfmError`].
    pub async fn info(&self, user: &str) -> Result<Profile, LastfmError> {
        let call = self.about("user.getInfo", user)?;
        answers::profile(&self.send(call).await?, user)
    }

    /// `user.getRecentTracks`, one page. No play comes back that is not from `from` on and before `to`, whichever edges
    /// Last.fm counts in: it is asked for a second more (reference: getRecentTracks), and that second is dropped here. An
    /// empty window is not asked about.
    ///
    /// # Errors
    /// [`LastfmError`].
    pub async fn recent_tracks(&self, ask: &RecentAsk<'_>) -> Result<RecentPage, LastfmError> {
        if is_empty(ask.from, ask.to) {
            return Ok(RecentPage {
                total: Some(0),
                pages: Some(0),
                ..RecentPage::default()
            });
        }
        let signed = ask.session.zip(self.credentials.shared_secret.as_ref());
        let method = "user.getRecentTracks";
        let mut call = match signed {
            Some((session, secret)) => self
                .named(About::Oneself, method, ask.user)?
                .with("sk", session.expose())
                .signed(secret),
            None => self.about(method, ask.user)?,
        };
        call = call
            .with("limit", &ask.limit.clamp(1, PLAYS_PER_PAGE_MAX))
            .with("page", &ask.page.max(1));
        // Nothing is before 1970, and a 0 may be taken for no bound.
        if let Some(before) = ask.from.map(|from| from.as_s_up() - 1).filter(|&s| s > 0) {
            call = call.with("from", &before);
        }
        if let Some(to) = ask.to {
            call = call.with("to", &to.as_s_up());
        }
        let is_wanted = |at| ask.from.is_none_or(|from| from <= at) && ask.to.is_none_or(|to| at < to);
        answers::recent(&self.send(call).await?, ask.user, is_wanted)
    }

    /// `user.getTopTracks`, `user.getTopArtists` or `user.getTopAlbums`, one page of at most `limit` rows, up to
    /// [`ROWS_PER_PAGE_MAX`]; pages count from 1.
    ///
    /// # Errors
    /// [`LastfmError`].
    pub async fn top(
        &self,
        user: &str,
        of: TopOf,
        period: Period,
        limit: u32,
        page: u32,
    ) -> Result<TopPage, LastfmError> {
        let method = match of {
            TopOf::Tracks => "user.getTopTracks",
            TopOf::Artists => "user.getTopArtists",
            TopOf::Albums => "user.getTopAlbums",
        };
        let call = self
            .about(method, user)?
            .with("period", period.name())
            .with("limit", &limit.clamp(1, ROWS_PER_PAGE_MAX))
            .with("page", &page.max(1));
        answers::top(&self.send(call).await?, user, of)
    }

    /// `user.getWeeklyTrackChart`: what was played from `from` to `to`, by song, the most played first, at most `limit` songs,
    /// up to [`ROWS_PER_PAGE_MAX`]. Plays have no instants here, so the edges are Last.fm's, to the second. An empty window
    /// is not asked about.
    ///
    /// # Errors
    /// [`LastfmError`].
    pub async fn weekly_track_chart(
        &self,
        user: &str,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<TopItem>, LastfmError> {
        if is_empty(Some(from), Some(to)) {
            return Ok(Vec::new());
        }
        let call = self
            .about("user.getWeeklyTrackChart", user)?
            .with("from", &from.as_s_up().max(0))
            .with("to", &to.as_s_up())
            .with("limit", &limit.clamp(1, ROWS_PER_PAGE_MAX));
        answers::track_chart(&self.send(call).await?, user)
    }

    /// `auth.getSession`: whose account it is, and the key that reads as it. Works once for a token.
    ///
    /// # Errors
    /// [`LastfmError`]; `TokenRefused` most of all, and `SignatureRefused` without a shared secret.
    pub async fn session(&self, token: &LoginToken) -> Result<Session, LastfmError> {
        let secret = self.credentials.shared_secret.as_ref();
        let secret = secret.ok_or(LastfmError::SignatureRefused)?;
        let call = Call::new(About::Token, "auth.getSession", &self.credentials.api_key)
            .with("token", token.expose())
            .signed(secret);
        answers::session(&self.send(call).await?)
    }

    fn about(&self, method: &str, user: &str) -> Result<Call<'_>, LastfmError> {
        self.named(About::Person, method, user)
    }

    /// Without a name a signed call would be about whoever signed it, and others a refusal of the call.
    fn named(&self, about: About, method: &str, user: &str) -> Result<Call<'_>, LastfmError> {
        let user = user.trim();
        if user.is_empty() {
            return Err(LastfmError::UnknownUser);
        }
        Ok(Call::new(about, method, &self.credentials.api_key).with("user", user))
    }

    async fn send(&self, call: Call<'_>) -> Result<serde_json::Value, LastfmError> {
        call.send(&self.http, &self.api).await
    }
}

/// Whether no second since 1970 is in this window.
fn is_empty(from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    let first = from.map_or(0, Timestamp::as_s_up).max(0);
    to.is_some_and(|to| to.as_s_up() <= first)
}

/// `base` with `segments` appended to its path, and a slash at its end.
fn folder(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // A base that cannot have a path (`mailto:`) does not get past the configuration; it would stay as it is here.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments).push("");
    }
    url
}

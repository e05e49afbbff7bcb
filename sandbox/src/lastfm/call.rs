//! What a call carries, and whether it may be made at all: key, meter, signature, session.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use md5::{Digest as _, Md5};
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::server::Peer;
use crate::world::{OverCap, World};

/// The methods there are, spelled as a signature wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Session,
    Token,
    Info,
    RecentTracks,
    TopAlbums,
    TopArtists,
    TopTracks,
    WeeklyChartList,
    WeeklyTrackChart,
}

const METHODS: [(Method, &str); 9] = [
    (Method::Session, "auth.getSession"),
    (Method::Token, "auth.getToken"),
    (Method::Info, "user.getInfo"),
    (Method::RecentTracks, "user.getRecentTracks"),
    (Method::TopAlbums, "user.getTopAlbums"),
    (Method::TopArtists, "user.getTopArtists"),
    (Method::TopTracks, "user.getTopTracks"),
    (Method::WeeklyChartList, "user.getWeeklyChartList"),
    (Method::WeeklyTrackChart, "user.getWeeklyTrackChart"),
];

impl Method {
    /// The method with this name, in any spelling, and its own spelling.
    pub(super) fn find(name: &str) -> Option<(Self, &'static str)> {
        METHODS
            .into_iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
    }

    /// Methods of the login work only signed.
    fn needs_signature(self) -> bool {
        matches!(self, Self::Session | Self::Token)
    }
}

/// What the answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

/// A call, as it came.
pub(super) struct Call {
    parameters: BTreeMap<String, String>,
    address: String,
}

/// A call that passed every general check.
pub(super) struct Checked {
    pub(super) method: Method,
    pub(super) api_key: String,
    /// Whom its session key speaks for.
    pub(super) session: Option<String>,
}

impl Call {
    /// Reads the query string, and a form if there is one; what is named twice counts as named last.
    pub(super) fn read(request: &Request<Body>, body: &Bytes) -> Self {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let kind = request.headers().get(header::CONTENT_TYPE);
        let is_form =
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let form = if is_form { body.as_ref() } else { b"" };
        let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(form));
        let peer = request.extensions().get::<Peer>();
        Self {
            parameters: pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            address: peer.map_or_else(|| "127.0.0.1".to_owned(), |peer| peer.0.to_string()),
        }
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A whole number; anything else is as good as none.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    /// XML unless it is told otherwise; `None` for a format that does not exist.
    pub(super) fn format(&self) -> Option<Format> {
        match self.get("format").map(str::to_ascii_lowercase).as_deref() {
            None | Some("xml") => Some(Format::Xml),
            Some("json") => Some(Format::Json),
            Some(_) => None,
        }
    }

    /// `limit` and `page`, the first of which has a cap.
    pub(super) fn page(&self, world: &World, default: usize, cap: usize) -> Result<(usize, usize), Refusal> {
        let positive = |name| {
            let number = self.number(name).filter(|&number| number > 0);
            number.map(|number| usize::try_from(number).unwrap_or(usize::MAX))
        };
        let limit = positive("limit").unwrap_or(default);
        if limit > cap && world.settings.lastfm.over_cap == OverCap::Refused {
            return Err(Refusal::of(6));
        }
        Ok((limit.min(cap), positive("page").unwrap_or(1)))
    }

    /// Every check that does not depend on the method.
    pub(super) fn check(&self, world: &mut World) -> Result<Checked, Refusal> {
        let now_ms = world.now_ms();
        let World { lastfm, settings, .. } = world;
        let api_key = self.get("api_key").unwrap_or_default();
        let secret = lastfm.secret(api_key).ok_or(Refusal::of(10))?.to_owned();
        if lastfm.is_suspended(api_key) {
            return Err(Refusal::of(26));
        }
        if !lastfm.count_call(&settings.lastfm, api_key, &self.address, now_ms) {
            return Err(Refusal::of(29));
        }
        let name = self.get("method").ok_or(Refusal::of(3))?;
        let (method, spelling) = Method::find(name).ok_or(Refusal::of(3))?;
        let session_key = self.get("sk");
        match self.get("api_sig") {
            // Spelled otherwise, it is another signature (https://github.com/jammus/lastfm-node/pull/13).
            Some(signature)
                if name == spelling && signature.eq_ignore_ascii_case(&self.signature(&secret)) => {}
            None if session_key.is_none() && !method.needs_signature() => {}
            _ => return Err(Refusal::of(13)),
        }
        let session = match session_key {
            None => None,
            Some(key) => Some(lastfm.session(api_key, key).ok_or(Refusal::of(9))?.to_owned()),
        };
        if lastfm.chance(settings.lastfm.failures_per_mille) {
            return Err(Refusal::of(8));
        }
        Ok(Checked {
            method,
            api_key: api_key.to_owned(),
            session,
        })
    }

    /// What `api_sig` must be (reference: Last.fm §10a).
    fn signature(&self, secret: &str) -> String {
        let mut digest = Md5::new();
        for (name, value) in &self.parameters {
            if !matches!(name.as_str(), "api_sig" | "format" | "callback") {
                digest.update(name);
                digest.update(value);
            }
        }
        digest.update(secret);
        super::hex(&digest.finalize())
    }
}

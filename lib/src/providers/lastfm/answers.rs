//! What Last.fm's answers say, and how they are read.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::{LastfmError, TopOf, json::Node};
use crate::{
    secret::{Secret as _, SessionKey},
    system::Timestamp,
};

/// The file name of the grey star that stands where there is no picture (reference: JSON conventions).
const NO_PICTURE: &str = "2a96cbd8b46e442fc41c2b86b821562f";

/// The sizes of pictures, the best first: 300 pixels do for a page, and `mega` is larger than one needs.
const SIZES: &[&str] = &["extralarge", "mega", "large", "medium", "small"];

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// As Last.fm writes it, whatever was typed.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
    /// Its picture, where it has a real one.
    pub image_url: Option<String>,
    /// How much it has played, ever.
    pub play_count: Option<u64>,
}

/// A song as a listing names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Track {
    /// Who; never empty in an answer.
    pub artist: String,
    /// What; never empty in an answer.
    pub title: String,
    /// From which album, where that is known.
    pub album: Option<String>,
    /// Its page at Last.fm.
    pub url: Option<String>,
    /// The album's cover, where there is a real one.
    pub image_url: Option<String>,
}

/// A song that was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Play {
    /// Which.
    pub track: Track,
    /// When it began; whole seconds. What a device with a broken clock sent can be of 1970.
    pub at: Timestamp,
}

/// One page of plays, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentPage {
    /// What is playing right now; no play yet. It comes with any page and any window.
    pub now_playing: Option<Track>,
    /// What was played, each play once, and none outside the window that was asked for. They may be fewer than Last.fm
    /// counts to a page while more pages follow: whether any do is said by `pages`.
    pub plays: Vec<Play>,
    /// How many plays there are on all pages, where that is said. Last.fm's own number for the window as it was asked
    /// there: it counts what was played in the second before `from`, too.
    pub total: Option<u64>,
    /// How many pages, where that is said; Last.fm's own number, too.
    pub pages: Option<u64>,
}

/// One row of a list of the most played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopItem {
    /// From 1; equals are in no order.
    pub rank: Option<u64>,
    /// The song's or the album's name, or the artist's; never empty.
    pub name: String,
    /// Whose song or album it is; for an artist there is none.
    pub artist: Option<String>,
    /// How often it was played.
    pub play_count: u64,
    /// Its page at Last.fm.
    pub url: Option<String>,
    /// The album's cover, where there is a real one; artists and songs have none.
    pub image_url: Option<String>,
}

/// One page of such a list, in Last.fm's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopPage {
    /// The rows.
    pub items: Vec<TopItem>,
    /// How many rows there are on all pages, where that is said.
    pub total: Option<u64>,
}

/// What Last.fm's own page proved.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose account it is, as Last.fm writes it.
    pub name: String,
    /// Reads as that account.
    pub key: SessionKey,
}

/// `user.getInfo`.
pub(super) fn profile(body: &Value, asked: &str) -> Result<Profile, LastfmError> {
    let user = root(body, "user")?;
    let name = user.get("name").text().ok_or(LastfmError::Unreadable)?;
    if !is_same_name(&name, asked) {
        return Err(LastfmError::SomebodyElse);
    }
    Ok(Profile {
        name,
        url: link(user.get("url")),
        image_url: picture(user),
        play_count: user.get("playcount").number(),
    })
}

/// `user.getRecentTracks`, of which only the plays are kept that `is_wanted` wants.
pub(super) fn recent(
    body: &Value,
    asked: &str,
    is_wanted: impl Fn(Timestamp) -> bool,
) -> Result<RecentPage, LastfmError> {
    let list = list_about(body, "recenttracks", asked)?;
    let mut page = RecentPage {
        total: list.attribute("total").number(),
        pages: list.attribute("totalPages").number(),
        ..RecentPage::default()
    };
    let mut skipped = 0_usize;
    for item in list.get("track").items() {
        let Some(track) = track(item) else {
            skipped += 1;
            continue;
        };
        let date = item.get("date");
        if item.attribute("nowplaying").flag() || date.is_empty() {
            page.now_playing.get_or_insert(track);
        } else if let Some(at) = instant(date) {
            page.plays.push(Play { track, at });
        } else {
            skipped += 1;
        }
    }
    tell_skipped("recenttracks", skipped);
    page.plays.retain(|play| is_wanted(play.at));
    let mut seen = HashSet::new();
    page.plays
        .retain(|Play { track, at }| seen.insert((*at, track.artist.clone(), track.title.clone())));
    // As they come, but for what several devices sent late.
    page.plays.sort_by_key(|play| std::cmp::Reverse(play.at));
    Ok(page)
}

/// `user.getTopTracks` and its kin.
pub(super) fn top(body: &Value, asked: &str, of: TopOf) -> Result<TopPage, LastfmError> {
    let (root, items) = match of {
        TopOf::Tracks => ("toptracks", "track"),
        TopOf::Artists => ("topartists", "artist"),
        TopOf::Albums => ("topalbums", "album"),
    };
    let list = list_about(body, root, asked)?;
    Ok(TopPage {
        items: rows(root, list.get(items), of),
        total: list.attribute("total").number(),
    })
}

/// `user.getWeeklyTrackChart`.
pub(super) fn track_chart(body: &Value, asked: &str) -> Result<Vec<TopItem>, LastfmError> {
    let root = "weeklytrackchart";
    let list = list_about(body, root, asked)?;
    Ok(rows(root, list.get("track"), TopOf::Tracks))
}

/// `auth.getSession`.
pub(super) fn session(body: &Value) -> Result<Session, LastfmError> {
    let session = root(body, "session")?;
    let both = session.get("name").text().zip(session.get("key").text());
    let (name, key) = both.ok_or(LastfmError::Unreadable)?;
    Ok(Session {
        name,
        key: SessionKey::from_plain(key),
    })
}

/// What every answer has at its top. An empty one would say of somebody that they played nothing, so it has to be there.
fn root<'a>(body: &'a Value, name: &str) -> Result<Node<'a>, LastfmError> {
    let root = Node::of(body).get(name);
    root.is_object().then_some(root).ok_or(LastfmError::Unreadable)
}

/// A list, if it is about who was asked for or does not say about whom.
fn list_about<'a>(body: &'a Value, name: &str, asked: &str) -> Result<Node<'a>, LastfmError> {
    let list = root(body, name)?;
    match list.attribute("user").text() {
        Some(user) if !is_same_name(&user, asked) => Err(LastfmError::SomebodyElse),
        _ => Ok(list),
    }
}

fn is_same_name(answered: &str, asked: &str) -> bool {
    answered.trim().to_lowercase() == asked.trim().to_lowercase()
}

fn track(item: Node<'_>) -> Option<Track> {
    Some(Track {
        artist: item.get("artist").text()?,
        title: item.get("name").text()?,
        album: item.get("album").text(),
        url: link(item.get("url")),
        image_url: picture(item),
    })
}

/// `date`: seconds since the epoch in `uts`; its text is for people.
fn instant(date: Node<'_>) -> Option<Timestamp> {
    let uts: i64 = date.attribute("uts").number()?;
    uts.checked_mul(1000).map(Timestamp::from_ms)
}

fn rows(root: &'static str, items: Node<'_>, of: TopOf) -> Vec<TopItem> {
    let mut skipped = 0_usize;
    let rows = items.items().filter_map(|item| {
        let row = row(item, of);
        skipped += usize::from(row.is_none());
        row
    });
    let rows = rows.collect();
    tell_skipped(root, skipped);
    rows
}

fn row(item: Node<'_>, of: TopOf) -> Option<TopItem> {
    let artist = match of {
        TopOf::Tracks | TopOf::Albums => Some(item.get("artist").text()?),
        TopOf::Artists => None,
    };
    Some(TopItem {
        rank: item.attribute("rank").number(),
        name: item.get("name").text()?,
        artist,
        play_count: item.get("playcount").number()?,
        url: link(item.get("url")),
        image_url: picture(item),
    })
}

/// An address that a page may link to.
fn link(node: Node<'_>) -> Option<String> {
    let url = Url::parse(&node.text()?).ok()?;
    ["http", "https"].contains(&url.scheme()).then(|| url.into())
}

/// The best picture that is one.
fn picture(item: Node<'_>) -> Option<String> {
    let rank = |image: Node<'_>| {
        let size = image.get("size").text().unwrap_or_default();
        SIZES
            .iter()
            .position(|known| *known == size)
            .unwrap_or(SIZES.len())
    };
    let pictures = item.get("image").items().filter_map(|image| {
        let url = link(image).filter(|url| !url.contains(NO_PICTURE))?;
        Some((rank(image), url))
    });
    pictures.min_by_key(|(rank, _)| *rank).map(|(_, url)| url)
}

/// One item that cannot be read hides no other: a play less is never somebody's play too many.
fn tell_skipped(root: &'static str, skipped: usize) {
    if skipped > 0 {
        tracing::warn!(root, skipped, "Last.fm lists what cannot be read");
    }
}

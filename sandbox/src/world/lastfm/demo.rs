//! What a newcomer finds on Last.fm's side: an application, and three people who listen.

use std::sync::Arc;

use super::{Lastfm, Play, Song};
use crate::catalog::Catalog;

/// Public credentials of a demo application. They open nothing but a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoLastfm {
    /// The API key.
    pub api_key: &'static str,
    /// The shared secret, which signs.
    pub shared_secret: &'static str,
    /// The account of somebody who listens a lot.
    pub username: &'static str,
}

/// The operator's account with Last.fm's API.
pub const DEMO_LASTFM: DemoLastfm = DemoLastfm {
    api_key: "a11cea11cea11cea11cea11cea11cea1",
    shared_secret: "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e",
    username: "ana_listens",
};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// How far back the history of `ana_listens` reaches.
const HISTORY_S: i64 = 28 * DAY_S;
/// How many different songs she plays.
const FAVOURITES: usize = 60;

/// Adds the demo application, `ana_listens` (four weeks of plays, some minutes ago the last), `ben_listens` (hidden,
/// one evening of plays) and `new_ears` (nothing played).
pub(in crate::world) fn furnish(lastfm: &mut Lastfm, catalog: &Catalog, now_s: i64) {
    let furnished = lastfm
        .add_key(DEMO_LASTFM.api_key, DEMO_LASTFM.shared_secret, "lastfm-demo")
        .and_then(|()| lastfm.add_user("ana_listens"))
        .and_then(|()| lastfm.add_user("ben_listens"))
        .and_then(|()| lastfm.add_user("new_ears"))
        .and_then(|()| lastfm.set_hidden("ben_listens", true));
    debug_assert!(furnished.is_ok(), "the names are sound and the world is empty");
    let songs = favourites(lastfm, catalog);
    let history = history(lastfm, &songs, now_s);
    for (name, real_name, country, plays) in [
        (
            "ben_listens",
            "Ben",
            Some("Germany"),
            history.iter().rev().take(30).rev().cloned().collect(),
        ),
        ("ana_listens", "Ana", Some("Brazil"), history),
        ("new_ears", "", None, Vec::new()),
    ] {
        if let Some(listener) = lastfm.user_mut(name) {
            real_name.clone_into(&mut listener.real_name);
            listener.country = country.map(str::to_owned);
            listener.plays = plays;
        }
    }
}

/// Songs out of the catalogue, which has many scripts, so these have some, too.
fn favourites(lastfm: &mut Lastfm, catalog: &Catalog) -> Vec<Arc<Song>> {
    let tracks: Vec<_> = catalog.iter().collect();
    let picked = (0..FAVOURITES.min(tracks.len())).map(|_| tracks[lastfm.random.index(tracks.len())]);
    picked
        .map(|track| {
            Arc::new(Song {
                artist: track.artists.first().cloned().unwrap_or_default(),
                title: track.title.clone(),
                album: Some(track.album.clone()),
            })
        })
        .collect()
}

/// Walks back from some minutes ago: one song after another for a while, then a pause of hours, and no plays at night.
fn history(lastfm: &mut Lastfm, songs: &[Arc<Song>], now_s: i64) -> Vec<Play> {
    let mut plays = Vec::new();
    if songs.is_empty() {
        return plays;
    }
    let mut at_s = now_s - 4 * MINUTE_S;
    while at_s > now_s - HISTORY_S {
        // About eight songs of three to five minutes, and some eight hours between beginnings: 25 a day.
        for _ in 0..4 + lastfm.random.index(10) {
            // The lesser of two draws: the first songs are the ones she plays most.
            let song = lastfm
                .random
                .index(songs.len())
                .min(lastfm.random.index(songs.len()));
            plays.push(Play {
                song: Arc::clone(&songs[song]),
                at_s,
            });
            at_s -= 3 * MINUTE_S + whole(lastfm.random.index(120));
        }
        at_s -= 3 * HOUR_S + whole(lastfm.random.index(5 * 3600));
        let hour = at_s.rem_euclid(DAY_S) / HOUR_S;
        if hour < 7 {
            // Back to the evening before.
            at_s -= (hour + 1) * HOUR_S;
        }
    }
    plays.reverse();
    plays
}

/// Small numbers that were an index.
fn whole(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(0)
}

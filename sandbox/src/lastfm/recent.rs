//! `user.getRecentTracks` (reference: Last.fm §4, §10).

use super::call::{Call, Checked};
use super::dates;
use super::element::Element;
use super::refusal::Refusal;
use super::shapes;
use crate::world::{Listener, Play, Song, WindowEdges, World};

/// Without `limit`.
const LIMIT_DEFAULT: usize = 50;

/// What somebody played, newest first, and above it what plays now. Who hides it is read only by themselves.
pub(super) fn recent_tracks(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    let name = shapes::subject(world, call, checked)?;
    let listener = shapes::listener(world, &name)?;
    if listener.hidden && checked.session.as_deref() != Some(listener.name.as_str()) {
        return Err(Refusal::of(17));
    }
    let settings = &world.settings.lastfm;
    let (limit, page) = call.page(world, LIMIT_DEFAULT, settings.limit_cap)?;
    let extended = call.get("extended") == Some("1");
    let plays = window(world, listener, call.number("from"), call.number("to"));
    let newest_first: Vec<&Play> = plays.iter().rev().collect();

    let now_playing = listener.now_playing.as_ref();
    let now_playing = now_playing.filter(|_| page == 1 || settings.now_playing_everywhere);
    let now_playing = now_playing.map(|song| track(world, song, extended).attribute("nowplaying", "true"));
    let rows = shapes::cut(&newest_first, limit, page).iter().map(|play| {
        let date = Element::text("date", &dates::of_play(play.at_s)).attribute("uts", &play.at_s);
        track(world, &play.song, extended).child(date)
    });
    // What plays now is one more than the limit, and not in the total.
    let rows = now_playing.into_iter().chain(rows).collect();
    let list = Element::parent("recenttracks").list("track", rows);
    Ok(shapes::paged(
        list,
        &listener.name,
        newest_first.len(),
        limit,
        page,
    ))
}

/// The plays between two moments, as the knob says what "between" means.
pub(super) fn window<'a>(
    world: &World,
    listener: &'a Listener,
    from_s: Option<i64>,
    to_s: Option<i64>,
) -> &'a [Play] {
    let plays = listener.plays(world.now_s());
    let documented = world.settings.lastfm.window_edges == WindowEdges::Documented;
    let before = |play: &Play| from_s.is_some_and(|from_s| play.at_s < from_s + i64::from(documented));
    let plays = &plays[plays.partition_point(before)..];
    &plays[..plays.partition_point(|play| to_s.is_none_or(|to_s| play.at_s < to_s))]
}

fn track(world: &World, song: &Song, extended: bool) -> Element {
    let artist = if extended {
        Element::parent("artist")
            .field("name", &song.artist)
            .field("mbid", "")
            .field("url", &shapes::artist_url(world, &song.artist))
            .list("image", shapes::no_pictures(world, 4))
    } else {
        Element::text("artist", &song.artist).attribute("mbid", "")
    };
    let album = song.album.as_deref();
    let track = Element::parent("track")
        .child(artist)
        .field("name", &song.title)
        .field("streamable", &0)
        .field("mbid", "")
        .child(Element::text("album", &album.unwrap_or_default()).attribute("mbid", ""))
        .field("url", &shapes::track_url(world, &song.artist, &song.title))
        .list("image", shapes::cover(world, &song.artist, album));
    // The sandbox has no hearts to give.
    if extended { track.field("loved", &0) } else { track }
}

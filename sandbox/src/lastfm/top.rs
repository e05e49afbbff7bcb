//! `user.getTopTracks`, `user.getTopArtists` and `user.getTopAlbums` (reference: Last.fm §5).

use super::call::{Call, Checked};
use super::element::Element;
use super::refusal::Refusal;
use super::shapes;
use crate::world::{BadPeriod, Counted, Kind, Play, World};

const LIMIT_DEFAULT: usize = 50;

/// The periods, in days back from now; the months are taken as 30 days, which the reference leaves open.
const PERIODS: [(&str, Option<i64>); 6] = [
    ("overall", None),
    ("7day", Some(7)),
    ("1month", Some(30)),
    ("3month", Some(90)),
    ("6month", Some(180)),
    ("12month", Some(365)),
];

/// The songs somebody played most.
pub(super) fn tracks(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    list(world, call, checked, Kind::Tracks, |world, rank, row| {
        let song = row.song;
        let streamable = Element::text("streamable", &0).attribute("fulltrack", &0);
        Element::parent("track")
            .attribute("rank", &rank)
            .field("name", &song.title)
            .field("duration", &duration_s(world, row))
            .field("playcount", &row.plays)
            .field("mbid", "")
            .field("url", &shapes::track_url(world, &song.artist, &song.title))
            .child(streamable)
            .child(artist(world, row))
            .list("image", shapes::no_pictures(world, 4))
    })
}

/// The artists somebody played most.
pub(super) fn artists(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    list(world, call, checked, Kind::Artists, |world, rank, row| {
        Element::parent("artist")
            .attribute("rank", &rank)
            .field("name", &row.song.artist)
            .field("playcount", &row.plays)
            .field("mbid", "")
            .field("url", &shapes::artist_url(world, &row.song.artist))
            .field("streamable", &0)
            .list("image", shapes::no_pictures(world, 5))
    })
}

/// The albums somebody played most.
pub(super) fn albums(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    list(world, call, checked, Kind::Albums, |world, rank, row| {
        let album = row.song.album.as_deref().unwrap_or_default();
        Element::parent("album")
            .attribute("rank", &rank)
            .field("name", &album)
            .field("playcount", &row.plays)
            .field("mbid", "")
            .field("url", &shapes::album_url(world, &row.song.artist, album))
            .child(artist(world, row))
            .list("image", shapes::cover(world, &row.song.artist, Some(album)))
    })
}

fn list(
    world: &mut World,
    call: &Call,
    checked: &Checked,
    kind: Kind,
    item: impl Fn(&World, usize, &Counted<'_>) -> Element,
) -> Result<Element, Refusal> {
    let name = shapes::subject(world, call, checked)?;
    let listener = shapes::listener(world, &name)?;
    let (limit, page) = call.page(world, LIMIT_DEFAULT, world.settings.lastfm.top_limit_cap)?;
    let plays = of_period(world, listener.plays(world.now_s()), call)?;
    let counted = kind.count(plays);
    let skipped = (page - 1).saturating_mul(limit);
    let rows = shapes::cut(&counted, limit, page).iter().enumerate();
    let rows = rows
        .map(|(index, row)| item(world, skipped + index + 1, row))
        .collect();
    let (root, name) = match kind {
        Kind::Tracks => ("toptracks", "track"),
        Kind::Artists => ("topartists", "artist"),
        Kind::Albums => ("topalbums", "album"),
    };
    let list = Element::parent(root).list(name, rows);
    Ok(shapes::paged(list, &listener.name, counted.len(), limit, page))
}

/// The plays of the period that was asked for.
fn of_period<'a>(world: &World, plays: &'a [Play], call: &Call) -> Result<&'a [Play], Refusal> {
    const DAY_S: i64 = 24 * 60 * 60;
    let asked = call.get("period").unwrap_or("overall");
    let period = PERIODS.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked));
    let days = match (period, world.settings.lastfm.bad_period) {
        (Some((_, days)), _) => *days,
        (None, BadPeriod::Overall) => None,
        (None, BadPeriod::Refused) => return Err(Refusal::of(6)),
    };
    let from_s = days.map(|days| world.now_s() - days * DAY_S);
    let before = |play: &Play| from_s.is_some_and(|from_s| play.at_s < from_s);
    Ok(&plays[plays.partition_point(before)..])
}

fn artist(world: &World, row: &Counted<'_>) -> Element {
    Element::parent("artist")
        .field("name", &row.song.artist)
        .field("mbid", "")
        .field("url", &shapes::artist_url(world, &row.song.artist))
}

/// Of songs in the catalogue; 0, as so often, of all others.
fn duration_s(world: &World, row: &Counted<'_>) -> u32 {
    let mut tracks = world.catalog().iter();
    let track =
        tracks.find(|track| track.title == row.song.title && track.artists.contains(&row.song.artist));
    track.map_or(0, |track| track.duration_ms / 1000)
}

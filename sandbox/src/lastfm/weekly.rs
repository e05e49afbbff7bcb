//! `user.getWeeklyChartList` and `user.getWeeklyTrackChart` (reference: Last.fm §6).

use super::call::{Call, Checked};
use super::element::Element;
use super::recent;
use super::refusal::Refusal;
use super::shapes;
use crate::world::{Kind, World};

/// The beginning of the first week: 2005-02-13 12:00 UTC.
const FIRST_WEEK_S: i64 = 1_108_296_000;
const WEEK_S: i64 = 7 * DAY_S;
const DAY_S: i64 = 24 * 60 * 60;
/// Weeks turn at noon.
const NOON_S: i64 = DAY_S / 2;

/// Every week that is over, the same for everybody: the name is not looked up, and stands in the answer as it came.
pub(super) fn chart_list(world: &World, call: &Call) -> Element {
    let weeks = (world.now_s() - FIRST_WEEK_S).div_euclid(WEEK_S).max(0);
    let week = |number: i64| {
        let from_s = FIRST_WEEK_S + number * WEEK_S;
        Element::text("chart", "")
            .attribute("from", &from_s)
            .attribute("to", &(from_s + WEEK_S))
    };
    Element::parent("weeklychartlist")
        .attribute("user", &call.get("user").unwrap_or_default())
        .list("chart", (0..weeks).map(week).collect())
}

/// The songs somebody played most in a week, or in any other stretch of time. Who hides what they play is counted,
/// as in the top lists; the reference is silent on it.
pub(super) fn track_chart(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    let name = shapes::subject(world, call, checked)?;
    let listener = shapes::listener(world, &name)?;
    let cap = world.settings.lastfm.top_limit_cap;
    let (limit, _) = call.page(world, cap, cap)?;
    let noon_s = (world.now_s() - NOON_S).div_euclid(DAY_S) * DAY_S + NOON_S;
    // One alone counts as none.
    let asked = call.number("from").zip(call.number("to"));
    let (from_s, to_s) = asked.unwrap_or((noon_s - WEEK_S, noon_s));
    let counted = Kind::Tracks.count(recent::window(world, listener, Some(from_s), Some(to_s)));
    let rows = counted.iter().take(limit).enumerate().map(|(index, row)| {
        let song = row.song;
        Element::parent("track")
            .attribute("rank", &(index + 1))
            .child(Element::text("artist", &song.artist).attribute("mbid", ""))
            .field("name", &song.title)
            .field("mbid", "")
            .field("playcount", &row.plays)
            .list("image", shapes::no_pictures(world, 3))
            .field("url", &shapes::track_url(world, &song.artist, &song.title))
    });
    Ok(Element::parent("weeklytrackchart")
        .attribute("user", &listener.name)
        .attribute("from", &from_s)
        .attribute("to", &to_s)
        .list("track", rows.collect()))
}

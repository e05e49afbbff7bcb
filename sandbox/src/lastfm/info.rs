//! `user.getInfo` (reference: Last.fm §3).

use super::call::{Call, Checked};
use super::dates;
use super::element::{Content, Element};
use super::refusal::Refusal;
use super::shapes;
use crate::world::{Kind, World};

/// Who somebody is; answered about those who hide what they play, too.
pub(super) fn info(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    let name = shapes::subject(world, call, checked)?;
    let listener = shapes::listener(world, &name)?;
    let plays = listener.plays(world.now_s());
    let settings = &world.settings.lastfm;
    let registered = Content::Moment {
        xml: dates::of_account(listener.registered_s),
        json: listener.registered_s,
    };
    let user = Element::parent("user")
        .field("name", &listener.name)
        .field("realname", &listener.real_name)
        .field("url", &shapes::user_url(world, &listener.name))
        .field(
            "country",
            &listener.country.as_ref().unwrap_or(&settings.unset_country),
        )
        .field("age", &0)
        .field("gender", "n")
        .field("subscriber", &u8::from(listener.subscriber))
        .field("playcount", &plays.len())
        .field("playlists", &0)
        .field("bootstrap", &0)
        .field("type", "user")
        .list("image", shapes::no_pictures(world, 4))
        .child(Element::with("registered", registered).attribute("unixtime", &listener.registered_s));
    if !settings.extra_counters {
        return Ok(user);
    }
    Ok(user
        .field("artist_count", &Kind::Artists.count(plays).len())
        .field("track_count", &Kind::Tracks.count(plays).len())
        .field("album_count", &Kind::Albums.count(plays).len()))
}

//! What several answers share: whom they are about, addresses, pictures, paging.

use std::fmt::Display;

use md5::{Digest as _, Md5};
use url::form_urlencoded;

use super::call::{Call, Checked};
use super::element::Element;
use super::refusal::Refusal;
use crate::world::{Listener, Pictures, World};

/// Where the real service keeps its pictures.
const PICTURES: &str = "https://lastfm.freetls.fastly.net/i/u";
/// The grey star that stands for no picture (reference: Last.fm §2).
const STAR: &str = "2a96cbd8b46e442fc41c2b86b821562f.png";

/// A picture's sizes and their folders.
pub(super) const SIZES: [(&str, &str); 5] = [
    ("small", "34s"),
    ("medium", "64s"),
    ("large", "174s"),
    ("extralarge", "300x300"),
    ("mega", "300x300"),
];

/// Whom a call is about: the name it gives, or else who signed it. Two knobs make it somebody else, or nobody.
pub(super) fn subject(world: &mut World, call: &Call, checked: &Checked) -> Result<String, Refusal> {
    let asked = call.get("user").or(checked.session.as_deref());
    let asked = asked.ok_or(Refusal::of(6))?;
    let settings = &mut world.settings.lastfm;
    if settings.spurious_not_found > 0 {
        settings.spurious_not_found -= 1;
        return Err(Refusal::unknown_user());
    }
    let listener = world.lastfm.user(asked).ok_or(Refusal::unknown_user())?;
    if std::mem::take(&mut settings.wrong_user_once) {
        let another = world
            .lastfm
            .users()
            .find(|other| other.name != listener.name && !other.hidden);
        return Ok(another.unwrap_or(listener).name.clone());
    }
    Ok(listener.name.clone())
}

/// The account of a [`subject`].
pub(super) fn listener<'a>(world: &'a World, name: &str) -> Result<&'a Listener, Refusal> {
    world.lastfm.user(name).ok_or(Refusal::unknown_user())
}

/// An artist's page on this sandbox.
pub(super) fn artist_url(world: &World, artist: &str) -> String {
    format!("{}/music/{}", world.base_url(), plus_encoded(artist))
}

/// A track's page on this sandbox.
pub(super) fn track_url(world: &World, artist: &str, title: &str) -> String {
    format!("{}/_/{}", artist_url(world, artist), plus_encoded(title))
}

/// An album's page on this sandbox.
pub(super) fn album_url(world: &World, artist: &str, album: &str) -> String {
    format!("{}/{}", artist_url(world, artist), plus_encoded(album))
}

/// A person's page on this sandbox.
pub(super) fn user_url(world: &World, name: &str) -> String {
    format!("{}/user/{name}", world.base_url())
}

fn plus_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The pictures of something that has none, in the first so many sizes.
pub(super) fn no_pictures(world: &World, sizes: usize) -> Vec<Element> {
    let file = match world.settings.lastfm.pictures {
        Pictures::Star => Some(STAR),
        Pictures::Empty => None,
    };
    pictures(file, sizes)
}

/// The pictures of an album: addresses that look like the real ones, and lead nowhere.
pub(super) fn cover(world: &World, artist: &str, album: Option<&str>) -> Vec<Element> {
    const COVER_SIZES: usize = 4;
    let has_cover = |album: &&str| world.settings.lastfm.covers && !album.is_empty();
    let Some(album) = album.filter(has_cover) else {
        return no_pictures(world, COVER_SIZES);
    };
    let digest = Md5::new()
        .chain_update(artist)
        .chain_update("\n")
        .chain_update(album);
    let file = format!("{}.jpg", super::hex(&digest.finalize()));
    pictures(Some(&file), COVER_SIZES)
}

fn pictures(file: Option<&str>, sizes: usize) -> Vec<Element> {
    let picture = |(size, folder): &(&'static str, &str)| {
        let url = file.map(|file| format!("{PICTURES}/{folder}/{file}"));
        Element::text("image", &url.unwrap_or_default()).attribute("size", &size)
    };
    SIZES.iter().take(sizes).map(picture).collect()
}

/// The attributes of a list that has pages.
pub(super) fn paged(list: Element, user: &str, total: usize, limit: usize, page: usize) -> Element {
    let numbers: [(&'static str, &dyn Display); 5] = [
        ("user", &user),
        ("totalPages", &total.div_ceil(limit.max(1))),
        ("page", &page),
        ("perPage", &limit),
        ("total", &total),
    ];
    let attribute = |list: Element, (name, value): (&'static str, &dyn Display)| list.attribute(name, value);
    numbers.into_iter().fold(list, attribute)
}

/// One page of a list that is there as a whole.
pub(super) fn cut<T>(list: &[T], limit: usize, page: usize) -> &[T] {
    let from = (page - 1).saturating_mul(limit).min(list.len());
    &list[from..from.saturating_add(limit).min(list.len())]
}

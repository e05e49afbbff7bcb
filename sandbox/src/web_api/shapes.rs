//! The objects of the Web API, as JSON: users, tracks, playlists, pages (reference: §9.4, §10, §12).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::payload::Page;
use crate::catalog::Track;
use crate::world::{ItemNames, Mode, Playlist, PlaylistRow, User, World};

/// The names a playlist's contents go by in one answer.
#[derive(Clone, Copy)]
pub(super) struct Names {
    new: bool,
    old: bool,
}

impl Names {
    pub(super) fn of(world: &World, mode: Mode) -> Self {
        match (mode, world.settings.item_names) {
            (Mode::Extended, _) | (_, ItemNames::Legacy) => Self {
                new: false,
                old: true,
            },
            (_, ItemNames::New) => Self {
                new: true,
                old: false,
            },
            (_, ItemNames::Both) => Self { new: true, old: true },
        }
    }
}

/// A page of a list. `query` is what the addresses repeat besides the numbers, ending in `&` if not empty.
pub(super) fn paging(href: &str, query: &str, rows: &[Value], total: usize, page: Page) -> Value {
    let at = |offset: usize| format!("{href}?{query}offset={offset}&limit={}", page.limit);
    let next = (page.limit > 0 && page.offset + page.limit < total).then(|| at(page.offset + page.limit));
    let previous = (page.offset > 0).then(|| at(page.offset.saturating_sub(page.limit)));
    json!({
        "href": at(page.offset), "items": rows, "limit": page.limit, "next": next,
        "offset": page.offset, "previous": previous, "total": total,
    })
}

/// The short form of a user, as owner or adder.
pub(super) fn user(world: &World, id: &str) -> Value {
    let base = world.base_url();
    json!({
        "display_name": world.user(id).and_then(|user| user.display_name.as_deref()),
        "external_urls": {"spotify": format!("{base}/open/user/{id}")},
        "href": format!("{base}/v1/users/{id}"), "id": id, "type": "user", "uri": format!("spotify:user:{id}"),
    })
}

/// `GET /me`. Development mode tells neither country nor e-mail nor product.
pub(super) fn me(world: &World, who: &User, mode: Mode) -> Value {
    let mut body = user(world, &who.id);
    body["account_id"] = json!(who.account_id);
    body["images"] = json!([]);
    if mode == Mode::Extended {
        body["country"] = json!("SE");
        body["email"] = json!(format!("{}@example.invalid", who.id));
        body["explicit_content"] = json!({"filter_enabled": false, "filter_locked": false});
        body["followers"] = json!({"href": null, "total": 0});
        body["product"] = json!(if who.premium { "premium" } else { "free" });
    }
    body
}

pub(super) fn track(world: &World, track: &Track, mode: Mode) -> Value {
    let base = world.base_url();
    let artists: Vec<Value> = track.artists.iter().map(|name| artist(base, name)).collect();
    let album_id = made_up_id("album", &format!("{}\n{}", track.album, track.artists[0]));
    let mut album = json!({
        "album_type": "album", "artists": artists[..1],
        "external_urls": {"spotify": format!("{base}/open/album/{album_id}")},
        "href": format!("{base}/v1/albums/{album_id}"), "id": album_id, "images": [], "name": track.album,
        "release_date": track.year.to_string(), "release_date_precision": "year", "total_tracks": 12,
        "type": "album", "uri": format!("spotify:album:{album_id}"),
    });
    let mut body = json!({
        "artists": artists, "disc_number": 1, "duration_ms": track.duration_ms, "explicit": false,
        "external_ids": {}, "external_urls": {"spotify": format!("{base}/open/track/{}", track.id)},
        "href": format!("{base}/v1/tracks/{}", track.id), "id": track.id, "is_local": false, "is_playable": true,
        "name": track.title, "preview_url": null, "track_number": 1, "type": "track", "uri": track.uri(),
    });
    if let Some(isrc) = &track.isrc {
        body["external_ids"]["isrc"] = json!(isrc);
    }
    if mode == Mode::Extended {
        album["available_markets"] = json!(["SE"]);
        body["available_markets"] = json!(["SE"]);
        body["popularity"] = json!(50);
    }
    body["album"] = album;
    body
}

fn artist(base: &str, name: &str) -> Value {
    let id = made_up_id("artist", name);
    json!({
        "external_urls": {"spotify": format!("{base}/open/artist/{id}")}, "href": format!("{base}/v1/artists/{id}"),
        "id": id, "name": name, "type": "artist", "uri": format!("spotify:artist:{id}"),
    })
}

/// An id that follows from a name: the catalogue has none for artists and albums.
fn made_up_id(kind: &str, name: &str) -> String {
    let digest = Sha256::digest(format!("{kind}\n{name}"));
    let text = STANDARD.encode(digest).replace(['+', '/', '='], "0");
    text[..22].to_owned()
}

/// A row of a playlist; its item is null if the track is gone.
pub(super) fn row(world: &World, row: &PlaylistRow, mode: Mode) -> Value {
    let names = Names::of(world, mode);
    let known = row
        .uri
        .strip_prefix("spotify:track:")
        .and_then(|id| world.catalog().get(id));
    let item = known.map_or(Value::Null, |known| track(world, known, mode));
    let mut body = json!({
        "added_at": rfc3339(row.added_at_ms), "added_by": user(world, &row.added_by), "is_local": false,
    });
    if names.old {
        body["track"] = item.clone();
    }
    if names.new {
        body["item"] = item;
    }
    body
}

/// A playlist. `full` with the first page of contents, for those it opens to; else their number.
pub(super) fn playlist(
    world: &World,
    list: &Playlist,
    mode: Mode,
    reader: Option<&str>,
    full: bool,
) -> Value {
    let base = world.base_url();
    let href = format!("{base}/v1/playlists/{}", list.id);
    let names = Names::of(world, mode);
    let mut body = json!({
        "collaborative": list.collaborative, "description": list.description,
        "external_urls": {"spotify": format!("{base}/open/playlist/{}", list.id)},
        "href": href, "id": list.id, "images": [], "name": list.name, "owner": user(world, &list.owner),
        "primary_color": null, "public": world.public_echo(list), "snapshot_id": list.snapshot_id,
        "type": "playlist", "uri": format!("spotify:playlist:{}", list.id),
    });
    if full {
        body["followers"] = json!({"href": null, "total": 0});
    }
    if mode == Mode::Development && !reader.is_some_and(|reader| list.opens_to(reader)) {
        return body;
    }
    for (name, wanted) in [("items", names.new), ("tracks", names.old)] {
        if !wanted {
            continue;
        }
        let contents = format!("{href}/{name}");
        body[name] = if full {
            let page = Page {
                limit: 100,
                offset: 0,
            };
            let rows: Vec<Value> = page
                .cut(&list.rows)
                .into_iter()
                .map(|each| row(world, each, mode))
                .collect();
            paging(&contents, "", &rows, list.rows.len(), page)
        } else {
            json!({"href": contents, "total": list.rows.len()})
        };
    }
    body
}

/// `2026-11-21T10:00:00Z`, from epoch milliseconds (days to a date after Howard Hinnant's `civil_from_days`).
fn rfc3339(at_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_leap_days_and_centuries() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_399_000), "2000-02-28T23:59:59Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_795_264_800_500), "2026-11-21T12:40:00Z");
    }
}

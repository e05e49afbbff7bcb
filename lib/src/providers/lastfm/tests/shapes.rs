//! One page in every shape that Last.fm gives it is one page, and no JSON at all does harm.

use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    dice::{Counts, Dice, USER},
    *,
};
use crate::providers::Answer;

fn counts() -> impl Strategy<Value = Counts> {
    (any::<Option<u64>>(), any::<Option<u64>>())
}

/// A name as a reader gives it: trimmed, not empty.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9/'\"\\\\]{1,12}",
        "\\PC{1,20}",
        "(봄|夜|é|🎵|/|#text| ){1,6}"
    ]
    .prop_map(|name| name.trim().to_owned())
    .prop_filter("a name", |name| !name.is_empty())
}

fn url() -> impl Strategy<Value = String> {
    "https?://www\\.last\\.fm/[a-z/_+]{0,12}"
}

fn track() -> impl Strategy<Value = Track> {
    use proptest::option::of;
    (name(), name(), of(name()), of(url()), of(url())).prop_map(|(artist, title, album, url, image_url)| {
        Track {
            artist,
            title,
            album,
            url,
            image_url,
        }
    })
}

/// Plays, the newest first, none of them twice.
fn plays() -> impl Strategy<Value = Vec<Play>> {
    let at = prop_oneof![Just(0), 0_i64..100, 1_108_296_000_i64..1_800_000_000];
    let instants = proptest::collection::btree_set(at, 0..8);
    (instants, proptest::collection::vec(track(), 8)).prop_map(|(instants, tracks)| {
        let newest_first = instants.into_iter().rev().zip(tracks);
        newest_first
            .map(|(at, track)| Play {
                track,
                at: Timestamp::from_ms(at * 1000),
            })
            .collect()
    })
}

fn top_items() -> impl Strategy<Value = Vec<TopItem>> {
    let row = (any::<Option<u64>>(), track(), any::<u64>());
    let row = row.prop_map(|(rank, track, play_count)| TopItem {
        rank,
        name: track.title,
        artist: Some(track.artist),
        play_count,
        url: track.url,
        image_url: track.image_url,
    });
    proptest::collection::vec(row, 0..6)
}

fn rolls() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..200)
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Any JSON, with Last.fm's names in it more often than chance would have it.
fn any_json() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "user",
        "recenttracks",
        "toptracks",
        "topalbums",
        "topartists",
        "weeklytrackchart",
        "session",
        "track",
        "artist",
        "album",
        "name",
        "key",
        "date",
        "uts",
        "@attr",
        "#text",
        "nowplaying",
        "playcount",
        "image",
        "size",
        "url",
        "total",
        "error",
        "rank",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("1783056668")),
        Just(json!("true")),
        Just(json!(USER)),
    ];
    leaf.prop_recursive(6, 128, 8, |inner| {
        let member = (proptest::sample::select(NAMES), inner.clone());
        let member = member.prop_map(|(name, value)| (name.to_owned(), value));
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            proptest::collection::vec(member, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn is_named(track: &Track) -> bool {
    let named = |name: &str| !name.trim().is_empty() && name.trim() == name;
    named(&track.title) && named(&track.artist)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_page_of_plays_is_the_same_in_every_shape(
        plays in plays(),
        now in proptest::collection::vec((any::<prop::sample::Index>(), track()), 0..3),
        again in any::<Option<prop::sample::Index>>(),
        counts in counts(),
        rolls in rolls(),
    ) {
        let mut dice = Dice::new(&rolls);
        let mut items: Vec<String> = plays.iter().map(|play| dice.play(play)).collect();
        if let Some(again) = again.filter(|_| !plays.is_empty()) {
            items.push(dice.play(&plays[again.index(plays.len())]));
        }
        // The last that goes to the front is the first.
        for (place, track) in &now {
            let place = place.index(items.len() + 1);
            items.insert(place, dice.now_playing(track));
        }
        let body = dice.page("recenttracks", "track", items, counts);
        let page = answers::recent(&parsed(&body), USER, |_| true).expect(&body);
        prop_assert_eq!(&page.plays, &plays, "{}", body);
        prop_assert_eq!((page.total, page.pages), counts);
        match page.now_playing {
            Some(track) => prop_assert!(now.iter().any(|(_, playing)| *playing == track), "{}", body),
            None => prop_assert!(now.is_empty(), "{}", body),
        }
    }

    #[test]
    fn a_list_of_the_most_played_is_the_same_in_every_shape(
        rows in top_items(),
        counts in counts(),
        rolls in rolls(),
    ) {
        let mut dice = Dice::new(&rolls);
        for (of, root, name) in [
            (Some(TopOf::Tracks), "toptracks", "track"),
            (Some(TopOf::Artists), "topartists", "artist"),
            (Some(TopOf::Albums), "topalbums", "album"),
            (None, "weeklytrackchart", "track"),
        ] {
            let mut expected = rows.clone();
            let items = expected.iter_mut().map(|row| {
                let track = Track {
                    artist: row.artist.clone().unwrap_or_default(),
                    title: row.name.clone(),
                    url: row.url.clone(),
                    image_url: row.image_url.clone(),
                    album: None,
                };
                let mut members = dice.track(&track);
                if of == Some(TopOf::Artists) {
                    members.retain(|(name, _)| *name != "artist");
                    row.artist = None;
                }
                members.push(("playcount", dice.number(&row.play_count)));
                let rank = row.rank.map(|rank| ("rank", dice.number(&rank)));
                dice.with_attributes(members, rank.into_iter().collect())
            });
            let items = items.collect();
            let body = dice.page(root, name, items, counts);
            let read = match of {
                Some(of) => answers::top(&parsed(&body), USER, of).map(|page| (page.items, page.total)),
                None => answers::track_chart(&parsed(&body), USER).map(|rows| (rows, counts.0)),
            };
            prop_assert_eq!(read.expect(&body), (expected, counts.0), "{}", body);
        }
    }

    #[test]
    fn an_account_is_the_same_in_every_shape(
        url in proptest::option::of(url()),
        image_url in proptest::option::of(url()),
        play_count in any::<Option<u64>>(),
        rolls in rolls(),
    ) {
        let mut dice = Dice::new(&rolls);
        let mut members = vec![("name", dice.name(USER))];
        members.extend(url.as_ref().map(|url| ("url", dice.text(url))));
        members.extend(dice.images(image_url.as_deref()));
        members.extend(play_count.map(|count| ("playcount", dice.number(&count))));
        let user = dice.object(members);
        let body = dice.object(vec![("user", user)]);
        let profile = answers::profile(&parsed(&body), &USER.to_uppercase()).expect(&body);
        let expected = Profile { name: USER.into(), url, image_url, play_count };
        prop_assert_eq!(profile, expected, "{}", body);
    }

    #[test]
    fn no_json_does_harm_and_no_play_is_nameless(body in any_json(), cut in any::<prop::sample::Index>()) {
        let wrapped = [body.clone(), json!({"recenttracks": body, "toptracks": body, "topartists": body})];
        for body in wrapped {
            let page = answers::recent(&body, USER, |_| true).unwrap_or_default();
            prop_assert!(page.plays.iter().all(|play| is_named(&play.track)), "{}", body);
            prop_assert!(page.now_playing.iter().all(is_named), "{}", body);
            for of in [TopOf::Tracks, TopOf::Artists, TopOf::Albums] {
                let page = answers::top(&body, USER, of).unwrap_or_default();
                prop_assert!(page.items.iter().all(|row| !row.name.is_empty()), "{}", body);
            }
            let _ = answers::track_chart(&body, USER);
            let _ = answers::profile(&body, USER);
            let _ = answers::session(&body);
            let text = body.to_string();
            let answer = Answer {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: text.as_bytes()[..cut.index(text.len() + 1)].to_vec(),
                received_at: Timestamp::default(),
            };
            let read = error::body(&answer, About::Person);
            prop_assert!(read.is_err() || answer.body.len() == text.len(), "{}", text);
        }
    }
}

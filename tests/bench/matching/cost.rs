//! What the comparing costs: for an export of twenty thousand songs it is done a million times.

use std::hint::black_box;
use std::time::{Duration, Instant};

use patchbay::songs::{self, Hunt, Offered, Song, Wanted};
use sandbox::Catalog;

use crate::set::Labelled;

/// Candidates that a song is compared with: three searches of ten rows.
const CANDIDATES: usize = 30;
/// Every figure is the best of so many, for others use the machine too.
const ROUNDS: usize = 5;
/// As long as a title may be in a request.
const LONG_CHARS: usize = 500;

/// Prints one table: microseconds, and how many times what it takes to lower the case of the same names.
pub fn print(set: &[Labelled], catalog: &Catalog) {
    println!("\n| what | µs | × lower-casing the names |\n| --- | --: | --: |");
    let names = |labelled: &Labelled| (labelled.title.to_lowercase(), labelled.artist.to_lowercase());
    let yardstick = best(set.len(), || {
        for labelled in set {
            black_box(names(labelled));
        }
    });
    let row = |what: &str, each: Duration| {
        let (us, times) = (
            each.as_secs_f64() * 1e6,
            each.as_secs_f64() / yardstick.as_secs_f64(),
        );
        println!("| {what} | {us:.1} | {times:.0} |");
    };
    row(
        "a key to remember a song by",
        best(set.len(), || {
            for labelled in set {
                black_box(songs::key(&labelled.title, &labelled.artist));
            }
        }),
    );
    let artists: Vec<Vec<&str>> = catalog
        .iter()
        .map(|track| track.artists.iter().map(String::as_str).collect())
        .collect();
    let tracks: Vec<Song<'_>> = catalog
        .iter()
        .zip(&artists)
        .map(|(track, artists)| Song {
            title: &track.title,
            artists,
            album: Some(&track.album),
            isrc: track.isrc.as_deref(),
            duration_ms: Some(track.duration_ms.into()),
        })
        .collect();
    apart(set, &tracks, row);
    row(
        "one candidate taken apart and compared",
        best(set.len() * CANDIDATES, || {
            for (at, labelled) in set.iter().enumerate() {
                labelled.with_song(|song| {
                    let wanted = Wanted::new(song);
                    let candidates = tracks.iter().cycle().skip(at % tracks.len()).take(CANDIDATES);
                    for track in candidates {
                        black_box(wanted.likeness(track));
                    }
                });
            }
        }),
    );
    for (what, sign) in [
        ("latin letters", "a b "),
        ("emoji", "🎵"),
        ("brackets", "(["),
        ("combining marks", "e\u{301}\u{302}"),
        ("Hangul", "봄 날 "),
        ("Han", "愛"),
        ("Arabic", "حب "),
    ] {
        let long: String = sign.chars().cycle().take(LONG_CHARS).collect();
        let artists = [long.as_str()];
        let song = Song {
            title: &long,
            artists: &artists,
            ..Song::default()
        };
        row(
            &format!("a whole hunt with one candidate, {LONG_CHARS} characters each: {what}"),
            best(1, || {
                let mut hunt: Hunt<u8> = Hunt::new(&song);
                while let Some(query) = hunt.next_query() {
                    hunt.offer(0, &song, query.how);
                }
                black_box(hunt.found());
            }),
        );
    }
}

/// Taking songs apart, and comparing what is.
fn apart(set: &[Labelled], tracks: &[Song<'_>], row: impl Fn(&str, Duration)) {
    row(
        "a wanted song taken apart",
        best(set.len(), || {
            for labelled in set {
                labelled.with_song(|song| black_box(Wanted::new(song)));
            }
        }),
    );
    row(
        "a candidate taken apart",
        best(tracks.len(), || {
            for track in tracks {
                black_box(Offered::new(track));
            }
        }),
    );
    let offered: Vec<Offered> = tracks.iter().map(Offered::new).collect();
    let wanted: Vec<Wanted> = set
        .iter()
        .map(|labelled| labelled.with_song(Wanted::new))
        .collect();
    row(
        "two that are taken apart compared",
        best(wanted.len() * CANDIDATES, || {
            for (at, wanted) in wanted.iter().enumerate() {
                for offered in offered.iter().cycle().skip(at % offered.len()).take(CANDIDATES) {
                    black_box(wanted.likeness_to(offered));
                }
            }
        }),
    );
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
/// What one of so many takes, in the quickest round.
fn best(many: usize, mut all: impl FnMut()) -> Duration {
    let round = |_| {
        let start = Instant::now();
        all();
        start.elapsed()
    };
    let quickest = (0..ROUNDS).map(round).min().unwrap_or_default();
    quickest / u32::try_from(many.max(1)).unwrap_or(u32::MAX)
}

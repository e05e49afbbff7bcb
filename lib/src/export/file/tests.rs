//! What is read back from a file is what became of the songs, whatever they are called.

use ::csv::ReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::export::{Duplicate, How, Matched, Mode, Rejected, Unmatched};

const TEARDROP: &str = "67Hna13dNDkZvBpTXRIaOJ";

fn song(title: &str, artist: &str) -> SongSpec {
    SongSpec {
        title: title.into(),
        artist: artist.into(),
        ..SongSpec::default()
    }
}

fn uri(place: usize) -> String {
    format!("spotify:track:{place:022}")
}

/// Every song ends in the way of its place: added, unmatched, a duplicate, refused, added, …
fn ended(songs: usize) -> Finished {
    let mut finished = Finished {
        id: "AAAAAAAAAAAAAAAAAAAAAA".parse().expect("an id"),
        playlist_id: Some("p".into()),
        playlist_url: Some("https://open.spotify.com/playlist/p".into()),
        total_songs: songs,
        mode: Mode::Byo,
        used_fallback: false,
        account_id: None,
        matched: Vec::new(),
        unmatched: Vec::new(),
        duplicates: Vec::new(),
        rejected: Vec::new(),
        beyond: 0,
    };
    for index in 0..songs {
        match index % 4 {
            0 => finished.matched.push(Matched {
                index,
                uri: uri(index),
                score: 0.97,
                how: How::Fielded,
            }),
            1 => finished.unmatched.push(Unmatched {
                index,
                reason: "nothing found was alike enough".into(),
                candidates: Vec::new(),
            }),
            2 => finished.duplicates.push(Duplicate {
                index,
                uri: uri(index - 2),
                of: index - 2,
            }),
            _ => finished.rejected.push(Rejected {
                index,
                uri: uri(index),
                reason: "=refused()".into(),
            }),
        }
    }
    finished
}

fn file(name: &str, songs: &[SongSpec], finished: &Finished, format: Format) -> File {
    let playlist = PlaylistSpec {
        name: name.into(),
        description: Some("for \"late\" evenings".into()),
        public: false,
    };
    let listing = Listing {
        playlist: &playlist,
        songs: songs.iter().collect(),
        finished,
    };
    listing.as_file(format)
}

fn read_back(text: &str) -> Vec<Vec<String>> {
    ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes())
        .records()
        .map(|record| {
            record
                .expect("rows of one length")
                .iter()
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[test]
fn a_csv_has_a_row_for_every_song_with_what_became_of_it() {
    let mut songs = [
        song("Teardrop", "Massive Attack"),
        song("봄날, \"Spring\" Day", "BTS"),
        song("=HYPERLINK(\"https://x\")", "+1"),
        song("Four", ""),
    ];
    songs[0].album = Some("Mezzanine".into());
    songs[0].isrc = Some("GBAAA9800322".into());
    songs[0].duration_ms = Some(330_773);
    let file = file("Late", &songs, &ended(4), Format::Csv);
    assert!(file.text.starts_with('\u{feff}'), "Excel needs the mark");
    assert_eq!(file.text.matches("\r\n").count(), 5);
    let (first, third) = (uri(0), uri(3));
    let at = |uri: &str| format!("https://open.spotify.com/track/{}", &uri[14..]);
    assert_eq!(
        read_back(&file.text),
        [
            [
                "index",
                "title",
                "artist",
                "album",
                "isrc",
                "durationMs",
                "outcome",
                "uri",
                "url",
                "score",
                "how",
                "reason",
                "duplicateOf"
            ],
            [
                "0",
                "Teardrop",
                "Massive Attack",
                "Mezzanine",
                "GBAAA9800322",
                "330773",
                "added",
                &first,
                &at(&first),
                "0.97",
                "fielded",
                "",
                ""
            ],
            [
                "1",
                "봄날, \"Spring\" Day",
                "BTS",
                "",
                "",
                "",
                "unmatched",
                "",
                "",
                "",
                "",
                "nothing found was alike enough",
                ""
            ],
            [
                "2",
                "'=HYPERLINK(\"https://x\")",
                "'+1",
                "",
                "",
                "",
                "duplicate",
                &first,
                &at(&first),
                "",
                "",
                "",
                "0"
            ],
            [
                "3",
                "Four",
                "",
                "",
                "",
                "",
                "rejected",
                &third,
                &at(&third),
                "",
                "",
                "'=refused()",
                ""
            ],
        ]
    );
}

#[test]
fn a_jspf_lists_what_is_in_the_playlist() {
    let mut songs = vec![song("Teardrop", "Massive Attack"); 8];
    songs[0].isrc = Some("gb-aaa-98-00322".into());
    songs[0].duration_ms = Some(330_773);
    songs[0].album = Some("Mezzanine".into());
    songs[4] = song("Untitled", "");
    songs[4].isrc = Some("not known".into());
    let file = file("Late", &songs, &ended(8), Format::Jspf);
    let read: Value = serde_json::from_str(&file.text).expect("JSON");
    let at = |place| format!("https://open.spotify.com/track/{place:022}");
    assert_eq!(
        read,
        json!({"playlist": {
            "title": "Late",
            "annotation": "for \"late\" evenings",
            "identifier": "https://open.spotify.com/playlist/p",
            "track": [
                {
                    "identifier": [at(0), "isrc:GBAAA9800322"], "title": "Teardrop",
                    "creator": "Massive Attack", "album": "Mezzanine", "duration": 330_773,
                },
                {"identifier": [at(4)], "title": "Untitled"},
            ],
        }})
    );
}

#[test]
fn an_m3u8_has_seconds_names_and_links() {
    let mut songs = vec![song("Teardrop", "Massive Attack"); 8];
    songs[0].duration_ms = Some(330_773);
    songs[4] = song("Two\r\nlines\u{2028}or three", "");
    let mut finished = ended(8);
    finished.matched[0].uri = format!("spotify:track:{TEARDROP}");
    let file = file("A\nB", &songs, &finished, Format::M3u8);
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(
        lines,
        [
            "#EXTM3U",
            "#PLAYLIST:A B",
            "#EXTINF:331,Massive Attack - Teardrop",
            &format!("https://open.spotify.com/track/{TEARDROP}"),
            "#EXTINF:-1,Two  lines or three",
            &format!("https://open.spotify.com/track/{:022}", 4),
        ]
    );
}

#[test]
fn a_files_name_is_the_playlists_as_far_as_file_systems_take_it() {
    let long = "날".repeat(100);
    for (name, expected) in [
        ("Late autumn", "Late autumn.csv"),
        ("봄날 (Spring Day)", "봄날 (Spring Day).csv"),
        ("../../etc/passwd", "_.._etc_passwd.csv"),
        (".hidden.", "hidden.csv"),
        ("a\"b\\c", "a_b_c.csv"),
        ("list\u{202e}exe.", "list_exe.csv"),
        ("...", "playlist.csv"),
        (&long, &format!("{}.csv", &long[..180])),
    ] {
        let file = file(name, &[song("t", "a")], &ended(1), Format::Csv);
        assert_eq!(file.name, expected);
    }
}

/// Any name, mostly of what files and spreadsheets trip over.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[=+@;,\"'\t\r\n\0 a1\u{2028}\u{85}#-]{0,12}",
        "\\PC{0,20}",
        any::<String>()
    ]
}

fn any_song() -> impl Strategy<Value = SongSpec> {
    let lengths = proptest::option::of(0..u64::MAX);
    let album = proptest::option::of(name());
    let isrc = proptest::option::of(name());
    (name(), name(), album, isrc, lengths).prop_map(|(title, artist, album, isrc, duration_ms)| SongSpec {
        title,
        artist,
        album,
        isrc,
        duration_ms,
        spotify_id: None,
    })
}

/// `cell` as its program reads it, without the apostrophes that keep it from being calculated.
fn is_told(cell: &str, text: &str) -> bool {
    let mut left = cell.chars().peekable();
    for c in text.chars() {
        if left.peek() != Some(&c) && left.next() != Some('\'') {
            return false;
        }
        if left.next() != Some(c) {
            return false;
        }
    }
    left.next().is_none()
}

fn is_calculated(cell: &str) -> bool {
    let pieces = cell.split([';', '\t', '\r', '\n']);
    let armed =
        |piece: &str| piece.starts_with(['=', '+', '-', '@']) && piece.contains(char::is_alphanumeric);
    pieces.into_iter().any(armed)
}

proptest! {
    #[test]
    fn whatever_songs_are_called_the_files_tell_them_apart(
        playlist in name(),
        songs in proptest::collection::vec(any_song(), 1..30),
    ) {
        let finished = ended(songs.len());
        let rows = read_back(&file(&playlist, &songs, &finished, Format::Csv).text);
        prop_assert_eq!(rows.len(), songs.len() + 1);
        for (index, (row, song)) in rows[1..].iter().zip(&songs).enumerate() {
            prop_assert_eq!(&row[0], &index.to_string());
            let album = song.album.as_deref().unwrap_or_default();
            let isrc = song.isrc.as_deref().unwrap_or_default();
            for (cell, text) in row[1..].iter().zip([song.title.as_str(), &song.artist, album, isrc]) {
                prop_assert!(is_told(cell, text), "{:?} is not {:?}", cell, text);
                prop_assert!(!is_calculated(cell), "{:?}", cell);
            }
            prop_assert_eq!(&row[5], &song.duration_ms.map(|ms| ms.to_string()).unwrap_or_default());
            prop_assert_eq!(&row[6], ["added", "unmatched", "duplicate", "rejected"][index % 4]);
        }

        let m3u8 = file(&playlist, &songs, &finished, Format::M3u8).text;
        prop_assert_eq!(m3u8.lines().count(), 2 + 2 * finished.matched.len());
        let breaks = ['\r', '\u{2028}', '\u{85}', '\0'];
        prop_assert!(!m3u8.contains(breaks));
        for entry in m3u8.lines().skip(2).collect::<Vec<_>>().chunks(2) {
            prop_assert!(entry[0].starts_with("#EXTINF:") && entry[1].starts_with("https://"));
        }

        let jspf: Value = serde_json::from_str(&file(&playlist, &songs, &finished, Format::Jspf).text).expect("JSON");
        let tracks = jspf["playlist"]["track"].as_array().expect("a list");
        prop_assert_eq!(tracks.len(), finished.matched.len());
        for (track, matched) in tracks.iter().zip(&finished.matched) {
            prop_assert_eq!(&track["title"], &json!(songs[matched.index].title));
        }
    }
}

//! What a song is called: normal forms in every script, version words, and how alike two songs are.
//!
//! Pure: no clock, no network, no other room. Rather no song than a wrong one: whatever contradicts (another artist,
//! a live version, another length) keeps a candidate below [`ACCEPT_AT`], however well the rest agrees.

mod artists;
mod han;
mod hunt;
mod likeness;
mod normal;
mod queries;
mod readings;
mod spelling;
#[cfg(test)]
mod tests;
mod titles;
mod versions;

use std::fmt;

pub use self::hunt::{Hunt, Seen};
pub use self::likeness::{Offered, Wanted};
pub use self::queries::{How, QUERY_CHARS_MAX, Query, queries};
pub use self::versions::Version;

/// From this score on a candidate is the wanted song. A small doubt (a slip of spelling, a guest not credited, a radio
/// edit) stays above it; a larger one (an artist missing, an aside that only one side has) needs the length or the album
/// to agree; a contradiction stays below.
pub const ACCEPT_AT: f64 = 0.7;

/// The edition of the rules by which songs are searched for and compared. Whoever changes what is found or accepted
/// changes this, too: answers that were remembered under another edition count no more.
pub const RULES: &str = "1";

/// What is known of a song, wanted or offered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Song<'a> {
    /// As the list writes it, version words and all.
    pub title: &'a str,
    /// One line of credit ("A feat. B", "A & B"), or one name each.
    pub artists: &'a [&'a str],
    /// The album, if known.
    pub album: Option<&'a str>,
    /// The recording's code, with or without hyphens; anything else is ignored.
    pub isrc: Option<&'a str>,
    /// Length in milliseconds; 0 counts as unknown.
    pub duration_ms: Option<u64>,
}

/// How alike two songs are.
///
/// `Display` says in at most [`REASONS_CHARS_MAX`] characters what speaks against the candidate, the weightiest first:
/// "a live version, 14 s longer".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Likeness {
    /// 0 to 1; the same song from [`ACCEPT_AT`] on.
    pub score: f64,
    /// Why it is not higher.
    pub reason: Reason,
    /// What else speaks against it; [`Reason::Same`] where nothing more does.
    beside: [Reason; 4],
}

/// As much as fits on a line below a track's name.
pub const REASONS_CHARS_MAX: usize = 80;

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.reason.to_string();
        for reason in self.beside.iter().filter(|&&reason| reason != Reason::Same) {
            let more = reason.to_string();
            if said.len() + ", ".len() + more.len() <= REASONS_CHARS_MAX {
                said = said + ", " + &more;
            }
        }
        f.write_str(&said)
    }
}

impl Likeness {
    /// Whether it is the same song.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.score >= ACCEPT_AT
    }
}

/// What speaks most against a candidate; `Display` says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Nothing does.
    Same,
    /// Nothing that counts beside an equal ISRC.
    SameIsrc,
    /// Another song.
    AnotherTitle,
    /// Spelt differently, or a subtitle is missing.
    TitleDiffersSlightly,
    /// None of the wanted artists.
    DifferentArtist,
    /// Some of the wanted artists are missing.
    SomeArtistsMissing,
    /// Spelt differently, or others are there too.
    ArtistsDifferSlightly,
    /// The artist is named in the wanted title, and its artist's field names somebody else.
    ArtistOnlyInTitle,
    /// One side names no artist.
    NoArtist,
    /// The candidate is this version, and no such was wanted.
    Version(Version),
    /// This version was wanted, and the candidate is not.
    NotTheVersion(Version),
    /// Both are such versions, but perhaps not the same.
    AnotherOf(Version),
    /// One is a radio edit.
    Edit,
    /// The candidate's length differs.
    Length {
        /// Whole seconds between the two.
        apart_s: u64,
        /// Whether the candidate is the longer one.
        longer: bool,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "the same song",
            Self::SameIsrc => "the same recording by its ISRC",
            Self::AnotherTitle => "another title",
            Self::TitleDiffersSlightly => "a slightly different title",
            Self::DifferentArtist => "different artist",
            Self::SomeArtistsMissing => "some artists are missing",
            Self::ArtistsDifferSlightly => "slightly different artists",
            Self::ArtistOnlyInTitle => "its artist is named in the title only",
            Self::NoArtist => "no artist to compare",
            Self::Edit => "a different edit",
            Self::Version(version) => {
                let name = version.to_string();
                let article = match version {
                    Version::ACappella => "",
                    _ if name.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) => "an ",
                    _ => "a ",
                };
                return write!(f, "{article}{name}");
            }
            Self::NotTheVersion(version) => return write!(f, "not the {version}"),
            Self::AnotherOf(version) => return write!(f, "another {version}"),
            Self::Length { apart_s, longer } => {
                return write!(f, "{apart_s} s {}", if *longer { "longer" } else { "shorter" });
            }
        })
    }
}

/// How alike the candidate is to the wanted song. To compare one with many, keep a [`Wanted`], and to compare many with
/// many an [`Offered`] of each candidate, too.
#[must_use]
pub fn likeness(wanted: &Song<'_>, candidate: &Song<'_>) -> Likeness {
    Wanted::new(wanted).likeness(candidate)
}

/// A key for remembering matches: equal for spellings of one song ("A & B" / "B, A"; "(feat. …)" in either place;
/// remastered or not), different for its versions. Not shortened: as long as the names.
#[must_use]
pub fn key(title: &str, artist: &str) -> String {
    let artists = [artist];
    let song = Song {
        title,
        artists: &artists,
        ..Song::default()
    };
    let reading = readings::likeliest(&song);
    let title = titles::Title::new(reading.title);
    let artists = artists::Credit::new(reading.credit, &title.featured);
    let mut names: Vec<String> = title.names().map(|name| name.words().join(" ")).collect();
    names[0] = title.full.words().join(" ");
    names.sort_unstable();
    let marks = &title.marks;
    let versions: Vec<String> = marks.versions.iter().map(ToString::to_string).collect();
    let details: Vec<&str> = marks.detail.iter().map(String::as_str).collect();
    let edit = if marks.edit { "edit" } else { "" };
    let parts = [
        names.join("\u{1f}"),
        artists.key(),
        versions.join("\u{1f}"),
        details.join(" "),
        edit.to_owned(),
    ];
    parts.join("\u{1e}")
}

/// The normal form of an ISRC (ISO 3901: two letters, three letters or digits, seven digits).
pub(crate) fn isrc(code: &str) -> Option<String> {
    let code: String = code
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let bytes = code.as_bytes();
    let shaped = bytes.len() == 12
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..5].iter().all(u8::is_ascii_alphanumeric)
        && bytes[5..].iter().all(u8::is_ascii_digit);
    shaped.then_some(code)
}

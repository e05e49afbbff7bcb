//! What to ask Spotify's search for a song (reference: Spotify, `GET /v1/search`).

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::artists::{Credit, other_name};
use super::han;
use super::normal::{Script, Text};
use super::readings::{Reading, readings};
use super::titles::Title;
use super::{Song, isrc};

/// Longer queries have been answered 404 and 400 (reference: Spotify, `GET /v1/search`, quirks).
pub const QUERY_CHARS_MAX: usize = 100;
/// Development mode counts every one.
const QUERIES_MAX: usize = 3;
/// A reading worth less is only compared.
const WORTH_ASKING: f64 = 0.9;
/// The artist never takes the room that the title needs.
const ARTIST_CHARS_MAX: usize = 40;

/// One search, ready to be percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which kind of search this is.
    pub how: How,
    /// The value of `q`: at most [`QUERY_CHARS_MAX`] Unicode scalars.
    pub q: String,
}

/// The kinds of search, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// By the code of the recording.
    Isrc,
    /// By the fields `track:` and `artist:`.
    Fields,
    /// By words.
    Plain,
}

/// At most three searches, surest first; none for a song without a name and code.
#[must_use]
pub fn queries(wanted: &Song<'_>) -> Vec<Query> {
    let by_isrc = wanted.isrc.and_then(isrc).map(|isrc| Query {
        how: How::Isrc,
        q: format!("isrc:{isrc}"),
    });
    let ways = readings(wanted).ways;
    let mut by_name: Vec<Query> = Vec::new();
    for reading in ways.iter().filter(|reading| reading.worth >= WORTH_ASKING) {
        let known = by_name.clone();
        let queries = Names::new(reading).queries().into_iter();
        let fresh = queries.filter(|query| !known.iter().any(|known| narrows(&query.q, &known.q)));
        by_name.extend(fresh.filter(|query| !query.q.is_empty()));
    }
    by_isrc.into_iter().chain(by_name).take(QUERIES_MAX).collect()
}

/// Whether a query has all words of another: then it finds nothing that the other does not.
fn narrows(query: &str, known: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split([' ', ':']).map(str::to_lowercase);
        words.filter(|word| word != "track" && word != "artist").collect()
    };
    words(known).is_subset(&words(query))
}

/// The names to ask for, without anything that search would read as an operator.
struct Names {
    /// The title with its version, and its other half where it is bilingual.
    title: String,
    other_title: String,
    artist: String,
    other_artist: String,
}

impl Names {
    fn new(reading: &Reading<'_>) -> Self {
        let title = Title::new(reading.title);
        let credit = Credit::new(reading.credit.iter().copied(), &[]);
        let version = words(&title.written_version);
        let named = |name: &str| [&words(name), version.as_str()].join(" ").trim().to_owned();
        let written = named(&title.written);
        let other = title.written_alternatives.first();
        let (whole, pieces) = credit.written().unwrap_or_default();
        Self {
            other_title: other.map_or_else(|| written.clone(), |name| named(name)),
            title: written,
            artist: if pieces.len() > 1 { &pieces[0] } else { whole }.to_owned(),
            other_artist: pieces.last().cloned().unwrap_or_default(),
        }
    }

    fn queries(&self) -> Vec<Query> {
        if self.title.is_empty() {
            return Vec::new();
        }
        let fields = fielded(&self.title, &cut(&words(&self.artist), ARTIST_CHARS_MAX));
        let (title, artist) = (self.other_title.as_str(), self.other_artist.as_str());
        // A title by an artist in another script is more likely found under the name in the title's own.
        let scripts = (Text::new(title).script(), Text::new(artist).script());
        let known_as = (scripts.0 != scripts.1)
            .then(|| other_name(artist, scripts.0))
            .flatten();
        let first = match (known_as, han::other_form(title, artist)) {
            (Some(artist), _) => plain(title, artist),
            (None, Some((title, artist))) => plain(&title, &artist),
            (None, None) => plain(title, artist),
        };
        let second = han::other_form(&self.title, &self.artist)
            .map(|(title, artist)| plain(&title, &artist))
            .or_else(|| Some(plain(&self.title, self.latin_name()?)));
        let second = second.filter(|second| !narrows(second, &first));
        let plain = std::iter::once(first).chain(second);
        let plain = plain.map(|q| Query { how: How::Plain, q });
        std::iter::once(Query {
            how: How::Fields,
            q: fields,
        })
        .chain(plain)
        .collect()
    }
}

impl Names {
    /// What the artist is called in Latin letters, where the title and whatever was asked for are not written in them:
    /// Spotify has many such artists under that name.
    fn latin_name(&self) -> Option<&'static str> {
        let in_latin = |name: &str| Text::new(name).script() == Script::Latin;
        let asked = [&self.title, &self.artist, &self.other_artist];
        if asked.iter().any(|name| in_latin(name)) {
            return None;
        }
        other_name(&self.other_artist, Script::Latin)
    }
}

fn plain(title: &str, artist: &str) -> String {
    let artist = cut(&words(artist), ARTIST_CHARS_MAX);
    let room = QUERY_CHARS_MAX - artist.chars().count() - 1;
    [cut(title, room).as_str(), &artist].join(" ").trim().to_owned()
}

fn fielded(title: &str, artist: &str) -> String {
    const TRACK: &str = "track:";
    const ARTIST: &str = " artist:";
    if artist.is_empty() {
        return format!("{TRACK}{}", cut(title, QUERY_CHARS_MAX - TRACK.len()));
    }
    let room = QUERY_CHARS_MAX - TRACK.len() - ARTIST.len() - artist.chars().count();
    format!("{TRACK}{}{ARTIST}{artist}", cut(title, room))
}

/// The words of a name without anything search would read as an operator: quotes, colons, `*`, a leading minus,
/// `AND`, `OR`, `NOT`. A name of signs only keeps them.
fn words(name: &str) -> String {
    let name: String = name.nfkc().collect();
    let quiet: String = name
        .chars()
        .map(|c| {
            if matches!(c, '’' | '‘' | 'ʼ') {
                '\''
            } else {
                c
            }
        })
        .map(|c| {
            let joins = matches!(c, '\'' | '&' | '.' | '!' | '$' | '+' | '/' | '-');
            let letter = c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c);
            if joins || letter { c } else { ' ' }
        })
        .collect();
    let words = quiet
        .split_whitespace()
        .map(|word| word.trim_start_matches('-'))
        .filter(|word| !word.is_empty());
    let words: Vec<String> = words
        .map(|word| {
            if matches!(word, "AND" | "OR" | "NOT") {
                word.to_lowercase()
            } else {
                word.to_owned()
            }
        })
        .collect();
    if words.is_empty() {
        return name
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control() && !"\":*-".contains(*c))
            .collect();
    }
    words.join(" ")
}

/// At most so many characters, at a word's end where there is one.
fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else {
        return text.to_owned();
    };
    let head = &text[..end];
    let whole_words = if text[end..].starts_with(' ') {
        Some(head)
    } else {
        head.rsplit_once(' ').map(|(whole, _)| whole)
    };
    whole_words.unwrap_or(head).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(title: &str, artist: &str) -> Vec<String> {
        let song = Song {
            title,
            artists: &[artist],
            ..Song::default()
        };
        queries(&song).into_iter().map(|query| query.q).collect()
    }

    #[test]
    fn names_become_searches() {
        for (title, artist, fields, plain) in [
            (
                "Hello (feat. B) - Remastered 2011",
                "Adele feat. C",
                "track:Hello artist:Adele",
                "Hello Adele",
            ),
            (
                "봄날 (Spring Day)",
                "방탄소년단 (BTS)",
                "track:봄날 artist:방탄소년단",
                "Spring Day BTS",
            ),
            (
                "\"Heroes\": NOT*",
                "AC/DC",
                "track:Heroes not artist:AC/DC",
                "Heroes not AC",
            ),
            (
                "Song (Live at Wembley)",
                "Queen",
                "track:Song Live at Wembley artist:Queen",
                "Song Live at Wembley Queen",
            ),
            (
                "Yonkers",
                "Tyler, The Creator",
                "track:Yonkers artist:Tyler The Creator",
                "Yonkers Tyler",
            ),
            (
                "YOASOBI - 夜に駆ける",
                "",
                "track:夜に駆ける artist:YOASOBI",
                "夜に駆ける YOASOBI",
            ),
            (
                "告白气球",
                "周杰伦",
                "track:告白气球 artist:周杰伦",
                "告白氣球 周杰倫",
            ),
            (
                "千本桜",
                "まらしぃ",
                "track:千本桜 artist:まらしぃ",
                "千本桜 まらしぃ",
            ),
            ("APT.", "로제", "track:APT. artist:로제", "APT. ROSÉ"),
            ("Dynamite", "BTS", "track:Dynamite artist:BTS", "Dynamite BTS"),
            ("Don’t Stop", "", "track:Don't Stop", "Don't Stop"),
            ("÷", "!!!", "track:÷ artist:!!!", "÷ !!!"),
        ] {
            assert_eq!(asked(title, artist), [fields, plain], "{title:?} by {artist:?}");
        }
    }

    #[test]
    fn a_third_search_only_for_what_was_not_asked_yet() {
        for (title, artist, third) in [
            ("사건의 지평선", "윤하", Some("사건의 지평선 YOUNHA")),
            ("Dynamite", "방탄소년단", None),
            ("起風了", "買辣椒也用券", None),
            ("Mojito", "周杰伦 (Jay Chou)", Some("Mojito 周杰倫")),
            ("Adele - Hello", "Jane Doe", None),
            ("Adele - Hello (Lyrics)", "Jane Doe", None),
        ] {
            assert_eq!(
                asked(title, artist).get(2).map(String::as_str),
                third,
                "{title:?}"
            );
        }
    }

    #[test]
    fn the_code_comes_first_if_it_is_one() {
        let how = |isrc| {
            let song = Song {
                title: "Hello",
                artists: &["Adele"],
                isrc: Some(isrc),
                ..Song::default()
            };
            queries(&song).first().map(|query| (query.how, query.q.clone()))
        };
        assert_eq!(
            how("gb-bks-15-00214"),
            Some((How::Isrc, "isrc:GBBKS1500214".to_owned()))
        );
        assert_eq!(
            how("none\" OR"),
            Some((How::Fields, "track:Hello artist:Adele".to_owned()))
        );
    }

    #[test]
    fn nothing_is_asked_for_nothing() {
        assert_eq!(asked("", "Adele"), [""; 0]);
        assert_eq!(asked(" \"\" ", ""), [""; 0]);
    }

    #[test]
    fn long_names_end_with_a_word() {
        let queries = asked(&"ab cde ".repeat(40), &"사랑 노래 ".repeat(40));
        assert_eq!(queries.len(), 2);
        for q in queries {
            assert!(q.chars().count() <= QUERY_CHARS_MAX, "{q:?}");
            assert!(q.ends_with("사랑") || q.ends_with("노래"), "{q:?}");
            assert!(!q.contains("ab artist") || q.contains("cde"), "{q:?}");
        }
    }
}

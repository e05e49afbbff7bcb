//! What to ask Spotify's search for a song (reference: Spotify, `GET /v1/search`).

use unicode_normalization::UnicodeNormalization;

use super::artists::{Credit, other_name};
use super::han;
use super::normal::Text;
use super::titles::Title;
use super::{Song, isrc, titles_own_artist};

/// Longer queries have been answered 404 and 400 (reference: Spotify, `GET /v1/search`, quirks).
pub const QUERY_CHARS_MAX: usize = 100;
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
    let (credit, name) = titles_own_artist(wanted);
    let title = Title::new(name);
    let credit = Credit::new(credit, &[]);
    let by_isrc = wanted.isrc.and_then(isrc).map(|isrc| Query {
        how: How::Isrc,
        q: format!("isrc:{isrc}"),
    });

    let version = words(&title.written_version);
    let named = |name: &str| [&words(name), version.as_str()].join(" ").trim().to_owned();
    let written = named(&title.written);
    // A bilingual name gives the second search its other half.
    let other = title
        .written_alternatives
        .first()
        .map_or_else(|| written.clone(), |name| named(name));
    let (whole, pieces) = credit.written().unwrap_or_default();
    let field_artist = if pieces.len() > 1 { &pieces[0] } else { whole };
    let plain_artist = pieces.last().map_or("", String::as_str);

    let fields = fielded(&written, &cut(&words(field_artist), ARTIST_CHARS_MAX));
    // A title by an artist in another script is more likely found under the name in the title's own.
    let scripts = (Text::new(&other).script(), Text::new(plain_artist).script());
    let known_as = (scripts.0 != scripts.1)
        .then(|| other_name(plain_artist, scripts.0))
        .flatten();
    let (other, plain_artist) = match (known_as, han::traditional(&other, plain_artist)) {
        (Some(artist), _) => (other, artist.to_owned()),
        (None, Some((title, artist))) => (title, artist),
        (None, None) => (other, plain_artist.to_owned()),
    };
    let plain = join_within(
        &other,
        &cut(&words(&plain_artist), ARTIST_CHARS_MAX),
        QUERY_CHARS_MAX,
    );
    let by_name = [(How::Fields, fields), (How::Plain, plain)].map(|(how, q)| Query { how, q });
    let asks = by_name
        .into_iter()
        .filter(|query| !written.is_empty() && !query.q.is_empty());
    by_isrc.into_iter().chain(asks).collect()
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

fn join_within(title: &str, artist: &str, chars_max: usize) -> String {
    let room = chars_max - artist.chars().count() - 1;
    [cut(title, room).as_str(), artist].join(" ").trim().to_owned()
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
            ("APT.", "로제", "track:APT. artist:로제", "APT. ROSÉ"),
            ("Dynamite", "BTS", "track:Dynamite artist:BTS", "Dynamite BTS"),
            ("Don’t Stop", "", "track:Don't Stop", "Don't Stop"),
            ("÷", "!!!", "track:÷ artist:!!!", "÷ !!!"),
        ] {
            assert_eq!(asked(title, artist), [fields, plain], "{title:?} by {artist:?}");
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

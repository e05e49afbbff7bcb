//! `GET /v1/search`: what a query asks for, which tracks answer it, and in which order.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::catalog::{Catalog, Track};

/// The field filters a track search knows (reference: search).
const FIELDS: [&str; 6] = ["track", "artist", "album", "isrc", "year", "genre"];

/// A track's names as words to compare: computed once, when the catalogue is read.
#[derive(Debug, Clone)]
pub(crate) struct Folded {
    title: Vec<String>,
    artists: Vec<String>,
    album: Vec<String>,
}

impl Folded {
    pub(crate) fn of(track: &Track) -> Self {
        Self {
            title: words(&track.title),
            artists: words(&track.artists.join(" ")),
            album: words(&track.album),
        }
    }
}

/// What a query asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    track: Vec<String>,
    artist: Vec<String>,
    album: Vec<String>,
    isrc: Option<String>,
    years: Option<(u16, u16)>,
    plain: Vec<String>,
    /// A filter no track can pass: `genre:` (the catalogue has none) or a year that is not one.
    impossible: bool,
}

impl Query {
    /// Reads `track:"a b" artist:c d year:1999-2001 words`. A value without quotes runs to the next filter, as in the
    /// documentation's own example (`remaster track:Doxy artist:Miles Davis`).
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text;
        let mut field = None;
        while let Some((before, next_field, after)) = next_filter(rest) {
            query.put(field, before);
            field = Some(next_field);
            rest = after;
            if let Some(quoted) = after.strip_prefix('"') {
                let (value, tail) = quoted.split_once('"').unwrap_or((quoted, ""));
                query.put(field.take(), value);
                rest = tail;
            }
        }
        query.put(field, rest);
        query
    }

    fn put(&mut self, field: Option<&str>, value: &str) {
        match field {
            None => self.plain.extend(words(value)),
            Some("track") => self.track.extend(words(value)),
            Some("artist") => self.artist.extend(words(value)),
            Some("album") => self.album.extend(words(value)),
            Some("isrc") => self.isrc = Some(value.trim().to_ascii_uppercase()),
            Some("year") => match years(value.trim()) {
                Some(years) => self.years = Some(years),
                None => self.impossible = true,
            },
            Some(_) => self.impossible = true,
        }
    }

    fn asks_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// How well a track answers; `None` if it does not. Filters must hold; of the plain words half must be found, the
    /// real one being as forgiving: its first row is not always the song that was meant.
    fn score(&self, track: &Track, folded: &Folded) -> Option<u32> {
        if self.impossible || self.asks_nothing() {
            return None;
        }
        if self
            .isrc
            .as_ref()
            .is_some_and(|isrc| track.isrc.as_ref() != Some(isrc))
        {
            return None;
        }
        if self
            .years
            .is_some_and(|(from, to)| track.year < from || track.year > to)
        {
            return None;
        }
        let mut score = 0;
        for (wanted, has, weight) in [
            (&self.track, &folded.title, 6),
            (&self.artist, &folded.artists, 4),
            (&self.album, &folded.album, 2),
        ] {
            for word in wanted {
                score += weight * nearness(word, has)?;
            }
            if !wanted.is_empty() && wanted == has {
                score += 4 * weight;
            }
        }
        let mut found = 0;
        for word in &self.plain {
            let best = [(&folded.title, 6), (&folded.artists, 4), (&folded.album, 2)]
                .into_iter()
                .filter_map(|(has, weight)| nearness(word, has).map(|near| near * weight))
                .max();
            found += usize::from(best.is_some());
            score += best.unwrap_or(0);
        }
        if found * 2 < self.plain.len() {
            return None;
        }
        let whole_title = !self.plain.is_empty() && folded.title.iter().all(|word| self.plain.contains(word));
        // A title that says more than was asked for (a live take, a remix) stands behind the one that does not.
        let asked_words = self.track.len().max(self.plain.len());
        let extra_words = if asked_words == 0 {
            0
        } else {
            folded.title.len().saturating_sub(asked_words)
        };
        let bonus = if whole_title { 10 } else { 0 };
        Some((score + bonus + 20).saturating_sub(u32::try_from(extra_words).unwrap_or(20)))
    }
}

/// The tracks that answer a query, best first; equal ones in the catalogue's order.
pub(crate) fn search<'a>(catalog: &'a Catalog, text: &str, isrc_outage: bool) -> Vec<&'a Track> {
    let query = Query::parse(text);
    if isrc_outage && query.isrc.is_some() {
        return Vec::new();
    }
    let mut rows: Vec<(u32, &Track)> = catalog
        .folded()
        .filter_map(|(track, folded)| query.score(track, folded).map(|score| (score, track)))
        .collect();
    rows.sort_by_key(|&(score, _)| std::cmp::Reverse(score));
    rows.into_iter().map(|(_, track)| track).collect()
}

/// 2 for the word itself, 1 for a word that begins with it (or, in scripts without spaces, contains it).
fn nearness(word: &str, has: &[String]) -> Option<u32> {
    if has.iter().any(|other| other == word) {
        return Some(2);
    }
    let inside = |other: &String| {
        if word.is_ascii() {
            other.starts_with(word)
        } else {
            other.contains(word)
        }
    };
    has.iter().any(inside).then_some(1)
}

/// Splits at the next `field:` that starts a word: what stood before it, the field, what follows.
fn next_filter(text: &str) -> Option<(&str, &'static str, &str)> {
    let mut found: Option<(usize, &'static str)> = None;
    for field in FIELDS {
        for (at, _) in text.match_indices(field) {
            let starts_word = text[..at].chars().next_back().is_none_or(char::is_whitespace);
            if starts_word
                && text[at + field.len()..].starts_with(':')
                && found.is_none_or(|(first, _)| at < first)
            {
                found = Some((at, field));
            }
        }
    }
    let (at, field) = found?;
    Some((&text[..at], field, &text[at + field.len() + 1..]))
}

fn years(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
}

/// Lower case, without accents and punctuation, apostrophes closed up ("don't" is one word).
fn words(text: &str) -> Vec<String> {
    let folded: String = text
        .nfkd()
        .filter(|&c| !is_combining_mark(c) && !matches!(c, '\'' | '\u{2019}'))
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_with_and_without_quotes() {
        let quoted = Query::parse(r#"track:"Ground Loop" artist:"Ana Log" year:2017"#);
        let bare = Query::parse("track:Ground Loop artist:Ana Log year:2017-2017");
        assert_eq!(quoted, bare);
        assert_eq!(quoted.track, ["ground", "loop"]);
        assert_eq!(quoted.years, Some((2017, 2017)));
    }

    #[test]
    fn words_after_a_quoted_value_are_plain_again() {
        let query = Query::parse(r#"remaster track:"Doxy" live isrc:usum71703861"#);
        assert_eq!(query.plain, ["remaster", "live"]);
        assert_eq!(query.isrc.as_deref(), Some("USUM71703861"));
    }

    #[test]
    fn a_colon_inside_a_word_is_no_filter() {
        assert_eq!(Query::parse("soundtrack:foo").plain, ["soundtrack", "foo"]);
    }
}

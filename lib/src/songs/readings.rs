//! The ways to read a song's line: lists made of videos write artist and title into one, under the name of whoever
//! uploaded it ("Coldplay - Yellow (Official Video)" by its channel).

use super::Song;
use super::artists::{Artists, Credit};
use super::normal::Text;
use super::titles::asides;
use super::versions::{is_about_video, is_aside, may_end_video};

/// The title names an artist of whom the artist's field knows nothing: somebody's channel, or somebody's cover. The length
/// or the album must agree.
const WORTH_OTHER_UPLOADER: f64 = 0.66;
/// The same, where the rest of the line shows that it is a video's: the artist's field then names a channel.
const WORTH_CHANNEL: f64 = 0.95;
/// A channel whose name, run together, holds the artist's ("officialpsy") holds at least so many characters of it.
const CHANNEL_CHARS_MIN: usize = 3;
/// Words at a title's end that may be about the video together: "Official 4K Music Video".
const VIDEO_WORDS_MAX: usize = 5;

const BAR: &str = " | ";
/// Between artist and title, the surest first.
const JOINTS: &[&str] = &[" - ", " – ", " — ", " − ", " // ", BAR, "｜", " _ ", " / ", "／"];
/// Around a title, after the artist.
const QUOTES: &[(char, char)] = &[
    ('「', '」'),
    ('『', '』'),
    ('【', '】'),
    ('《', '》'),
    ('<', '>'),
    ('“', '”'),
    ('„', '“'),
    ('"', '"'),
    ('‘', '’'),
    ('\'', '\''),
];
/// What channels are called beside, or instead of, the artist.
const CHANNEL_WORDS: &[&str] = &[
    "channel",
    "entertainment",
    "films",
    "labels",
    "lyrics",
    "lyric",
    "music",
    "official",
    "records",
    "topic",
    "tv",
    "video",
    "videos",
    "vevo",
];

/// One way to read it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading<'a> {
    pub(super) credit: Vec<&'a str>,
    pub(super) title: &'a str,
    /// 1 where nothing speaks against reading it so.
    pub(super) worth: f64,
}

/// Every way to read a song's line, the likeliest first, at least one. `is_video` tells whether the line is a video's.
pub(super) struct Readings<'a> {
    pub(super) ways: Vec<Reading<'a>>,
    pub(super) is_video: bool,
}

/// At most three ways.
pub(super) fn readings<'a>(song: &Song<'a>) -> Readings<'a> {
    let line = without_video(song.title);
    let is_video = line.len() < song.title.trim().len()
        || asides(song.title).any(|aside| is_about_video(&Text::new(&aside)))
        || line.contains(BAR) && line.split(BAR).any(|part| is_about_video(&Text::new(part)));
    let as_given = Reading {
        credit: song.artists.to_vec(),
        title: line,
        worth: 1.0,
    };
    let pairs = halves(line);
    let Some(&(first, second)) = pairs.first() else {
        let nameless = || Credit::new(song.artists.iter().copied(), &[]).is_empty();
        let signed = signed(line).filter(|_| nameless());
        let ways = signed.into_iter().chain([as_given]).collect();
        return Readings { ways, is_video };
    };
    let given = Credit::new(song.artists.iter().copied(), &[]);
    if let Some(own) = pairs.iter().find_map(|&pair| own_artist(song, &given, pair)) {
        // Only videos repeat the artist in the title.
        return Readings {
            ways: vec![own, as_given],
            is_video: true,
        };
    }
    if names_version(first) || names_version(second) {
        return Readings {
            ways: vec![as_given],
            is_video,
        };
    }
    let way = |artist, title, worth| Reading {
        credit: vec![artist],
        title,
        worth,
    };
    let either = |worth| {
        let turned = pairs
            .iter()
            .map(move |&(first, second)| way(second, first, worth));
        std::iter::once(way(first, second, worth)).chain(turned)
    };
    let ways = if given.is_empty() {
        either(1.0).chain([as_given]).collect()
    } else if is_video || given.has_word(CHANNEL_WORDS) {
        either(WORTH_CHANNEL).chain([as_given]).collect()
    } else {
        vec![as_given, way(first, second, WORTH_OTHER_UPLOADER)]
    };
    Readings { ways, is_video }
}

/// The first of [`readings`].
pub(super) fn likeliest<'a>(song: &Song<'a>) -> Reading<'a> {
    readings(song).ways.swap_remove(0)
}

/// With the given artist in either half.
fn own_artist<'a>(song: &Song<'a>, given: &Credit, halves: (&'a str, &'a str)) -> Option<Reading<'a>> {
    let (first, second) = halves;
    [(first, second), (second, first)]
        .into_iter()
        .find_map(|(artist, title)| {
            let half = Credit::new([artist], &[]);
            let kin = akin(given, &half).filter(|_| !names_version(artist))?;
            // "Song (feat. B) - Remix" by B
            if names_version(title) && !matches!(half.compare(given), Artists::All(_)) {
                return None;
            }
            let credit = match kin {
                Kin::Same => song.artists.to_vec(),
                // "Song (feat. B) - Remix" by B
                Kin::Related if names_version(title) => return None,
                Kin::Related => vec![artist],
            };
            Some(Reading {
                credit,
                title,
                worth: 1.0,
            })
        })
}

/// "Hello by Adele", where no artist is given.
fn signed(line: &str) -> Option<Reading<'_>> {
    let (title, artist) = line.rsplit_once(" by ")?;
    Some(Reading {
        credit: vec![artist],
        title,
        worth: 1.0,
    })
}

enum Kin {
    /// The artist's field names at least one of them, and nobody of another name.
    Same,
    /// It is made of their name: a channel.
    Related,
}

fn akin(given: &Credit, half: &Credit) -> Option<Kin> {
    let related = |artists| {
        matches!(
            artists,
            Artists::All(_) | Artists::Some { .. } | Artists::PartOfName
        )
    };
    if matches!(given.compare(half), Artists::All(_)) || matches!(half.compare(given), Artists::All(_)) {
        return Some(Kin::Same);
    }
    let (own, other) = (half.run_together(), given.run_together());
    let holds = own.chars().count() >= CHANNEL_CHARS_MIN && other.contains(&own);
    (holds || related(given.compare(half))).then_some(Kin::Related)
}

/// Whether a half is no name but about the recording: "Live", "Tiësto Remix", but not "Hello (Live)".
fn names_version(half: &str) -> bool {
    let before_brackets = half.split(['(', '[', '（', '【']).next().unwrap_or(half);
    is_aside(&Text::new(before_brackets))
}

/// Artist and title, the likeliest pair first; of a single pair either half may be the artist.
fn halves(line: &str) -> Vec<(&str, &str)> {
    let mut parts = line.split(BAR).map(without_video);
    let first = parts.next().unwrap_or(line);
    let others: Vec<&str> = parts.filter(|part| !is_about_video(&Text::new(part))).collect();
    let mut pairs = if let Some(quoted) = quoted(line) {
        vec![quoted]
    } else if let Some(halves) = JOINTS.iter().find_map(|joint| first.split_once(joint)) {
        // What follows a bar then is about the film or the album.
        vec![(without_video(halves.0), without_video(halves.1))]
    } else {
        match others.as_slice() {
            [] => Vec::new(),
            [second] => vec![(first, *second)],
            // "Title | Film | Singers", "Artist | Title | Album"
            [second, .., last] => vec![(*last, first), (first, *second)],
        }
    };
    let named = |text: &str| !Text::new(text).is_empty();
    pairs.retain(|(first, second)| named(first) && named(second));
    pairs
}

/// "Artist 「Title」", "Artist 'Title'", "【Artist】Title".
fn quoted(line: &str) -> Option<(&str, &str)> {
    QUOTES.iter().find_map(|&(open, close)| {
        let (before, rest) = line.split_once(open)?;
        let (inside, after) = rest.split_once(close)?;
        let (before, after) = (
            before.trim_end_matches([' ', '-', '–', '|', '/', '_', ':']),
            after.trim(),
        );
        if before.is_empty() && open == '【' && !after.is_empty() {
            return Some((inside, after));
        }
        let apart = open != '\'' || line[before.len()..].starts_with(' ');
        let before = without_video(before);
        (apart && after.is_empty() && !before.is_empty()).then_some((before, inside))
    })
}

/// A title without what it says of the video at either end: `[MV] Title`, "Title (Official Video)", "Title M/V". Left
/// alone if nothing else is in it.
fn without_video(title: &str) -> &str {
    const EDGES: &[char] = &[' ', '\u{3000}', '-', '–', '—', '|', '｜', '/'];
    let whole = title.trim();
    let mut rest = whole;
    while let Some(shorter) = without_opening(rest).or_else(|| without_ending(rest)) {
        rest = shorter.trim_matches(EDGES);
    }
    if rest.is_empty() { whole } else { rest }
}

fn without_opening(text: &str) -> Option<&str> {
    let (inside, rest) = text
        .strip_prefix(['[', '(', '【', '（'])?
        .split_once([']', ')', '】', '）'])?;
    is_about_video(&Text::new(inside)).then_some(rest)
}

fn without_ending(text: &str) -> Option<&str> {
    // Nearly every title ends with another word, and is done with here.
    let last = text
        .split(|c: char| !c.is_alphanumeric())
        .rfind(|word| !word.is_empty())?;
    if !may_end_video(&last.to_lowercase()) {
        return None;
    }
    let starts = text.char_indices().rev().filter_map(|(at, c)| match c {
        ' ' | '(' | '[' | '【' | '（' | '「' | '/' | '-' => Some(at),
        '》' | '」' | '』' | '】' => Some(at + c.len_utf8()),
        _ => None,
    });
    let starts = starts.filter(|&at| at > 0).take(VIDEO_WORDS_MAX + 1);
    let heads = starts.map(|at| text.split_at(at));
    heads
        .filter(|(_, tail)| {
            let tail_text = Text::new(tail);
            // "Sexy Video" is a name: one word needs brackets around it.
            let apart = tail.trim_start().starts_with(|c: char| !c.is_alphanumeric());
            (apart || tail_text.words().len() > 1 || tail_text.words().concat().ends_with("mv"))
                && is_about_video(&tail_text)
        })
        .map(|(head, _)| head)
        .last()
}

#[cfg(test)]
mod tests;

//! CSV as RFC 4180 has it: one row for every song of the request, in its order.
//!
//! It begins with a byte order mark, because Excel takes a file without one for the machine's old code page and shows
//! every 봄날 as rubbish; whoever reads CSV by program drops it (Python: `utf-8-sig`).
//!
//! Spreadsheets calculate cells that begin with `=`, `+`, `-`, `@`, a tab or a line break (OWASP, "CSV injection"), and
//! a title may be anybody's words. Such a cell gets an apostrophe before it, as OWASP advises; so does such a sign after
//! `;`, a tab or a line break, where a spreadsheet of another country begins a cell. A sign after which comes no letter
//! or digit calculates nothing, so the albums `+`, `=` and `-` keep their names.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::{Listing, link};
use crate::export::How;

pub(super) const MEDIA_TYPE: &str = "text/csv; charset=utf-8; header=present";

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A song and what became of it. Empty is what is not known, or does not apply.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    /// The song's place in the request, from 0, as everywhere on the wire.
    index: usize,
    title: Cow<'a, str>,
    artist: Cow<'a, str>,
    album: Cow<'a, str>,
    isrc: Cow<'a, str>,
    duration_ms: Option<u64>,
    /// `added`, `duplicate`, `unmatched` or `rejected`.
    outcome: &'static str,
    uri: Cow<'a, str>,
    url: Option<String>,
    score: Option<f64>,
    how: Option<How>,
    reason: Cow<'a, str>,
    duplicate_of: Option<usize>,
}

pub(super) fn of(listing: &Listing<'_>) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    for row in rows(listing) {
        writer
            .serialize(row)
            .expect("memory takes every write, and every row has the same columns");
    }
    let bytes = writer.into_inner().expect("memory takes every write");
    String::from_utf8(bytes).expect("text and numbers were written")
}

fn rows<'a>(listing: &'a Listing<'_>) -> Vec<Row<'a>> {
    let songs = listing.songs.iter().enumerate();
    let mut rows: Vec<Row<'a>> = songs
        .map(|(index, song)| Row {
            index,
            title: defused(&song.title),
            artist: defused(&song.artist),
            album: defused(song.album.as_deref().unwrap_or_default()),
            isrc: defused(song.isrc.as_deref().unwrap_or_default()),
            duration_ms: song.duration_ms,
            ..Row::default()
        })
        .collect();
    let mut tell = |index: usize, tell: &dyn Fn(&mut Row<'a>)| {
        if let Some(row) = rows.get_mut(index) {
            tell(row);
        }
    };
    let finished = listing.finished;
    for song in &finished.matched {
        tell(song.index, &|row| {
            row.outcome = "added";
            row.points_to(&song.uri);
            row.score = Some(song.score);
            row.how = Some(song.how);
        });
    }
    for song in &finished.unmatched {
        tell(song.index, &|row| {
            row.outcome = "unmatched";
            row.reason = defused(&song.reason);
        });
    }
    for song in &finished.duplicates {
        tell(song.index, &|row| {
            row.outcome = "duplicate";
            row.points_to(&song.uri);
            row.duplicate_of = Some(song.of);
        });
    }
    for song in &finished.rejected {
        tell(song.index, &|row| {
            row.outcome = "rejected";
            row.points_to(&song.uri);
            row.reason = defused(&song.reason);
        });
    }
    rows
}

impl<'a> Row<'a> {
    fn points_to(&mut self, uri: &'a str) {
        self.uri = defused(uri);
        self.url = link(uri);
    }
}

/// `text` as a cell that no spreadsheet calculates.
fn defused(text: &str) -> Cow<'_, str> {
    let begins_a_cell = |at: usize| text[..at].chars().next_back().is_none_or(separates);
    let armed: Vec<usize> = text
        .char_indices()
        .filter(|&(at, c)| starts_a_formula(c) && begins_a_cell(at))
        .map(|(at, _)| at)
        .filter(|&at| text[at..].contains(char::is_alphanumeric))
        .collect();
    if armed.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut defused = String::with_capacity(text.len() + armed.len());
    let mut from = 0;
    for at in armed {
        defused.push_str(&text[from..at]);
        defused.push('\'');
        from = at;
    }
    defused.push_str(&text[from..]);
    Cow::Owned(defused)
}

/// The full-width forms calculate in Japanese and Chinese Excel.
fn starts_a_formula(c: char) -> bool {
    matches!(
        c,
        '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n' | '\0'
    )
}

fn separates(c: char) -> bool {
    matches!(c, ';' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_calculated_is_text_and_the_rest_is_untouched() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+44 20", "'+44 20"),
            ("-Human-", "'-Human-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1+1", "'＝1+1"),
            ("\t=1", "'\t'=1"),
            ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
            ("a\n-1", "a\n'-1"),
            ("", ""),
            ("+", "+"),
            ("=", "="),
            ("-_-", "-_-"),
            ("wink ;-)", "wink ;-)"),
            ("1+1=2", "1+1=2"),
            ("Ob-La-Di; Ob-La-Da", "Ob-La-Di; Ob-La-Da"),
            ("P.S. I Love You @ 4", "P.S. I Love You @ 4"),
        ] {
            assert_eq!(defused(text), cell, "{text:?}");
        }
    }
}

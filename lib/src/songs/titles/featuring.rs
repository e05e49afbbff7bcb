//! "feat." and the like, in a title or a credit.

use std::borrow::Cow;

use super::OPENING;

/// The text after "feat." and the like, if the aside starts with one.
pub(super) fn after_featuring(text: &str) -> Option<&str> {
    if let Some(guest) = text.trim_start().strip_prefix(['+', '＋']) {
        return Some(guest.trim());
    }
    let (first, rest) = text.trim_start().split_once(char::is_whitespace)?;
    let first = first.trim_start_matches(OPENING);
    is_featuring(first).then(|| rest.trim())
}

/// With a space after "feat.": "feat.初音ミク".
pub(in crate::songs) fn part_featuring(text: &str) -> Cow<'_, str> {
    const GLUED: &[&str] = &["feat.", "Feat.", "FEAT.", "ft.", "Ft.", "FT."];
    let mut parted = Cow::Borrowed(text);
    for word in GLUED {
        // Most lines have none.
        if let Some(at) = parted.find(word) {
            let (before, after) = (&parted[..at], &parted[at + word.len()..]);
            let starts = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            if starts && after.starts_with(|c: char| c.is_alphanumeric()) {
                parted = Cow::Owned(format!("{before}{word} {after}"));
            }
        }
    }
    parted
}

pub(in crate::songs) fn is_featuring(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    [
        "feat",
        "ft",
        "featuring",
        "w/",
        "피처링",
        "(feat",
        "(ft",
        "(featuring",
    ]
    .contains(&word.as_str())
}

/// The text before "feat.", and the guests after it.
pub(super) fn cut_featuring(text: &str) -> (String, Option<String>) {
    let guest = text
        .split_whitespace()
        .enumerate()
        .skip(1)
        .find(|(_, word)| is_featuring(word));
    match guest {
        Some((at, _)) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            let guests = words[at + 1..].join(" ");
            (
                format!(" {} ", words[..at].join(" ")),
                (!guests.is_empty()).then_some(guests),
            )
        }
        None => (text.to_owned(), None),
    }
}

//! Normal forms of a name, in every script, and how alike two of them are.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Below this two names are not the same name. Slips of spelling stay above it, other words below.
pub(super) const SAME_NAME_AT: f64 = 0.8;

/// Without its accents a name is a little less certain ("Björk" / "Bjork").
const WORTH_BARE: f64 = 0.98;
/// With its umlauts written out it is a little less certain still ("Für" / "Fuer").
const WORTH_SPELLED: f64 = 0.97;
/// Names that differ in a leading article ("The Beatles" / "Beatles").
const WORTH_ARTICLE: f64 = 0.98;
/// The most that words in common are worth when the names are not the same.
const WORTH_COMMON_WORDS: f64 = 0.6;
/// Edit distance is quadratic: longer words are equal or they are not.
const SPELLING_CHARS_MAX: usize = 64;
/// In Han, kana, Hangul and Thai one character is a syllable or a word; only in a name this long is one wrong
/// character a slip rather than another name.
const DENSE_SLIP_CHARS_MIN: usize = 8;
/// The first code point of the scripts counted as dense (Thai; then Hangul, kana, Han).
const DENSE_FROM: char = '\u{0E00}';

/// Which letters a name is written in, as far as bilingual titles need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Other,
    /// Digits and signs only.
    Neither,
}

/// A name in its normal forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    exact: Vec<String>,
    /// Accents dropped; `None` where that changes nothing.
    bare: Option<Vec<String>>,
    /// Umlauts written out; `None` where there are none.
    spelled: Option<Vec<String>>,
}

impl Text {
    pub(super) fn new(name: &str) -> Self {
        let folded = fold(name);
        let bare = bare(&folded);
        let spelled = spelled(&folded);
        Self {
            bare: (bare != folded).then(|| words(&bare)),
            spelled: spelled.map(|text| words(&text)),
            exact: words(&folded),
        }
    }

    /// The words of the exact normal form.
    pub(super) fn words(&self) -> &[String] {
        &self.exact
    }

    /// The words without accents.
    pub(super) fn bare_words(&self) -> &[String] {
        self.bare.as_deref().unwrap_or(&self.exact)
    }

    fn spelled_words(&self) -> &[String] {
        self.spelled.as_deref().unwrap_or_else(|| self.bare_words())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    pub(super) fn script(&self) -> Script {
        let mut letters = self
            .exact
            .iter()
            .flat_map(|word| word.chars())
            .filter(|c| c.is_alphabetic())
            .peekable();
        if letters.peek().is_none() {
            Script::Neither
        } else if letters.all(is_latin) {
            Script::Latin
        } else {
            Script::Other
        }
    }

    /// 1 for the same name, at least [`SAME_NAME_AT`] for a slip of spelling, less for another name.
    pub(super) fn alike(&self, other: &Self) -> f64 {
        let exact = words_alike(&self.exact, &other.exact);
        if exact >= 1.0 || (self.bare.is_none() && other.bare.is_none()) {
            return exact;
        }
        let bare = WORTH_BARE * words_alike(self.bare_words(), other.bare_words());
        let spelled = WORTH_SPELLED * words_alike(self.spelled_words(), other.spelled_words());
        exact.max(bare).max(spelled)
    }

    /// Whether both have the same words in any order ("Utada Hikaru" / "Hikaru Utada").
    pub(super) fn same_words(&self, other: &Self) -> bool {
        let sorted = |text: &Self| {
            let mut words = text.bare_words().to_vec();
            words.sort_unstable();
            words
        };
        self.exact.len() > 1 && self.exact.len() == other.exact.len() && sorted(self) == sorted(other)
    }
}

/// NFKC, case folded, apostrophes dropped, every other sign a space. A name of signs only ("!!!", "÷") keeps them.
/// Han, kana and Hangul are never turned into other letters.
pub(super) fn fold(name: &str) -> String {
    let chars = case_fold(name);
    let mut out = String::with_capacity(name.len());
    for (at, &c) in chars.iter().enumerate() {
        let letter_at =
            |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
        let (before, after) = (letter_at(at.checked_sub(1)), letter_at(Some(at + 1)));
        match c {
            '\'' => {}
            c if c.is_alphanumeric() || is_combining_mark(c) => out.push(c),
            // Letters in disguise: "P!nk", "Ke$ha", "A$AP".
            '!' if before && after => out.push('i'),
            '$' if before || after => out.push('s'),
            '&' => out.push_str(" and "),
            _ => out.push(' '),
        }
    }
    if out.trim().is_empty() {
        return chars
            .into_iter()
            .filter(|c| !c.is_whitespace() && !c.is_control())
            .collect();
    }
    one_spelling(&out)
}

fn case_fold(name: &str) -> Vec<char> {
    // Before NFKC, which takes a lone acute for a space with an accent.
    let straight = name.chars().filter(|&c| !is_invisible(c)).map(|c| match c {
        '‘' | '’' | '‛' | 'ʼ' | 'ʻ' | '′' | '`' | '´' | '＇' => '\'',
        c => c,
    });
    let lower = straight.nfkc().flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(name.len());
    for c in lower {
        match c {
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded.nfkc().collect()
}

/// One spelling for the few words that lists write in two ways.
fn one_spelling(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let last = words.len().saturating_sub(1);
    let same = words.iter().enumerate().map(|(at, &word)| match word {
        "n" if at > 0 && at < last => "and",
        "pt" => "part",
        word => word,
    });
    same.collect::<Vec<_>>().join(" ")
}

/// Marks are dropped where readers and writers drop them: on Latin and Greek letters, on Cyrillic "ё", Hebrew and
/// Arabic vowel points. Everywhere else (kana, Indic scripts, Thai) a mark makes another letter.
fn bare(folded: &str) -> String {
    let mut base = ' ';
    let mut out = String::with_capacity(folded.len());
    for c in folded.nfd() {
        if is_combining_mark(c) {
            let optional = is_latin(base) || is_greek(base) || (base, c) == ('е', '\u{308}');
            if optional || matches!(c, '\u{591}'..='\u{5C7}' | '\u{64B}'..='\u{652}' | '\u{670}') {
                continue;
            }
        } else {
            base = c;
        }
        match c {
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'þ' => out.push_str("th"),
            '\u{640}' => {} // tatweel only stretches an Arabic word
            c => out.push(c),
        }
    }
    out.nfc().collect()
}

fn spelled(folded: &str) -> Option<String> {
    folded.contains(['ä', 'ö', 'ü', 'å', 'ø']).then(|| {
        let digraphs = folded.chars().map(|c| match c {
            'ä' => Cow::Borrowed("ae"),
            'ö' | 'ø' => Cow::Borrowed("oe"),
            'ü' => Cow::Borrowed("ue"),
            'å' => Cow::Borrowed("aa"),
            c => Cow::Owned(c.to_string()),
        });
        bare(&digraphs.collect::<String>())
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn words_alike(a: &[String], b: &[String]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    // Spaces never tell two names apart: "AC/DC" / "ACDC", "봄 날" / "봄날".
    let (a_joined, b_joined) = (a.concat(), b.concat());
    if a_joined == b_joined {
        return 1.0;
    }
    if without_article(a).concat() == without_article(b).concat() {
        return WORTH_ARTICLE;
    }
    if let Some(slips) = slips(a, b).or_else(|| dense_slips(&a_joined, &b_joined)) {
        let chars = a_joined.chars().count().max(b_joined.chars().count());
        return (1.0 - ratio(slips, chars)).max(SAME_NAME_AT);
    }
    let common = a.iter().filter(|word| b.contains(word)).count();
    (WORTH_COMMON_WORDS * ratio(2 * common, a.len() + b.len())).min(WORTH_COMMON_WORDS)
}

fn without_article(words: &[String]) -> &[String] {
    match words {
        [article, rest @ ..] if !rest.is_empty() && ["the", "a", "an"].contains(&article.as_str()) => rest,
        words => words,
    }
}

/// The letters to change to make one name of the other, if a slip of the pen explains every one of them.
/// Word by word, so that "Girl" is not "Girls", "Can" not "Can't", and "Part 1" not "Part 2".
fn slips(a: &[String], b: &[String]) -> Option<usize> {
    if a.len() != b.len() {
        return None;
    }
    let slips = a
        .iter()
        .zip(b)
        .map(|(a, b)| word_slips(a, b))
        .sum::<Option<usize>>()?;
    let chars: usize = a.iter().map(|word| word.chars().count()).sum();
    (slips <= (chars / 6).max(1)).then_some(slips)
}

fn word_slips(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    let (a_chars, b_chars) = (a.chars().count(), b.chars().count());
    let (shorter, longer) = (a_chars.min(b_chars), a_chars.max(b_chars));
    let exact_only = |c: char| c.is_numeric() || c >= DENSE_FROM;
    if longer > SPELLING_CHARS_MAX || longer - shorter > 2 || a.chars().chain(b.chars()).any(exact_only) {
        return None;
    }
    let allowed = match shorter {
        0..=2 => 0,
        // Short words may only have two letters swapped: one other letter makes another word.
        3..=4 => return (strsim::osa_distance(a, b) == 1 && sorted(a) == sorted(b)).then_some(1),
        5..=8 => 1,
        _ => 2,
    };
    let distance = strsim::osa_distance(a, b);
    (distance <= allowed).then_some(distance)
}

fn sorted(word: &str) -> Vec<char> {
    let mut chars: Vec<char> = word.chars().collect();
    chars.sort_unstable();
    chars
}

fn dense_slips(a: &str, b: &str) -> Option<usize> {
    let (a_chars, b_chars) = (a.chars().count(), b.chars().count());
    let comparable =
        a_chars.min(b_chars) >= DENSE_SLIP_CHARS_MIN && a_chars.max(b_chars) <= SPELLING_CHARS_MAX;
    let dense = |text: &str| text.chars().all(|c| c >= DENSE_FROM && !c.is_numeric());
    (comparable && dense(a) && dense(b) && strsim::osa_distance(a, b) == 1).then_some(1)
}

/// Whether a word belongs to a script whose characters are syllables or words.
pub(super) fn is_dense(word: &str) -> bool {
    word.chars().any(|c| c >= DENSE_FROM)
}

fn is_latin(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | 'ª' | 'º' | 'À'..='ʯ' | '\u{1E00}'..='\u{1EFF}')
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}')
}

/// Soft hyphen, zero-width and direction marks, variation selectors: copied along, never typed.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Counts of characters and words, far below the 2^52 where `f64` would round.
#[expect(clippy::cast_precision_loss, reason = "counts of characters in a title")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_one_name() {
        for (name, normal) in [
            ("Don’t  Stop", "dont stop"),
            ("Ｈｅｌｌｏ　Ｗｏｒｌｄ", "hello world"),
            ("ｶﾞﾗｽ", "ガラス"),
            ("봄날", "봄날"),
            ("STRASSE", "strasse"),
            ("Straße", "strasse"),
            ("ΟΔΟΣ", "οδοσ"),
            ("Rock ’n’ Roll", "rock and roll"),
            ("You & Me", "you and me"),
            ("P!nk", "pink"),
            ("A$AP Ferg", "asap ferg"),
            ("$100 Bills", "100 bills"),
            ("!!!", "!!!"),
            ("÷", "÷"),
            ("24K\u{200B} Magic", "24k magic"),
            ("Blue‐Eyed — Soul", "blue eyed soul"),
            ("", ""),
            (" \u{7}\t", ""),
        ] {
            assert_eq!(fold(name), normal, "{name:?}");
        }
    }

    #[test]
    fn marks_are_dropped_only_where_they_are_optional() {
        for (name, normal) in [
            ("beyoncé", "beyonce"),
            ("sigur rós", "sigur ros"),
            ("røyksopp", "royksopp"),
            ("ёлка", "елка"),
            ("йога", "йога"),
            ("ガラス", "ガラス"),
            ("γιασού", "γιασου"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(bare(&fold(name)), normal, "{name:?}");
        }
    }

    #[test]
    fn the_same_name_and_other_names() {
        for (a, b, same) in [
            ("Beyoncé", "Beyonce", true),
            ("Für Elise", "Fuer Elise", true),
            ("Für Elise", "Fur Elise", true),
            ("AC/DC", "ACDC", true),
            ("R.E.M.", "REM", true),
            ("The Beatles", "Beatles", true),
            ("Bohemian Rhapsody", "Bohemian Rapsody", true),
            ("Wnat", "Want", true),
            ("夜に駆ける", "夜に駆ける", true),
            ("Girl", "Girls", false),
            ("Love", "Live", false),
            ("I Can Do It", "I Can't Do It", false),
            ("Another Brick Part 1", "Another Brick Part 2", false),
            ("Bohemian Rhapsody", "Bohemian Rhapsody Karaoke", false),
            ("봄날", "봄밤", false),
            ("カラス", "ガラス", false),
            ("1979", "1989", false),
            ("", "", false),
        ] {
            let alike = Text::new(a).alike(&Text::new(b));
            assert_eq!(alike >= SAME_NAME_AT, same, "{a:?} / {b:?}: {alike}");
        }
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,24}") {
            let once = fold(&name);
            proptest::prop_assert_eq!(fold(&once), once);
        }
    }
}

//! Normal forms of a name, in every script.

mod letters;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use self::letters::{ascii_digit, bare, digit, is_latin, spelled};
use super::han;
use super::spelling::{DENSE_FROM, letters_apart, words_alike};

/// Without its accents a name is a little less certain ("Björk" / "Bjork").
const WORTH_BARE: f64 = 0.98;
/// With its umlauts written out it is a little less certain still ("Für" / "Fuer").
const WORTH_SPELLED: f64 = 0.97;
/// A shorter name sounds like many others.
const ROMANISED_CHARS_MIN: usize = 4;
const ROMANISED_CHARS_MAX: usize = 64;
/// No script writes more characters than letters that they are read as.
const ROMANISED_LETTER_MAX: usize = 2;
/// There are several ways to write Russian or Hindi in Latin letters: one letter in so many may differ.
const ROMANISED_CHARS_PER_SLIP: usize = 6;

/// Which letters a name is written in, as far as bilingual titles need to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Other,
    /// Digits and signs only.
    #[default]
    Neither,
}

/// A name in its normal forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text {
    exact: Vec<String>,
    /// Accents dropped; `None` where that changes nothing.
    bare: Option<Vec<String>>,
    /// Umlauts written out; `None` where there are none.
    spelled: Option<Vec<String>>,
    /// In simplified Chinese characters; `None` where that changes nothing.
    simplified: Option<Vec<String>>,
    script: Script,
}

impl Text {
    pub(super) fn new(name: &str) -> Self {
        let folded = fold(name);
        let bare = bare(&folded);
        let spelled = spelled(&folded);
        Self {
            bare: (bare != folded).then(|| words(&bare)),
            spelled: spelled.map(|text| words(&text)),
            simplified: han::simplified(&folded).map(|text| words(&text)),
            exact: words(&folded),
            script: script(&folded),
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

    /// The words in simplified Chinese characters, or without accents.
    pub(super) fn simplified_words(&self) -> &[String] {
        self.simplified.as_deref().unwrap_or_else(|| self.bare_words())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    pub(super) fn script(&self) -> Script {
        self.script
    }

    /// Whether hardly two songs share this name by chance: three words, or as many characters as make three.
    pub(super) fn is_telling(&self) -> bool {
        let chars = |dense: bool| {
            let all = self.exact.iter().flat_map(|word| word.chars());
            all.filter(|&c| (c >= DENSE_FROM) == dense).count()
        };
        self.exact.len() >= 3 || chars(true) >= 4 || chars(false) >= 12
    }

    /// 1 for the same name, at least `SAME_NAME_AT` for a slip of spelling, less for another name.
    pub(super) fn alike(&self, other: &Self) -> f64 {
        let exact = words_alike(&self.exact, &other.exact);
        let plain = |text: &Self| text.bare.is_none() && text.simplified.is_none();
        if exact >= 1.0 || (plain(self) && plain(other)) {
            return exact;
        }
        let bare = WORTH_BARE * words_alike(self.bare_words(), other.bare_words());
        let spelled = WORTH_SPELLED * words_alike(self.spelled_words(), other.spelled_words());
        let simplified = WORTH_BARE * words_alike(self.simplified_words(), other.simplified_words());
        exact.max(bare).max(spelled).max(simplified)
    }

    /// Whether one is written in Latin letters and the other would be so much like it in them: "AIGEL" / "АИГЕЛ". Says
    /// nothing of Japanese and Korean names in Han, which are not read as Chinese ones.
    pub(super) fn sounds_like(&self, other: &Self) -> bool {
        let (latin, other) = match (self.script(), other.script()) {
            (Script::Latin, Script::Other) => (self, other),
            (Script::Other, Script::Latin) => (other, self),
            _ => return false,
        };
        let latin = latin.bare_words().concat();
        let letters = latin.chars().count();
        let ceiling = letters * ROMANISED_LETTER_MAX;
        let foreign = other.exact.concat();
        if !(ROMANISED_CHARS_MIN..=ROMANISED_CHARS_MAX).contains(&letters)
            || foreign.chars().count() > ceiling
        {
            return false;
        }
        let romanised = any_ascii::any_ascii(&foreign).to_lowercase();
        let romanised: String = romanised.chars().filter(char::is_ascii_alphanumeric).collect();
        let slips = letters / ROMANISED_CHARS_PER_SLIP;
        romanised == latin
            || (letters_apart(&romanised, &latin) <= slips
                && strsim::osa_distance(&romanised, &latin) <= slips)
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

fn script(text: &str) -> Script {
    let mut letters = text.chars().filter(|c| c.is_alphabetic()).peekable();
    if letters.peek().is_none() {
        Script::Neither
    } else if letters.all(is_latin) {
        Script::Latin
    } else {
        Script::Other
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
            '+' if stands_alone(&chars, at) => out.push_str(" and "),
            // "F**kin'": the stars stand for letters.
            '*' if is_censored(&chars, at) => out.push('*'),
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
            c if !c.is_ascii() && c.is_numeric() => folded.push(ascii_digit(c).unwrap_or(c)),
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded.nfkc().collect()
}

/// Whether a sign stands between two words, a space on either side.
fn stands_alone(chars: &[char], at: usize) -> bool {
    at > 0 && chars[at - 1] == ' ' && chars.get(at + 1) == Some(&' ')
}

/// Whether the star at this place stands between letters, alone or with other stars.
fn is_censored(chars: &[char], at: usize) -> bool {
    let letter = |c: Option<&char>| c.is_some_and(|c| c.is_alphabetic());
    letter(chars[..at].iter().rfind(|&&c| c != '*')) && letter(chars[at..].iter().find(|&&c| c != '*'))
}

/// One spelling for the few words that lists write in two ways.
fn one_spelling(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let last = words.len().saturating_sub(1);
    let spelt = |at: Option<usize>| {
        let word = at.and_then(|at| words.get(at));
        word.is_some_and(|word| word.len() == 1 && word.chars().all(char::is_alphabetic))
    };
    let same = words.iter().enumerate().map(|(at, &word)| match word {
        "n" if at > 0 && at < last => "and",
        "o" if at > 0 && at < last => "of",
        // "U.S.A." is no "you".
        "u" if last > 0 && !(spelt(at.checked_sub(1)) || spelt(Some(at + 1))) => "you",
        "ur" if last > 0 => "your",
        "2" if words.get(at + 1) == Some(&"u") => "to",
        "4" if words.get(at + 1) == Some(&"u") => "for",
        "2u" => "to you",
        "4u" => "for you",
        "pt" => "part",
        // "Song Two", but not a song called "Seven".
        word if at > 0 => digit(word).unwrap_or(word),
        word => word,
    });
    same.collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Whether a letter is a Latin one, full width or not.
pub(super) fn is_latin_letter(c: char) -> bool {
    is_latin(c) || matches!(c, 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

/// Whether a word belongs to a script whose characters are syllables or words.
pub(super) fn is_dense(word: &str) -> bool {
    word.chars().any(|c| c >= DENSE_FROM)
}

/// Soft hyphen, zero-width and direction marks, variation selectors: copied along, never typed.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests;

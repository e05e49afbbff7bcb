//! Normal forms of a name, in every script.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::han;
use super::spelling::words_alike;

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
/// In a name of so many Hangul syllables one that sounds like the right one is a slip.
const HANGUL_SOUND_MIN: usize = 3;
/// The first code point of the scripts counted as dense (Thai; then Hangul, kana, Han).
pub(super) const DENSE_FROM: char = '\u{0E00}';

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
    /// In simplified Chinese characters; `None` where that changes nothing.
    simplified: Option<Vec<String>>,
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
        romanised == latin || strsim::osa_distance(&romanised, &latin) <= letters / ROMANISED_CHARS_PER_SLIP
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

/// Lists write "3" and "٣" for one number: the decimal digits of the scripts that have their own.
fn ascii_digit(digit: char) -> Option<char> {
    const ZEROS: &[char] = &[
        '\u{660}', '\u{6F0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{BE6}', '\u{E50}', '\u{ED0}',
    ];
    let value = ZEROS.iter().find_map(|&zero| {
        u32::from(digit)
            .checked_sub(u32::from(zero))
            .filter(|&value| value < 10)
    })?;
    char::from_digit(value, 10)
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

fn digit(word: &str) -> Option<&'static str> {
    Some(match word {
        "two" => "2",
        "three" => "3",
        "four" => "4",
        "five" => "5",
        "six" => "6",
        "seven" => "7",
        "eight" => "8",
        "nine" => "9",
        "ten" => "10",
        _ => return None,
    })
}

/// Marks are dropped where readers and writers drop them: on Latin and Greek letters, on Cyrillic "ё", Hebrew and
/// Arabic vowel points, the hamza on an alef. Everywhere else (kana, Indic scripts, Thai) a mark makes another letter.
fn bare(folded: &str) -> String {
    let mut base = ' ';
    let mut out = String::with_capacity(folded.len());
    for c in folded.nfd() {
        if is_combining_mark(c) {
            let optional = is_latin(base) || is_greek(base) || (base, c) == ('е', '\u{308}');
            let alef = base == '\u{627}' && matches!(c, '\u{653}'..='\u{655}');
            if optional || alef || matches!(c, '\u{591}'..='\u{5C7}' | '\u{64B}'..='\u{652}' | '\u{670}') {
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
            // Written one for the other at the end of Arabic words, and on Persian keyboards.
            '\u{629}' => out.push('\u{647}'),
            '\u{649}' | '\u{6CC}' => out.push('\u{64A}'),
            '\u{6A9}' => out.push('\u{643}'),
            c => out.push(c),
        }
    }
    let composed = out.nfc().map(|c| match c {
        'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' | 'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' => after(c),
        c => c,
    });
    let bare: String = composed.collect();
    let syllables = bare.chars().filter(|&c| han::is_hangul(c)).count();
    // Alone, 빛 (light) and 빚 (debt) are two words.
    if syllables < HANGUL_SOUND_MIN {
        return bare;
    }
    bare.chars().map(pronounced).collect()
}

/// The next character: of a small kana vowel the full one.
fn after(small: char) -> char {
    char::from_u32(u32::from(small) + 1).unwrap_or(small)
}

/// A Hangul syllable with its final consonants as they are spoken: 벚 and 벗 sound alike and are written for one another.
fn pronounced(syllable: char) -> char {
    const FIRST: u32 = 0xAC00;
    const LAST: u32 = 0xD7A3;
    /// Of the final consonants, in Unicode's order, the one that sounds like it.
    const SPOKEN: [u8; 28] = [
        0, 1, 1, 1, 4, 4, 4, 19, 8, 1, 16, 8, 8, 8, 17, 8, 16, 17, 17, 19, 19, 21, 19, 19, 1, 19, 17, 19,
    ];
    let code = u32::from(syllable);
    if !(FIRST..=LAST).contains(&code) {
        return syllable;
    }
    let last = (code - FIRST) % 28;
    let spoken = SPOKEN
        .get(last as usize)
        .map_or(last, |&spoken| u32::from(spoken));
    char::from_u32(code - last + spoken).unwrap_or(syllable)
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
            ("Nothing Compares 2 U", "nothing compares to you"),
            ("Nothing Compares 2U", "nothing compares to you"),
            ("Party in the U.S.A.", "party in the u s a"),
            ("U + Ur Hand", "you and your hand"),
            ("U", "u"),
            ("Sweet Child O’ Mine", "sweet child of mine"),
            ("F**kin' Perfect", "f**kin perfect"),
            ("DECO*27", "deco 27"),
            ("٣ دقات", "3 دقات"),
            ("Song Two", "song 2"),
            ("Seven", "seven"),
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
            ("إنت أم آه", "انت ام اه"),
            ("بشرة حسينى", "بشره حسيني"),
            ("うっせぇわ", "うっせえわ"),
            ("벚꽃 엔딩", "벗꼿 엔딩"),
            ("빛", "빛"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(bare(&fold(name)), normal, "{name:?}");
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

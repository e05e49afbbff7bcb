//! Letters that lists write for one another.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::songs::han;

/// In a name of so many Hangul syllables one that sounds like the right one is a slip.
const HANGUL_SOUND_MIN: usize = 3;

/// Marks are dropped where readers and writers drop them: on Latin and Greek letters, on Cyrillic "ё", Hebrew and
/// Arabic vowel points, the hamza on an alef. Everywhere else (kana, Indic scripts, Thai) a mark makes another letter.
pub(super) fn bare(folded: &str) -> String {
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
    let plain: String = composed.collect();
    let syllables = plain.chars().filter(|&c| han::is_hangul(c)).count();
    // Alone, 빛 (light) and 빚 (debt) are two words.
    if syllables < HANGUL_SOUND_MIN {
        return plain;
    }
    plain.chars().map(pronounced).collect()
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

pub(super) fn spelled(folded: &str) -> Option<String> {
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

pub(super) fn digit(word: &str) -> Option<&'static str> {
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

/// Lists write "3" and "٣" for one number: the decimal digits of the scripts that have their own.
pub(super) fn ascii_digit(digit: char) -> Option<char> {
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

pub(super) fn is_latin(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | 'ª' | 'º' | 'À'..='ʯ' | '\u{1E00}'..='\u{1EFF}')
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}')
}

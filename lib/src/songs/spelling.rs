//! How alike two names are, letter by letter: a slip of the pen, or another name.

/// The first code point of the scripts counted as dense (Thai; then Hangul, kana, Han).
pub(super) const DENSE_FROM: char = '\u{0E00}';

/// Below this two names are not the same name. Slips of spelling stay above it, other words below.
pub(super) const SAME_NAME_AT: f64 = 0.8;

/// Names that differ in a leading article ("The Beatles" / "Beatles").
const WORTH_ARTICLE: f64 = 0.98;
/// Of names of three words and more: "Die perfekte Welle" / "Perfekte Welle".
const FOREIGN_ARTICLES: &[&str] = &[
    "der", "die", "das", "los", "las", "les", "la", "le", "el", "il", "os", "as",
];
/// The most that words in common are worth when the names are not the same.
const WORTH_COMMON_WORDS: f64 = 0.6;
/// In a name this long a letter may be missing even in a short word.
const LOST_LETTER_CHARS_MIN: usize = 10;
/// "Girl" and "Girls" are two songs; in a name of so many words the ending of one is a slip.
const PLURAL_WORDS_MIN: usize = 3;
const PLURAL_CHARS_MIN: usize = 4;
/// In a sentence this long one letter of a short word may be another.
const SENTENCE_CHARS_MIN: usize = 14;
/// "Foo" / "Fo" is no slip in a shorter word.
const DOUBLED_CHARS_MIN: usize = 5;
/// Edit distance is quadratic: longer words are equal or they are not.
const SPELLING_CHARS_MAX: usize = 64;
/// In Han, kana, Hangul and Thai one character is a syllable or a word; only in a name this long is one wrong
/// character a slip rather than another name.
const DENSE_SLIP_CHARS_MIN: usize = 8;

/// 1 for the same words, at least [`SAME_NAME_AT`] for a slip of spelling, less for other words.
pub(super) fn words_alike(a: &[String], b: &[String]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    // Spaces never tell two names apart: "AC/DC" / "ACDC", "봄 날" / "봄날".
    if same_letters(a, b) {
        return 1.0;
    }
    if same_letters(without_article(a), without_article(b)) {
        return WORTH_ARTICLE;
    }
    if let Some(slips) = slips(a, b).or_else(|| dense_slips(a, b)) {
        let chars = letters(a).count().max(letters(b).count());
        return (1.0 - ratio(slips, chars)).max(SAME_NAME_AT);
    }
    let common = a.iter().filter(|word| b.contains(word)).count();
    (WORTH_COMMON_WORDS * ratio(2 * common, a.len() + b.len())).min(WORTH_COMMON_WORDS)
}

/// The letters of all words, in order.
fn letters(words: &[String]) -> impl Iterator<Item = char> + Clone {
    words.iter().flat_map(|word| word.chars())
}

fn same_letters(a: &[String], b: &[String]) -> bool {
    let bytes = |words: &[String]| words.iter().map(String::len).sum::<usize>();
    bytes(a) == bytes(b) && letters(a).eq(letters(b))
}

fn without_article(words: &[String]) -> &[String] {
    match words {
        [article, rest @ ..] if !rest.is_empty() && ["the", "a", "an"].contains(&article.as_str()) => rest,
        // "Die Young" is no "Young".
        [article, rest @ ..] if rest.len() > 1 && FOREIGN_ARTICLES.contains(&article.as_str()) => rest,
        words => words,
    }
}

/// The letters to change to make one name of the other, if a slip of the pen explains every one of them.
/// Word by word, so that "Girl" is not "Girls", "Can" not "Can't", and "Part 1" not "Part 2".
fn slips(a: &[String], b: &[String]) -> Option<usize> {
    if a.len() != b.len() {
        return None;
    }
    let chars: usize = a.iter().map(|word| word.chars().count()).sum();
    let long = a.len() > 1 && chars >= LOST_LETTER_CHARS_MIN;
    let (count, whole_sentence) = (a.len(), a.len() >= PLURAL_WORDS_MIN);
    let slips = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            let slip = word_slips(a, b).or_else(|| doubled_letter(a, b));
            slip.or_else(|| lost_letter(a, b).filter(|_| long))
                .or_else(|| lost_plural(a, b).filter(|_| long && whole_sentence))
                .or_else(|| {
                    other_letter(a, b).filter(|_| chars >= SENTENCE_CHARS_MIN && count > PLURAL_WORDS_MIN)
                })
        })
        .sum::<Option<usize>>()?;
    (slips <= (chars / 6).max(1)).then_some(slips)
}

fn word_slips(a: &str, b: &str) -> Option<usize> {
    if a == b || is_censored_form(a, b) || is_censored_form(b, a) {
        return Some(0);
    }
    let (a_chars, b_chars) = (a.chars().count(), b.chars().count());
    let (shorter, longer) = (a_chars.min(b_chars), a_chars.max(b_chars));
    let exact_only = |c: char| c.is_numeric() || c >= DENSE_FROM;
    if longer > SPELLING_CHARS_MAX || longer - shorter > 2 || a.chars().chain(b.chars()).any(exact_only) {
        return None;
    }
    let allowed = match shorter {
        0..=2 => return None,
        3..=8 => 1,
        _ => 2,
    };
    // Most words have other letters altogether, and need not be measured.
    if letters_apart(a, b) > allowed {
        return None;
    }
    // Short words may only have two letters swapped: one other letter makes another word.
    if shorter <= 4 {
        return (strsim::osa_distance(a, b) == 1 && sorted(a) == sorted(b)).then_some(1);
    }
    let distance = strsim::osa_distance(a, b);
    (distance <= allowed).then_some(distance)
}

/// At most as many letters as have to be changed to make one word of the other: those that only one of them has. Letters
/// that share a place are taken for one another, which makes it less.
pub(super) fn letters_apart(a: &str, b: &str) -> usize {
    let places = |word: &str| {
        word.chars()
            .fold(0_u64, |set, c| set | 1 << (u32::from(c) % u64::BITS))
    };
    let (a, b) = (places(a), places(b));
    let missing = (a & !b).count_ones().max((b & !a).count_ones());
    missing as usize
}

/// One letter inside a short word that was not typed ("Qeen"), in a name long enough to be sure of the rest. At a word's
/// end it makes another word ("Girls", "Can't").
fn lost_letter(a: &str, b: &str) -> Option<usize> {
    let (shorter, longer) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let inside = shorter.chars().next() == longer.chars().next() && !longer.starts_with(shorter);
    let chars = shorter.chars().count();
    let may_lack_one = inside && (3..=4).contains(&chars) && longer.chars().count() == chars + 1;
    let plain = |word: &str| word.chars().all(|c| c.is_alphabetic() && c < DENSE_FROM);
    (may_lack_one && plain(a) && plain(b) && strsim::osa_distance(a, b) == 1).then_some(1)
}

/// Doubled letters put in the wrong place: "Bizzare" for "Bizarre".
fn doubled_letter(a: &str, b: &str) -> Option<usize> {
    let single = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.dedup();
        letters
    };
    if a.chars().next() != b.chars().next() {
        return None;
    }
    let plain = a.chars().all(|c| c.is_alphabetic() && c < DENSE_FROM);
    let letters = single(a);
    (plain && letters.len() >= DOUBLED_CHARS_MIN && letters == single(b)).then_some(1)
}

/// "Pumped Up Kick" for "Pumped Up Kicks".
fn lost_plural(a: &str, b: &str) -> Option<usize> {
    let lost = |longer: &str, shorter: &str| longer.strip_suffix('s') == Some(shorter);
    (a.len().min(b.len()) >= PLURAL_CHARS_MIN && (lost(a, b) || lost(b, a))).then_some(1)
}

/// "Rolling in the Deap": one letter of a short word, not its first, in a whole sentence.
fn other_letter(a: &str, b: &str) -> Option<usize> {
    let four = |word: &str| word.len() == 4 && word.chars().all(|c| c.is_ascii_alphabetic());
    let same_first = a.chars().next() == b.chars().next();
    (four(a) && four(b) && same_first && strsim::osa_distance(a, b) == 1).then_some(1)
}

/// "f**kin" is any word of that length with those letters.
fn is_censored_form(stars: &str, word: &str) -> bool {
    stars.contains('*')
        && stars.chars().count() == word.chars().count()
        && stars
            .chars()
            .zip(word.chars())
            .all(|(star, letter)| star == letter || star == '*')
}

fn sorted(word: &str) -> Vec<char> {
    let mut chars: Vec<char> = word.chars().collect();
    chars.sort_unstable();
    chars
}

fn dense_slips(a: &[String], b: &[String]) -> Option<usize> {
    // The first letter of most names says that they are not.
    let dense = |words: &[String]| letters(words).all(|c| c >= DENSE_FROM && !c.is_numeric());
    if !dense(a) || !dense(b) {
        return None;
    }
    let (a_chars, b_chars) = (letters(a).count(), letters(b).count());
    let comparable =
        a_chars.min(b_chars) >= DENSE_SLIP_CHARS_MIN && a_chars.max(b_chars) <= SPELLING_CHARS_MAX;
    (comparable && strsim::osa_distance(&a.concat(), &b.concat()) == 1).then_some(1)
}

/// Counts of characters and words, far below the 2^52 where `f64` would round.
#[expect(clippy::cast_precision_loss, reason = "counts of characters in a title")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::SAME_NAME_AT;
    use crate::songs::normal::Text;

    #[test]
    fn the_same_name_and_other_names() {
        for (a, b, same) in [
            ("Beyoncé", "Beyonce", true),
            ("Für Elise", "Fuer Elise", true),
            ("Für Elise", "Fur Elise", true),
            ("AC/DC", "ACDC", true),
            ("R.E.M.", "REM", true),
            ("The Beatles", "Beatles", true),
            ("Die perfekte Welle", "Perfekte Welle", true),
            ("Die Young", "Young", false),
            ("Bohemian Rhapsody", "Bohemian Rapsody", true),
            ("Wnat", "Want", true),
            ("夜に駆ける", "夜に駆ける", true),
            ("Dancing Qeen", "Dancing Queen", true),
            ("Dancing Girl", "Dancing Girls", false),
            ("Qeen", "Queen", false),
            ("Bizzare Love Triangle", "Bizarre Love Triangle", true),
            ("Pumped Up Kick", "Pumped Up Kicks", true),
            ("Pumped Up Kick", "Pumped Up Kicker", false),
            ("Rolling in the Deap", "Rolling in the Deep", true),
            ("Stand by My Wife", "Stand by My Life", false),
            ("벗꽃엔딩", "벚꽃 엔딩", true),
            ("うっせえわ", "うっせぇわ", true),
            ("بشره خير", "بشرة خير", true),
            ("F**kin' Perfect", "Fuckin' Perfect", true),
            ("F**k You", "Thank You", false),
            ("Nothing Compares to You", "Nothing Compares 2 U", true),
            ("告白气球", "告白氣球", true),
            ("انت عمري", "إنت عمري", true),
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
}

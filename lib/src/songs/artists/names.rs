//! How alike two artists' names are.

use crate::songs::normal::Text;

/// The names agree, the order of their words does not ("Utada Hikaru" / "Hikaru Utada").
const WORTH_TURNED: f64 = 0.97;
/// The same in other letters, without its article, or with a slip in a short word.
const WORTH_ROMANISED: f64 = 0.9;

/// Whether the words of one, two at least, stand together in the other.
pub(super) fn is_part(part: &Text, whole: &Text) -> bool {
    let (part, whole) = (part.bare_words(), whole.bare_words());
    part.len() > 1 && whole.windows(part.len()).any(|words| words == part)
}

/// Whether one is the other's beginning or end, and no band that plays the songs of somebody is called so.
pub(super) fn is_part_of_name(part: &Text, whole: &Text) -> bool {
    const IMITATORS: &[&str] = &[
        "tribute", "karaoke", "cover", "covers", "revival", "sounds", "sound", "like", "plays", "lullaby",
        "piano", "strings", "kids", "ensemble", "players", "singers", "choir", "project", "show", "style",
        "to",
    ];
    let words = match whole.bare_words() {
        [the, rest @ ..] if the == "the" => rest,
        words => words,
    };
    let at_edge = words.starts_with(part.bare_words()) || words.ends_with(part.bare_words());
    let imitates = || words.iter().any(|word| IMITATORS.contains(&word.as_str()));
    at_edge && is_part(part, whole) && !imitates()
}

/// Whether one is a word that the other, of three words at most, begins or ends with.
pub(super) fn is_word(word: &Text, name: &Text) -> bool {
    const CHARS_MIN: usize = 4;
    const WORDS_MAX: usize = 3;
    let ([word], names) = (word.bare_words(), name.bare_words()) else {
        return false;
    };
    let at_edge = names.first() == Some(word) || names.last() == Some(word);
    // "Simon & Garfunkel" are two.
    let one = || !names.iter().any(|word| word == "and");
    at_edge && one() && (2..=WORDS_MAX).contains(&names.len()) && word.chars().count() >= CHARS_MIN
}

pub(super) fn name_alike(a: &Text, b: &Text) -> f64 {
    let alike = a.alike(b);
    if alike < WORTH_TURNED && a.same_words(b) {
        WORTH_TURNED
    } else if alike < WORTH_ROMANISED
        && (a.sounds_like(b) || without_article(a) == without_article(b) || is_short_slip(a, b))
    {
        WORTH_ROMANISED
    } else {
        alike
    }
}

/// One slip in a short word beside a long one that is right: "Fleetwood Mack". Of titles it would make others, and a word's
/// first letter makes another name ("Johnny Cash" / "Johnny Nash").
fn is_short_slip(a: &Text, b: &Text) -> bool {
    const LONG_CHARS_MIN: usize = 6;
    let (a, b) = (a.bare_words(), b.bare_words());
    let mut differing = a.iter().zip(b).filter(|(a, b)| a != b);
    let (Some((one, other)), None) = (differing.next(), differing.next()) else {
        return false;
    };
    let long = a
        .iter()
        .any(|word| word != one && word.chars().count() >= LONG_CHARS_MIN);
    let short =
        |word: &str| (3..=4).contains(&word.chars().count()) && word.chars().all(|c| c.is_ascii_alphabetic());
    a.len() == b.len()
        && long
        && short(one)
        && short(other)
        && one.chars().next() == other.chars().next()
        && strsim::osa_distance(one, other) == 1
}

/// "Toten Hosen" / "Die Toten Hosen". Only of names: "Die Young" is no "Young".
fn without_article(name: &Text) -> &[String] {
    const ARTICLES: &[&str] = &[
        "der", "die", "das", "los", "las", "les", "la", "le", "el", "il", "os", "as",
    ];
    match name.bare_words() {
        [article, rest @ ..] if !rest.is_empty() && ARTICLES.contains(&article.as_str()) => rest,
        words => words,
    }
}

//! Where one line of credit joins several artists, or one artist's names.

use crate::songs::normal::{Script, Text, is_latin_letter};

/// Words between two artists. At either end of a name they are part of it: "X Ambassadors", "Lil Nas X".
const JOINTS: &[&str] = &[
    "x", "vs", "vs.", "with", "and", "y", "e", "et", "und", "och", "og", "и", "і",
];

/// Cuts where several artists may meet; commas inside brackets do not count.
pub(super) fn split_name(name: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    let mut words = name.split_inclusive(char::is_whitespace).peekable();
    while let Some(word) = words.next() {
        let next = words.peek();
        let between = next.is_some_and(|next| !next.starts_with(['&', '+']))
            && pieces.last().is_some_and(|piece| !piece.trim().is_empty());
        let joint = JOINTS.contains(&word.trim().to_lowercase().as_str());
        if joint && between && depth == 0 {
            pieces.push(String::new());
            continue;
        }
        for c in word.chars() {
            match c {
                '(' | '（' | '[' => depth += 1,
                ')' | '）' | ']' => depth = depth.saturating_sub(1),
                ',' | '，' | '、' | '&' | '＆' | '+' | '/' | '／' | '×' | '✕' if depth == 0 => {
                    pieces.push(String::new());
                    continue;
                }
                _ => {}
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(c);
            }
        }
    }
    pieces
}

/// One artist's name in two scripts: "Jay Chou 周杰倫", "和楽器バンド / Wagakki Band", "IU (아이유)".
pub(super) fn two_scripts(name: &str) -> Option<(&str, &str)> {
    /// "DJ", "MC" and the like are no name of their own.
    const LETTERS_MIN: usize = 2;
    // Most names are in one script; the rest is not cheap.
    let mut letters = name.chars().filter(|c| c.is_alphabetic());
    let starts_latin = is_latin_letter(letters.next()?);
    if letters.all(|c| is_latin_letter(c) == starts_latin) {
        return None;
    }
    let name = name.trim();
    let (first, second) = in_brackets(name)
        .or_else(|| name.split_once(['/', '／']))
        .or_else(|| at_a_space(name))?;
    let (first, second) = (first.trim(), second.trim());
    let scripts = (Text::new(first).script(), Text::new(second).script());
    let differ = matches!(
        scripts,
        (Script::Latin, Script::Other) | (Script::Other, Script::Latin)
    );
    let one_each = [first, second].iter().all(|name| split_name(name).len() == 1);
    let latin = if scripts.0 == Script::Latin { first } else { second };
    let is_name = latin.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS_MIN
        && !["dj", "mc", "lil", "the"].contains(&latin.to_lowercase().as_str());
    (differ && one_each && is_name).then_some((first, second))
}

/// What stands before the bracket that ends a name, and what in it.
pub(super) fn in_brackets(name: &str) -> Option<(&str, &str)> {
    let inside = name.strip_suffix([')', '）', ']'])?;
    let mut depth = 0_usize;
    for (at, c) in inside.char_indices().rev() {
        match c {
            ')' | '）' | ']' => depth += 1,
            '(' | '（' | '[' if depth == 0 => return Some((&inside[..at], &inside[at + c.len_utf8()..])),
            '(' | '（' | '[' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The space where the letters change from one script to another, if they do so once. Looks at every character once: a
/// name may be as long as a request allows.
fn at_a_space(name: &str) -> Option<(&str, &str)> {
    let mut letters = name
        .char_indices()
        .filter(|(_, c)| c.is_alphabetic())
        .map(|(at, c)| (at, is_latin_letter(c)));
    let (_, starts_latin) = letters.next()?;
    let (change, _) = letters.find(|&(_, latin)| latin != starts_latin)?;
    if letters.any(|(_, latin)| latin == starts_latin) {
        return None;
    }
    let space = name[..change].rfind(char::is_whitespace)?;
    // The word in which they change belongs to neither: "Official髭男dism".
    let whole = !name[space..change].contains(char::is_alphabetic);
    whole.then(|| name.split_at(space))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joint_stands_between_two_names() {
        for (name, pieces) in [
            ("X Ambassadors", &["X Ambassadors"][..]),
            ("Lil Nas X", &["Lil Nas X"]),
            ("Lil Nas X & Jack Harlow", &["Lil Nas X", "Jack Harlow"]),
            ("Ali Sethi x Shae Gill", &["Ali Sethi", "Shae Gill"]),
        ] {
            let split = split_name(name);
            let split: Vec<&str> = split.iter().map(|piece| piece.trim()).collect();
            assert_eq!(split, pieces, "{name:?}");
        }
    }
}

//! Han characters in their two Chinese forms: lists write 告白气球 for a title that the artist spells 告白氣球.

use hanconv::{jp2t, s2t, t2s};

/// In simplified characters, for comparing; `None` where that changes nothing, and for a name with kana or Hangul in it,
/// whose Han characters are not Chinese ones.
pub(super) fn simplified(text: &str) -> Option<String> {
    if !text.contains(is_han) || text.contains(is_kana_or_hangul) {
        return None;
    }
    let simplified = t2s(text);
    (simplified != text).then_some(simplified)
}

/// Title and artist in the other Chinese form, for searching; `None` where there is none, or they may be Japanese: with
/// kana, or with a character that only Japanese writes so (気, 転).
pub(super) fn other_form(title: &str, artist: &str) -> Option<(String, String)> {
    traditional(title, artist).or_else(|| {
        let may_be_japanese = |text: &str| text.contains(is_kana_or_hangul) || jp2t(text) != text;
        let (other_title, other_artist) = (t2s(title), t2s(artist));
        let same = other_title == title && other_artist == artist;
        (!same && !may_be_japanese(title) && !may_be_japanese(artist)).then_some((other_title, other_artist))
    })
}

/// Title and artist in traditional characters, for searching; `None` unless they are written in simplified ones.
/// A character that Japanese shortens in the same way (国, 恋) proves nothing.
fn traditional(title: &str, artist: &str) -> Option<(String, String)> {
    let both = || title.chars().chain(artist.chars());
    if both().any(is_kana_or_hangul) || t2s(title) != title || t2s(artist) != artist {
        return None;
    }
    let is_simplified = |c: char| {
        let c = c.to_string();
        s2t(&c) != c && jp2t(&c) == c
    };
    let evident = both().filter(|&c| is_han(c)).any(is_simplified);
    evident.then(|| (s2t(title), s2t(artist)))
}

pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{323AF}')
}

fn is_kana_or_hangul(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30FA}') || is_hangul(c)
}

pub(super) fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_compared_in_one_form() {
        assert_eq!(simplified("告白氣球").as_deref(), Some("告白气球"));
        assert_eq!(simplified("告白气球"), None);
        assert_eq!(simplified("Hello"), None);
        assert_eq!(simplified("無名のヒーロー"), None, "Japanese is left alone");
        assert_eq!(simplified("무제 無題"), None, "so is Korean");
    }

    #[test]
    fn only_what_is_evidently_simplified_is_searched_for_otherwise() {
        let traditional = |title, artist| traditional(title, artist).map(|(title, _)| title);
        assert_eq!(traditional("告白气球", "周杰伦").as_deref(), Some("告白氣球"));
        assert_eq!(traditional("告白氣球", "周杰倫"), None);
        assert_eq!(
            traditional("恋", "星野源"),
            None,
            "Japanese shortens this one too"
        );
        assert_eq!(traditional("群青", "YOASOBI"), None);
    }
}

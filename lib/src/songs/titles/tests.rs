//! Titles taken apart, and compared.

use super::*;
use crate::songs::Version;

#[test]
fn names_alike_part_by_part() {
    for (a, b, same) in [
        ("봄날 (Spring Day)", "봄날", true),
        ("Pachka Sigaret", "Пачка сигарет", true),
        ("Bom Nal", "봄날", true),
        ("Tum Hi Ho", "तुम ही हो", true),
        ("Pachka Konfet", "Пачка сигарет", false),
        ("봄날 (Spring Day)", "Spring Day", true),
        ("Spring Day (봄날)", "봄날 (Spring Day)", true),
        ("봄날 / Spring Day", "봄날", true),
        ("夜に駆ける", "夜に駆ける (Racing into the Night)", true),
        ("Группа крови", "Группа крови (Blood Type)", true),
        ("Love (사랑)", "Love (이별)", false),
        ("(I Can't Get No) Satisfaction", "Satisfaction", true),
        (
            "(I Can’t Get No) Satisfaction",
            "I Can't Get No Satisfaction",
            true,
        ),
        (
            "Another Brick in the Wall (Part 2)",
            "Another Brick in the Wall (Part 1)",
            false,
        ),
        (
            "Another Brick in the Wall, Pt. 2",
            "Another Brick in the Wall (Part 2)",
            true,
        ),
        (
            "Another Brick in the Wall (Part 2)",
            "Another Brick in the Wall",
            false,
        ),
        ("Hurt / Closer", "Hurt", false),
        ("Hello - Remastered 2011", "Hello", true),
        ("Hello (feat. B) [Official Video]", "Hello", true),
        ("Hello feat. B & C", "Hello", true),
        ("Shallow - From \"A Star Is Born\"", "Shallow", true),
        (
            "My Heart Will Go On - Love Theme from \"Titanic\"",
            "My Heart Will Go On",
            true,
        ),
        ("Dynamite -Japanese Version-", "Dynamite", true),
        ("Anti-Hero", "Anti‐Hero", true),
        ("Anti-Hero", "Anti", false),
        ("무제(無題) (Untitled, 2014)", "무제", true),
        ("락 (樂) (LALALALA)", "LALALALA", true),
        (
            "0X1=LOVESONG (I Know I Love You) feat. Seori",
            "0X1=LOVESONG (I Know I Love You)",
            true,
        ),
        ("灰色と青 (+菅田将暉)", "灰色と青", true),
        ("小幸運 A Little Happiness", "小幸運", true),
        ("봄날 Spring Day", "봄날 (Spring Day)", true),
        ("아주 NICE", "아주", false),
        ("사랑 Part Two", "사랑", false),
        ("사랑 Acoustic Session", "사랑", false),
        ("Intro", "(Intro)", true),
        ("÷", "+", false),
        ("", "", false),
    ] {
        let alike = Title::new(a).alike(&Title::new(b));
        assert_eq!(alike >= SAME_NAME_AT, same, "{a:?} / {b:?}: {alike}");
        let turned = Title::new(b).alike(&Title::new(a));
        assert!(
            (alike - turned).abs() < 1e-9,
            "{a:?} / {b:?}: {alike} but turned {turned}"
        );
    }
}

#[test]
fn asides_are_sorted_by_what_they_say() {
    let title = Title::new("Song (feat. B & C) [Live at Wembley] - Remastered 2011");
    assert_eq!(title.featured, ["B & C"]);
    assert_eq!(title.marks.versions.iter().collect::<Vec<_>>(), [&Version::Live]);
    assert_eq!(title.written.trim(), "Song");
    assert_eq!(title.written_version.trim(), "Live at Wembley");
}

#[test]
fn a_title_of_asides_only_keeps_them() {
    for title in ["(Live)", "[Intro]", "(Remix", "feat. B"] {
        let parts = Title::new(title);
        assert!(
            !parts.full.is_empty() && !parts.names().any(Text::is_empty),
            "{title:?}: {parts:?}"
        );
        assert!(parts.marks.versions.is_empty(), "{title:?}: {parts:?}");
    }
}

#[test]
fn asides_that_one_side_lacks() {
    for (a, b, ending) in [
        ("Faded", "Faded (Restrung)", Some(("restrung", false))),
        ("Stay (I Missed You)", "Stay", Some(("i missed you", true))),
        (
            "All Night Long (All Night)",
            "All Night Long",
            Some(("all night", true)),
        ),
        ("luther", "luther (with sza)", Some(("with sza", false))),
        ("Hello", "Hello", None),
    ] {
        let (a, b) = (Title::new(a), Title::new(b));
        let found = a
            .unshared_ending(&b)
            .map(|(text, subtitle)| (text.words().join(" "), subtitle));
        let found = found.as_ref().map(|(text, subtitle)| (text.as_str(), *subtitle));
        assert_eq!(found, ending, "{a:?} / {b:?}");
    }
}

//! Names folded.

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

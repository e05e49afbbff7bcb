//! Credits compared.

use super::*;

fn compare(wanted: &str, candidate: &[&str]) -> Artists {
    Credit::new([wanted], &[]).compare(&Credit::new(candidate.iter().copied(), &[]))
}

#[test]
fn credits_that_name_the_same_artists() {
    for (wanted, candidate) in [
        ("A & B", &["A", "B"][..]),
        ("Queen feat. David Bowie", &["Queen", "David Bowie"]),
        ("David Bowie, Queen", &["Queen", "David Bowie"]),
        (
            "Tyler, The Creator & Frank Ocean",
            &["Tyler, The Creator", "Frank Ocean"],
        ),
        ("Earth Wind and Fire", &["Earth, Wind & Fire"]),
        ("AC/DC", &["ACDC"]),
        ("Beyonce", &["Beyoncé"]),
        ("Utada Hikaru", &["Hikaru Utada"]),
        ("Utada, Hikaru", &["Hikaru Utada"]),
        ("아이유", &["IU"]),
        ("周杰伦", &["周杰倫"]),
        ("TXT", &["TOMORROW X TOGETHER"]),
        ("Guns and Roses", &["Guns N' Roses"]),
        ("IU (아이유)", &["IU"]),
        ("아이유", &["IU (아이유)"]),
        ("(G)I-DLE", &["(G)I-DLE"]),
        ("Adele - Topic", &["Adele"]),
        ("Daft Punk", &["Daft Punk", "Pharrell Williams"]),
        ("!!!", &["!!!"]),
        ("Кино", &["КИНО"]),
        ("Fleetwod Mac", &["Fleetwood Mac"]),
        ("Jay Chou 周杰倫", &["周杰倫"]),
        ("AIGEL", &["АИГЕЛ"]),
        ("김민석 (멜로망스)", &["김민석"]),
        ("Toten Hosen", &["Die Toten Hosen"]),
        ("米津玄師 / Kenshi Yonezu", &["米津玄師"]),
        ("和楽器バンド / Wagakki Band", &["和楽器バンド"]),
        ("(여자)아이들 ((G)I-DLE)", &["(여자)아이들"]),
        ("黒うさP feat.初音ミク", &["黒うさP", "初音ミク"]),
        ("Chitaozinho e Xororo", &["Chitãozinho & Xororó"]),
        ("X Ambassadors", &["X Ambassadors"]),
        ("Lil Nas X & Billy Ray Cyrus", &["Lil Nas X", "Billy Ray Cyrus"]),
        ("Fleetwood Mack", &["Fleetwood Mac"]),
        ("Alejandro Sans", &["Alejandro Sanz"]),
        ("Rammstein Official", &["Rammstein"]),
    ] {
        let found = compare(wanted, candidate);
        assert!(
            matches!(found, Artists::All(worth) if worth > 0.75),
            "{wanted:?} / {candidate:?}: {found:?}"
        );
    }
}

#[test]
fn credits_that_do_not() {
    for (wanted, candidate, expected) in [
        ("가나다라", &["Abc"][..], Artists::OtherScript),
        ("Lisa Loeb", &["Lisa Loeb & Nine Stories"], Artists::PartOfName),
        ("Johnny Cash", &["Johnny Nash"], Artists::Different),
        ("Ed Sheeran", &["Ed Sheeran Tribute Band"], Artists::Different),
        (
            "Ed Sheeran",
            &["A Piano Tribute to Ed Sheeran"],
            Artists::Different,
        ),
        ("Khaled", &["Cheb Khaled"], Artists::WordOfName),
        ("Fire", &["Earth, Wind & Fire"], Artists::Different),
        ("Simon", &["Simon & Garfunkel"], Artists::Different),
        ("Adele", &["Karaoke All Stars"], Artists::Different),
        ("A & B", &["A"], Artists::Some { first: true }),
        ("Earth, Wind & Fire", &["Fire"], Artists::Some { first: false }),
        ("", &["A"], Artists::Unknown),
        ("Various Artists", &["A"], Artists::Unknown),
        ("A", &[], Artists::Unknown),
    ] {
        assert_eq!(compare(wanted, candidate), expected, "{wanted:?} / {candidate:?}");
    }
}

//! Lines read, and lines left alone.

use super::*;

fn read(title: &str, artist: &str) -> Vec<(String, String, f64)> {
    let artists = [artist];
    let artists: &[&str] = if artist.is_empty() { &[] } else { &artists };
    let song = Song {
        title,
        artists,
        ..Song::default()
    };
    let ways = readings(&song).ways.into_iter();
    ways.map(|way| (way.credit.join(";"), way.title.to_owned(), way.worth))
        .collect()
}

/// A line, its artist's field; the artist and the title that it is read as first.
const LINES: &str = "
YOASOBI - 夜に駆ける ¦  ¦ YOASOBI ¦ 夜に駆ける
Coldplay - Yellow (Official Video) ¦ Coldplay ¦ Coldplay ¦ Yellow
Coldplay - Yellow (Official Video) ¦ ColdplayVEVO ¦ ColdplayVEVO ¦ Yellow
Queen – One Vision ¦ Queen Official ¦ Queen Official ¦ One Vision
M.I.A. - Paper Planes (Lyrics) ¦ 7clouds ¦ M.I.A. ¦ Paper Planes
Yellow - Coldplay ¦ Coldplay ¦ Coldplay ¦ Yellow
PSY - GANGNAM STYLE(강남스타일) M/V ¦ officialpsy ¦ PSY ¦ GANGNAM STYLE(강남스타일)
YOASOBI「アイドル」 Official Music Video ¦ Ayase / YOASOBI ¦ YOASOBI ¦ アイドル
【Ado】うっせぇわ ¦ Ado ¦ Ado ¦ うっせぇわ
米津玄師 MV「Lemon」 ¦ 米津玄師 ¦ 米津玄師 ¦ Lemon
[MV] IU(아이유) _ Palette(팔레트) ¦ 1theK ¦ IU(아이유) ¦ Palette(팔레트)
BTS '봄날 (Spring Day)' Official MV ¦ HYBE LABELS ¦ BTS ¦ 봄날 (Spring Day)
Die Toten Hosen // „Tage wie diese“ ¦ Die Toten Hosen ¦ Die Toten Hosen ¦ Tage wie diese
Manuel Turizo - La Bachata | Video Oficial ¦ Manuel Turizo ¦ Manuel Turizo ¦ La Bachata
A | B | OFFICIAL MUSIC VIDEO ¦ A Official ¦ A Official ¦ B
ELO - Mr. Blue Sky (Official Video) ¦ EloVEVO ¦ EloVEVO ¦ Mr. Blue Sky
HVME - Goosebumps Remix (Lyrics) feat. Travis Scott ¦ HVME ¦ HVME ¦ Goosebumps Remix (Lyrics) feat. Travis Scott
Title | Full Video Song | Film | Singer ¦ Singer ¦ Singer ¦ Title
Title – Official Video | Film | Somebody | Singer ¦ Sony Music ¦ Singer ¦ Title
柳爽《漠河舞厅》官方MV ¦ 柳爽 ¦ 柳爽 ¦ 漠河舞厅
DAY6 (데이식스) <Zombie> M/V ¦ JYP Entertainment ¦ DAY6 (데이식스) ¦ Zombie
Hello by Adele ¦  ¦ Adele ¦ Hello
";

#[test]
fn artist_and_title_are_found_in_a_line() {
    for row in LINES.trim().lines() {
        let cells: Vec<&str> = row.split('¦').map(str::trim).collect();
        let first = read(cells[0], cells[1]).swap_remove(0);
        assert_eq!([first.0.as_str(), first.1.as_str()], cells[2..], "{row}");
    }
}

#[test]
fn a_title_that_only_looks_so_is_left_alone() {
    for (title, artist) in [
        ("Anti-Hero", "Taylor Swift"),
        ("Hello - Live", "Adele"),
        ("Djadja (feat. Maluma) - Remix", "Maluma"),
        ("Hyperballad - Brodsky Quartet Version", "Björk"),
        ("Stand by Me", "Ben E. King"),
        ("\"Heroes\"", "David Bowie"),
        ("Sexy Video", "Somebody"),
        ("Don't Stop 'Til You Get Enough", "Michael Jackson"),
        ("Official Video", "Somebody"),
        ("MV", "Somebody"),
    ] {
        assert_eq!(read(title, artist), [(artist.to_owned(), title.to_owned(), 1.0)]);
    }
}

#[test]
fn an_unrelated_artist_in_the_title_is_believed_less() {
    let ways = read("Adele - Hello", "Jane Doe");
    assert_eq!(ways[0], ("Jane Doe".to_owned(), "Adele - Hello".to_owned(), 1.0));
    assert_eq!(
        ways[1],
        ("Adele".to_owned(), "Hello".to_owned(), WORTH_OTHER_UPLOADER)
    );
}

#[test]
fn either_half_may_be_the_artist_where_none_is_given() {
    let ways = read("Dreams - Cranberries", "");
    assert_eq!(ways[0].0, "Dreams");
    assert_eq!(
        (ways[1].0.as_str(), ways[1].1.as_str()),
        ("Cranberries", "Dreams")
    );
}

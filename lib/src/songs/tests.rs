//! Songs that are the same, and the traps: songs that only look so.

use proptest::prelude::*;

use super::*;

const MINUTE_MS: u64 = 60_000;

fn song<'a>(title: &'a str, artists: &'a [&'a str]) -> Song<'a> {
    Song {
        title,
        artists,
        ..Song::default()
    }
}

/// Title, artist; title and artists of the candidate, parted by ";".
const SAME: &str = "
Hello | Adele | Hello | Adele
hello | ADELE | Hello | Adele
Bohemian Rapsody | Queen | Bohemian Rhapsody | Queen
Dreams | Fleetwod Mac | Dreams | Fleetwood Mac
Bohemian Rhapsody | Queen | Bohemian Rhapsody - Remastered 2011 | Queen
Under Pressure | Queen & David Bowie | Under Pressure - Remastered 2011 | Queen; David Bowie
Halo | Beyonce | Halo | Beyoncé
Get Lucky | Daft Punk feat. Pharrell Williams | Get Lucky (feat. Pharrell Williams) | Daft Punk
Get Lucky | Daft Punk | Get Lucky (feat. Pharrell Williams & Nile Rodgers) | Daft Punk
Satisfaction | The Rolling Stones | (I Can't Get No) Satisfaction | The Rolling Stones
봄날 | 방탄소년단 (BTS) | 봄날 (Spring Day) | BTS
Spring Day | BTS | 봄날 (Spring Day) | BTS
夜に駆ける | YOASOBI | 夜に駆ける | YOASOBI
ＹＯＡＳＯＢＩ - 夜に駆ける |  | 夜に駆ける | YOASOBI
First Love | 宇多田ヒカル (Utada Hikaru) | First Love | Hikaru Utada
月亮代表我的心 | 鄧麗君 | 月亮代表我的心 | 鄧麗君
Группа крови | Кино | Группа крови | КИНО
Όλα σε θυμίζουν | Χάρις Αλεξίου | Ολα Σε Θυμιζουν | Χαρις Αλεξιου
Ignition Remix | R. Kelly | Ignition (Remix) | R. Kelly
Love Story (Taylor’s Version) | Taylor Swift | Love Story (Taylor's Version) | Taylor Swift
Dynamite (Japanese Ver.) | BTS | Dynamite -Japanese Version- | BTS
Titanium | David Guetta ft. Sia | Titanium - Radio Edit | David Guetta; Sia
99 Problems | JAY‐Z | 99 Problems | JAY-Z
밤편지 | 아이유 | 밤편지 (Through the Night) | IU
告白气球 | 周杰伦 | 告白氣球 | 周杰倫
倔强 | Mayday | 倔強 | 五月天
Running Up That Hill | Kate Bush | Running Up That Hill (A Deal With God) | Kate Bush
luther | Kendrick Lamar & SZA | luther (with sza) | Kendrick Lamar; SZA
灰色と青 | 米津玄師 | 灰色と青 (+菅田将暉) | 米津玄師; 菅田将暉
La Bachata | Manuel Turizo | La Bachata | MTZ Manuel Turizo
Is This Love | Bob Marley | Is This Love | Bob Marley & The Wailers
Yellow | ColdplayVEVO | Yellow | Coldplay
Coldplay - Yellow (Official Video) | ColdplayVEVO | Yellow | Coldplay
M.I.A. - Paper Planes (Lyrics) | 7clouds | Paper Planes | M.I.A.
dreams - cranberries |  | Dreams | The Cranberries
BTS (방탄소년단) '봄날 (Spring Day)' Official MV | HYBE LABELS | 봄날 | BTS
Пыяла | AIGEL | Пыяла | АИГЕЛ
夜曲 | Jay Chou 周杰倫 | 夜曲 | 周杰倫
千本桜 | 黒うさP feat.初音ミク | 千本桜 (feat. 初音ミク) | 黒うさP; 初音ミク
Crown | TXT | 어느날 머리에서 뿔이 자랐다 (CROWN) | TOMORROW X TOGETHER
Hello (Karaoke Version) | Sing King | Hello (Karaoke Version) [Originally Performed by Adele] | Sing King
Fuckin' Perfect | Pink | F**kin' Perfect | P!nk
";

/// The same, and the reason.
const OTHER: &str = "
Hello | Adele | Hello | Lionel Richie | different artist
Hello | Adele | Someone Like You | Adele | another title
Hello | Adele | Hello (Karaoke Version) | Sing King | a karaoke version
Hello | Adele | Hello | Karaoke All Stars | a karaoke version
Hello | Adele | Hello (Originally Performed by Adele) | Vox Freaks | a cover
Hello | Adele | Hello (Originally Performed by Adele) [Instrumental] | Adele | a cover
Hello | Adele | Hello originally performed by Adele | Adele | a cover
Hello | Adele | Hello - Live at the NRJ Awards | Adele | a live version
Hello | Adele | Hello (Sped Up) | Adele | a sped-up version
Hello | Adele | Hello - slowed + reverb | Adele | a slowed version
Hello | Adele | Hello (Instrumental) | Adele | an instrumental
Hello | Adele | Hello - Acoustic | Adele | an acoustic version
Hello | Adele | Hello (Demo) | Adele | a demo
Hello | Adele | Hello (Marshmello Remix) | Adele; Marshmello | a remix
Hello (Live) | Adele | Hello | Adele | not the live version
Hello (Avicii Remix) | Adele | Hello (Tiësto Remix) | Adele | another remix
Love Story | Taylor Swift | Love Story (Taylor's Version) | Taylor Swift | a new recording
Love Story (Taylor's Version) | Taylor Swift | Love Story | Taylor Swift | not the new recording
Dynamite | BTS | Dynamite -Japanese Version- | BTS | a Japanese version
Gee (한국어 버전) | 소녀시대 | Gee (日本語バージョン) | 소녀시대 | a Japanese version
눈의 꽃 | 박효신 | 눈의 꽃 (라이브) | 박효신 | a live version
夜に駆ける | YOASOBI | 夜に駆ける (カラオケ) | 歌っちゃ王 | a karaoke version
봄날 | 방탄소년단 | 봄밤 | 방탄소년단 | another title
밤편지 | 가나다라 | 밤편지 | Somebody | different artist
Believer (feat. Lil Wayne) | Imagine Dragons | Believer | Imagine Dragons | some artists are missing
Bad Habits (feat. Bring Me The Horizon) | Ed Sheeran | Bad Habits | Ed Sheeran | some artists are missing
Faded | Alan Walker | Faded (Restrung) | Alan Walker | a slightly different title
Easy On Me | Adele | Easy On Me (with Chris Stapleton) | Adele; Chris Stapleton | a slightly different title
紅蓮華 | LiSA | 紅蓮華 - From THE FIRST TAKE | LiSA | a live version
All Too Well (10 Minute Version) | Taylor Swift | All Too Well | Taylor Swift | not the special version
Another Brick in the Wall, Pt. 1 | Pink Floyd | Another Brick in the Wall, Pt. 2 | Pink Floyd | another title
Adele - Hello | Jane Doe | Hello | Adele | its artist is named in the title only
Adele - Hello (Piano Cover) | Jane Doe | Hello | Adele | not the cover
Adele - Hello (Karaoke) | Sing King | Hello | Adele | not the karaoke version
Adele - Hello (Official Live Video) | AdeleVEVO | Hello | Adele | not the live version
Adele - Hello (Lyrics) | 7clouds | Hello | Lionel Richie | different artist
Hello (Hindi Version) | Adele | Hello | Adele | not the Hindi version
Hello | Adele | Hello | Adele Tribute Band | a cover
September | Fire | September | Earth, Wind & Fire | different artist
Hello |  | Hello | Adele | no artist to compare
Hello | Adele | Hello |  | no artist to compare
 | Adele |  | Adele | another title
";

fn judged(row: &str) -> (Likeness, &str) {
    let mut cells = row.split('|').map(str::trim);
    let mut cell = || cells.next().unwrap_or_default();
    let (title, artist, candidate, artists, reason) = (cell(), cell(), cell(), cell(), cell());
    let artists: Vec<&str> = artists.split(';').map(str::trim).collect();
    (
        likeness(&song(title, &[artist]), &song(candidate, &artists)),
        reason,
    )
}

#[test]
fn the_same_song_is_accepted() {
    for row in SAME.trim_matches('\n').lines() {
        let (likeness, _) = judged(row);
        assert!(likeness.is_accepted(), "{row}: {likeness:?}");
    }
}

#[test]
fn another_song_is_refused_and_the_reason_named() {
    for row in OTHER.trim_matches('\n').lines() {
        let (likeness, reason) = judged(row);
        assert!(!likeness.is_accepted(), "{row}: {likeness:?}");
        assert_eq!(likeness.reason.to_string(), reason, "{row}");
    }
}

#[test]
fn all_that_speaks_against_a_candidate_is_said_the_weightiest_first() {
    let wanted = lasting(song("Hello (feat. B)", &["Adele"]), 3 * MINUTE_MS);
    for (title, artist, ms, said) in [
        ("Hello", "Adele", 0, "some artists are missing"),
        (
            "Hello (Live)",
            "Adele",
            14_000,
            "a live version, some artists are missing, 14 s longer",
        ),
        ("Hello", "Lionel Richie", 60_000, "different artist, 60 s longer"),
        (
            "Hello (A Cappella)",
            "Adele",
            20_000,
            "a cappella version, 20 s longer, some artists are missing",
        ),
        ("Bye", "Adele", 0, "another title, some artists are missing"),
    ] {
        let artists = [artist];
        let offered = lasting(song(title, &artists), 3 * MINUTE_MS + ms);
        assert_eq!(
            likeness(&wanted, &offered).to_string(),
            said,
            "{title} by {artist}"
        );
    }
    let same = likeness(&wanted, &wanted);
    assert_eq!(same.to_string(), "the same song");
}

#[test]
fn the_better_candidate_scores_higher() {
    let wanted = song("Under Pressure (feat. David Bowie)", &["Queen"]);
    let both = likeness(&wanted, &song("Under Pressure", &["Queen", "David Bowie"]));
    let alone = likeness(&wanted, &song("Under Pressure", &["Queen"]));
    let misspelt = likeness(&wanted, &song("Under Presure", &["Queen"]));
    assert!(
        both.score > alone.score && alone.score > misspelt.score,
        "{both:?} {alone:?} {misspelt:?}"
    );
}

#[test]
fn length_decides_within_its_bounds() {
    let at = |duration_ms| Song {
        duration_ms: Some(duration_ms),
        ..song("Duet", &["A", "B"])
    };
    let partly = |wanted_ms, candidate_ms| {
        let candidate = Song {
            duration_ms: Some(candidate_ms),
            ..song("Duet", &["A"])
        };
        likeness(&at(wanted_ms), &candidate).is_accepted()
    };
    let wholly = |wanted_ms, candidate_ms| likeness(&at(wanted_ms), &at(candidate_ms));
    let ms = 3 * MINUTE_MS;
    assert!(wholly(ms, ms + 12_000).is_accepted());
    assert!(!wholly(ms, ms + 15_001).is_accepted());
    assert_eq!(wholly(ms, ms - 40_000).reason.to_string(), "40 s shorter");
    assert!(wholly(ms, 0).is_accepted(), "no length says nothing");
    assert!(partly(ms, ms + 2_000), "a missing artist needs a strong length");
    assert!(!partly(ms, ms + 2_001));
}

#[test]
fn a_video_may_be_longer_than_its_song_and_never_shorter() {
    let offered = lasting(song("Take on Me", &["a-ha"]), 4 * MINUTE_MS);
    let accepted = |title, ms| likeness(&lasting(song(title, &["a-ha"]), ms), &offered).is_accepted();
    let video = "a-ha - Take On Me (Official Video)";
    assert!(accepted(video, 5 * MINUTE_MS));
    assert!(!accepted(video, 5 * MINUTE_MS + 1));
    assert!(!accepted(video, 4 * MINUTE_MS - 16_000));
    assert!(!accepted("Take On Me", 5 * MINUTE_MS));
}

#[test]
fn an_ending_that_one_side_lacks_needs_more() {
    let wanted = song("Faded", &["Alan Walker"]);
    let offered = song("Faded (Restrung)", &["Alan Walker"]);
    assert!(!likeness(&wanted, &offered).is_accepted());
    assert!(!likeness(&offered, &wanted).is_accepted());
    assert!(likeness(&lasting(wanted, MINUTE_MS), &lasting(offered, MINUTE_MS + 9_000)).is_accepted());
    assert!(!likeness(&lasting(wanted, MINUTE_MS), &lasting(offered, MINUTE_MS + 11_000)).is_accepted());
}

#[test]
fn an_isrc_outweighs_one_contradiction_not_two() {
    let coded = |title, artists| Song {
        isrc: Some("KRA381700788"),
        ..song(title, artists)
    };
    let wanted = coded("밤편지", &["가나다라"]);
    assert!(likeness(&wanted, &coded("밤편지", &["Somebody"])).is_accepted());
    assert!(
        likeness(&wanted, &coded("Through the Night", &["Somebody"])).is_accepted(),
        "two scripts contradict nothing"
    );
    assert!(!likeness(&wanted, &coded("좋은 날", &["박효신"])).is_accepted());
    assert!(
        !likeness(
            &wanted,
            &Song {
                isrc: Some("KRA381700789"),
                ..song("밤편지", &["Somebody"])
            }
        )
        .is_accepted()
    );
    let nonsense = |artist| Song {
        isrc: Some("n/a"),
        ..song("밤편지", artist)
    };
    assert!(
        !likeness(&nonsense(&["가나다라"]), &nonsense(&["Somebody"])).is_accepted(),
        "no code equals no code"
    );
}

#[test]
fn albums_speak_for_their_songs() {
    let on = |album| Song {
        album: Some(album),
        ..song("Radio Ga Ga", &["Queen"])
    };
    let plain = song("Radio Ga Ga", &["Queen"]);
    assert_eq!(
        likeness(&plain, &on("Live at Wembley '86")).reason,
        Reason::Version(Version::Live)
    );
    assert!(likeness(&on("Live at Wembley '86"), &on("Live at Wembley '86")).is_accepted());
    assert!(likeness(&plain, &on("Live Through This")).is_accepted());
    assert!(!likeness(&plain, &on("Karaoke Hits, Vol. 3")).is_accepted());
    let nameless = Song {
        artists: &[],
        duration_ms: Some(MINUTE_MS),
        ..on("The Works")
    };
    let offered = Song {
        duration_ms: Some(MINUTE_MS + 500),
        ..on("The Works (Deluxe Edition)")
    };
    assert!(
        likeness(&nameless, &offered).is_accepted(),
        "album and length stand in for an artist"
    );
    assert!(
        !likeness(
            &Song {
                album: None,
                ..nameless
            },
            &offered
        )
        .is_accepted()
    );
}

#[test]
fn keys_are_equal_for_one_recording_only() {
    for (a, b, equal) in [
        (
            ("Under Pressure", "Queen & David Bowie"),
            ("under pressure", "David Bowie, Queen"),
            true,
        ),
        (("Hello (feat. B)", "A"), ("Hello", "A ft. B"), true),
        (("Hello - Remastered 2011", "Adele"), ("Hello", "Adele"), true),
        (("봄날 (Spring Day)", "BTS"), ("Spring Day (봄날)", "BTS"), true),
        (("ｈｅｌｌｏ", "Adele"), ("Hello", "Adele"), true),
        (("Hello (Live)", "Adele"), ("Hello", "Adele"), false),
        (("Hello (A Remix)", "Adele"), ("Hello (B Remix)", "Adele"), false),
        (("Hello", "Adele"), ("Hello", "Lionel Richie"), false),
        (("ガラス", "A"), ("カラス", "A"), false),
        (("a b", "c"), ("a", "b c"), false),
    ] {
        assert_eq!(key(a.0, a.1) == key(b.0, b.1), equal, "{a:?} / {b:?}");
    }
}

/// Titles as lists have them, and worse.
fn title() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "[A-Za-z봄날夜にé' ]{1,12}( [(\\[](Live|feat\\. B|Remix|사랑|Pt\\. 2)[)\\]])?( - (Remastered|Demo|Live at X))?",
        "(feat\\.|-|\\(|\\)|/|&| |x|Live|IU|아이유|!){0,12}",
    ]
}

proptest! {
    #[test]
    fn a_song_is_itself(title in title(), artist in title()) {
        prop_assume!(!normal::fold(&title).is_empty());
        prop_assume!(!artists::Credit::new([artist.as_str()], &[]).is_empty());
        let artists = [artist.as_str()];
        let song = song(&title, &artists);
        let likeness = likeness(&song, &song);
        prop_assert!(likeness.score > 0.95, "{likeness:?}");
        prop_assert_eq!(key(&title, &artist), key(&title, &artist));
    }

    #[test]
    fn a_song_taken_apart_before_is_compared_alike(
        titles in (title(), title()),
        artists in (title(), title()),
        ms in (any::<Option<u64>>(), any::<Option<u64>>()),
        same in any::<(bool, bool)>(),
    ) {
        let wanted_artists = [artists.0.as_str()];
        let both_artists = [artists.0.as_str(), artists.1.as_str()];
        let offered_artists = if same.0 { &both_artists[..] } else { &both_artists[1..] };
        let offered_title = if same.1 { &titles.0 } else { &titles.1 };
        let wanted = Song { duration_ms: ms.0, ..song(&titles.0, &wanted_artists) };
        let offered = Song { duration_ms: ms.1, album: Some(&titles.1), ..song(offered_title, offered_artists) };
        let (wanted, taken_apart) = (Wanted::new(&wanted), Offered::new(&offered));
        let first = wanted.likeness_to(&taken_apart);
        prop_assert_eq!(first, wanted.likeness(&offered));
        prop_assert_eq!(first, wanted.likeness_to(&taken_apart), "the first time leaves nothing behind");
    }

    #[test]
    fn scores_stay_in_bounds(
        titles in (title(), title()),
        artists in (title(), title()),
        ms in (any::<Option<u64>>(), any::<Option<u64>>()),
        isrc in "[A-Z]{0,2}[0-9]{10}",
    ) {
        let wanted_artists = [artists.0.as_str()];
        let candidate_artists = [artists.1.as_str(), artists.0.as_str()];
        let wanted = Song { duration_ms: ms.0, isrc: Some(&isrc), ..song(&titles.0, &wanted_artists) };
        let candidate = Song { duration_ms: ms.1, album: Some(&titles.0), ..song(&titles.1, &candidate_artists) };
        let likeness = likeness(&wanted, &candidate);
        prop_assert!((0.0..=1.0).contains(&likeness.score), "{likeness:?}");
        let said = likeness.to_string();
        prop_assert!((1..=REASONS_CHARS_MAX).contains(&said.chars().count()), "{said:?}");
    }

    #[test]
    fn queries_fit(title in "\\PC{0,200}", artist in "\\PC{0,200}", isrc in proptest::option::of("\\PC{0,20}")) {
        let artists = [artist.as_str()];
        let wanted = Song { isrc: isrc.as_deref(), ..song(&title, &artists) };
        let queries = queries(&wanted);
        prop_assert!(queries.len() <= 3);
        for query in queries {
            prop_assert!((1..=QUERY_CHARS_MAX).contains(&query.q.chars().count()), "{query:?}");
            prop_assert!(!query.q.contains(['"', '*']), "{query:?}");
        }
    }
}

/// What no list should hold, as long as a request lets it be.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(any::<char>(), 0..500).prop_map(String::from_iter),
        "[🎵🎸\u{1F1F0}\u{1F1F7}\u{200D}\u{FE0F}]{0,500}",
        "[!-/:-@「」《》【】()|_ ]{0,500}",
        "[אבגحب٣\u{202E}\u{200F}\u{64B} -]{0,500}",
        "[e\u{301}\u{302}\u{20DD}\u{200B}\u{AD}\u{FEFF} ]{0,500}",
        "([a봄夜ア] ?(-|\\||/|「|feat\\.|MV|by|\\(|&) ?){0,80}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_too_odd_to_be_looked_for(title in nasty(), artist in nasty(), other in nasty()) {
        let artists = [artist.as_str()];
        let wanted = Song { album: Some(&other), isrc: Some(&other), ..song(&title, &artists) };
        let mut hunt = Hunt::new(&wanted);
        let mut asked = 0;
        while let Some(query) = hunt.next_query() {
            asked += 1;
            prop_assert!((1..=QUERY_CHARS_MAX).contains(&query.q.chars().count()), "{query:?}");
            hunt.offer(asked, &song(&other, &[&title]), query.how);
        }
        prop_assert!(asked <= 3);
        for seen in hunt.ranked() {
            prop_assert!((0.0..=1.0).contains(&seen.likeness.score), "{:?}", seen.likeness);
        }
        prop_assert_eq!(key(&title, &artist), key(&title, &artist));
    }
}

fn lasting(song: Song<'_>, duration_ms: u64) -> Song<'_> {
    Song {
        duration_ms: Some(duration_ms),
        ..song
    }
}

#[test]
fn names_that_cannot_be_compared_need_the_length() {
    for (title, wanted, offered) in [
        ("사건의 지평선", "Somebody", "가나다라"),
        ("La Bachata del Amor", "Turizo", "Manuel Turizo"),
    ] {
        let (wanted, offered) = ([wanted], [offered]);
        let (wanted, offered) = (song(title, &wanted), song(title, &offered));
        assert!(!likeness(&wanted, &offered).is_accepted(), "{title}");
        let near =
            |ms| likeness(&lasting(wanted, MINUTE_MS), &lasting(offered, MINUTE_MS + ms)).is_accepted();
        assert!(near(1_000), "{title}");
        assert!(!near(5_000), "{title}");
    }
    let home = |artist| lasting(song("Home", artist), MINUTE_MS);
    assert!(
        !likeness(&home(&["로이킴"]), &home(&["Phillip Phillips"])).is_accepted(),
        "many songs have such a title, some the same length"
    );
    let recording = |title| lasting(song(title, &["Simon & Garfunkel"]), MINUTE_MS);
    let (plain, electric) = ("The Sound of Silence", "The Sound of Silence - Electric Version");
    assert!(likeness(&recording(plain), &recording(electric)).is_accepted());
    let unknown = song(electric, &["Simon & Garfunkel"]);
    assert!(!likeness(&recording(plain), &unknown).is_accepted());
}

#[test]
fn of_a_song_and_its_remaster_the_one_wins_that_is_named() {
    let score = |wanted, offered| likeness(&song(wanted, &["Queen"]), &song(offered, &["Queen"])).score;
    let (plain, mix) = ("Song", "Song (2019 Mix)");
    assert!(score(plain, plain) > score(plain, mix));
    assert!(score(mix, "Song - 2019 Mix") > score(mix, plain));
    assert!(score(mix, plain) > ACCEPT_AT);
}

//! Bodies as the reference gives them, with its pictures' names filled in.

use super::*;

const PICTURES: &str = r##"[{"size":"small","#text":"https:\/\/lastfm.freetls.fastly.net\/i\/u\/34s\/c0ver.jpg"},
  {"size":"medium","#text":"https:\/\/lastfm.freetls.fastly.net\/i\/u\/64s\/c0ver.jpg"},
  {"size":"large","#text":"https:\/\/lastfm.freetls.fastly.net\/i\/u\/174s\/c0ver.jpg"},
  {"size":"extralarge","#text":"https:\/\/lastfm.freetls.fastly.net\/i\/u\/300x300\/c0ver.jpg"}]"##;
const BEST_PICTURE: &str = "https://lastfm.freetls.fastly.net/i/u/300x300/c0ver.jpg";
const STAR: &str = r##"[{"size":"small","#text":"https://lastfm.freetls.fastly.net/i/u/34s/2a96cbd8b46e442fc41c2b86b821562f.png"}]"##;

const INFO: &str = r##"{"user":{"playlists":"0","playcount":"138223","gender":"n","name":"ExampleUser","subscriber":"0",
 "url":"https://www.last.fm/user/ExampleUser","country":"United Kingdom",
 "image":PICTURES,
 "registered":{"unixtime":"1561177193","#text":1561177193},
 "type":"user","age":"0","bootstrap":"0","realname":"Example"}}"##;

const RECENT: &str = r##"{"recenttracks":{"track":[
  {"artist":{"mbid":"3df040ee-2b8b-446b-937a-3f86f4b2cabf","#text":"Meat Puppets"},
   "streamable":"0",
   "image":PICTURES,
   "mbid":"0a32dd01-626d-346f-af4f-529383667aba",
   "album":{"mbid":"68bca8f8-47c2-4bdb-aa32-5a0fdc08710c","#text":"Meat Puppets II"},
   "name":"Oh, Me",
   "url":"https:\/\/www.last.fm\/music\/Meat+Puppets\/_\/Oh,+Me",
   "date":{"uts":"1783056668","#text":"03 Jul 2026, 05:31"}}],
 "@attr":{"user":"exampleuser","totalPages":"1","page":"1","perPage":"200","total":"6"}}}"##;

const TOP_TRACKS: &str = r##"{"toptracks":{"@attr":{"page":"1","total":"5171","user":"exampleuser","perPage":"3","totalPages":"1724"},
 "track":[{"@attr":{"rank":"1"},"duration":"205","playcount":"440",
  "artist":{"url":"https://www.last.fm/music/Joy+Division","name":"Joy Division","mbid":"9a58fda3-f4ed-4080-a3a5-f457aac9fcdd"},
  "image":STAR,
  "streamable":{"fulltrack":"0","#text":"0"},"mbid":"00046764-a84c-3568-b8b1-6a8174f7ca0b",
  "name":"Love Will Tear Us Apart","url":"https://www.last.fm/music/Joy+Division/_/Love+Will+Tear+Us+Apart"}]}}"##;

const CHART: &str = r##"{"weeklytrackchart":{"@attr":{"user":"exampleuser","from":"1602504000","to":"1603108800"},
 "track":[{"artist":{"mbid":"cc0b7089-c08d-4c10-b6b0-873582c17fd6","#text":"System of a Down"},"@attr":{"rank":"1"},
  "mbid":"0f1f8fdb-d14b-4629-8c29-43f041d52f88","url":"https://www.last.fm/music/System+of+a+Down/_/Kill+Rock+%27n+Roll",
  "image":[{"size":"small","#text":""},{"size":"medium","#text":""},{"size":"large","#text":""}],
  "name":"Kill Rock 'n Roll","playcount":"176"}]}}"##;

fn peer(body: &str) -> Peer {
    Peer::answering(200, &body.replace("PICTURES", PICTURES).replace("STAR", STAR))
}

fn meat_puppets() -> Track {
    Track {
        artist: "Meat Puppets".into(),
        title: "Oh, Me".into(),
        album: Some("Meat Puppets II".into()),
        url: Some("https://www.last.fm/music/Meat+Puppets/_/Oh,+Me".into()),
        image_url: Some(BEST_PICTURE.into()),
    }
}

#[tokio::test]
async fn an_account_is_read_as_last_fm_writes_it() {
    let profile = peer(INFO).lastfm.info("EXAMPLEuser").await.expect("an account");
    let expected = Profile {
        name: "ExampleUser".into(),
        url: Some("https://www.last.fm/user/ExampleUser".into()),
        image_url: Some(BEST_PICTURE.into()),
        play_count: Some(138_223),
    };
    assert_eq!(profile, expected);
    let bare = r#"{"user":{"name":"a"}}"#;
    let profile = peer(bare).lastfm.info("a").await.expect("an account");
    assert_eq!(
        (profile.url, profile.image_url, profile.play_count),
        (None, None, None)
    );
    let nameless = peer(r#"{"user":{"playcount":"1"}}"#).lastfm.info("a").await;
    assert!(matches!(nameless, Err(LastfmError::Unreadable)));
}

#[tokio::test]
async fn a_page_of_plays_is_read() {
    let page = peer(RECENT).lastfm.recent_tracks(&ask("exampleuser")).await;
    let expected = RecentPage {
        now_playing: None,
        plays: vec![Play {
            track: meat_puppets(),
            at: Timestamp::from_ms(1_783_056_668_000),
        }],
        total: Some(6),
        pages: Some(1),
    };
    assert_eq!(page.expect("a page"), expected);
}

/// `extended=1` is not asked for, and read all the same.
#[tokio::test]
async fn the_extended_shape_is_read() {
    let extended = RECENT.replace(
        r##"{"mbid":"3df040ee-2b8b-446b-937a-3f86f4b2cabf","#text":"Meat Puppets"}"##,
        r#"{"url":"https://www.last.fm/music/Meat+Puppets","name":"Meat Puppets","mbid":"","image":STAR}"#,
    );
    assert_ne!(extended, RECENT);
    let page = peer(&extended).lastfm.recent_tracks(&ask("exampleuser")).await;
    assert_eq!(page.expect("a page").plays[0].track, meat_puppets());
}

#[tokio::test]
async fn top_lists_and_charts_are_read() {
    let page = peer(TOP_TRACKS)
        .lastfm
        .top("exampleuser", TopOf::Tracks, Period::Overall, 3, 1)
        .await
        .expect("a list");
    let expected = TopItem {
        rank: Some(1),
        name: "Love Will Tear Us Apart".into(),
        artist: Some("Joy Division".into()),
        play_count: 440,
        url: Some("https://www.last.fm/music/Joy+Division/_/Love+Will+Tear+Us+Apart".into()),
        image_url: None,
    };
    assert_eq!((page.items, page.total), (vec![expected], Some(5171)));

    let (from, to) = (
        Timestamp::from_ms(1_602_504_000_000),
        Timestamp::from_ms(1_603_108_800_000),
    );
    let peer = peer(CHART);
    let chart = peer.lastfm.weekly_track_chart("exampleuser", from, to, 1000);
    let expected = TopItem {
        rank: Some(1),
        name: "Kill Rock 'n Roll".into(),
        artist: Some("System of a Down".into()),
        play_count: 176,
        url: Some("https://www.last.fm/music/System+of+a+Down/_/Kill+Rock+%27n+Roll".into()),
        image_url: None,
    };
    assert_eq!(chart.await.expect("a chart"), vec![expected]);
}

/// One play's JSON, with `date` and more as given.
fn item(title: &str, more: &str) -> String {
    format!(r##"{{"name":"{title}","artist":{{"#text":"A"}}{more}}}"##)
}

async fn page(items: &[String]) -> RecentPage {
    let body = format!(r#"{{"recenttracks":{{"track":[{}]}}}}"#, items.join(","));
    let page = peer(&body).lastfm.recent_tracks(&ask("a")).await;
    page.expect("a page")
}

#[tokio::test]
async fn what_is_playing_is_no_play_and_what_a_broken_clock_sent_is_one() {
    let page = page(&[
        item("one", r#","date":{"uts":"1783056668"}"#),
        item("now", r#","@attr":{"nowplaying":"true"}"#),
        item(
            "now, too",
            r#","@attr":{"nowplaying":"1"},"date":{"uts":"1783056660"}"#,
        ),
        item("dateless", ""),
        item("nothing", r#","date":"""#),
        item("epoch", r##","date":{"uts":"0","#text":"01 Jan 1970, 00:00"}"##),
        item("early", r#","date":{"uts":86400}"#),
        item(
            "one",
            r##","date":{"uts":"1783056668"},"album":{"#text":"Another"}"##,
        ),
        item("one", r#","date":{"uts":"1783056667"}"#),
        item(
            "two",
            r#","@attr":{"nowplaying":"false"},"date":{"uts":"1783056668"}"#,
        ),
    ])
    .await;
    let plays: Vec<(&str, i64)> = page
        .plays
        .iter()
        .map(|play| (play.track.title.as_str(), play.at.as_s()))
        .collect();
    let expected = [
        ("one", 1_783_056_668),
        ("two", 1_783_056_668),
        ("one", 1_783_056_667),
        ("early", 86_400),
        ("epoch", 0),
    ];
    assert_eq!(plays, expected);
    assert_eq!(page.now_playing.map(|track| track.title).as_deref(), Some("now"));
}

#[tokio::test]
async fn one_item_that_cannot_be_read_hides_no_other() {
    let date = r#","date":{"uts":"1783056668"}"#;
    let page = page(&[
        item(" ", date),
        item("", date),
        format!(r#"{{"name":"no artist"{date}}}"#),
        format!(r##"{{"name":"no artist","artist":{{"#text":"  "}}{date}}}"##),
        format!(r#"{{"artist":"no title"{date}}}"#),
        "null".into(),
        "7".into(),
        r#""text""#.into(),
        "[]".into(),
        "[[]]".into(),
        item("no instant", r#","date":{"uts":"soon"}"#),
        item("no instant", r##","date":{"#text":"03 Jul 2026, 05:31"}"##),
        item("no instant", r#","date":{"uts":"9223372036854775807"}"#),
        item("no instant", r#","date":{"uts":1783056668.5}"#),
        item("  sound\\t ", date),
    ])
    .await;
    let titles: Vec<&str> = page.plays.iter().map(|play| play.track.title.as_str()).collect();
    assert_eq!(titles, ["sound"]);
    assert_eq!(page.now_playing, None);
}

#[tokio::test]
async fn only_addresses_that_can_be_linked_to_are_kept_and_the_best_picture() {
    let picture = |size: &str, url: &str| format!(r##"{{"size":"{size}","#text":"{url}"}}"##);
    let (small, mega) = (
        picture("small", "https://x.example/s"),
        picture("mega", "http://x.example/m"),
    );
    let best = picture("extralarge", "https://x.example/xl");
    let star = picture(
        "extralarge",
        "https://x.example/300x300/2a96cbd8b46e442fc41c2b86b821562f.png",
    );
    let script = picture("extralarge", "javascript:alert(1)");
    let odd = picture("", "https://x.example/odd");
    for (images, url, image_url) in [
        (
            format!("[{small},{best},{mega}]"),
            "javascript:alert(1)",
            Some("https://x.example/xl"),
        ),
        (
            format!("[{small},{star},{mega}]"),
            "//www.last.fm/a",
            Some("http://x.example/m"),
        ),
        (
            format!("[{script},{odd},{small}]"),
            "ftp://x.example/a",
            Some("https://x.example/s"),
        ),
        (odd.clone(), "/music/A", Some("https://x.example/odd")),
        (format!("[{star}]"), "", None),
        (r#""""#.into(), "data:text/html,a", None),
        ("null".into(), "https://", None),
    ] {
        let more = format!(r#","date":{{"uts":"1"}},"image":{images},"url":"{url}""#);
        let track = page(&[item("a", &more)]).await.plays.remove(0).track;
        assert_eq!(
            (track.url, track.image_url.as_deref()),
            (None, image_url),
            "{images} {url}"
        );
    }
}

#[tokio::test]
async fn a_row_needs_a_name_an_artist_and_a_number() {
    let body = r#"{"topalbums":{"album":[
        {"name":"a","playcount":"3","artist":{"name":"b"},"@attr":{"rank":"1"}},
        {"name":"a","playcount":"3"},
        {"name":"","playcount":"3","artist":"b"},
        {"name":"a","playcount":"many","artist":"b"},
        {"name":"a","artist":"b"},
        {"name":1979,"playcount":2,"artist":"b","rank":2}]}}"#;
    let page = peer(body)
        .lastfm
        .top("a", TopOf::Albums, Period::Week, 10, 1)
        .await;
    let page = page.expect("a list");
    let rows: Vec<_> = page
        .items
        .iter()
        .map(|row| (row.name.as_str(), row.rank, row.play_count))
        .collect();
    assert_eq!(rows, [("a", Some(1), 3), ("1979", Some(2), 2)]);
    assert_eq!(page.total, None);

    let body = r#"{"topartists":{"artist":{"name":"b","playcount":"1","artist":{"name":"x"}}}}"#;
    let page = peer(body)
        .lastfm
        .top("a", TopOf::Artists, Period::Week, 10, 1)
        .await;
    let row = &page.expect("a list").items[0];
    assert_eq!((row.name.as_str(), row.artist.as_deref()), ("b", None));
}

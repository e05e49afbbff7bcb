//! What goes out.

use super::*;

const NOTHING: &str = r#"{"recenttracks":{"@attr":{"user":"Somebody","total":"0","totalPages":"0"}}}"#;

fn seconds(s: i64) -> Timestamp {
    Timestamp::from_ms(s * 1000)
}

#[tokio::test]
async fn every_call_names_itself_and_what_it_wants() {
    let info = Peer::answering(200, r#"{"user":{"name":"Some Body"}}"#);
    info.lastfm.info(" Some Body ").await.expect("somebody");
    let expected = [
        ("method", "user.getInfo"),
        ("api_key", KEY),
        ("user", "Some Body"),
        ("format", "json"),
    ];
    assert_eq!(info.asked(), pairs(&expected));

    let top = Peer::answering(200, r#"{"topalbums":{}}"#);
    let asked = top.lastfm.top("a&b=c", TopOf::Albums, Period::HalfYear, 5000, 0);
    asked.await.expect("a list");
    let expected = [
        ("method", "user.getTopAlbums"),
        ("api_key", KEY),
        ("user", "a&b=c"),
        ("period", "6month"),
        ("limit", "1000"),
        ("page", "1"),
        ("format", "json"),
    ];
    assert_eq!(top.asked(), pairs(&expected));

    let chart = Peer::answering(200, r#"{"weeklytrackchart":{}}"#);
    let week = chart
        .lastfm
        .weekly_track_chart("a", seconds(10), Timestamp::from_ms(20_001), 0);
    week.await.expect("a chart");
    let expected = [
        ("method", "user.getWeeklyTrackChart"),
        ("api_key", KEY),
        ("user", "a"),
        ("from", "10"),
        ("to", "21"),
        ("limit", "1"),
        ("format", "json"),
    ];
    assert_eq!(chart.asked(), pairs(&expected));
}

#[tokio::test]
async fn periods_and_lists_are_called_as_the_reference_calls_them() {
    let periods = [
        (Period::Overall, "overall"),
        (Period::Week, "7day"),
        (Period::Month, "1month"),
        (Period::Quarter, "3month"),
        (Period::HalfYear, "6month"),
        (Period::Year, "12month"),
    ];
    let lists = [
        (TopOf::Tracks, "user.getTopTracks", r#"{"toptracks":{}}"#),
        (TopOf::Artists, "user.getTopArtists", r#"{"topartists":{}}"#),
        (TopOf::Albums, "user.getTopAlbums", r#"{"topalbums":{}}"#),
    ];
    for (period, name) in periods {
        for (of, method, body) in lists {
            let peer = Peer::answering(200, body);
            peer.lastfm.top("a", of, period, 1, 1).await.expect("a list");
            let asked = peer.asked();
            assert_eq!(
                (asked["period"].as_str(), asked["method"].as_str()),
                (name, method)
            );
        }
    }
}

#[tokio::test]
async fn a_second_more_is_asked_for_and_none_more_is_given() {
    let plays = (99..=112)
        .rev()
        .map(|s| format!(r##"{{"name":"T{s}","artist":{{"#text":"A"}},"date":{{"uts":"{s}"}}}}"##));
    let plays: Vec<String> = plays.collect();
    let body = format!(
        r#"{{"recenttracks":{{"track":[{}],"@attr":{{"user":"a","total":"14","totalPages":"1"}}}}}}"#,
        plays.join(",")
    );
    for (from, to, asked_from, asked_to, first, last) in [
        (seconds(100), seconds(110), "99", "110", 100, 109),
        (
            Timestamp::from_ms(100_001),
            Timestamp::from_ms(109_001),
            "100",
            "110",
            101,
            109,
        ),
        (
            Timestamp::from_ms(99_999),
            Timestamp::from_ms(110_999),
            "99",
            "111",
            100,
            110,
        ),
    ] {
        let peer = Peer::answering(200, &body);
        let ask = RecentAsk {
            from: Some(from),
            to: Some(to),
            limit: 5000,
            page: 0,
            ..ask("a")
        };
        let page = peer.lastfm.recent_tracks(&ask).await.expect("a page");
        let asked = peer.asked();
        assert_eq!(
            (asked["from"].as_str(), asked["to"].as_str()),
            (asked_from, asked_to)
        );
        assert_eq!((asked["limit"].as_str(), asked["page"].as_str()), ("200", "1"));
        let at: Vec<i64> = page.plays.iter().map(|play| play.at.as_s()).collect();
        assert_eq!(at, (first..=last).rev().collect::<Vec<_>>(), "{from:?} {to:?}");
        assert_eq!(
            (page.total, page.pages),
            (Some(14), Some(1)),
            "Last.fm's own numbers"
        );
    }
}

#[tokio::test]
async fn a_window_that_begins_with_the_epoch_has_no_beginning_and_an_empty_one_is_not_asked_about() {
    for from in [seconds(-5), seconds(0), seconds(1)] {
        let peer = Peer::answering(200, NOTHING);
        let ask = RecentAsk {
            from: Some(from),
            ..ask("somebody")
        };
        peer.lastfm.recent_tracks(&ask).await.expect("a page");
        assert!(!peer.asked().contains_key("from"), "{from:?}");
        assert!(!peer.asked().contains_key("to"), "{from:?}");
    }
    for (from, to) in [
        (Some(seconds(9)), seconds(9)),
        (Some(seconds(9)), seconds(3)),
        (Some(Timestamp::from_ms(9_001)), Timestamp::from_ms(9_999)),
        (None, seconds(0)),
    ] {
        let peer = Peer::answering(200, NOTHING);
        let ask = RecentAsk {
            from,
            to: Some(to),
            ..ask("somebody")
        };
        let page = peer.lastfm.recent_tracks(&ask).await.expect("a page");
        let chart = peer
            .lastfm
            .weekly_track_chart("somebody", from.unwrap_or_default(), to, 10);
        assert_eq!((page.total, page.plays.len()), (Some(0), 0));
        assert_eq!(chart.await.expect("a chart"), Vec::new());
        assert_eq!(peer.times_asked(), 0, "{from:?} {to:?}");
    }
}

#[tokio::test]
async fn who_reads_as_themselves_signs_and_others_do_not() {
    let key = session_key();
    let as_oneself = RecentAsk {
        session: Some(&key),
        from: Some(seconds(1_783_050_941)),
        ..ask("Sömebody")
    };
    let peer = Peer::answering(200, r#"{"recenttracks":{}}"#);
    peer.lastfm.recent_tracks(&as_oneself).await.expect("a page");
    // printf '%s' 'api_key<KEY>from1783050940limit200methoduser.getRecentTrackspage1sk<SESSION_KEY>userSömebody<SECRET>' | md5sum
    let expected = [
        ("method", "user.getRecentTracks"),
        ("api_key", KEY),
        ("user", "Sömebody"),
        ("sk", SESSION_KEY),
        ("limit", "200"),
        ("page", "1"),
        ("from", "1783050940"),
        ("api_sig", "f8f013e12d63f150683a91721e5dcfa0"),
        ("format", "json"),
    ];
    assert_eq!(peer.asked(), pairs(&expected));

    let secretless = Peer::knowing(Some(answer(200, r#"{"recenttracks":{}}"#)), None);
    secretless
        .lastfm
        .recent_tracks(&as_oneself)
        .await
        .expect("a page");
    let asked = secretless.asked();
    assert!(!asked.contains_key("sk") && !asked.contains_key("api_sig"));
    let refused = secretless.lastfm.session(&token()).await;
    assert!(matches!(refused, Err(LastfmError::SignatureRefused)));
    assert_eq!(
        secretless.times_asked(),
        1,
        "nothing that is not signed is asked of auth"
    );
}

#[tokio::test]
async fn a_token_buys_a_session() {
    for body in [
        r#"{"session":{"name":"Somebody","key":"d580d57f32848f5dcf574d1ce18d78b2","subscriber":0}}"#,
        r#"{"session":{"subscriber":"0","key":"d580d57f32848f5dcf574d1ce18d78b2","name":"Somebody"}}"#,
    ] {
        let peer = Peer::answering(200, body);
        let session = peer.lastfm.session(&token()).await.expect("a session");
        assert_eq!(
            (session.name.as_str(), session.key.expose()),
            ("Somebody", SESSION_KEY)
        );
        let asked = peer.asked();
        assert_eq!(
            (asked["method"].as_str(), asked["token"].as_str()),
            ("auth.getSession", TOKEN)
        );
        assert_eq!(asked["api_sig"].len(), 32);
        assert_eq!(asked.len(), 5, "with the key and the format");
    }
    for body in [
        r#"{"session":{"name":"Somebody"}}"#,
        r#"{"session":{"name":"Somebody","key":""}}"#,
        r#"{"session":{"name":"","key":"k"}}"#,
        r#"{"session":[]}"#,
    ] {
        let refused = Peer::answering(200, body).lastfm.session(&token()).await;
        assert!(matches!(refused, Err(LastfmError::Unreadable)), "{body}");
    }
}

#[tokio::test]
async fn nobody_is_asked_about_who_has_no_name() {
    let peer = Peer::answering(200, "{}");
    for user in ["", "  "] {
        assert!(matches!(
            peer.lastfm.info(user).await,
            Err(LastfmError::UnknownUser)
        ));
        let key = session_key();
        let ask = RecentAsk {
            session: Some(&key),
            ..ask(user)
        };
        let refused = peer.lastfm.recent_tracks(&ask).await;
        assert!(matches!(refused, Err(LastfmError::UnknownUser)));
    }
    assert_eq!(peer.times_asked(), 0);
    let long = "a".repeat(70_000);
    assert!(matches!(
        peer.lastfm.info(&long).await,
        Err(LastfmError::UnknownUser)
    ));
}

#[test]
fn the_login_page_gets_our_whole_callback() {
    let peer = Peer::with(None);
    let callback: Url = "https://app.example/api/connections/lastfm/callback?state=v1.a%26b&x=1"
        .parse()
        .expect("an address");
    let url = peer.lastfm.login_url(&callback);
    assert_eq!(
        url.as_str(),
        format!(
            "https://site.example/api/auth/?api_key={KEY}&cb=https%3A%2F%2Fapp.example%2Fapi%2Fconnections%2Flastfm%2F\
             callback%3Fstate%3Dv1.a%2526b%26x%3D1"
        )
    );
    let cb = url.query_pairs().find(|(name, _)| name == "cb").expect("cb").1;
    assert_eq!(cb, callback.as_str());
}

fn pairs(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(owned).collect()
}

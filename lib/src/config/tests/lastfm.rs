//! What an operator writes about Last.fm.

use super::{complaints, parse};
use crate::secret::Secret as _;

#[test]
fn without_a_word_there_is_no_lastfm_and_its_addresses_are_the_real_ones() {
    let lastfm = parse(&[]).unwrap().lastfm;
    assert!(lastfm.credentials.is_none());
    assert_eq!(lastfm.api_url.as_str(), "https://ws.audioscrobbler.com/2.0/");
    assert_eq!(lastfm.site_url.as_str(), "https://www.last.fm/");
    assert_eq!(lastfm.stored_bytes_max, 100_000_000);
}

#[test]
fn every_variable_reaches_its_field() {
    let lastfm = parse(&[
        ("LASTFM_API_KEY", " the-key "),
        ("LASTFM_SHARED_SECRET", "the-secret"),
        ("LASTFM_STORED_MB_MAX", "7"),
        ("LASTFM_API_URL", "http://127.0.0.1:4100/2.0/"),
        ("LASTFM_SITE_URL", "http://localhost:4100/lastfm/"),
    ])
    .unwrap()
    .lastfm;
    let credentials = lastfm.credentials.unwrap();
    assert_eq!(credentials.api_key.expose(), "the-key");
    assert_eq!(credentials.shared_secret.unwrap().expose(), "the-secret");
    assert_eq!(lastfm.stored_bytes_max, 7_000_000);
    assert_eq!(lastfm.api_url.as_str(), "http://127.0.0.1:4100/2.0/");
    assert_eq!(lastfm.site_url.as_str(), "http://localhost:4100/lastfm/");
}

#[test]
fn a_key_alone_is_enough_and_a_secret_alone_is_not() {
    let credentials = parse(&[("LASTFM_API_KEY", "the-key")])
        .unwrap()
        .lastfm
        .credentials;
    assert!(credentials.unwrap().shared_secret.is_none());
    assert_eq!(
        complaints(&[("LASTFM_SHARED_SECRET", "the-secret")]),
        ["LASTFM_SHARED_SECRET"]
    );
    assert_eq!(
        complaints(&[("LASTFM_SHARED_SECRET", "the-secret"), ("LASTFM_API_KEY", " ")]),
        ["LASTFM_SHARED_SECRET"]
    );
}

#[test]
fn an_address_ends_with_a_slash_whether_it_was_written_or_not() {
    let lastfm = parse(&[
        ("LASTFM_API_URL", "https://lastfm.example/2.0"),
        ("LASTFM_SITE_URL", "https://lastfm.example"),
    ])
    .unwrap()
    .lastfm;
    assert_eq!(lastfm.api_url.as_str(), "https://lastfm.example/2.0/");
    assert_eq!(lastfm.site_url.as_str(), "https://lastfm.example/");
}

#[test]
fn each_bad_value_is_refused_under_its_name() {
    for (variable, values) in [
        (
            "LASTFM_STORED_MB_MAX",
            vec!["0", "100001", "-1", "1.5", "100 MB", "100MB", "1e3"],
        ),
        (
            "LASTFM_API_URL",
            vec![
                "http://ws.audioscrobbler.com/2.0/",
                "ws.audioscrobbler.com",
                "https://a/?method=x",
            ],
        ),
        ("LASTFM_SITE_URL", vec!["http://www.last.fm/", "https://a/#b"]),
    ] {
        for value in values {
            assert_eq!(complaints(&[(variable, value)]), [variable], "{variable}={value}");
        }
    }
    for value in ["1", "100000"] {
        assert!(
            complaints(&[("LASTFM_STORED_MB_MAX", value)]).is_empty(),
            "{value}"
        );
    }
}

//! Every refusal of the reference's table, and every answer that is none of Last.fm's.

use std::io::{self, Write};

use super::*;

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Person,
    Oneself,
    Token,
}

const READS: [Read; 3] = [Read::Person, Read::Oneself, Read::Token];

async fn refused(read: Read, answer: Option<Response<Vec<u8>>>) -> LastfmError {
    let peer = Peer::with(answer);
    let key = session_key();
    let ask = RecentAsk {
        session: Some(&key),
        ..ask("somebody")
    };
    let error = match read {
        Read::Person => peer.lastfm.info("somebody").await.err(),
        Read::Oneself => peer.lastfm.recent_tracks(&ask).await.err(),
        Read::Token => peer.lastfm.session(&token()).await.err(),
    };
    error.unwrap_or_else(|| panic!("{read:?} was answered"))
}

/// An error in a word, with what it says beside.
fn kind(error: &LastfmError) -> String {
    match error {
        LastfmError::UnknownUser => "unknown user".into(),
        LastfmError::Hidden => "hidden".into(),
        LastfmError::SessionRevoked => "session".into(),
        LastfmError::TokenRefused => "token".into(),
        LastfmError::KeyRefused { code } => format!("key {code}"),
        LastfmError::SignatureRefused => "signature".into(),
        LastfmError::RateLimited { retry_after: None } => "limited".into(),
        LastfmError::RateLimited {
            retry_after: Some(wait),
        } => format!("limited for {} s", wait.as_secs()),
        LastfmError::Unavailable(trouble) => format!("unavailable, {trouble}"),
        LastfmError::Unreadable => "unreadable".into(),
        LastfmError::SomebodyElse => "somebody else".into(),
        LastfmError::Rejected(trouble) => format!("rejected, {trouble}"),
        LastfmError::Unreachable(TransportError::TooLong) => "too long".into(),
        LastfmError::Unreachable(_) => "unreachable".into(),
    }
}

/// Last.fm's code; the HTTP status seen with it, or thought of; what it means of a person, of oneself and of a token.
type Row = (u16, u16, [&'static str; 3]);

/// One row for each code (reference: errors). "rejected" and "unavailable" say code and status, too.
const CODES: &[Row] = &[
    (2, 503, ["unavailable", "unavailable", "unavailable"]),
    (3, 400, ["rejected", "rejected", "rejected"]),
    (4, 403, ["rejected", "session", "token"]),
    (5, 400, ["rejected", "rejected", "rejected"]),
    (6, 404, ["unknown user", "unknown user", "rejected"]),
    (7, 400, ["rejected", "rejected", "rejected"]),
    (8, 500, ["unavailable", "unavailable", "unavailable"]),
    (9, 403, ["rejected", "session", "rejected"]),
    (10, 403, ["key 10", "key 10", "key 10"]),
    (11, 503, ["unavailable", "unavailable", "unavailable"]),
    (12, 403, ["rejected", "rejected", "rejected"]),
    (13, 403, ["signature", "signature", "signature"]),
    (14, 403, ["rejected", "rejected", "token"]),
    (15, 403, ["rejected", "rejected", "token"]),
    (16, 503, ["unavailable", "unavailable", "unavailable"]),
    (17, 403, ["hidden", "hidden", "rejected"]),
    (18, 403, ["rejected", "rejected", "rejected"]),
    (20, 400, ["rejected", "rejected", "rejected"]),
    (21, 400, ["rejected", "rejected", "rejected"]),
    (22, 400, ["rejected", "rejected", "rejected"]),
    (23, 400, ["rejected", "rejected", "rejected"]),
    (24, 400, ["rejected", "rejected", "rejected"]),
    (25, 400, ["rejected", "rejected", "rejected"]),
    (26, 403, ["key 26", "key 26", "key 26"]),
    (27, 400, ["rejected", "rejected", "rejected"]),
    (29, 429, ["limited", "limited", "limited"]),
    // Not in the table: whatever it is, the same call will not do better.
    (30, 400, ["rejected", "rejected", "rejected"]),
    (0, 400, ["rejected", "rejected", "rejected"]),
];

#[tokio::test]
async fn every_code_means_what_the_reference_says_with_whatever_status() {
    for &(code, seen, expected) in CODES {
        for (read, expected) in READS.into_iter().zip(expected) {
            for status in [seen, 200, 400, 403, 404, 500] {
                let expected = match expected {
                    "rejected" | "unavailable" => format!("{expected}, code {code} and status {status}"),
                    plain => plain.to_owned(),
                };
                for body in [
                    format!(r#"{{"message":"Words","error":{code}}}"#),
                    format!(r#"{{"error":"{code}","links":[],"message":"Words"}}"#),
                    format!(
                        r#"{{"error":{code},"user":{{"name":"somebody"}},"recenttracks":{{}},"session":{{}}}}"#
                    ),
                ] {
                    let error = refused(read, Some(answer(status, &body))).await;
                    assert_eq!(kind(&error), expected, "{read:?} {status} {body}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_json_judges_nobody() {
    const HTML: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let cut = r#"{"user":{"name":"somebody","playcount":"1"#;
    for (status, expected) in [
        (200, "unreadable"),
        (302, "unavailable, status 302"),
        (400, "unavailable, status 400"),
        (403, "unavailable, status 403"),
        (404, "unavailable, status 404"),
        (408, "unavailable, status 408"),
        (429, "limited"),
        (500, "unavailable, status 500"),
        (502, "unavailable, status 502"),
        (503, "unavailable, status 503"),
        (504, "unavailable, status 504"),
    ] {
        for body in [
            HTML,
            "",
            " ",
            cut,
            "null",
            "[]",
            r#""error""#,
            "6",
            r#"{"error":6}{"error":6}"#,
        ] {
            for read in READS {
                let error = refused(read, Some(answer(status, body))).await;
                assert_eq!(kind(&error), expected, "{read:?} {status} {body}");
                assert!(
                    error.may_pass() || status == 429,
                    "{status}: another try may help"
                );
            }
        }
    }
}

#[tokio::test]
async fn json_without_a_code_is_judged_by_its_status() {
    for (status, expected) in [
        (200, "unreadable"),
        (400, "rejected, status 400"),
        (403, "rejected, status 403"),
        (404, "rejected, status 404"),
        (408, "unavailable, status 408"),
        (429, "limited"),
        (500, "unavailable, status 500"),
        (503, "unavailable, status 503"),
    ] {
        for body in [
            "{}",
            r#"{"message":"User not found"}"#,
            r#"{"error":null}"#,
            r#"{"error":"User not found"}"#,
            r#"{"error":{"code":6}}"#,
            r#"{"error":-6}"#,
            r#"{"error":65542}"#,
        ] {
            for read in READS {
                let error = refused(read, Some(answer(status, body))).await;
                assert_eq!(kind(&error), expected, "{read:?} {status} {body}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_that_is_not_there_is_not_an_empty_one() {
    for body in [
        r#"{"toptracks":{"track":[]}}"#,
        r#"{"recenttracks":null}"#,
        r#"{"recenttracks":""}"#,
        r#"{"recenttracks":[]}"#,
        r#"{"track":[],"@attr":{"user":"somebody"}}"#,
    ] {
        let error = refused(Read::Oneself, Some(answer(200, body))).await;
        assert_eq!(kind(&error), "unreadable", "{body}");
    }
}

#[tokio::test]
async fn a_pause_is_kept_as_it_is_said() {
    for (header, expected) in [
        (None, "limited"),
        (Some("90"), "limited for 90 s"),
        (Some("soon"), "limited"),
    ] {
        for (status, body) in [
            (429, r#"{"error":29}"#),
            (200, r#"{"error":29}"#),
            (429, "<html>"),
            (429, "{}"),
        ] {
            let mut limited = answer(status, body);
            if let Some(wait) = header {
                let wait = wait.parse().expect("a header's value");
                limited.headers_mut().insert(header::RETRY_AFTER, wait);
            }
            let error = refused(Read::Person, Some(limited)).await;
            assert_eq!(kind(&error), expected, "{status} {body}");
            assert!(!error.may_pass(), "the pause comes first");
        }
    }
}

#[tokio::test]
async fn no_answer_and_one_without_an_end_are_no_answers() {
    let endless = format!(
        r#"{{"user":{{"name":"somebody","x":"{}"}}}}"#,
        "x".repeat(4 << 20)
    );
    for read in READS {
        assert_eq!(kind(&refused(read, None).await), "unreachable");
        let error = refused(read, Some(answer(200, &endless))).await;
        assert_eq!(kind(&error), "too long");
    }
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_not_believed() {
    let lists = |user: &str| {
        format!(
            r#"{{"user":{{"name":"{user}"}},
                "recenttracks":{{"@attr":{{"user":"{user}"}}}}, "toptracks":{{"@attr":{{"user":"{user}"}}}},
                "topartists":{{"user":"{user}"}}, "topalbums":{{"@attr":{{"user":"{user}"}}}},
                "weeklytrackchart":{{"@attr":{{"user":"{user}"}}}}}}"#
        )
    };
    for (user, answered, same) in [
        ("SomeBody", "somebody", true),
        ("ÄÖ-Björk", "äö-björk", true),
        ("somebody", " Somebody ", true),
        ("somebody", "somebody2", false),
        ("somebody", "nobody", false),
        ("söm", "som", false),
    ] {
        let peer = Peer::answering(200, &lists(answered));
        let lastfm = &peer.lastfm;
        let (from, to) = (Timestamp::default(), Timestamp::from_ms(9_000));
        let mut results = vec![
            lastfm.info(user).await.err(),
            lastfm.recent_tracks(&ask(user)).await.err(),
            lastfm.weekly_track_chart(user, from, to, 10).await.err(),
        ];
        for of in [TopOf::Tracks, TopOf::Artists, TopOf::Albums] {
            results.push(lastfm.top(user, of, Period::Overall, 10, 1).await.err());
        }
        for error in results {
            let said = error.map(|error| kind(&error));
            assert_eq!(
                said.as_deref(),
                (!same).then_some("somebody else"),
                "{user} {answered}"
            );
        }
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one test").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_is_secret_is_ever_said() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut said = Vec::new();
    let words = format!("{KEY} {SECRET} {TOKEN} {SESSION_KEY} https://api.example/2.0/?api_key=x");
    for code in 0..=40 {
        for status in [200, 404, 500] {
            let body = format!(r#"{{"error":{code},"message":"{words}"}}"#);
            for read in READS {
                said.push(told(&refused(read, Some(answer(status, &body))).await));
            }
        }
    }
    for body in [
        words.clone(),
        format!(r#"{{"message":"{words}","error":"{words}"}}"#),
    ] {
        for status in [200, 403, 429, 502] {
            said.push(told(&refused(Read::Oneself, Some(answer(status, &body))).await));
        }
    }
    said.push(told(&refused(Read::Token, None).await));

    let unreadable = format!(
        r#"{{"recenttracks":{{"track":[{{"name":"{words}"}}, "{words}", {{"name":"{words}","artist":"a","date":"{words}"}}]}}}}"#
    );
    let peer = Peer::answering(200, &unreadable);
    let key = session_key();
    let as_oneself = RecentAsk {
        session: Some(&key),
        ..ask("somebody")
    };
    let page = peer.lastfm.recent_tracks(&as_oneself).await.expect("a page");
    assert_eq!(page, RecentPage::default());
    let proven = Peer::answering(
        200,
        &format!(r#"{{"session":{{"name":"a","key":"{SESSION_KEY}"}}}}"#),
    );
    let session = proven.lastfm.session(&token()).await.expect("a session");
    said.push(format!(
        "{as_oneself:?} {session:?} {:?} {:?}",
        peer.lastfm.credentials(),
        token()
    ));
    // The transport is the test's own, and does keep what it was asked.
    let lastfm = Peer::with(None).lastfm;
    said.push(format!("{lastfm:?}"));

    let logged = String::from_utf8(log.0.lock().expect("one test").clone()).expect("text");
    assert!(logged.contains("skipped=3"), "{logged}");
    said.push(logged);
    let said = said.join("\n").replace("api_key: ApiKey(…)", "");
    for secret in [KEY, SECRET, TOKEN, SESSION_KEY, "api_key"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

/// Everything that an error can be made to say.
fn told(error: &LastfmError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes
        .map(|error| format!("{error:?} {error}"))
        .collect::<Vec<_>>()
        .join("; ")
}

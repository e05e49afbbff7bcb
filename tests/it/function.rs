//! The function adapter (`patchbay::function`), spoken to as the platform's host does: one `end` per request and not
//! before its work is done, answers that arrive as they are written, and none that arrives late.

mod host;
mod probe;

use std::time::{Duration, Instant};

use host::Host;
use serde_json::{Value, json};

/// No end is reported twice, nor for a request that was never made.
const NO_MORE: [u64; 0] = [];

#[test]
fn every_request_is_ended_once() {
    let mut host = Host::start();
    let mut connection = host.connect();
    for request in 1..=3 {
        let answer = connection.get("/json", request);
        assert_eq!((answer.status, answer.json()), (200, json!({ "ok": true })));
        assert_eq!(host.next_end(), request);
    }
    assert_eq!(host.stop(), NO_MORE);
}

#[test]
fn a_panic_is_answered_and_ended_and_spares_the_connection() {
    let mut host = Host::start();
    let mut connection = host.connect();
    let answer = connection.get("/panic", 1);
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!(body["code"], "internal_error");
    assert!(
        !body["error"].as_str().unwrap().contains("asked for"),
        "a panic's message was told: {body}"
    );
    assert_eq!(host.next_end(), 1);

    assert_eq!(connection.get("/json", 2).status, 200);
    assert_eq!(host.next_end(), 2);
    assert_eq!(host.stop(), NO_MORE);
}

#[test]
fn background_work_holds_the_end_back_but_not_the_answer() {
    let mut host = Host::start();
    let mut connection = host.connect();
    assert_eq!(connection.get("/background", 1).status, 200);
    connection.get("/json", 2);
    assert_eq!(
        host.next_end(),
        2,
        "request 1 was reported as ended while its work was still going on"
    );
    connection.get("/release", 3);
    let mut ends = [host.next_end(), host.next_end()];
    ends.sort_unstable();
    assert_eq!(ends, [1, 3]);
    assert_eq!(host.stop(), NO_MORE);
}

#[test]
fn lines_travel_one_by_one_and_the_stream_ends_with_its_last_byte() {
    let mut host = Host::start();
    let mut stream = host.connect().post_stream("/lines", 1);
    for line in ["one", "two", "three"] {
        // Each is written only when the answer to the one before has arrived: a body that is collected first, on either
        // side, never gets past "one".
        stream.write(line);
        assert_eq!(
            serde_json::from_str::<Value>(&stream.read()).unwrap(),
            json!({ "line": line })
        );
    }
    host.connect().get("/json", 2);
    assert_eq!(
        host.next_end(),
        2,
        "the stream was reported as ended while it was still open"
    );
    stream.finish();
    assert_eq!(host.next_end(), 1);
    assert_eq!(host.stop(), NO_MORE);
}

#[test]
fn a_stream_that_panics_or_loses_its_reader_is_ended_too() {
    let mut host = Host::start();
    let mut stream = host.connect().post_stream("/lines", 1);
    stream.write("one");
    stream.read();
    stream.write("panic");
    assert_eq!(host.next_end(), 1);

    let mut stream = host.connect().post_stream("/lines", 2);
    stream.write("one");
    stream.read();
    drop(stream);
    assert_eq!(host.next_end(), 2);
    assert_eq!(host.stop(), NO_MORE);
}

#[test]
fn a_request_in_flight_outlives_sigterm() {
    let mut host = Host::start();
    let mut stream = host.connect().post_stream("/lines", 1);
    host.terminate();
    stream.write("still here");
    assert_eq!(
        serde_json::from_str::<Value>(&stream.read()).unwrap(),
        json!({ "line": "still here" })
    );
    stream.finish();
    assert_eq!(host.next_end(), 1);
    assert_eq!(host.stop(), NO_MORE);
}

/// Written in two parts without `TCP_NODELAY`, an answer waits for the reader's delayed acknowledgement: 40 ms. The
/// median of many leaves a busy machine room for noise.
#[test]
fn a_small_answer_on_a_reused_connection_is_not_delayed() {
    const LIMIT: Duration = Duration::from_millis(5);
    let host = Host::start();
    let mut connection = host.connect();
    let mut took: Vec<Duration> = (1..=50)
        .map(|request| {
            #[expect(
                clippy::disallowed_methods,
                reason = "the time that passes outside the process is what is measured"
            )]
            let start = Instant::now();
            connection.get("/json", request);
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    let median = took[took.len() / 2];
    assert!(median < LIMIT, "half of the answers took longer than {median:?}");
    assert_eq!(host.stop().len(), 50);
}

#[test]
fn a_function_that_cannot_start_says_why_and_fails() {
    let host = Host::start();
    let output = host::probe()
        .env("VERCEL_DEV_PORT", host.port().to_string())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("patchbay cannot start: ") && said.contains("in use"),
        "{said}"
    );
}

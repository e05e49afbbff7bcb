//! `/api/spotify/*`.

mod connect;
mod hijack;
mod own_app;
mod polls;
mod refusals;
mod status;

use url::form_urlencoded;

use crate::harness::{app::APP_URL, browser::Answer};

const STANDARD: &str = "/api/spotify/auth-url";

/// The value of a parameter of a callback's address.
fn parameter(callback: &str, name: &str) -> String {
    let query = callback.split_once('?').expect("a query").1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
        .expect("it is there")
}

/// A callback's address with one parameter replaced, added or, for `None`, left out.
fn altered(callback: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = callback.split_once('?').expect("a query");
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found != name);
    let mut altered = form_urlencoded::Serializer::new(String::new());
    altered.extend_pairs(others);
    if let Some(value) = value {
        altered.append_pair(name, value);
    }
    format!("{path}?{}", altered.finish())
}

/// That a callback sent the person back to the front page with this code, and nothing else.
#[track_caller]
fn assert_sent_back_with(answer: &Answer, code: &str) {
    assert_eq!(answer.location(), format!("{APP_URL}/?error={code}"));
}

#[track_caller]
fn assert_connected(answer: &Answer) {
    assert_eq!(answer.location(), format!("{APP_URL}/?auth=success"));
}

//! `/api/spotify/*`.

mod connect;
mod hijack;
mod own_app;
mod polls;
mod refusals;
mod status;

use crate::harness::{
    app::APP_URL,
    browser::{Answer, altered, parameter},
};

const STANDARD: &str = "/api/spotify/auth-url";

/// That a callback sent the person back to the front page with this code, and nothing else.
#[track_caller]
fn assert_sent_back_with(answer: &Answer, code: &str) {
    assert_eq!(answer.location(), format!("{APP_URL}/?error={code}"));
}

#[track_caller]
fn assert_connected(answer: &Answer) {
    assert_eq!(answer.location(), format!("{APP_URL}/?auth=success"));
}

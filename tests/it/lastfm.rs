//! `/api/lastfm/*` and `/api/connections/lastfm`.

mod hijack;
mod link;
mod lists;
mod studio;
mod trouble;
mod verify;

use patchbay::store::StoredLastfm;
use serde_json::json;

use crate::harness::{
    app::{APP_URL, TestApp},
    browser::{Answer, Browser},
};

/// Starts the way to Last.fm's own page.
const PROVE: &str = "/api/lastfm/auth-url";

/// Links by name, shows and forgets.
const CONNECTION: &str = "/api/connections/lastfm";

/// Where all of Last.fm's methods are.
const API: &str = "/2.0/";

/// That a callback sent the person back to the front page with this code, and nothing else.
#[track_caller]
fn assert_sent_back_with(answer: &Answer, code: &str) {
    assert_eq!(
        answer.location(),
        format!("{APP_URL}/?error={code}&service=lastfm")
    );
}

#[track_caller]
fn assert_linked(answer: &Answer) {
    assert_eq!(
        answer.location(),
        format!("{APP_URL}/?auth=success&service=lastfm")
    );
}

async fn link_by_name(browser: &mut Browser, name: &str) -> Answer {
    browser.post(CONNECTION, json!({"username": name})).await
}

/// What is stored of somebody's link.
async fn linked(app: &TestApp, person: &str) -> Option<StoredLastfm> {
    app.document(person).await.lastfm
}

/// Who agrees on Last.fm's page from now on.
fn agrees(app: &TestApp, account: &str) {
    app.sandbox.world().settings.lastfm.auto_approve_as = Some(account.to_owned());
}

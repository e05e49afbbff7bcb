//! Keeping a grant alive, against a provider and a database with bad days.

mod chance;
mod clock;
mod failures;
mod overtaken;
mod renewal;
mod sweep;

use std::time::Duration;

use patchbay::{
    grants::{GrantError, LiveToken},
    ids::Slot,
    secret::Secret as _,
};

use crate::harness::{
    app::{TestApp, local_user},
    browser::Browser,
};

const MIN: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// The address at which tokens are renewed.
const TOKEN: &str = "/api/token";

/// Ana's token through the operator's app.
async fn live(app: &TestApp) -> Result<LiveToken, GrantError> {
    app.app
        .grants()
        .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
        .await
}

/// The same as a task of its own.
fn live_in_a_task(app: &TestApp) -> tokio::task::JoinHandle<Result<LiveToken, GrantError>> {
    let grants = app.app.grants().clone();
    tokio::spawn(async move {
        grants
            .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
            .await
    })
}

/// What happened to the only connection, oldest first: kind, then why or how many days are left.
async fn events(person: &mut Browser) -> Vec<String> {
    let told = person.get("/api/me").await.expect(200);
    let told = told["events"].as_array().expect("a list").iter().map(|event| {
        let reason = event["reason"].as_str().map(str::to_owned);
        let days = event["daysLeft"].as_u64().map(|days| days.to_string());
        let kind = event["kind"].as_str().expect("a kind");
        [Some(kind.to_owned()), reason, days]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    });
    told.collect()
}

fn text(token: &LiveToken) -> &str {
    token.token.expose()
}

//! Keeping a grant alive, against a provider and a database with bad days.

mod chance;
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

use crate::harness::app::{TestApp, local_user};

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

fn text(token: &LiveToken) -> &str {
    token.token.expose()
}

//! Renewal under fire: processes that race, pause and wake up late, and clocks that disagree.

mod asleep;
mod fencing;
mod skew;
mod storm;

use std::sync::Arc;

use patchbay::{
    ids::{Slot, UserId},
    store::{DatabaseUrl, Store, StoredGrant, UserChange, Written},
};

use crate::harness::{
    browser::Browser,
    mongod, network,
    process::{Member, Site},
    remote,
};

/// The address at which tokens are renewed.
const TOKEN: &str = "/api/token";

/// A site whose processes share a SQLite file.
async fn on_sqlite() -> Site {
    Site::new().await
}

/// A site whose processes share a database on a real `mongod`; `None` where there is none.
async fn on_mongodb() -> Option<Site> {
    let url = mongod::fresh_database_url()?;
    let mut site = Site::new().await;
    site.variables.insert("DATABASE_URL", url);
    Some(site)
}

/// The same database, seen by one more process: this one.
fn store_of(site: &Site) -> Arc<dyn Store> {
    let url: DatabaseUrl = site.variables["DATABASE_URL"].parse().expect("a good URL");
    url.open().expect("a database")
}

/// Changes a grant through the operator's app as if something had happened to it.
async fn change_grant(store: &dyn Store, id: &UserId, change: impl Fn(&mut StoredGrant)) {
    let mut document = store.find_user(id).await.expect("an answer");
    let mut grant = document.integrations.remove(&Slot::Spotify).expect("connected");
    change(&mut grant);
    let change = UserChange {
        integrations: [(Slot::Spotify, Some(grant))].into(),
        next_due_at: document.next_due_at,
        dead: document.dead,
        ..UserChange::default()
    };
    let written = store.write_user(id, document.version, &change).await;
    assert!(matches!(written, Ok(Written::As(_))), "{written:?}");
}

/// How often a token was renewed, or was to be.
fn renewals(site: &Site) -> usize {
    site.sandbox.world().count_grant_type("refresh_token")
}

/// Whether Spotify takes this token now.
async fn is_accepted(site: &Site, token: &str) -> bool {
    let url = format!("{}/me", site.sandbox.api_url());
    let request = network::client().get(url).bearer_auth(token);
    request.send().await.expect("the sandbox answers").status() == 200
}

/// Somebody whose first token is not worth handing out any more; the next one will be.
async fn with_a_token_that_has_run_out(site: &Site, member: &Member, name: &str) -> Browser {
    site.sandbox.world().set_token_ttl_s(1);
    let mut person = remote::signed_in_at(site, &member.url(), name).await;
    let connected = person.connect("/api/spotify/auth-url").await.location();
    assert!(connected.contains("auth=success"), "{connected}");
    site.sandbox.world().set_token_ttl_s(3_600);
    person
}

//! Renewal under fire: processes that race, pause and wake up late, and clocks that disagree.

mod storm;

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

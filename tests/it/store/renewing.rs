//! A token that runs out while the store fails: a real service, a provider that holds the request for a new one until it
//! may answer, and what has to be true in the end.

use std::{net::TcpStream, sync::Arc};

use patchbay::{
    ids::Slot,
    store::{DatabaseUrl, GrantStatus, Store, StoredGrant, UserChange},
    system::{Clock as _, RealClock},
};
use sandbox::Rotation;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{at, user, version};
use crate::harness::{
    browser::{Answer, Browser},
    clock::until,
    process::{Member, Process, Site},
    remote::{signed_in, signed_in_at},
};

const TOKEN: &str = "/api/token";
pub const STATUS: &str = "/api/spotify/status";
const ANA: &str = "local:ana";

/// Ana is connected, and her token has run out.
pub struct Scene {
    /// Ends before its site does.
    service: Process,
    site: Site,
    ana: Browser,
    /// The same database, on a way that no test gets into.
    view: Arc<dyn Store>,
    before: StoredGrant,
}

impl Scene {
    /// Connects Ana through `service`, whose database `view` names, too, at a provider that takes no refresh token twice.
    pub async fn set(site: Site, service: Process, view: &str) -> Self {
        site.sandbox.world().set_rotation(Rotation::RotateSingleUse);
        let mut ana = signed_in(&site, "ana").await;
        ana.connect("/api/spotify/auth-url").await;
        let view = view.parse::<DatabaseUrl>().expect("a good URL");
        let view = view.open().expect("a database");
        let mut scene = Self {
            service,
            site,
            ana,
            view,
            before: StoredGrant::default(),
        };
        scene.rewrite(|grant| grant.expires_at = at(0)).await;
        scene.before = scene.stored().await;
        scene
    }

    /// Changes the stored grant, as time or another process does.
    pub async fn rewrite(&self, change: impl FnOnce(&mut StoredGrant)) {
        let document = self.view.find_user(&user(ANA)).await.expect("a database");
        let mut grant = document.integrations[&Slot::Spotify].clone();
        change(&mut grant);
        let change = UserChange {
            integrations: [(Slot::Spotify, Some(grant))].into(),
            next_due_at: document.next_due_at,
            ..UserChange::default()
        };
        let written = self.view.write_user(&user(ANA), document.version, &change).await;
        version(written.expect("a database"));
    }

    /// What is stored of the grant.
    pub async fn stored(&self) -> StoredGrant {
        let mut document = self.view.find_user(&user(ANA)).await.expect("a database");
        document.integrations.remove(&Slot::Spotify).expect("a grant")
    }

    /// Ana asks for her status, and gets her answer when the service has one.
    pub fn ana_asks(&self) -> JoinHandle<Answer> {
        let mut ana = self.ana.clone();
        tokio::spawn(async move { ana.get(STATUS).await })
    }

    /// Ana's browser at one more process of the service, which ends with the second.
    pub async fn elsewhere(&self) -> (Browser, Member) {
        let member = self.site.join();
        let ana = signed_in_at(&self.site, &member.url(), "ana").await;
        (ana, member)
    }

    /// Asks for her status, up to where the provider has the request for a new token.
    pub async fn renewal_in_flight(&self) -> JoinHandle<Answer> {
        self.site.sandbox.world().hold(TOKEN);
        let asked = self.ana_asks();
        self.site.sandbox.arrived(TOKEN).await;
        asked
    }

    /// Lets the provider give the new token.
    pub fn provider_answers(&self) {
        assert_eq!(self.site.sandbox.world().release(TOKEN), 1);
    }

    /// How often the provider was asked for a new token.
    pub fn renewals(&self) -> usize {
        self.site.sandbox.world().count_grant_type("refresh_token")
    }

    /// What `/health` says of the service, which is alive all the time.
    pub async fn is_ready(&self) -> bool {
        let mut anybody = self.ana.clone();
        anybody.get("/health/live").await.expect(200);
        let health = anybody.get("/health").await;
        let ready = health.status == 200;
        assert!(ready || health.status == 503, "{health:?}");
        ready
    }

    /// How many tokens wait to be written, as `/health` says.
    pub async fn unwritten(&self) -> Option<u64> {
        let health = self.ana.clone().get("/health").await;
        health.json()["unwritten"].as_u64()
    }

    /// Waits until the service is ready, or is not.
    pub async fn becomes_ready(&self, ready: bool) {
        until(&format!("ready: {ready}"), async || {
            self.is_ready().await == ready
        })
        .await;
    }

    /// Whoever asks now gets what Ana `got`, and the provider is not asked for it.
    pub async fn gives_again(&self, got: &Value) {
        let again = got_token(self.ana_asks()).await;
        assert_eq!(again["accessToken"], got["accessToken"]);
        assert_eq!(self.renewals(), 1);
    }

    /// Tells the service to stop, does this once it has heard, and starts it again when it has ended well.
    pub async fn restarts(&mut self, meanwhile: impl FnOnce()) {
        self.service.terminate();
        let address = self.site.address();
        until("it takes no callers any more", async || {
            TcpStream::connect(address).is_err()
        })
        .await;
        meanwhile();
        let status = self.service.0.wait().expect("its end");
        assert!(status.success(), "{status}");
        self.service = self.site.serve();
    }

    /// Waits until a generation later than the first is stored.
    pub async fn is_stored(&self) {
        until("the new token is stored", async || {
            let found = self.view.find_user(&user(ANA)).await;
            found.is_ok_and(|found| found.integrations[&Slot::Spotify].generation > self.before.generation)
        })
        .await;
    }

    /// What has to be true of the trouble that is over: the new token, which Ana `got` during it, was fetched once and is
    /// stored now; nothing is dead, and nothing is left to do.
    pub async fn ended_well(&self, got: &Value) {
        self.is_stored().await;
        let grant = self.stored().await;
        assert_eq!(grant.generation, self.before.generation + 1);
        assert_eq!(
            (grant.status, grant.failures, grant.lease),
            (GrantStatus::Connected, 0, None)
        );
        assert!(grant.expires_at > RealClock.now());
        assert!(grant.refresh_token_enc.is_some());

        self.becomes_ready(true).await;
        until("nothing waits to be written", async || {
            self.unwritten().await == Some(0)
        })
        .await;
        self.gives_again(got).await;

        // What is stored is worth something: only the newest refresh token still is.
        self.rewrite(|grant| grant.expires_at = at(0)).await;
        let next = got_token(self.ana_asks()).await;
        assert_ne!(next["accessToken"], got["accessToken"]);
        assert_eq!(self.renewals(), 2);
    }
}

/// The status that somebody asked for, with a token in it that works.
pub async fn got_token(asked: JoinHandle<Answer>) -> Value {
    let got = asked.await.expect("an answer").expect(200);
    assert_eq!(got["tokenHealth"], "healthy", "{got}");
    assert!(got["accessToken"].is_string(), "{got}");
    got
}

//! A process is paused while it renews, and wakes up in a world that went on: what happened meanwhile stands, but a
//! refresh token that nobody else has is not thrown away.

use std::sync::Arc;

use patchbay::{
    ids::{Slot, UserId},
    store::{GrantStatus, Store, StoredGrant, UserDocument},
    system::Timestamp,
};
use sandbox::{Rotation, World};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    TOKEN, change_grant, is_accepted, on_mongodb, on_sqlite, renewals, store_of,
    with_a_token_that_has_run_out,
};
use crate::harness::{
    app::local_user,
    browser::{Answer, Browser},
    process::{Member, Site},
    remote,
};

const STATUS: &str = "/api/spotify/status";

/// Where the provider is when the holder is paused.
#[derive(Clone, Copy, Debug)]
enum Caught {
    /// It has the request and has not looked at it; whoever asks now is served first.
    BeforeWork,
    /// It has renewed, and its answer is under way.
    BeforeAnswer,
}

const ANYWHERE: [Caught; 2] = [Caught::BeforeWork, Caught::BeforeAnswer];
const ANY_PROVIDER: [Rotation; 2] = [Rotation::None, Rotation::RotateSingleUse];

/// Two processes of one service over one database.
struct Pair {
    site: Site,
    store: Arc<dyn Store>,
    holder: Member,
    other: Member,
}

/// Somebody whose renewal has begun in the one process, which is paused since.
struct Paused<'a> {
    pair: &'a Pair,
    id: UserId,
    /// Their browser at the other process.
    at_other: Browser,
    /// What they wait for at the paused one.
    waiting: JoinHandle<Answer>,
}

impl Pair {
    fn at(site: Site) -> Self {
        Self {
            store: store_of(&site),
            holder: site.join(),
            other: site.join(),
            site,
        }
    }

    async fn paused(&self, caught: Caught, rotation: Rotation, name: &str) -> Paused<'_> {
        let mut ana = with_a_token_that_has_run_out(&self.site, &self.holder, name).await;
        let mut at_other = remote::browser_at(&self.site, &self.other.url());
        at_other.cookies.clone_from(&ana.cookies);
        {
            let mut world = self.site.sandbox.world();
            world.set_rotation(rotation);
            world.clear_requests();
            let hold = match caught {
                Caught::BeforeWork => World::hold_next,
                Caught::BeforeAnswer => World::hold_next_answer,
            };
            hold(&mut world, TOKEN);
        }
        let waiting = tokio::spawn(async move { ana.get(STATUS).await });
        self.site.sandbox.arrived(TOKEN).await;
        self.holder.process.pause();
        Paused {
            pair: self,
            id: local_user(name),
            at_other,
            waiting,
        }
    }

    async fn document(&self, id: &UserId) -> UserDocument {
        self.store.find_user(id).await.expect("an answer")
    }

    async fn grant(&self, id: &UserId) -> StoredGrant {
        let mut document = self.document(id).await;
        document.integrations.remove(&Slot::Spotify).expect("connected")
    }
}

impl Paused<'_> {
    async fn document(&self) -> UserDocument {
        self.pair.document(&self.id).await
    }

    /// Nobody waits here until it really is.
    async fn lease_is_over(&self) {
        change_grant(&*self.pair.store, &self.id, |grant| {
            grant.lease.as_mut().expect("a lease").until = Timestamp::default();
        })
        .await;
    }

    /// The other process looks: their status, token included.
    async fn look(&mut self) -> Value {
        self.at_other.get(STATUS).await.expect(200)
    }

    /// Provider and holder go on: what the holder's caller is told in the end.
    async fn go_on(&mut self) -> Value {
        self.pair.site.sandbox.world().release(TOKEN);
        self.pair.holder.process.go_on();
        (&mut self.waiting).await.expect("no panic").expect(200)
    }
}

/// The stories, each over both databases.
macro_rules! over_both_engines {
    ($($story:ident),+ $(,)?) => {$(
        mod $story {
            #[tokio::test]
            async fn sqlite_file() {
                super::$story(super::Pair::at(super::on_sqlite().await)).await;
            }

            #[tokio::test]
            async fn mongodb() {
                if let Some(site) = super::on_mongodb().await {
                    super::$story(super::Pair::at(site)).await;
                }
            }
        }
    )+};
}

over_both_engines!(
    who_was_overtaken_writes_nothing,
    what_only_the_late_one_has_is_kept,
    who_disconnects_stays_disconnected,
    who_reconnects_keeps_the_new_consent,
);

async fn who_was_overtaken_writes_nothing(pair: Pair) {
    // Where the provider rotates, the holder is refused once the other has the next token. What happens when the holder
    // is the one who has it is another story.
    for (n, (caught, rotation)) in [
        (Caught::BeforeWork, Rotation::None),
        (Caught::BeforeAnswer, Rotation::None),
        (Caught::BeforeWork, Rotation::RotateSingleUse),
    ]
    .into_iter()
    .enumerate()
    {
        let mut paused = pair.paused(caught, rotation, &format!("ana-{n}")).await;
        paused.lease_is_over().await;
        let winner = paused.look().await;
        assert_eq!(winner["tokenHealth"], "healthy", "{caught:?} {rotation:?}");
        let before = paused.document().await;

        let late = paused.go_on().await;
        assert_eq!(
            late["accessToken"], winner["accessToken"],
            "{caught:?} {rotation:?}"
        );
        assert_eq!(late["tokenHealth"], "healthy", "{caught:?} {rotation:?}");
        assert_eq!(paused.document().await, before, "{caught:?} {rotation:?}");
        assert_eq!(renewals(&pair.site), 2, "{caught:?} {rotation:?}");
    }
}

/// The provider rotates and has answered the one who is paused: the other process presents a token that is used up, and
/// has to believe that the grant is dead.
async fn what_only_the_late_one_has_is_kept(pair: Pair) {
    let mut paused = pair
        .paused(Caught::BeforeAnswer, Rotation::RotateSingleUse, "ana")
        .await;
    paused.lease_is_over().await;
    let refused = paused.look().await;
    assert_eq!(
        (&refused["tokenHealth"], &refused["accessToken"]),
        (&json!("needs_reauth"), &Value::Null)
    );

    let late = paused.go_on().await;
    let token = late["accessToken"].as_str().expect("the token that it was given");
    assert!(is_accepted(&pair.site, token).await);
    let grant = pair.grant(&paused.id).await;
    assert_eq!(
        (grant.status, grant.status_reason),
        (GrantStatus::Connected, None)
    );
    let healed = paused.look().await;
    assert_eq!(
        (&healed["tokenHealth"], &healed["accessToken"]),
        (&json!("healthy"), &late["accessToken"])
    );
    // And the refresh token that came with it is the one that is kept.
    change_grant(&*pair.store, &paused.id, |grant| {
        grant.expires_at = Timestamp::default();
    })
    .await;
    assert_eq!(paused.look().await["tokenHealth"], "healthy");
    assert_eq!(renewals(&pair.site), 3);
}

async fn who_disconnects_stays_disconnected(pair: Pair) {
    for caught in ANYWHERE {
        for rotation in ANY_PROVIDER {
            let name = format!("ana-{caught:?}-{rotation:?}");
            let mut paused = pair.paused(caught, rotation, &name).await;
            paused
                .at_other
                .post("/api/spotify/disconnect", json!({}))
                .await
                .expect(200);
            let before = paused.document().await;
            assert!(before.integrations.is_empty());

            let late = paused.go_on().await;
            assert_eq!(
                (&late["connected"], &late["accessToken"]),
                (&json!(false), &Value::Null),
                "{caught:?} {rotation:?}"
            );
            assert_eq!(paused.document().await, before, "{caught:?} {rotation:?}");
            assert_eq!(renewals(&pair.site), 1, "{caught:?} {rotation:?}");
        }
    }
}

async fn who_reconnects_keeps_the_new_consent(pair: Pair) {
    for caught in ANYWHERE {
        for rotation in ANY_PROVIDER {
            for disconnects_first in [false, true] {
                let what = format!("{caught:?}-{rotation:?}-{disconnects_first}");
                let mut paused = pair.paused(caught, rotation, &what).await;
                if disconnects_first {
                    let disconnected = paused.at_other.post("/api/spotify/disconnect", json!({})).await;
                    disconnected.expect(200);
                }
                let connected = paused.at_other.connect("/api/spotify/auth-url").await.location();
                assert!(connected.contains("auth=success"), "{what}: {connected}");
                let before = paused.document().await;
                let new = paused.look().await;
                assert_eq!(new["tokenHealth"], "healthy", "{what}");

                let late = paused.go_on().await;
                assert_eq!(late["accessToken"], new["accessToken"], "{what}");
                assert_eq!(paused.document().await, before, "{what}");
                assert_eq!(renewals(&pair.site), 1, "{what}");
            }
        }
    }
}

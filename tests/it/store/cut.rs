//! The connection to MongoDB is cut while a token is being renewed, and answers get lost on it: writes that were done,
//! and nobody who asked for them knows.

use super::renewing::{Scene, got_token};
use crate::harness::{clock::until, process::Site, proxy::Proxy, replica_set::ReplicaSet};

/// How an `update` begins in MongoDB's wire protocol: a BSON string of this name.
const UPDATE: &[u8] = b"\x02update\0";

/// A service that reaches its database through `proxy`, and whose grant is due.
async fn scene(set: &ReplicaSet, proxy: &Proxy) -> Scene {
    let mut site = Site::new().await;
    let url = format!(
        "mongodb://127.0.0.1:{}/patchbay?directConnection=true",
        proxy.port()
    );
    site.variables.insert("DATABASE_URL", url);
    let service = site.serve();
    Scene::set(site, service, &set.url("patchbay")).await
}

async fn server() -> Option<(ReplicaSet, Proxy)> {
    let set = ReplicaSet::start(1).await?;
    let proxy = Proxy::to(set.port(0));
    Some((set, proxy))
}

#[tokio::test]
async fn the_connection_is_cut_during_a_renewal() {
    let Some((set, proxy)) = server().await else {
        return;
    };
    let scene = scene(&set, &proxy).await;
    let asked = scene.renewal_in_flight().await;
    proxy.cut();
    scene.provider_answers();
    let got = got_token(asked).await;
    scene.becomes_ready(false).await;

    proxy.heal();
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn the_new_token_is_written_and_nobody_hears_of_it() {
    let Some((set, proxy)) = server().await else {
        return;
    };
    let scene = scene(&set, &proxy).await;
    let asked = scene.renewal_in_flight().await;
    proxy.lose_answer_to(UPDATE);
    scene.provider_answers();
    // The connection stays open and silent, until the store has waited long enough.
    scene.ended_well(&got_token(asked).await).await;
}

#[tokio::test]
async fn the_new_token_is_written_and_the_driver_asks_again() {
    let Some((set, proxy)) = server().await else {
        return;
    };
    let scene = scene(&set, &proxy).await;
    let asked = scene.renewal_in_flight().await;
    proxy.lose_answer_to(UPDATE);
    scene.provider_answers();
    scene.is_stored().await;
    proxy.cut();
    proxy.heal();
    scene.ended_well(&got_token(asked).await).await;
}

#[tokio::test]
async fn the_claim_is_written_and_nobody_hears_of_it() {
    let Some((set, proxy)) = server().await else {
        return;
    };
    let scene = scene(&set, &proxy).await;
    proxy.lose_answer_to(UPDATE);
    let asked = scene.ana_asks();
    until("the claim is stored", async || {
        scene.stored().await.lease.is_some()
    })
    .await;
    proxy.cut();
    // Who cannot know that the claim is theirs asks nobody.
    asked.await.expect("an answer").expect(503);
    assert_eq!(scene.renewals(), 0);

    proxy.heal();
    scene.becomes_ready(true).await;
    // Nobody holds that claim, and nobody has to wait until it is over: it is given back.
    until("the claim is given back", async || {
        scene.stored().await.lease.is_none()
    })
    .await;
    let got = got_token(scene.ana_asks()).await;
    scene.ended_well(&got).await;
}

//! MongoDB goes away while a token is being renewed: its primary is killed, or steps down; or its only server is killed
//! and comes back.

use super::renewing::{STATUS, Scene, got_token};
use crate::harness::{clock::until, process::Site, replica_set::ReplicaSet};

/// A service on `set` whose grant is due.
async fn scene(set: &ReplicaSet) -> Scene {
    scene_at(set.url("patchbay")).await
}

async fn scene_at(url: String) -> Scene {
    let mut site = Site::new().await;
    site.variables.insert("DATABASE_URL", url.clone());
    let service = site.serve();
    Scene::set(site, service, &url).await
}

#[tokio::test]
async fn the_primary_is_killed_during_a_renewal() {
    let Some(mut set) = ReplicaSet::start(3).await else {
        return;
    };
    let scene = scene(&set).await;
    let primary = set.nobody_else_may_stand().await;
    let asked = scene.renewal_in_flight().await;
    set.kill(primary);
    scene.provider_answers();
    // She does not wait for the election.
    let got = got_token(asked).await;
    scene.becomes_ready(false).await;

    set.all_may_stand_but(primary).await;
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn the_primary_steps_down_during_a_renewal() {
    let Some(set) = ReplicaSet::start(3).await else {
        return;
    };
    let scene = scene(&set).await;
    let primary = set.nobody_else_may_stand().await;
    let asked = scene.renewal_in_flight().await;
    set.step_down(primary).await;
    scene.provider_answers();
    let got = got_token(asked).await;
    scene.becomes_ready(false).await;

    set.all_may_stand_but(primary).await;
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn an_election_during_a_renewal_lets_no_other_process_renew_too() {
    let Some(mut set) = ReplicaSet::start(3).await else {
        return;
    };
    let scene = scene(&set).await;
    let (mut elsewhere, _member) = scene.elsewhere().await;
    let asked = scene.renewal_in_flight().await;
    // Another process wants the token, too, finds the claim, and watches it across the election.
    let asked_elsewhere = tokio::spawn(async move { elsewhere.get(STATUS).await });
    let primary = set.primary().await;
    set.kill(primary);
    scene.provider_answers();
    let got = got_token(asked).await;
    // An election that takes long is a database that is away.
    let elsewhere = asked_elsewhere.await.expect("an answer");
    if elsewhere.status != 503 {
        assert_eq!(elsewhere.expect(200)["accessToken"], got["accessToken"]);
    }
    scene.ended_well(&got).await;
    // Who was killed joins again, and the next one may go.
    set.restart(primary);
    scene.becomes_ready(true).await;
}

#[tokio::test]
async fn the_only_server_is_killed_during_a_renewal_and_comes_back() {
    let Some(mut set) = ReplicaSet::start(1).await else {
        return;
    };
    let scene = scene(&set).await;
    let asked = scene.renewal_in_flight().await;
    set.kill(0);
    scene.provider_answers();
    let got = got_token(asked).await;
    scene.becomes_ready(false).await;

    set.restart(0);
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn a_token_that_only_the_dying_primary_has_is_written_again() {
    let Some(mut set) = ReplicaSet::start(3).await else {
        return;
    };
    let scene = scene_at(set.url("patchbay") + "&wtimeoutMS=5000").await;
    let primary = set.primary().await;
    let asked = scene.renewal_in_flight().await;
    set.others_follow(primary, false).await;
    scene.provider_answers();
    let got = got_token(asked).await;
    // The primary shows it. Whoever wrote it looks, and must not take that for a yes.
    scene.is_stored().await;
    let finds = set.finds(primary).await;
    until("somebody looks", async || set.finds(primary).await > finds).await;

    set.kill(primary);
    set.others_follow(primary, true).await;
    scene.ended_well(&got).await;
}

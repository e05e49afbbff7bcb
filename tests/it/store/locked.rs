//! Another process holds SQLite's one write lock, for longer than anybody waits for it.

use rusqlite::Connection;

use super::renewing::{Scene, got_token};
use crate::harness::process::Site;

/// A service whose grant is due, and another process's view of its file.
async fn scene() -> (Scene, Connection) {
    let site = Site::new().await;
    let (file, view) = (site.file(), site.variables["DATABASE_URL"].clone());
    let service = site.serve();
    let scene = Scene::set(site, service, &view).await;
    (scene, Connection::open(file).expect("the database file"))
}

#[tokio::test]
async fn the_file_is_locked_while_a_renewal_ends() {
    let (scene, other) = scene().await;
    let asked = scene.renewal_in_flight().await;
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    scene.provider_answers();
    let got = got_token(asked).await;
    scene.becomes_ready(false).await;
    scene.gives_again(&got).await;

    other.execute_batch("ROLLBACK").expect("the end of the lock");
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn nobody_is_asked_while_the_claim_cannot_be_written() {
    let (scene, other) = scene().await;
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    scene.ana_asks().await.expect("an answer").expect(503);
    assert_eq!(scene.renewals(), 0);

    other.execute_batch("ROLLBACK").expect("the end of the lock");
    let got = got_token(scene.ana_asks()).await;
    scene.ended_well(&got).await;
}

#[tokio::test]
async fn who_is_told_to_stop_writes_the_token_first() {
    let (mut scene, other) = scene().await;
    let asked = scene.renewal_in_flight().await;
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    scene.provider_answers();
    let got = got_token(asked).await;

    let unlock = || other.execute_batch("ROLLBACK").expect("the end of the lock");
    scene.restarts(unlock).await;
    scene.ended_well(&got).await;
}

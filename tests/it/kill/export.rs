//! Killed in the middle of an export: it goes on where it was, and what Spotify had done by then is not done again.

use sandbox::{Catalog, World};
use serde_json::{Value, json};

use super::{GONE, database, signed_in};
use crate::harness::{browser::Browser, process::Site, remote::signed_in_at};

/// Few, because they are looked up at the pace that Spotify is spared with.
const SONGS: usize = 4;

#[tokio::test]
async fn killed_while_the_songs_are_looked_up() {
    killed_in_the_middle(World::hold, "/v1/tracks/", "resolve").await;
}

#[tokio::test]
async fn killed_before_the_playlist_is_made() {
    killed_in_the_middle(World::hold, "/v1/me/playlists", "create").await;
}

#[tokio::test]
async fn killed_before_the_songs_are_added() {
    killed_in_the_middle(World::hold, "/v1/playlists/", "fill").await;
}

#[tokio::test]
async fn killed_after_the_songs_were_added_before_spotify_says_so() {
    killed_in_the_middle(World::hold_answer, "/v1/playlists/", "fill").await;
}

#[tokio::test]
async fn killed_after_the_playlist_was_made_before_its_id_is_known() {
    killed_in_the_middle(World::hold_answer, "/v1/me/playlists", "create").await;
}

#[tokio::test]
async fn asleep_while_another_process_takes_over_it_adds_nothing_when_it_wakes() {
    let site = Site::new().await;
    let (sleeper, other) = (site.serve(), site.join());
    let mut ana = signed_in(&site, "ana").await;
    ana.connect("/api/spotify/auth-url").await;
    let mut elsewhere = signed_in_at(&site, &other.url(), "ana").await;
    for browser in [&mut ana, &mut elsewhere] {
        let key = "the-same-export".parse().expect("a header's value");
        browser.headers.insert("idempotency-key", key);
    }

    site.sandbox.world().hold_next_answer("/v1/me/playlists");
    let waiting = tokio::spawn(async move { export(&mut ana).await.expect(200) });
    site.sandbox.arrived("/v1/me/playlists").await;
    sleeper.pause();
    lease_is_over(&site);
    let finished = export(&mut elsewhere).await.expect(200);
    site.sandbox.world().release("/v1/me/playlists");
    sleeper.go_on();
    assert_eq!(waiting.await.expect("an answer"), finished);
    one_playlist(&site, &finished);
}

async fn killed_in_the_middle(hold: fn(&mut World, &str), at: &'static str, stage: &str) {
    let site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    ana.connect("/api/spotify/auth-url").await;
    ana.headers.insert(
        "idempotency-key",
        "the-same-export".parse().expect("a header's value"),
    );

    hold(&mut site.sandbox.world(), at);
    let mut waiting = ana.clone();
    let waiting = tokio::spawn(async move { export(&mut waiting).await.status });
    site.sandbox.arrived(at).await;
    service.kill();
    assert_eq!(waiting.await.expect("an answer"), GONE);
    site.sandbox.world().release(at);

    let _service = site.serve();
    // Repeated by a page that got no answer, the request is the same export, which the dead process still has.
    let again = export(&mut ana).await.expect(202);
    let path = format!(
        "/api/playlist/export?id={}",
        again["exportId"].as_str().expect("an id")
    );
    let look = ana.get(&path).await.expect(202);
    assert_eq!(
        (&look["stage"], &look["done"]),
        (&json!(stage), &json!(0)),
        "{look}"
    );
    lease_is_over(&site);
    let finished = ana.post(&path, json!({})).await.expect(200);
    assert_eq!(
        (&finished["success"], &finished["tracksAdded"]),
        (&json!(true), &json!(SONGS)),
        "{finished}"
    );
    assert_eq!(ana.get(&path).await.expect(200), finished);

    one_playlist(&site, &finished);
}

/// There is one playlist, with all songs in their order.
fn one_playlist(site: &Site, finished: &Value) {
    let world = site.sandbox.world();
    let playlists: Vec<_> = world.playlists().collect();
    assert_eq!(playlists.len(), 1, "one request made several playlists");
    assert_eq!(finished["playlistId"], playlists[0].id);
    let rows: Vec<_> = playlists[0].rows.iter().map(|row| row.uri.clone()).collect();
    let wanted: Vec<_> = track_ids()
        .iter()
        .map(|id| format!("spotify:track:{id}"))
        .collect();
    assert_eq!(rows, wanted);
}

async fn export(browser: &mut Browser) -> crate::harness::browser::Answer {
    let songs: Vec<Value> = track_ids()
        .iter()
        .map(|id| json!({"title": "?", "spotifyId": id}))
        .collect();
    browser
        .post("/api/playlist/export", json!({"name": "Killed", "songs": songs}))
        .await
}

fn track_ids() -> Vec<String> {
    Catalog::default()
        .iter()
        .take(SONGS)
        .map(|track| track.id.clone())
        .collect()
}

/// As if the time had passed for which the dead process has the export to itself, and for which a playlist may be made
/// and not listed.
fn lease_is_over(site: &Site) {
    let sql = "UPDATE exports \
        SET body = json_replace(body, '$.leasedUntil', 0, '$.createAttemptedAt', 0) \
        WHERE body ->> '$.leasedUntil' > 0";
    assert_eq!(
        database(site).execute(sql, ()).expect("an export"),
        1,
        "nobody had a lease"
    );
}

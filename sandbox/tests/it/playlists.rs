//! Playlists: creating, changing, filling, reading back, and who may.

use sandbox::{DEMO_APP, FixedFlag, ItemNames, Mode, Sandbox};
use serde_json::{Value, json};

use crate::http::{WRITE, access, api, client, read, start, uri};

async fn create(sandbox: &Sandbox, token: &str, body: Value) -> (u16, Value) {
    read(api(sandbox, "POST", "/me/playlists", token).json(&body)).await
}

/// A playlist of ana's, listed on her profile, and her token.
async fn anas_list(sandbox: &Sandbox) -> (String, String) {
    let ana = access(sandbox, "ana", WRITE);
    let (status, body) = create(sandbox, &ana, json!({"name": "Top"})).await;
    assert_eq!(status, 201, "{body}");
    (ana, format!("/playlists/{}", body["id"].as_str().expect("an id")))
}

/// The last character of each URI, in order.
async fn contents(sandbox: &Sandbox, token: &str, list: &str) -> String {
    let (status, body) = read(api(sandbox, "GET", &format!("{list}/items"), token)).await;
    assert_eq!(status, 200, "{body}");
    let rows = body["items"].as_array().expect("a list");
    rows.iter()
        .filter_map(|row| row["item"]["uri"].as_str()?.chars().last())
        .collect()
}

#[tokio::test]
async fn a_new_playlist_is_answered_whole_and_public_unless_asked_otherwise() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    let (status, body) = create(
        &sandbox,
        &ana,
        json!({"name": "Top", "public": false, "description": "made by a test"}),
    )
    .await;
    assert_eq!(
        (status, &body["public"], &body["description"]),
        (201, &json!(false), &json!("made by a test"))
    );
    let id = body["id"].as_str().expect("an id");
    assert_eq!(id.len(), 22);
    assert_eq!(
        body["external_urls"]["spotify"],
        format!("{}/open/playlist/{id}", sandbox.url())
    );
    assert_eq!(
        (&body["owner"]["id"], &body["items"]["total"]),
        (&json!("ana"), &json!(0))
    );
    assert!(body.get("tracks").is_none());
    assert_eq!(
        create(&sandbox, &ana, json!({"name": "Top"})).await.1["public"],
        true
    );
    let (_, mine) = read(api(&sandbox, "GET", "/me/playlists", &ana)).await;
    assert_eq!(
        (&mine["total"], &mine["items"][0]["name"]),
        (&json!(2), &json!("Top"))
    );
}

#[tokio::test]
async fn the_scope_follows_the_flag() {
    let sandbox = start().await;
    let public = access(&sandbox, "ana", "playlist-modify-public");
    let private = access(&sandbox, "ana", "playlist-modify-private");
    let refused = json!({"error": {"status": 403, "message": "Insufficient client scope"}});
    assert_eq!(
        create(&sandbox, &private, json!({"name": "x"})).await,
        (403, refused.clone())
    );
    assert_eq!(
        create(&sandbox, &public, json!({"name": "x", "public": false})).await,
        (403, refused.clone())
    );
    let (status, list) = create(&sandbox, &private, json!({"name": "x", "public": false})).await;
    assert_eq!(status, 201);
    let list = format!("/playlists/{}", list["id"].as_str().expect("an id"));
    let add = api(&sandbox, "POST", &format!("{list}/items"), &public).json(&json!({"uris": [uri(1)]}));
    assert_eq!(read(add).await, (403, refused.clone()));
    assert_eq!(
        read(api(&sandbox, "PUT", &list, &private).json(&json!({"public": true}))).await,
        (403, refused.clone())
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/me/playlists", &public)).await,
        (403, refused.clone())
    );
    assert_eq!(
        read(api(&sandbox, "GET", &format!("{list}/items"), &private)).await,
        (403, refused)
    );
}

#[tokio::test]
async fn items_keep_their_order_and_may_repeat() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let items = format!("{list}/items");
    let write = |method: &str, body: Value| read(api(&sandbox, method, &items, &ana).json(&body));
    let (status, first) = write("POST", json!({"uris": [uri(1), uri(2), uri(1)]})).await;
    assert_eq!(status, 201);
    let (_, second) = write("POST", json!({"uris": [uri(3)], "position": 0})).await;
    assert_ne!(first["snapshot_id"], second["snapshot_id"]);
    assert_eq!(contents(&sandbox, &ana, &list).await, "3121");
    assert_eq!(
        write(
            "PUT",
            json!({"range_start": 0, "insert_before": 3, "range_length": 2})
        )
        .await
        .0,
        200
    );
    assert_eq!(contents(&sandbox, &ana, &list).await, "2311");
    assert_eq!(
        write("PUT", json!({"range_start": 3, "insert_before": 0}))
            .await
            .0,
        200
    );
    assert_eq!(contents(&sandbox, &ana, &list).await, "1231");
    assert_eq!(write("DELETE", json!({"items": [{"uri": uri(1)}]})).await.0, 200);
    assert_eq!(contents(&sandbox, &ana, &list).await, "23");
    assert_eq!(
        write("POST", json!([uri(5)])).await.0,
        201,
        "a bare array, as older clients send it"
    );
    let in_query = api(&sandbox, "POST", &items, &ana)
        .query(&[("uris", uri(4))])
        .json(&json!({"uris": [uri(1)]}));
    assert_eq!(read(in_query).await.0, 201);
    assert_eq!(
        contents(&sandbox, &ana, &list).await,
        "2354",
        "the query's uris win"
    );
    assert_eq!(write("PUT", json!({"uris": []})).await.0, 200);
    assert_eq!(contents(&sandbox, &ana, &list).await, "");
    assert_eq!(
        write(
            "PUT",
            json!({"uris": [uri(1)], "range_start": 0, "insert_before": 0})
        )
        .await
        .0,
        400
    );
}

#[tokio::test]
async fn one_bad_uri_refuses_the_batch() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let items = format!("{list}/items");
    for bad in [
        "AAAAAAAAAAAAAAAAAAAAA1",
        "spotify:track:AAAAAAAAAAAAAAAAAAAAA9",
        "spotify:album:AAAAAAAAAAAAAAAAAAAAA1",
    ] {
        let (status, body) =
            read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": [uri(1), bad]}))).await;
        assert_eq!(
            (status, &body["error"]["message"]),
            (400, &json!(format!("Invalid track uri: {bad}")))
        );
    }
    let many = vec![uri(1); 101];
    let (status, body) = read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": many}))).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (400, &json!("You can add a maximum of 100 tracks per request."))
    );
    assert_eq!(contents(&sandbox, &ana, &list).await, "");
    sandbox.world().settings.playlist_items_max = 3;
    assert_eq!(
        read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": vec![uri(1); 3]})))
            .await
            .0,
        201
    );
    assert_eq!(
        read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": [uri(1)]})))
            .await
            .0,
        500
    );
}

#[tokio::test]
async fn other_peoples_playlists_show_their_outside_only() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let ben = access(&sandbox, "ben", WRITE);
    let (status, outside) = read(api(&sandbox, "GET", &list, &ben)).await;
    assert_eq!(
        (status, &outside["name"], outside.get("items")),
        (200, &json!("Top"), None)
    );
    let items = format!("{list}/items");
    let (status, body) = read(api(&sandbox, "GET", &items, &ben)).await;
    assert_eq!((status, &body["error"]["message"]), (403, &json!("Forbidden")));
    let add = || api(&sandbox, "POST", &items, &ben).json(&json!({"uris": [uri(1)]}));
    let (status, body) = read(add()).await;
    assert_eq!(
        (status, &body["error"]["message"]),
        (403, &json!("You cannot add to a playlist you don't own."))
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/playlists/AAAAAAAAAAAAAAAAAAAAA1", &ben))
            .await
            .0,
        404
    );
    let id = list.trim_start_matches("/playlists/");
    sandbox
        .world()
        .playlist_mut(id)
        .expect("it is there")
        .collaborators
        .insert("ben".to_owned());
    assert_eq!(read(add()).await.0, 201);
    assert_eq!(contents(&sandbox, &ana, &list).await, "1");
}

#[tokio::test]
async fn details_change_within_limits() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let change = |body: Value| read(api(&sandbox, "PUT", &list, &ana).json(&body));
    assert_eq!(
        change(json!({"name": "New", "description": "d", "public": false})).await,
        (200, json!(""))
    );
    let (_, body) = read(api(&sandbox, "GET", &list, &ana)).await;
    assert_eq!(
        (&body["name"], &body["description"], &body["public"]),
        (&json!("New"), &json!("d"), &json!(false))
    );
    assert_eq!(change(json!({"description": "a\nb"})).await.0, 400);
    assert_eq!(change(json!({"description": "x".repeat(301)})).await.0, 400);
    assert_eq!(change(json!({"name": "x".repeat(201)})).await.0, 500);
    sandbox.world().settings.description_refusal = 500;
    assert_eq!(change(json!({"description": "a\nb"})).await.0, 500);
    assert_eq!(
        create(&sandbox, &ana, json!({"description": "no name"})).await.0,
        400
    );
    assert_eq!(
        create(&sandbox, &ana, json!({"name": "x", "collaborative": true}))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn bodies_must_be_json_and_say_so() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    let request = || {
        client()
            .post(format!("{}/me/playlists", sandbox.api_url()))
            .bearer_auth(&ana)
    };
    assert_eq!(read(request().body(r#"{"name":"x"}"#)).await.0, 415);
    let broken = request().header("content-type", "application/json").body("{");
    assert_eq!(
        read(broken).await,
        (
            400,
            json!({"error": {"status": 400, "message": "Error parsing JSON."}})
        )
    );
}

#[tokio::test]
async fn the_public_flag_has_its_moods() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    for (mood, stored, told) in [
        (FixedFlag::Honoured, false, false),
        (FixedFlag::True, false, true),
        (FixedFlag::False, false, false),
        (FixedFlag::Ignored, true, true),
    ] {
        sandbox.world().settings.public_flag = mood;
        let (_, body) = create(&sandbox, &ana, json!({"name": "x", "public": false})).await;
        let id = body["id"].as_str().expect("an id");
        assert_eq!(body["public"], told, "{mood:?}");
        assert_eq!(
            sandbox.world().playlist(id).expect("it is there").public,
            stored,
            "{mood:?}"
        );
    }
}

#[tokio::test]
async fn contents_go_by_new_names_old_names_or_both() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let items = format!("{list}/items");
    read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": [uri(1)]}))).await;
    for (names, new, old) in [
        (ItemNames::New, true, false),
        (ItemNames::Legacy, false, true),
        (ItemNames::Both, true, true),
    ] {
        sandbox.world().settings.item_names = names;
        let (_, body) = read(api(&sandbox, "GET", &list, &ana)).await;
        assert_eq!(
            (body.get("items").is_some(), body.get("tracks").is_some()),
            (new, old),
            "{names:?}"
        );
        let (_, page) = read(api(&sandbox, "GET", &items, &ana)).await;
        let row = &page["items"][0];
        assert_eq!(
            (row.get("item").is_some(), row.get("track").is_some()),
            (new, old),
            "{names:?}"
        );
        assert_eq!(row["added_at"], "2026-11-21T12:00:00Z");
    }
    sandbox.world().settings.item_names = ItemNames::New;
    sandbox.world().remove_track("AAAAAAAAAAAAAAAAAAAAA1");
    let (_, page) = read(api(&sandbox, "GET", &items, &ana)).await;
    assert_eq!(
        (&page["total"], &page["items"][0]["item"]),
        (&json!(1), &Value::Null)
    );
}

#[tokio::test]
async fn pages_of_items_are_fifty_long_at_most() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let items = format!("{list}/items");
    read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": vec![uri(1); 60]}))).await;
    let page = |limit: &str| read(api(&sandbox, "GET", &items, &ana).query(&[("limit", limit)]));
    assert_eq!(page("51").await.0, 400);
    let (_, first) = page("50").await;
    let next = first["next"]
        .as_str()
        .expect("ten more")
        .trim_start_matches(&sandbox.api_url())
        .to_owned();
    let (_, second) = read(api(&sandbox, "GET", &next, &ana)).await;
    assert_eq!(
        (second["items"].as_array().map(Vec::len), &second["next"]),
        (Some(10), &Value::Null)
    );
    sandbox.world().settings.items_limit_max = 100;
    assert_eq!(page("100").await.0, 200);
}

#[tokio::test]
async fn deleting_is_taking_out_of_the_library() {
    let sandbox = start().await;
    let (ana, list) = anas_list(&sandbox).await;
    let spotify_uri = list.replace("/playlists/", "spotify:playlist:");
    let in_body = api(&sandbox, "DELETE", "/me/library", &ana).json(&json!({"uris": []}));
    assert_eq!(read(in_body).await.0, 200);
    assert_eq!(
        read(api(&sandbox, "DELETE", "/me/library", &ana).query(&[("uris", &spotify_uri)]))
            .await
            .0,
        200
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/me/playlists", &ana)).await.1["total"],
        0
    );
    assert_eq!(
        read(api(&sandbox, "GET", &list, &ana)).await.0,
        200,
        "whoever has the link still sees it"
    );
}

#[tokio::test]
async fn extended_mode_has_the_old_endpoints_and_names() {
    let sandbox = start().await;
    sandbox
        .world()
        .set_mode(DEMO_APP.client_id, Mode::Extended)
        .expect("the app exists");
    let guest = access(&sandbox, "guest", WRITE);
    let (status, body) =
        read(api(&sandbox, "POST", "/users/guest/playlists", &guest).json(&json!({"name": "x"}))).await;
    assert_eq!(
        (status, body.get("items"), &body["tracks"]["total"]),
        (201, None, &json!(0))
    );
    let tracks = format!("/playlists/{}/tracks", body["id"].as_str().expect("an id"));
    assert_eq!(
        read(api(&sandbox, "POST", &tracks, &guest).json(&json!({"uris": [uri(1)]})))
            .await
            .0,
        201
    );
    let (_, page) = read(api(&sandbox, "GET", &tracks, &guest)).await;
    assert_eq!(
        (&page["limit"], &page["items"][0]["track"]["uri"]),
        (&json!(100), &json!(uri(1)))
    );
    let gone = json!({"tracks": [{"uri": uri(1)}]});
    assert_eq!(
        read(api(&sandbox, "DELETE", &tracks, &guest).json(&gone)).await.0,
        200
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/users/guest/playlists", &guest))
            .await
            .1["total"],
        1
    );
}

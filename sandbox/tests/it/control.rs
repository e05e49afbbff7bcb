//! The control face, the pages, and the journal.

use reqwest::RequestBuilder;
use sandbox::{App, DEMO_APP, DEMO_LASTFM, Refused, Sandbox, User};
use serde_json::{Value, json};

use crate::http::{access, api, client, demo_basic, read, start, token, uri};

fn control(sandbox: &Sandbox, method: &str, path: &str) -> RequestBuilder {
    client().request(
        method.parse().expect("a method"),
        format!("{}/_sandbox{path}", sandbox.url()),
    )
}

#[tokio::test]
async fn it_lists_itself_and_every_listed_route_exists() {
    let sandbox = start().await;
    let (status, list) = read(control(&sandbox, "GET", "")).await;
    assert_eq!(status, 200);
    for row in list["routes"].as_array().expect("a list") {
        let (method, path) = row["route"]
            .as_str()
            .and_then(|route| route.split_once(' '))
            .expect("method and path");
        let path = path.replace(['{', '}'], "").replace("number", "1");
        let request = client().request(
            method.parse().expect("a method"),
            format!("{}{path}", sandbox.url()),
        );
        let (status, body) = read(request.body("{}")).await;
        let reached = status == 200 || body["error"].is_string();
        assert!(reached, "{method} {path}: {status} {body}");
    }
}

#[tokio::test]
async fn a_web_page_cannot_drive_it() {
    let sandbox = start().await;
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("host", "evil.example", 403),
        ("origin", "http://127.0.0.1:3000", 200),
        ("host", "localhost:1234", 200),
    ] {
        let request = control(&sandbox, "POST", "/revoke").header(header, value);
        assert_eq!(read(request).await.0, status, "{header}: {value}");
    }
}

#[tokio::test]
async fn settings_change_one_by_one_and_reject_what_is_none() {
    let sandbox = start().await;
    let change = |body: Value| read(control(&sandbox, "PATCH", "/settings").json(&body));
    let (status, all) =
        change(json!({"tokenTtlS": 5, "rotation": "rotate_single_use", "quota": {"search": 3}})).await;
    assert_eq!(
        (status, &all["tokenTtlS"], &all["codeTtlS"]),
        (200, &json!(5), &json!(600))
    );
    let (_, all) = change(json!({"spentToken": "discord2020", "refreshTokenExpiresIn": "604799"})).await;
    assert_eq!(
        (&all["spentToken"], &all["refreshTokenExpiresIn"]),
        (&json!("discord2020"), &json!("604799"))
    );
    let (_, all) = change(json!({"refreshTokenExpiresIn": null})).await;
    assert_eq!(all["refreshTokenExpiresIn"], Value::Null);
    assert_eq!(change(json!({"tokenTtl": 5})).await.0, 400);
    assert_eq!(change(json!({"rotation": "sideways"})).await.0, 400);
    let (_, answer) = token(
        &sandbox,
        Some(&demo_basic()),
        &[("grant_type", "client_credentials")],
    )
    .await;
    assert_eq!(answer["expires_in"], 5);
}

#[tokio::test]
async fn a_whole_story_can_be_told_over_http() {
    let sandbox = start().await;
    let post = |path: &'static str, body: Value| read(control(&sandbox, "POST", path).json(&body));
    assert_eq!(post("/users", json!({"id": "mallory"})).await.0, 200);
    assert_eq!(post("/users", json!({"id": "mallory"})).await.0, 409);
    let (_, app) = post("/apps", json!({"owner": "mallory", "name": "x"})).await;
    let client_id = app["clientId"].as_str().expect("a client id");
    let (_, grant) = post(
        "/grants",
        json!({"clientId": client_id, "user": "mallory", "scope": ""}),
    )
    .await;
    let token = grant["accessToken"].as_str().expect("a token");
    assert_eq!(
        read(api(&sandbox, "GET", "/me", token)).await.0,
        403,
        "mallory does not pay"
    );
    assert_eq!(
        post("/users/mallory/premium", json!({"premium": true})).await.0,
        200
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/me", token)).await.1["display_name"],
        Value::Null
    );
    post("/faults", json!({"path": "/v1/me", "times": 1, "kind": {"status": {"status": 500, "contentType": "text/html", "body": "x"}}})).await;
    assert_eq!(read(api(&sandbox, "GET", "/me", token)).await.0, 500);
    post(
        "/faults",
        json!({"method": "GET", "path": "/v1/me", "kind": "garbage200"}),
    )
    .await;
    assert_eq!(read(api(&sandbox, "GET", "/me", token)).await.0, 200);
    read(control(&sandbox, "DELETE", "/faults")).await;
    post("/clock", json!({"advanceMs": 3_600_000})).await;
    assert_eq!(read(api(&sandbox, "GET", "/me", token)).await.0, 401);
    let (_, counters) = read(control(&sandbox, "GET", "/counters")).await;
    assert_eq!(counters["counters"], json!({"GET /v1/me": 5}));
}

#[tokio::test]
async fn the_journal_keeps_names_and_no_values() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "AQsecret"),
        ("client_id", DEMO_APP.client_id),
    ];
    token(&sandbox, None, &form).await;
    read(api(&sandbox, "POST", "/me/playlists?x=hidden", &ana).json(&json!({"name": "hidden"}))).await;
    let (_, seen) = read(control(&sandbox, "GET", "/requests")).await;
    assert_eq!(
        seen[0]["fields"],
        json!(["client_id", "grant_type", "refresh_token"])
    );
    assert_eq!(
        (&seen[0]["grantType"], &seen[0]["clientId"]),
        (&json!("refresh_token"), &json!(DEMO_APP.client_id))
    );
    assert_eq!(
        (&seen[1]["user"], &seen[1]["fields"], &seen[1]["status"]),
        (&json!("ana"), &json!(["name", "x"]), &json!(403))
    );
    let text = seen.to_string();
    assert!(!text.contains("AQsecret") && !text.contains("hidden") && !text.contains(&ana));
    assert_eq!(sandbox.world().count("POST", "/api"), 1);
    assert_eq!(sandbox.world().count_grant_type("refresh_token"), 1);
    read(control(&sandbox, "DELETE", "/requests")).await;
    assert!(sandbox.world().requests().is_empty());
}

#[tokio::test]
async fn a_development_app_has_five_places() {
    let sandbox = start().await;
    let mut world = sandbox.world();
    for id in ["u1", "u2", "u3", "u4"] {
        world.add_user(User::new(id, id)).expect("a free id");
    }
    let client_id = world.add_app(App::new("", "ana")).expect("ana exists");
    for id in ["u1", "u2", "u3", "u4"] {
        world.allow(&client_id, id).expect("there is room");
    }
    assert_eq!(
        world.allow(&client_id, "ben"),
        Err(Refused::AllowListFull(client_id.clone()))
    );
    world.disallow(&client_id, "u1").expect("the app exists");
    assert_eq!(world.allow(&client_id, "ben"), Ok(()));
    assert_eq!(
        world.allow(&client_id, "nobody"),
        Err(Refused::NoSuchUser("nobody".to_owned()))
    );
}

#[tokio::test]
async fn a_person_can_look_at_a_playlist() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "playlist-modify-public");
    let (_, list) =
        read(api(&sandbox, "POST", "/me/playlists", &ana).json(&json!({"name": "<b>Top</b>"}))).await;
    let id = list["id"].as_str().expect("an id");
    let items = format!("/playlists/{id}/items");
    read(api(&sandbox, "POST", &items, &ana).json(&json!({"uris": [uri(3), uri(1)]}))).await;
    let address = list["external_urls"]["spotify"].as_str().expect("an address");
    let (status, page) = read(client().get(address)).await;
    let page = page.as_str().expect("HTML");
    assert_eq!(status, 200);
    assert!(page.contains("&lt;b&gt;Top&lt;/b&gt;") && page.contains("By Ana"));
    assert!(page.find("Señal y Ruido") < page.find("Ground Loop") && page.contains("Señal y Ruido"));
    let (_, index) = read(client().get(sandbox.url())).await;
    let index = index.as_str().expect("HTML");
    assert!(index.contains(&format!("/open/playlist/{id}")) && index.contains(DEMO_APP.client_id));
    assert_eq!(
        read(client().get(format!("{}/open/playlist/none", sandbox.url())))
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn the_env_lines_point_here() {
    let sandbox = start().await;
    let lines = sandbox.env_lines();
    assert!(lines.contains(&format!("SPOTIFY_API_URL={}/v1\n", sandbox.url())));
    assert!(lines.contains(&format!("LASTFM_API_URL={}/2.0/\n", sandbox.url())));
    assert!(lines.contains(&format!("LASTFM_API_KEY={}\n", DEMO_LASTFM.api_key)));
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with("SPOTIFY_") || line.starts_with("LASTFM_"))
    );
    let last = lines.lines().last().expect("a line");
    assert!(
        last.starts_with("SPOTIFY_CLIENT_SECRET="),
        "tests/clients/run waits for it"
    );
}

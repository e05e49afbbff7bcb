//! Who may call the Web API: 401, 403 and their bodies.

use sandbox::{DEMO_APP, Mode, NotRegistered};
use serde_json::{Value, json};

use crate::http::{WRITE, access, api, body, client, demo_basic, read, start, token};

fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"error": {"status": status, "message": message}}))
}

#[tokio::test]
async fn a_401_has_one_sentence_and_its_cause_in_the_header() {
    let sandbox = start().await;
    let good = access(&sandbox, "ana", "");
    sandbox.world().advance_ms(3_600_000);
    let url = format!("{}/me", sandbox.api_url());
    let rows = [
        (client().get(&url), "missing_token", "No token provided"),
        (
            client().get(&url).bearer_auth("BQx"),
            "invalid_token",
            "Invalid access token",
        ),
        (
            client().get(&url).bearer_auth(&good),
            "invalid_token",
            "The access token expired",
        ),
    ];
    for (request, code, cause) in rows {
        let legacy = request.try_clone().expect("no body");
        let response = request.send().await.expect("an answer");
        let challenge = format!(r#"Bearer realm="spotify", error="{code}", error_description="{cause}""#);
        assert_eq!(response.headers()["www-authenticate"], challenge);
        assert_eq!(
            body(response).await,
            error(401, "Missing/invalid/expired access token")
        );
        sandbox.world().settings.legacy_401 = true;
        assert_eq!(read(legacy).await, error(401, cause));
        sandbox.world().settings.legacy_401 = false;
    }
    let basic = client().get(&url).header("authorization", demo_basic());
    assert_eq!(
        read(basic).await,
        error(400, "Only valid bearer authentication supported")
    );
}

#[tokio::test]
async fn somebody_off_the_allow_list_may_agree_and_is_then_refused_everything() {
    let sandbox = start().await;
    let guest = access(&sandbox, "guest", WRITE);
    let new = "The user is not registered for this application. Please check your settings on https://developer.spotify.com/dashboard.";
    let old = "Check settings on developer.spotify.com/dashboard, the user may not be registered.";
    let oldest = "User not registered in the Developer Dashboard";
    let rows = [
        (NotRegistered::Text2026, (403, json!(new))),
        (NotRegistered::Json2026, error(403, new)),
        (NotRegistered::Text2024, (403, json!(old))),
        (NotRegistered::Text2021, (403, json!(oldest))),
    ];
    for (wording, expected) in rows {
        sandbox.world().settings.not_registered = wording;
        assert_eq!(read(api(&sandbox, "GET", "/me", &guest)).await, expected);
    }
    sandbox
        .world()
        .allow(DEMO_APP.client_id, "guest")
        .expect("there is room");
    assert_eq!(read(api(&sandbox, "GET", "/me", &guest)).await.0, 200);
}

#[tokio::test]
async fn without_the_owners_premium_an_app_stops_and_with_it_resumes() {
    let sandbox = start().await;
    let ben = access(&sandbox, "ben", "");
    sandbox.world().set_premium("ana", false).expect("ana exists");
    let (status, text) = read(api(&sandbox, "GET", "/me", &ben)).await;
    let text = text.as_str().expect("plain text, not JSON");
    assert_eq!((status, text.len()), (403, 159));
    assert!(text.starts_with("Active premium subscription required"));
    sandbox.world().set_premium("ana", true).expect("ana exists");
    assert_eq!(read(api(&sandbox, "GET", "/me", &ben)).await.0, 200);
}

#[tokio::test]
async fn me_tells_who_and_in_development_mode_no_more() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", "");
    let (_, me) = read(api(&sandbox, "GET", "/me", &ana)).await;
    assert_eq!(
        (&me["id"], &me["account_id"], &me["display_name"]),
        (&json!("ana"), &json!("AnaAnaAnaAna"), &json!("Ana"))
    );
    assert_eq!(
        me["external_urls"]["spotify"],
        format!("{}/open/user/ana", sandbox.url())
    );
    assert_eq!(
        read(api(&sandbox, "GET", "/me/?a=b", &ana)).await.0,
        200,
        "a slash at the end is forgiven"
    );
    assert!(me.get("product").is_none() && me.get("email").is_none());
    sandbox
        .world()
        .set_mode(DEMO_APP.client_id, Mode::Extended)
        .expect("the app exists");
    let (_, me) = read(api(&sandbox, "GET", "/me", &ana)).await;
    assert_eq!(me["product"], "premium");
}

#[tokio::test]
async fn an_app_alone_is_nobody_but_may_search() {
    let sandbox = start().await;
    let (_, answer) = token(
        &sandbox,
        Some(&demo_basic()),
        &[("grant_type", "client_credentials")],
    )
    .await;
    let app = answer["access_token"].as_str().expect("a token");
    assert_eq!(read(api(&sandbox, "GET", "/me", app)).await.0, 401);
    assert_eq!(
        read(api(&sandbox, "GET", "/search?q=loop&type=track", app))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn endpoints_taken_from_development_apps_are_403_and_unknown_ones_404() {
    let sandbox = start().await;
    let ana = access(&sandbox, "ana", WRITE);
    let list = sandbox.world().add_playlist("ana", "x").expect("ana exists");
    let tracks = format!("/playlists/{list}/tracks");
    let removed = [
        ("GET", tracks.as_str()),
        ("POST", "/users/ana/playlists"),
        ("GET", "/users/ana"),
        ("GET", "/tracks?ids=a"),
        ("GET", "/artists/x/top-tracks"),
        ("GET", "/browse/categories/x"),
        ("PUT", "/me/tracks"),
        ("DELETE", "/playlists/x/followers"),
        ("GET", "/me/tracks/contains"),
    ];
    for (method, path) in removed {
        assert_eq!(
            read(api(&sandbox, method, path, &ana)).await,
            error(403, "Forbidden"),
            "{method} {path}"
        );
    }
    assert!(sandbox.world().unexpected().is_empty());
    assert_eq!(
        read(api(&sandbox, "GET", "/nonsense", &ana)).await,
        error(404, "Service not found")
    );
    assert_eq!(read(api(&sandbox, "GET", "/me/player", &ana)).await.0, 501);
    assert_eq!(read(api(&sandbox, "DELETE", "/me", &ana)).await.0, 405);
    let unexpected: Vec<String> = sandbox
        .world()
        .unexpected()
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(unexpected, ["/v1/nonsense", "/v1/me/player"]);
}

//! Connecting, by both ways, as a person in a browser does it.

use sandbox::OWN_APP;

use crate::harness::app::{APP_URL, TestApp};

#[tokio::test]
async fn a_person_connects_through_the_operators_app() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.connect("/api/spotify/auth-url?returnTo=/settings?tab=music").await;
    assert_eq!(callback.location(), format!("{APP_URL}/settings?tab=music&auth=success"));
    let status = ana.get("/api/spotify/status?token=false").await.expect(200);
    assert_eq!(status["connected"], true);
    assert_eq!(status["mode"], "standard");
    assert_eq!(status["tokenHealth"], "healthy");
    assert_eq!(status["daysLeft"], 180);
    assert!(status.get("accessToken").is_none(), "a poll carries no token");
}

#[tokio::test]
async fn a_person_connects_through_an_app_of_their_own() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    let callback = ana.connect_own(OWN_APP.client_id, Some(OWN_APP.client_secret)).await;
    assert_eq!(callback.location(), format!("{APP_URL}/?auth=success"));
    let status = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(status["mode"], "byo");
    assert_eq!(status["hasByoCredentials"], true);
    assert!(status["accessToken"].is_string());
}

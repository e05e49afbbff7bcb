//! Killed while a token is being renewed: the grant is as good as it was, whatever the provider had done by then.

use sandbox::World;

use super::{GONE, rewrite, signed_in, stored};
use crate::harness::process::Site;

const EXPIRES_AT: &str = "$.integrations.spotify.expiresAt";
const LEASE_UNTIL: &str = "$.integrations.spotify.lease.until";

#[tokio::test]
async fn killed_before_the_provider_has_renewed() {
    killed_in_the_middle(World::hold).await;
}

#[tokio::test]
async fn killed_after_the_provider_has_renewed_before_it_says_so() {
    killed_in_the_middle(World::hold_answer).await;
}

async fn killed_in_the_middle(hold: fn(&mut World, &str)) {
    let site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    ana.connect("/api/spotify/auth-url").await;
    rewrite(&site, "local:ana", EXPIRES_AT, 0);

    hold(&mut site.sandbox.world(), "/api/token");
    let mut waiting = ana.clone();
    let waiting = tokio::spawn(async move { waiting.get("/api/spotify/status").await });
    site.sandbox.arrived("/api/token").await;
    service.kill();
    assert_eq!(waiting.await.expect("an answer").status, GONE);
    site.sandbox.world().release("/api/token");

    let _service = site.serve();
    let status = ana.get("/api/spotify/status?token=false").await.expect(200);
    assert_eq!(status["connected"], true);
    assert_eq!(
        status["tokenHealth"], "degraded",
        "a token that has run out is called {}",
        status["tokenHealth"]
    );
    assert_eq!(
        (&status["errorReason"], &status["needsReauth"]),
        (&"renewal_due".into(), &false.into())
    );

    // The dead process still has its claim. Nobody waits here until that is over.
    assert!(stored::<i64>(&site, "local:ana", LEASE_UNTIL) > 0);
    rewrite(&site, "local:ana", LEASE_UNTIL, 0);
    let status = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(
        (&status["tokenHealth"], &status["needsReauth"]),
        (&"healthy".into(), &false.into())
    );
    assert!(status["accessToken"].is_string());
    assert!(stored::<i64>(&site, "local:ana", EXPIRES_AT) > 0);
    assert_eq!(stored::<Option<i64>>(&site, "local:ana", LEASE_UNTIL), None);
}

//! Killed while somebody connects: nothing is half connected, and they can simply do it again.

use super::{GONE, signed_in, stored};
use crate::harness::{browser::consent, process::Site};

#[tokio::test]
async fn killed_before_the_code_is_exchanged() {
    killed_in_the_middle("/api/token").await;
}

#[tokio::test]
async fn killed_with_tokens_in_hand_before_it_is_known_whose_they_are() {
    killed_in_the_middle("/v1/me").await;
}

async fn killed_in_the_middle(at: &'static str) {
    let site = Site::new().await;
    let service = site.serve();
    let mut ana = signed_in(&site, "ana").await;
    let started = ana.get("/api/spotify/auth-url").await.expect(200);
    let callback = consent(started["url"].as_str().expect("an address")).await;

    site.sandbox.world().hold(at);
    let (mut waiting, path) = (ana.clone(), callback.clone());
    let waiting = tokio::spawn(async move { waiting.get(&path).await });
    site.sandbox.arrived(at).await;
    service.kill();
    assert_eq!(waiting.await.expect("an answer").status, GONE);
    site.sandbox.world().release(at);

    let _service = site.serve();
    let status = ana.get("/api/spotify/status?token=false").await.expect(200);
    assert_eq!(status["connected"], false);
    let kept: Option<String> = stored(&site, "local:ana", "$.integrations.spotify");
    assert_eq!(
        kept, None,
        "something is stored of a connection that was not finished"
    );
    let again = ana.get(&callback).await.location();
    assert!(
        again.contains("error=state_used"),
        "the state worked twice: {again}"
    );

    assert!(
        ana.connect("/api/spotify/auth-url")
            .await
            .location()
            .contains("auth=success")
    );
    let status = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(
        (&status["connected"], &status["tokenHealth"]),
        (&true.into(), &"healthy".into())
    );
}

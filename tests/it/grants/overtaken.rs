//! Somebody acts while a renewal is under way: what they did stands, and the late renewal writes nothing.

use std::time::Duration;

use patchbay::{
    grants::GrantError,
    ids::Slot,
    store::{GrantStatus, StoredLease, UserChange, Written},
};
use sandbox::{Fault, FaultKind, Rotation};
use serde_json::json;

use super::{HOUR, TOKEN, live, live_in_a_task, text};
use crate::harness::app::{TestApp, local_user};

/// Writes somebody else's claim over whatever claim there is.
pub(super) async fn leave_a_claim(app: &TestApp) {
    let mut document = app.document("ana").await;
    let mut grant = document.integrations.remove(&Slot::Spotify).expect("connected");
    let until = patchbay::system::Timestamp::from_ms(app.clock.now_ms()) + Duration::from_secs(30);
    grant.lease = Some(StoredLease {
        holder: "somebody else".to_owned(),
        until,
    });
    let change = UserChange {
        dead: document.dead,
        integrations: [(Slot::Spotify, Some(grant))].into(),
        next_due_at: document.next_due_at,
        ..UserChange::default()
    };
    let written = app
        .store
        .write_user(&local_user("ana"), document.version, &change)
        .await;
    assert!(matches!(written, Ok(Written::As(_))));
}

/// Ana's token has run out, and its renewal is held at the provider.
async fn held() -> (TestApp, crate::harness::browser::Browser) {
    let app = TestApp::start().await;
    let ana = app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    (app, ana)
}

#[tokio::test]
async fn who_disconnects_during_a_renewal_stays_disconnected() {
    for refused in [false, true] {
        let (app, mut ana) = held().await;
        let renewing = live_in_a_task(&app);
        app.sandbox.arrived(TOKEN).await;
        ana.post("/api/spotify/disconnect", json!({})).await.expect(200);
        if refused {
            app.sandbox.world().revoke_user("ana");
        }
        let before = app.document("ana").await;
        app.sandbox.world().release(TOKEN);
        let outcome = renewing.await.expect("no panic");
        assert!(matches!(outcome, Err(GrantError::NotConnected)), "{outcome:?}");
        assert_eq!(app.document("ana").await, before);
        assert!(before.integrations.is_empty());
    }
}

#[tokio::test]
async fn who_is_erased_during_a_renewal_stays_erased() {
    let (app, mut ana) = held().await;
    let renewing = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    ana.delete("/api/me").await.expect(200);
    app.sandbox.world().release(TOKEN);
    assert!(matches!(
        renewing.await.expect("no panic"),
        Err(GrantError::NotConnected)
    ));
    assert_eq!(
        app.document("ana").await,
        patchbay::store::UserDocument::default()
    );
}

#[tokio::test]
async fn who_reconnects_during_a_renewal_keeps_the_new_grant() {
    for refused in [false, true] {
        let (app, _) = held().await;
        if refused {
            app.sandbox.world().revoke_user("ana");
        }
        let renewing = live_in_a_task(&app);
        app.sandbox.arrived(TOKEN).await;
        // Through another process, whose provider is not held up.
        let other = app.another_process().start().await;
        other.connected("ana").await;
        let reconnected = app.document("ana").await;
        app.sandbox.world().release(TOKEN);
        let token = renewing.await.expect("no panic").expect("the new grant's token");
        assert_eq!(app.document("ana").await, reconnected);
        assert_eq!(text(&token), text(&live(&other).await.expect("a token")));
    }
}

#[tokio::test]
async fn bad_news_from_who_has_lost_its_claim_are_not_written() {
    let answers = [
        FaultKind::json(400, r#"{"error":"invalid_grant"}"#),
        FaultKind::json(400, r#"{"error":"invalid_client"}"#),
        FaultKind::html(503),
    ];
    for answer in answers {
        let (app, _) = held().await;
        app.sandbox
            .world()
            .fault(Fault::on("POST", TOKEN, answer.clone()));
        let renewing = live_in_a_task(&app);
        app.sandbox.arrived(TOKEN).await;
        leave_a_claim(&app).await;
        let before = app.document("ana").await;
        app.sandbox.world().release(TOKEN);
        let outcome = renewing.await.expect("no panic");
        assert!(
            matches!(outcome, Err(GrantError::ProviderUnavailable { .. })),
            "{answer:?}: {outcome:?}"
        );
        assert_eq!(app.document("ana").await, before, "{answer:?}");
        assert_eq!(app.grant("ana").await.status, GrantStatus::Connected);
    }
}

#[tokio::test]
async fn a_token_from_who_has_lost_its_claim_is_kept_while_nobody_has_a_newer_one() {
    let (app, _) = held().await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    let renewing = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    leave_a_claim(&app).await;
    let before = app.grant("ana").await;
    app.sandbox.world().release(TOKEN);
    let token = renewing
        .await
        .expect("no panic")
        .expect("the only token there is");
    let kept = app.grant("ana").await;
    assert_eq!((kept.generation, kept.lease), (before.generation + 1, None));
    assert_ne!(kept.refresh_token_enc, before.refresh_token_enc);
    assert_eq!(text(&live(&app).await.expect("a token")), text(&token));
}

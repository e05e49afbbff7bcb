//! When a token is renewed, how often, and what is kept of the answer.

use std::time::Duration;

use patchbay::{grants::GrantError, ids::Slot};
use sandbox::Rotation;
use tokio::task::JoinSet;

use super::{HOUR, MIN, TOKEN, live, live_in_a_task, overtaken::leave_a_claim, text};
use crate::harness::{
    app::{Setup, TestApp, local_user},
    clock::{ManualClock, until},
};

#[tokio::test]
async fn a_token_beyond_the_margin_is_handed_out_as_it_is() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let before = app.document("ana").await;
    let first = live(&app).await.expect("a token");
    app.advance(Duration::from_millis(55 * 60 * 1000 - 1));
    let same = live(&app).await.expect("a token");
    assert_eq!((text(&same), same.generation), (text(&first), first.generation));
    assert_eq!((app.renewals(), app.document("ana").await), (0, before));
}

#[tokio::test]
async fn a_token_within_the_margin_is_renewed_once() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let old = live(&app).await.expect("a token");
    app.advance(55 * MIN);
    let new = live(&app).await.expect("a token");
    assert_ne!(text(&new), text(&old));
    assert_eq!(new.generation, old.generation + 1);
    assert_eq!(new.expires_at, old.expires_at + 55 * MIN);
    assert_eq!(text(&live(&app).await.expect("a token")), text(&new));
    assert_eq!(app.renewals(), 1);
    let grant = app.grant("ana").await;
    assert_eq!(
        (grant.lease, grant.failures, grant.generation),
        (None, 0, new.generation)
    );
}

#[tokio::test]
async fn who_needs_more_life_than_the_margin_gets_it() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let before = app.grant("ana").await.generation;
    app.advance(30 * MIN);
    let token = app
        .app
        .grants()
        .live_token(&local_user("ana"), Slot::Spotify, 31 * MIN)
        .await;
    assert_eq!(token.expect("a token").generation, before + 1);
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn nobody_and_the_unconnected_have_no_token() {
    let app = TestApp::start().await;
    assert!(matches!(live(&app).await, Err(GrantError::NotConnected)));
    app.connected("ana").await;
    let own = app
        .app
        .grants()
        .live_token(&local_user("ana"), Slot::SpotifyByo, Duration::ZERO)
        .await;
    assert!(matches!(own, Err(GrantError::NotConnected)));
}

#[tokio::test]
async fn fifty_callers_at_once_cost_one_renewal() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let grants = app.app.grants().clone();
        callers.spawn(async move {
            grants
                .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
                .await
        });
    }
    app.sandbox.arrived(TOKEN).await;
    app.sandbox.world().release(TOKEN);
    let tokens: Vec<_> = callers
        .join_all()
        .await
        .into_iter()
        .map(|token| token.expect("a token"))
        .collect();
    assert!(
        tokens.iter().all(|token| text(token) == text(&tokens[0])),
        "all get the same"
    );
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn two_processes_renew_once_and_agree_on_the_token() {
    for rotation in [Rotation::None, Rotation::RotateSingleUse] {
        let one = Setup::default().clock(ManualClock::patient()).start().await;
        let other = one.another_process().sandbox(one.sandbox.clone()).start().await;
        one.sandbox.world().set_rotation(rotation);
        one.connected("ana").await;
        one.advance(HOUR);
        one.sandbox.world().hold(TOKEN);
        let here = live_in_a_task(&one);
        one.sandbox.arrived(TOKEN).await;
        let there: Vec<_> = (0..10).map(|_| live_in_a_task(&other)).collect();
        one.sandbox.world().release(TOKEN);
        let here = here.await.expect("no panic").expect("a token");
        for there in there {
            let there = there.await.expect("no panic").expect("a token");
            assert_eq!((text(&there), there.generation), (text(&here), here.generation));
        }
        assert_eq!(one.renewals(), 1, "{rotation:?}");
    }
}

#[tokio::test]
async fn while_another_process_renews_the_life_that_is_left_is_handed_out_at_once() {
    let one = Setup::default().clock(ManualClock::patient()).start().await;
    let other = one.another_process().sandbox(one.sandbox.clone()).start().await;
    one.connected("ana").await;
    let old = live(&one).await.expect("a token");
    one.advance(56 * MIN);
    one.sandbox.world().hold(TOKEN);
    let renewing = live_in_a_task(&one);
    one.sandbox.arrived(TOKEN).await;
    assert_eq!(text(&live(&other).await.expect("a token")), text(&old));
    one.sandbox.world().release(TOKEN);
    let new = renewing.await.expect("no panic").expect("a token");
    assert_eq!(text(&live(&other).await.expect("a token")), text(&new));
    assert_eq!(one.renewals(), 1);
}

#[tokio::test]
async fn a_claim_of_a_process_that_died_is_taken_over_when_its_lease_is_over() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    // Killed between the claim and the answer: the claim is all that is left of it.
    leave_a_claim(&app).await;
    let before = app.grant("ana").await.generation;
    let token = live(&app).await.expect("a token");
    assert_eq!(token.generation, before + 1);
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    for rotation in [Rotation::None, Rotation::Null, Rotation::EmptyString] {
        let app = TestApp::start().await;
        app.sandbox.world().set_rotation(rotation);
        app.connected("ana").await;
        let first = app.grant("ana").await;
        let sealed = first.refresh_token_enc;
        for renewals in 1..3 {
            app.advance(HOUR);
            assert_eq!(
                live(&app).await.expect("a token").generation,
                first.generation + renewals,
                "{rotation:?}"
            );
            assert_eq!(app.grant("ana").await.refresh_token_enc, sealed, "{rotation:?}");
        }
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_replaces_the_old_one() {
    let app = TestApp::start().await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    app.connected("ana").await;
    let first = app.grant("ana").await;
    let mut sealed = first.refresh_token_enc;
    for renewals in 1..4 {
        app.advance(HOUR);
        assert_eq!(
            live(&app).await.expect("the new one works").generation,
            first.generation + renewals
        );
        let now = app.grant("ana").await.refresh_token_enc;
        assert_ne!(now, sealed);
        sealed = now;
    }
}

#[tokio::test]
async fn renewing_never_moves_the_six_months() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let before = app.grant("ana").await;
    app.advance(100 * 24 * HOUR);
    live(&app).await.expect("a token");
    let after = app.grant("ana").await;
    assert_eq!(
        (after.authorized_at, after.grant_expires_at),
        (before.authorized_at, before.grant_expires_at)
    );
}

#[tokio::test]
async fn who_hangs_up_does_not_lose_the_answer() {
    let app = TestApp::start().await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    app.connected("ana").await;
    let next = app.grant("ana").await.generation + 1;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    let caller = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    caller.abort();
    assert!(caller.await.expect_err("gone").is_cancelled());
    app.sandbox.world().release(TOKEN);
    until("the token is written down", || async {
        app.grant("ana").await.generation == next
    })
    .await;
    assert_eq!(live(&app).await.expect("a token").generation, next);
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn a_token_that_the_api_refused_is_replaced_once() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let refused = live(&app).await.expect("a token");
    let grants = app.app.grants();
    let ana = local_user("ana");
    for _ in 0..3 {
        let token = grants
            .replaced_token(&ana, Slot::Spotify, refused.generation)
            .await
            .expect("a token");
        assert_eq!(
            token.generation,
            refused.generation + 1,
            "who comes later gets what is there"
        );
        assert_ne!(text(&token), text(&refused));
    }
    assert_eq!(app.renewals(), 1);
}

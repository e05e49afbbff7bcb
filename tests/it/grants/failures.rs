//! Every way in which a renewal can fail: what the caller gets, what is kept, and when it is tried again.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{GrantError, Reason},
    store::{DatabaseUrl, GrantStatus},
};
use sandbox::{DEMO_APP, Fault, FaultKind, Rotation};

use super::{HOUR, MIN, TOKEN, live, live_in_a_task, text};
use crate::harness::{
    app::{Setup, TestApp},
    clock::until,
    flaky_store::{Call, FlakyStore, When},
};

/// What a failure is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The person has to consent again.
    Over,
    /// The app's owner has to mend the app.
    App,
    /// It may pass; `None` leaves the pause to the back-off.
    Passing(Option<u64>),
}

use Verdict::{App, Over, Passing};

fn json(status: u16, body: &str) -> FaultKind {
    FaultKind::json(status, body)
}

fn with_retry_after(status: u16, seconds: u64) -> FaultKind {
    FaultKind::Status {
        status,
        content_type: "text/plain".to_owned(),
        body: "Too many requests".to_owned(),
        retry_after_s: Some(seconds),
    }
}

fn answers() -> Vec<(FaultKind, Verdict)> {
    let day_s = 24 * 60 * 60;
    vec![
        (
            json(
                400,
                r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#,
            ),
            Over,
        ),
        (
            json(
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#,
            ),
            Over,
        ),
        (
            json(
                400,
                r#"{"error":"invalid_grant","error_description":"User does not exist"}"#,
            ),
            Over,
        ),
        (
            json(400, r#"{"error":"invalid_grant","error_description":""}"#),
            Over,
        ),
        (json(400, r#"{"error":"invalid_grant"}"#), Over),
        (json(401, r#"{"error":"invalid_grant"}"#), Over),
        (
            json(
                400,
                r#"{"error":"invalid_client","error_description":"Invalid client secret"}"#,
            ),
            App,
        ),
        (json(400, r#"{"error":"invalid_client"}"#), App),
        (json(401, r#"{"error":"invalid_client"}"#), App),
        (json(400, r#"{"error":"unauthorized_client"}"#), App),
        (json(400, r#"{"error":"invalid_request"}"#), Passing(None)),
        (json(400, r#"{"error":"unsupported_grant_type"}"#), Passing(None)),
        (json(400, r#"{"error":"server_error"}"#), Passing(None)),
        (
            json(400, r#"{"error":{"status":400,"message":"invalid_grant"}}"#),
            Passing(None),
        ),
        (json(400, r#""invalid_grant""#), Passing(None)),
        (json(400, ""), Passing(None)),
        (FaultKind::text(400, "invalid_grant"), Passing(None)),
        (FaultKind::html(400), Passing(None)),
        (FaultKind::html(403), Passing(None)),
        (FaultKind::text(404, ""), Passing(None)),
        (FaultKind::text(408, ""), Passing(None)),
        (FaultKind::text(425, ""), Passing(None)),
        (FaultKind::text(429, "Too many requests"), Passing(None)),
        (with_retry_after(429, 120), Passing(Some(120))),
        (with_retry_after(503, 7), Passing(Some(7))),
        (with_retry_after(429, 400 * day_s), Passing(Some(day_s))),
        // A gateway's words about a grant are not the provider's.
        (json(429, r#"{"error":"invalid_grant"}"#), Passing(None)),
        (json(500, r#"{"error":"invalid_grant"}"#), Passing(None)),
        (json(503, r#"{"error":"invalid_client"}"#), Passing(None)),
        (json(200, r#"{"error":"invalid_grant"}"#), Passing(None)),
        (FaultKind::html(500), Passing(None)),
        (FaultKind::html(502), Passing(None)),
        (FaultKind::text(503, ""), Passing(None)),
        (FaultKind::text(504, ""), Passing(None)),
        (FaultKind::text(302, ""), Passing(None)),
        (FaultKind::Garbage200, Passing(None)),
        (json(200, ""), Passing(None)),
        (json(200, "{}"), Passing(None)),
        (
            json(200, r#"{"access_token":null,"token_type":"Bearer"}"#),
            Passing(None),
        ),
        (FaultKind::DropConnection, Passing(None)),
    ]
}

#[tokio::test]
async fn each_failure_is_taken_for_what_it_says_and_no_more() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    for (kind, verdict) in answers() {
        ana.post("/api/session", serde_json::json!({"name": "ana"}))
            .await
            .expect(200);
        ana.connect("/api/spotify/auth-url").await;
        let before = app.grant("ana").await;
        app.advance(HOUR);
        app.sandbox.world().clear_requests();
        app.sandbox
            .world()
            .fault(Fault::on("POST", TOKEN, kind.clone()).times(1));
        let failed = live(&app).await.expect_err("a failure");
        let after = app.grant("ana").await;
        assert_eq!(app.renewals(), 1, "{kind:?}");
        assert_eq!(
            after.refresh_token_enc, before.refresh_token_enc,
            "{kind:?}: kept, whatever was said"
        );
        assert_eq!(
            (after.lease.clone(), after.generation),
            (None, before.generation),
            "{kind:?}"
        );
        let now_ms = app.clock.now_ms();
        let pause_ms = after.next_attempt_at.map(|at| at.as_ms() - now_ms);
        match (verdict, &failed) {
            (Over, GrantError::NeedsReauth(Reason::GrantRevoked)) => {
                assert_eq!(after.status, GrantStatus::NeedsReauth, "{kind:?}");
                assert_eq!(
                    (after.access_token_enc.as_ref(), pause_ms),
                    (None, None),
                    "{kind:?}"
                );
            }
            (App, GrantError::AppError(Reason::ClientRefused)) => {
                assert_eq!(after.status, GrantStatus::AppError, "{kind:?}");
                assert_eq!(after.access_token_enc, before.access_token_enc, "{kind:?}");
                assert_eq!(pause_ms, Some(60 * 60 * 1000), "{kind:?}");
            }
            (Passing(asked_s), GrantError::ProviderUnavailable { retry_after }) => {
                assert_eq!(
                    (after.status, after.failures),
                    (GrantStatus::Connected, 1),
                    "{kind:?}"
                );
                let pause_ms = u64::try_from(pause_ms.expect("a pause")).expect("after now");
                assert_eq!(*retry_after, Some(Duration::from_millis(pause_ms)), "{kind:?}");
                match asked_s {
                    Some(asked_s) => assert_eq!(pause_ms, asked_s * 1000, "{kind:?}"),
                    None => assert!((500..=1000).contains(&pause_ms), "{kind:?}: {pause_ms}"),
                }
            }
            _ => panic!("{kind:?} should be {verdict:?}, and is {failed:?}"),
        }

        // Not a moment before its time; then it works again, unless it is over.
        assert!(live(&app).await.is_err(), "{kind:?}");
        if let Some(pause_ms) = pause_ms {
            let pause = Duration::from_millis(u64::try_from(pause_ms).expect("after now"));
            app.advance(pause.saturating_sub(Duration::from_millis(1)));
            assert!(live(&app).await.is_err(), "{kind:?}");
            assert_eq!(app.renewals(), 1, "{kind:?}: nobody is asked during the pause");
            app.advance(Duration::from_millis(1));
            assert_eq!(
                live(&app).await.expect("it works again").generation,
                before.generation + 1,
                "{kind:?}"
            );
            let mended = app.grant("ana").await;
            assert_eq!(
                (mended.status, mended.failures),
                (GrantStatus::Connected, 0),
                "{kind:?}"
            );
            assert_eq!(
                (mended.status_reason, mended.next_attempt_at),
                (None, None),
                "{kind:?}"
            );
        } else {
            assert_eq!(app.renewals(), 1, "{kind:?}: nobody asks for what is over");
        }
    }
}

#[tokio::test]
async fn a_failed_renewal_never_costs_the_life_that_is_left() {
    for (kind, verdict) in answers() {
        let app = TestApp::start().await;
        app.connected("ana").await;
        let old = live(&app).await.expect("a token");
        app.advance(56 * MIN);
        app.sandbox.world().fault(Fault::on("POST", TOKEN, kind.clone()));
        for _ in 0..2 {
            match (verdict, live(&app).await) {
                (Over, Err(GrantError::NeedsReauth(_))) => {}
                (App | Passing(_), Ok(token)) => assert_eq!(text(&token), text(&old), "{kind:?}"),
                (_, outcome) => panic!("{kind:?}: {outcome:?}"),
            }
        }
        assert_eq!(app.renewals(), 1, "{kind:?}");
        app.advance(4 * MIN);
        assert!(live(&app).await.is_err(), "{kind:?}: no life is left");
    }
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_given_up_in_time() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    let waiting = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    app.advance(Duration::from_secs(9));
    assert!(!waiting.is_finished());
    app.advance(Duration::from_secs(1));
    let given_up = waiting.await.expect("no panic").expect_err("no answer");
    assert!(
        matches!(given_up, GrantError::ProviderUnavailable { .. }),
        "{given_up:?}"
    );
    app.sandbox.world().release(TOKEN);
    let grant = app.grant("ana").await;
    assert_eq!((grant.lease, grant.failures), (None, 1));
    app.advance(MIN);
    live(&app).await.expect("it works again");
}

#[tokio::test]
async fn pauses_grow_to_five_minutes_and_end_with_the_first_success() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox
        .world()
        .fault(Fault::on("POST", TOKEN, FaultKind::html(503)));
    let mut longest = Duration::ZERO;
    for _ in 0..14 {
        let Err(GrantError::ProviderUnavailable {
            retry_after: Some(pause),
        }) = live(&app).await
        else {
            panic!("a pause");
        };
        longest = longest.max(pause);
        app.advance(pause);
    }
    assert_eq!(app.renewals(), 14);
    assert!((150..=300).contains(&longest.as_secs()), "{longest:?}");
    app.sandbox.world().clear_faults();
    live(&app).await.expect("a token");
    assert_eq!(app.grant("ana").await.failures, 0);
}

#[tokio::test]
async fn six_months_after_the_consent_the_grant_is_expired_rather_than_revoked() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance((180 * 24 - 1) * HOUR);
    live(&app).await.expect("the last day still works");
    app.advance(HOUR);
    let over = live(&app).await.expect_err("over");
    assert!(
        matches!(over, GrantError::NeedsReauth(Reason::GrantExpired)),
        "{over:?}"
    );
}

#[tokio::test]
async fn a_mended_app_revives_its_grants() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    let secret = app
        .sandbox
        .world()
        .rotate_secret(DEMO_APP.client_id)
        .expect("an app");
    assert!(matches!(live(&app).await, Err(GrantError::AppError(_))));
    app.advance(HOUR);
    assert!(
        matches!(live(&app).await, Err(GrantError::AppError(_))),
        "it is tried again, and still wrong"
    );
    assert_eq!(app.renewals(), 2);
    let mended = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .variable("SPOTIFY_CLIENT_SECRET", secret);
    let mended = mended.start().await;
    app.advance(HOUR);
    assert_eq!(
        live(&mended)
            .await
            .expect("nobody had to consent again")
            .generation,
        2
    );
}

#[tokio::test]
async fn a_process_without_the_operators_app_says_so_and_leaves_the_others_in_peace() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let without = app
        .another_process()
        .sandbox(app.sandbox.clone())
        .variable("SPOTIFY_CLIENT_ID", "")
        .variable("SPOTIFY_CLIENT_SECRET", "");
    let without = without.start().await;
    live(&without).await.expect("a token that lives needs no app");
    app.advance(HOUR);
    for _ in 0..3 {
        assert!(matches!(live(&without).await, Err(GrantError::NoOperatorApp)));
        let mut ana = without.signed_in("ana").await;
        let status = ana.get("/api/spotify/status").await.expect(200);
        assert_eq!(status["tokenHealth"], "app_error", "{status}");
    }
    let grant = app.grant("ana").await;
    assert_eq!(
        (grant.lease, grant.failures, grant.next_attempt_at),
        (None, 0, None)
    );
    live(&app).await.expect("who has the app is not kept waiting");
}

/// An app over a store that can be told to fail, with Ana's token run out and its renewal held at the provider.
async fn held_over_a_flaky_store() -> (TestApp, Arc<FlakyStore>) {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    app.sandbox.world().set_rotation(Rotation::RotateSingleUse);
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    (app, flaky)
}

#[tokio::test]
async fn a_renewal_that_cannot_be_written_is_handed_out_and_written_later() {
    for when in [When::Before, When::After] {
        let (app, flaky) = held_over_a_flaky_store().await;
        let caller = live_in_a_task(&app);
        app.sandbox.arrived(TOKEN).await;
        flaky.fail_next(3, Call::WriteUser, when);
        app.sandbox.world().release(TOKEN);
        let token = caller.await.expect("no panic").expect("the token, all the same");
        until("it is written", || async {
            app.grant("ana").await.generation == token.generation
        })
        .await;
        flaky.heal();
        // The rotated refresh token was not lost either.
        app.advance(HOUR);
        assert_eq!(
            live(&app).await.expect("a token").generation,
            token.generation + 1,
            "{when:?}"
        );
    }
}

#[tokio::test]
async fn a_claim_that_cannot_be_written_asks_nobody() {
    let (app, flaky) = held_over_a_flaky_store().await;
    app.sandbox.world().release(TOKEN);
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert!(matches!(live(&app).await, Err(GrantError::Store(_))));
    assert_eq!(app.renewals(), 0);
    live(&app).await.expect("a token");
}

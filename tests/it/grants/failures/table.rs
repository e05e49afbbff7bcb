//! Each row of the table, from the provider's answer to the next attempt.

use std::time::Duration;

use patchbay::{grants::GrantError, store::GrantStatus, system::Timestamp};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::answers::{Next, Row, Verdict, answers};
use crate::{
    grants::{HOUR, MIN, TOKEN, live, text},
    harness::{
        app::{Setup, TestApp},
        browser::Browser,
        clock::until,
    },
    metrics::{ADMIN_TOKEN, counted},
};

/// Ana with a token that has run out, and the provider about to answer once what `row` says.
async fn ana_before(row: &Row) -> (TestApp, Browser) {
    let app = Setup::default()
        .variable("ADMIN_TOKEN", ADMIN_TOKEN)
        .start()
        .await;
    let ana = app.connected("ana").await;
    app.advance(HOUR);
    let fault = Fault::on("POST", TOKEN, row.answer.clone()).times(1);
    app.sandbox.world().fault(fault);
    (app, ana)
}

/// The status answer with a token, or rather without.
async fn status(app: &TestApp, ana: &Browser, hangs: bool) -> Value {
    let mut asking = ana.clone();
    let answer = tokio::spawn(async move { asking.get("/api/spotify/status").await });
    if hangs {
        // A provider that says nothing is given up after ten seconds.
        until("the provider is asked", async || app.renewals() == 1).await;
        app.advance(Duration::from_millis(9_999));
        assert!(!answer.is_finished(), "it is waited for to the last moment");
        app.advance(Duration::from_millis(1));
    }
    answer.await.expect("no panic").expect(200)
}

#[tokio::test]
async fn each_answer_is_taken_for_what_it_says_and_no_more() {
    for row in answers() {
        let (app, mut ana) = ana_before(&row).await;
        let before = app.grant("ana").await;
        let (answer, verdict) = (&row.answer, row.verdict);
        let status = status(&app, &ana, matches!(answer, FaultKind::Hang)).await;
        let (health, reason) = verdict.health;
        assert_eq!(
            (
                &status["tokenHealth"],
                &status["errorReason"],
                &status["accessToken"]
            ),
            (&json!(health), &json!(reason), &Value::Null),
            "{answer:?}"
        );

        let after = app.grant("ana").await;
        assert_eq!(
            (after.status, after.status_reason.as_deref(), after.failures),
            (verdict.status, Some(reason), verdict.failures),
            "{answer:?}"
        );
        assert_eq!(
            after.refresh_token_enc, before.refresh_token_enc,
            "{answer:?}: kept, whatever was said"
        );
        let access = before.access_token_enc.filter(|_| verdict.keeps_access);
        assert_eq!(after.access_token_enc, access, "{answer:?}");
        assert_eq!(
            (&after.lease, after.generation),
            (&None, before.generation),
            "{answer:?}"
        );

        let song = json!({"title": "Autumn", "artist": "Ana"});
        let export = json!({"name": "Late", "mode": "standard", "songs": [song]});
        let export = ana.post("/api/playlist/export", export).await;
        let (http_status, code) = verdict.export;
        assert_eq!(export.expect(http_status)["code"], code, "{answer:?}");
        let next = after.next_attempt_at;
        if http_status == 202 {
            assert_eq!(export.json()["resumeAt"], json!(next), "{answer:?}");
        }
        let pause = next.map(|at| at.since(Timestamp::from_ms(app.clock.now_ms())));
        assert_eq!(
            counted(&app).await,
            [format!("{} 1", verdict.bucket)],
            "{answer:?}"
        );
        assert_eq!(app.renewals(), 1, "{answer:?}: nobody is asked during the pause");
        tried_again(&app, answer, verdict, pause).await;
    }
}

/// Not a moment before its time; then it works again, unless it is over.
async fn tried_again(app: &TestApp, answer: &FaultKind, verdict: Verdict, pause: Option<Duration>) {
    let pause = match (verdict.next, pause) {
        (Next::BackOff, Some(pause)) if (500..=1000).contains(&pause.as_millis()) => pause,
        (Next::After(expected), Some(pause)) if pause == expected => pause,
        (Next::Checked(expected), Some(pause)) if pause == expected => pause,
        (expected, found) => panic!("{answer:?}: {expected:?}, and is {found:?}"),
    };
    let before = app.grant("ana").await.generation;
    let is_checked = matches!(verdict.next, Next::Checked(_));
    app.advance(pause.saturating_sub(Duration::from_millis(1)));
    app.app.pass(MIN).await.expect("a pass");
    assert!(live(app).await.is_err(), "{answer:?}");
    assert_eq!(app.renewals(), 1, "{answer:?}: nobody is asked during the pause");
    app.advance(Duration::from_millis(1));
    if is_checked {
        assert!(live(app).await.is_err(), "{answer:?}");
        assert_eq!(
            app.renewals(),
            1,
            "{answer:?}: only the sweep asks for what is over"
        );
        app.app.pass(MIN).await.expect("a pass");
    }
    let token = live(app).await.expect("it works again");
    assert_eq!(token.generation, before + 1, "{answer:?}");
    let mended = app.grant("ana").await;
    assert_eq!(
        (mended.status, mended.failures),
        (GrantStatus::Connected, 0),
        "{answer:?}"
    );
    assert_eq!(
        (mended.status_reason, mended.next_attempt_at),
        (None, None),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_failed_renewal_never_costs_the_life_that_is_left() {
    for Row { answer, verdict } in answers() {
        // It would be no other, only slower.
        if matches!(answer, FaultKind::Hang) {
            continue;
        }
        let app = TestApp::start().await;
        app.connected("ana").await;
        let old = live(&app).await.expect("a token");
        app.advance(56 * MIN);
        app.sandbox
            .world()
            .fault(Fault::on("POST", TOKEN, answer.clone()));
        for _ in 0..2 {
            match live(&app).await {
                Ok(token) if verdict.keeps_access => assert_eq!(text(&token), text(&old), "{answer:?}"),
                Err(GrantError::NeedsReauth(_)) if !verdict.keeps_access => {}
                outcome => panic!("{answer:?}: {outcome:?}"),
            }
        }
        assert_eq!(app.renewals(), 1, "{answer:?}");
        app.advance(4 * MIN);
        assert!(live(&app).await.is_err(), "{answer:?}: no life is left");
    }
}

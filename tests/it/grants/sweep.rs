//! The sweep, as the cron route and the server's timer run it.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{SweepLimits, SweepSummary},
    ids::Slot,
    store::DatabaseUrl,
};
use sandbox::{DEMO_APP, Fault, FaultKind};

use super::{HOUR, MIN, TOKEN, events, live, live_in_a_task};
use crate::harness::{
    app::{Setup, TestApp},
    clock::ManualClock,
    flaky_store::{Call, FlakyStore, When},
};

async fn sweep(app: &TestApp) -> SweepSummary {
    let limits = SweepLimits {
        time: MIN,
        concurrency: 4,
    };
    app.app
        .grants()
        .sweep(limits)
        .await
        .expect("the list can be read")
}

#[tokio::test]
async fn what_is_due_is_renewed_and_what_is_not_is_left_alone() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(30 * MIN);
    app.connected("ben").await;
    let (ana, ben) = (
        app.grant("ana").await.generation,
        app.grant("ben").await.generation,
    );
    assert_eq!(sweep(&app).await, SweepSummary::default());
    app.advance(25 * MIN);
    let summary = sweep(&app).await;
    assert_eq!(
        summary,
        SweepSummary {
            visited: 1,
            renewed: 1,
            ..SweepSummary::default()
        }
    );
    assert_eq!(
        (
            app.grant("ana").await.generation,
            app.grant("ben").await.generation
        ),
        (ana + 1, ben)
    );
    assert_eq!(sweep(&app).await, SweepSummary::default());
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn what_nobody_uses_for_a_week_is_not_kept_warm_and_still_works() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    let mut renewed = 0;
    for _ in 0..10 * 24 {
        app.advance(HOUR);
        renewed += sweep(&app).await.renewed;
    }
    assert!(
        (7 * 24 - 2..=7 * 24).contains(&renewed),
        "{renewed} renewals in ten days"
    );
    assert_eq!(sweep(&app).await, SweepSummary::default());
    live(&app).await.expect("who comes back has not lost anything");
    app.advance(HOUR);
    assert_eq!(sweep(&app).await.renewed, 1, "and is kept warm again");
}

#[tokio::test]
async fn two_sweeps_at_once_renew_nothing_twice() {
    let app = TestApp::start().await;
    let other = app.another_process().sandbox(app.sandbox.clone()).start().await;
    let mut before = Vec::new();
    for name in ["ana", "ben", "carla", "dora"] {
        app.connected(name).await;
        before.push((name, app.grant(name).await.generation));
    }
    app.advance(HOUR);
    let (here, there) = tokio::join!(sweep(&app), sweep(&other));
    assert_eq!(app.renewals(), 4, "{here:?} {there:?}");
    assert_eq!(
        here.renewed + there.renewed,
        4,
        "each counts what it did: {here:?} {there:?}"
    );
    assert_eq!((here.failed, there.failed), (0, 0));
    for (name, generation) in before {
        assert_eq!(app.grant(name).await.generation, generation + 1, "{name}");
    }
}

#[tokio::test]
async fn a_sweep_waits_for_nobody_and_somebody_who_wants_the_token_does() {
    let app = Setup::default().clock(ManualClock::patient()).start().await;
    let other = app.another_process().sandbox(app.sandbox.clone()).start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox.world().hold(TOKEN);
    let renewing = live_in_a_task(&app);
    app.sandbox.arrived(TOKEN).await;
    let left = SweepSummary {
        visited: 1,
        left_to_others: 1,
        ..SweepSummary::default()
    };
    assert_eq!(sweep(&other).await, left);
    app.sandbox.world().release(TOKEN);
    renewing.await.expect("no panic").expect("a token");
    assert_eq!(app.renewals(), 1);
}

#[tokio::test]
async fn a_sweep_that_is_out_of_time_begins_nothing_and_the_next_one_goes_on() {
    let app = TestApp::start().await;
    for name in ["ana", "ben", "carla"] {
        app.connected(name).await;
    }
    app.advance(HOUR);
    let hasty = SweepLimits {
        time: Duration::ZERO,
        concurrency: 4,
    };
    let summary = app.app.grants().sweep(hasty).await.expect("the list can be read");
    let nothing = SweepSummary {
        more: true,
        ..SweepSummary::default()
    };
    assert_eq!((summary, app.renewals()), (nothing, 0));
    assert_eq!(sweep(&app).await.renewed, 3);
}

#[tokio::test]
async fn one_failure_does_not_stop_the_rest() {
    let app = TestApp::start().await;
    for name in ["ana", "ben", "carla"] {
        app.connected(name).await;
    }
    app.advance(HOUR);
    app.sandbox
        .world()
        .fault(Fault::on("POST", TOKEN, FaultKind::html(503)).times(1));
    let summary = sweep(&app).await;
    assert_eq!(
        summary,
        SweepSummary {
            visited: 3,
            renewed: 2,
            put_off: 1,
            ..SweepSummary::default()
        }
    );
    app.advance(MIN);
    assert_eq!(
        sweep(&app).await,
        SweepSummary {
            visited: 1,
            renewed: 1,
            ..SweepSummary::default()
        }
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_written_is_counted_and_tried_again() {
    let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
    let app = Setup::default().store(Arc::clone(&flaky) as _).start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    flaky.fail_next(1, Call::WriteUser, When::Before);
    assert_eq!(
        sweep(&app).await,
        SweepSummary {
            visited: 1,
            failed: 1,
            ..SweepSummary::default()
        }
    );
    assert_eq!(sweep(&app).await.renewed, 1);
    flaky.fail_next(1, Call::UsersDue, When::Before);
    let limits = SweepLimits {
        time: MIN,
        concurrency: 4,
    };
    assert!(
        app.app.grants().sweep(limits).await.is_err(),
        "a list that cannot be read is an error"
    );
}

#[tokio::test]
async fn what_is_dead_is_asked_about_for_a_day_and_then_erased() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.sandbox.world().revoke_user("ana");
    app.advance(HOUR);
    let ended = SweepSummary {
        visited: 1,
        ended: 1,
        ..SweepSummary::default()
    };
    assert_eq!(sweep(&app).await, ended);
    let mut asked_after = Vec::new();
    for minute in 1..=24 * 60 {
        assert!(
            app.grant("ana").await.refresh_token_enc.is_some(),
            "after {minute} minutes"
        );
        app.advance(MIN);
        let summary = sweep(&app).await;
        if summary != SweepSummary::default() {
            assert_eq!(summary, ended);
            asked_after.push(minute);
        }
    }
    assert_eq!(asked_after, [10, 60, 6 * 60, 24 * 60]);
    let erased = app.grant("ana").await;
    assert_eq!((erased.refresh_token_enc, erased.access_token_enc), (None, None));
    assert_eq!(
        erased.account_id, "AnaAnaAnaAna",
        "whose it was stays, for the reconnect"
    );
    app.advance(100 * HOUR);
    assert_eq!(sweep(&app).await, SweepSummary::default());
    assert_eq!(app.renewals(), 5, "nobody asks again for what is over");
}

#[tokio::test]
async fn one_false_refusal_heals_by_itself_and_says_so() {
    let app = TestApp::start().await;
    let mut ana = app.connected("ana").await;
    app.sandbox.world().settings.spurious_invalid_grant = true;
    app.advance(HOUR);
    let told = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(told["tokenHealth"], "needs_reauth");
    app.sandbox.world().settings.spurious_invalid_grant = false;
    app.advance(10 * MIN);
    assert_eq!(sweep(&app).await.renewed, 1);
    let told = ana.get("/api/spotify/status").await.expect(200);
    assert_eq!(told["tokenHealth"], "healthy");
    assert_eq!(
        events(&mut ana).await,
        ["ended grant_revoked", "recovered renewed"]
    );
}

#[tokio::test]
async fn what_was_never_finished_is_dropped_when_it_is_worthless() {
    let app = TestApp::start().await;
    let mut ana = app.signed_in("ana").await;
    ana.get("/api/spotify/auth-url").await.expect(200);
    app.advance(Duration::from_mins(9));
    assert_eq!(sweep(&app).await, SweepSummary::default());
    assert!(!app.document("ana").await.pending.is_empty());
    app.advance(MIN);
    assert_eq!(
        sweep(&app).await,
        SweepSummary {
            visited: 1,
            ..SweepSummary::default()
        }
    );
    assert!(app.document("ana").await.pending.is_empty());
}

#[tokio::test]
async fn a_refused_app_is_tried_again_by_the_hour_and_when_somebody_wants_it() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    app.sandbox
        .world()
        .rotate_secret(DEMO_APP.client_id)
        .expect("an app");
    for _ in 0..12 {
        sweep(&app).await;
        app.advance(Duration::from_mins(10));
    }
    assert_eq!(app.renewals(), 2);
    assert!(live(&app).await.is_err());
    assert_eq!(app.renewals(), 3, "its owner may have mended it");
    assert!(
        app.document("ana")
            .await
            .integrations
            .contains_key(&Slot::Spotify)
    );
}

#[tokio::test]
async fn a_sweep_without_the_means_to_ask_writes_nothing_and_asks_nobody() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.advance(HOUR);
    let before = app.document("ana").await;
    let put_off = SweepSummary {
        visited: 1,
        put_off: 1,
        ..SweepSummary::default()
    };
    let failed = SweepSummary {
        visited: 1,
        failed: 1,
        ..SweepSummary::default()
    };
    let other_ring = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    for (variable, value, expected) in [
        ("SPOTIFY_CLIENT_ID", "", put_off),
        ("SPOTIFY_USER_SECRET_KEY", other_ring, failed),
    ] {
        let other = app.another_process().sandbox(app.sandbox.clone());
        let mut other = other.variable(variable, value);
        if value.is_empty() {
            other = other.variable("SPOTIFY_CLIENT_SECRET", "");
        }
        let other = other.start().await;
        for _ in 0..2 {
            assert_eq!(sweep(&other).await, expected, "{variable}");
        }
        assert_eq!(app.document("ana").await, before, "{variable}");
    }
    assert_eq!(app.renewals(), 0);
    assert_eq!(sweep(&app).await.renewed, 1);
}

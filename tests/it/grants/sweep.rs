//! The sweep, as the cron route and the server's timer run it.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{SweepLimits, SweepSummary},
    ids::Slot,
    store::DatabaseUrl,
};
use sandbox::{DEMO_APP, Fault, FaultKind};

use super::{HOUR, MIN, TOKEN, live};
use crate::harness::{
    app::{Setup, TestApp},
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
        (2, 1)
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
    for name in ["ana", "ben", "carla", "dora"] {
        app.connected(name).await;
    }
    app.advance(HOUR);
    let (here, there) = tokio::join!(sweep(&app), sweep(&other));
    assert_eq!(app.renewals(), 4, "{here:?} {there:?}");
    assert_eq!((here.failed, there.failed), (0, 0));
    for name in ["ana", "ben", "carla", "dora"] {
        assert_eq!(app.grant(name).await.generation, 2, "{name}");
    }
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
async fn what_is_dead_for_a_day_is_erased_and_not_before() {
    let app = TestApp::start().await;
    app.connected("ana").await;
    app.sandbox.world().revoke_user("ana");
    app.advance(HOUR);
    assert_eq!(
        sweep(&app).await,
        SweepSummary {
            visited: 1,
            ended: 1,
            ..SweepSummary::default()
        }
    );
    assert!(app.grant("ana").await.refresh_token_enc.is_some());
    app.advance((24 * 60 - 1) * MIN);
    assert_eq!(sweep(&app).await, SweepSummary::default());
    assert!(app.grant("ana").await.refresh_token_enc.is_some());
    app.advance(MIN);
    sweep(&app).await;
    let erased = app.grant("ana").await;
    assert_eq!((erased.refresh_token_enc, erased.access_token_enc), (None, None));
    assert_eq!(
        erased.account_id, "AnaAnaAnaAna",
        "whose it was stays, for the reconnect"
    );
    assert_eq!(sweep(&app).await, SweepSummary::default());
    assert_eq!(app.renewals(), 1, "nobody asks again for what is over");
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
async fn a_refused_app_is_tried_again_by_the_hour() {
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
    assert!(
        app.document("ana")
            .await
            .integrations
            .contains_key(&Slot::Spotify)
    );
}

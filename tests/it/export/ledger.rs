//! What is written down of the calls that exports make: enough to foretell, and little to lose.

use std::sync::Arc;

use patchbay::{
    export::{Outcome, WaitsFor, Why},
    ids::AppName,
    limits::{Calls, Kind, Known, Ledger},
    secret::{ClientId, Secret as _},
    system::System,
};
use sandbox::{Bucket, DEMO_APP, Fault, FaultKind};

use super::studio::{HOUR, Studio, finished, request, unfinished};
use crate::harness::{
    entropy::SeededEntropy,
    flaky_store::{Call, When},
};
/// Calls that a killed runner may leave uncounted.
const LOST_MAX: u32 = 20;

/// What is known of the operator's app.
async fn known(studio: &Studio) -> Known {
    let system = System {
        clock: studio.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
    };
    let app = AppName::of(&ClientId::from_plain(DEMO_APP.client_id.into()));
    let known = Ledger::new(studio.store.clone(), system)
        .look(&format!("spotify:{app}"))
        .await;
    known.expect("memory")
}

#[track_caller]
fn counted(studio: &Studio, kind: &str, outcome: &str, times: u32) {
    let text = studio.metrics.render(None);
    let line = format!("patchbay_spotify_calls_total{{kind=\"{kind}\",outcome=\"{outcome}\"}} {times}\n");
    assert!(text.contains(&line), "no {line} in {text}");
}

#[tokio::test]
async fn a_days_calls_are_known_by_kind() {
    let studio = Studio::open().await;
    assert_eq!(known(&studio).await, Known::default());
    let caller = studio.connected("user-1", "ana").await;
    let slow_down = FaultKind::Status {
        status: 429,
        content_type: "text/plain".into(),
        body: "Too many requests".into(),
        retry_after_s: Some(1),
    };
    for kind in [slow_down, FaultKind::html(502)] {
        let fault = Fault::on("GET", "/v1/tracks/", kind).times(1);
        studio.sandbox.world().fault(fault);
    }
    finished(studio.start(&request(studio.tracks(45), None), &caller).await);

    let made = [(Kind::Catalog, 46), (Kind::Playlist, 2), (Kind::Profile, 1)];
    let known = known(&studio).await;
    assert_eq!(
        known.spent,
        Calls::from(made),
        "one was made again after the gateway's page"
    );
    assert_eq!((known.refused_after, known.closed_until), (Calls::new(), None));
    counted(&studio, "catalog", "ok", 45);
    counted(&studio, "catalog", "rate_limited", 1);
    counted(&studio, "catalog", "unavailable", 1);
    counted(&studio, "playlist", "ok", 2);
    counted(&studio, "search", "ok", 0);
}

#[tokio::test]
async fn a_refused_quota_tells_how_much_it_held() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let quota = [(Bucket::Catalog, 30)];
    studio.sandbox.world().settings.quota = quota.into();
    let parked = studio.start(&request(studio.tracks(50), None), &caller).await;
    let parked = unfinished(parked);
    assert_eq!(parked.waits_for, WaitsFor::Time(Why::QuotaExceeded));

    let known = known(&studio).await;
    assert_eq!(known.spent.get(&Kind::Catalog), Some(&30));
    assert_eq!(known.refused_after, [(Kind::Catalog, 30)].into());
    assert_eq!(known.closed_until, parked.resume_at);
    counted(&studio, "catalog", "ok", 30);
}

#[tokio::test]
async fn a_killed_runner_leaves_few_calls_uncounted() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let request = request(studio.tracks(90), Some("key"));
    studio.sandbox.world().hold("/v1/me/playlists");
    studio.kill_at("/v1/me/playlists", &request, &caller).await;
    let made = u32::try_from(studio.count("GET", "/v1/tracks/")).expect("few");
    let noted = known(&studio).await.spent[&Kind::Catalog];
    assert!(made >= 90 && noted + LOST_MAX > made, "{noted} of {made}");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_stops_no_export() {
    let studio = Studio::open().await;
    let caller = studio.connected("user-1", "ana").await;
    let songs = studio.tracks(10);
    studio.sandbox.world().hold("/v1/playlists/");
    let breaks = async {
        studio.sandbox.arrived("/v1/playlists/").await;
        // From here on, only the ledger is read before it is written.
        studio.store.fail_next(usize::MAX, Call::FindRecord, When::Before);
        studio.sandbox.world().release("/v1/playlists/");
    };
    let list = request(songs, None);
    let (outcome, ()) = tokio::join!(studio.exporter.start(&list, &caller, HOUR), breaks);
    assert!(matches!(outcome, Ok(Outcome::Finished(_))), "{outcome:?}");
    studio.store.heal();
    assert_eq!(known(&studio).await, Known::default());
}

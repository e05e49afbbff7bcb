//! The life of somebody who links a Last.fm account, with everything going wrong that can.

use std::{sync::Arc, time::Duration};

use patchbay::{
    secret::{Secret as _, SessionKey},
    vault::{Place, Vault},
};
use sandbox::{DEMO_LASTFM, Fault, FaultKind};
use serde_json::json;

use super::{BROKEN_ANSWER, Hunt};
use crate::harness::{
    app::{KEY_RING, TestApp, local_user},
    browser::{altered, consent, parameter},
    entropy::SeededEntropy,
    flaky_store::{Call, FlakyStore, When},
};

/// Longer than any pause that a failing Last.fm makes us keep.
const PAUSE: Duration = Duration::from_mins(20);

/// Links by name and by Last.fm's page through every kind of failure, and once in peace.
pub(super) async fn live_a_life(app: &TestApp, flaky: &FlakyStore, hunt: &mut Hunt) {
    hunt.plant("Last.fm API key", DEMO_LASTFM.api_key);
    hunt.plant("Last.fm shared secret", DEMO_LASTFM.shared_secret);
    let mut ana = app.signed_in("ana").await;
    let refusal = |code: u16| json!({"error": code, "message": BROKEN_ANSWER}).to_string();
    let broken = json!({"session": {"key": BROKEN_ANSWER}, "user": BROKEN_ANSWER}).to_string();
    for outage in [
        Some(FaultKind::DropConnection),
        Some(FaultKind::html(502)),
        Some(FaultKind::json(200, &broken)),
        Some(FaultKind::json(403, &refusal(13))),
        Some(FaultKind::json(200, &refusal(9))),
        None,
        // Last: it closes the way, on the clock of this database, which stands still for nobody.
        Some(FaultKind::json(429, &refusal(29))),
    ] {
        let well = outage.is_none();
        if let Some(kind) = outage {
            for method in ["user.getInfo", "auth.getSession"] {
                app.sandbox.world().fault(Fault::on_lastfm(method, kind.clone()));
            }
        }
        let body = json!({"username": "ana_listens"});
        hunt.saw(&ana.post("/api/connections/lastfm", body).await);
        app.advance(PAUSE);
        // The address that this answers with has the API key in it: Last.fm wants it so.
        let started = ana.get("/api/lastfm/auth-url").await.expect(200);
        hunt.plant_cookies(&ana);
        let callback = consent(started["url"].as_str().expect("an address")).await;
        hunt.plant("login token", &parameter(&callback, "token"));
        if well {
            flaky.fail_next(1, Call::WriteUser, When::Before);
            hunt.saw(&ana.get(&callback).await);
        }
        hunt.saw(&app.browser().get(&callback).await);
        hunt.saw(&ana.get(&altered(&callback, "state", Some("forged"))).await);
        let finished = ana.get(&callback).await;
        let location = finished.location();
        assert_eq!(location.contains("auth=success"), well, "{location}");
        hunt.saw(&finished);
        hunt.saw(&ana.get(&callback).await);
        hunt.saw(&ana.get("/api/connections/lastfm").await);
        app.sandbox.world().clear_faults();
        app.advance(PAUSE);
    }
    let link = app.document("ana").await.lastfm.expect("a link");
    let sealed = link.session_key_enc.expect("a sealed key");
    let vault = Vault::new(
        KEY_RING.parse().expect("a key ring"),
        Arc::new(SeededEntropy::new(9)),
    );
    let key: SessionKey = vault
        .open(&sealed, Place::lastfm(&local_user("ana")))
        .expect("it opens");
    hunt.plant("session key", key.expose());
    for path in [
        "/api/lastfm/recent",
        "/api/lastfm/top",
        "/api/lastfm/played?title=x&artist=y",
        "/api/me",
    ] {
        hunt.saw(&ana.get(path).await);
    }
    // Last, because the key is not used again after that.
    for code in [9, 26] {
        app.advance(PAUSE);
        let kind = FaultKind::json(403, &refusal(code));
        app.sandbox
            .world()
            .fault(Fault::on_lastfm("user.getRecentTracks", kind));
        hunt.saw(&ana.get("/api/lastfm/recent").await);
        app.sandbox.world().clear_faults();
    }
    hunt.saw(
        &ana.post("/api/connections/lastfm", json!({"username": "ana_listens"}))
            .await,
    );
}

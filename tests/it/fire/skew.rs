//! Processes whose clocks disagree by as much as the protocol allows: one renewal all the same, and nobody calls a token
//! good that is dead.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{GrantError, LiveToken},
    ids::Slot,
    secret::Secret as _,
    store::DatabaseUrl,
    system::{CLOCK_SKEW_MAX, Clock as _},
};
use tokio::task::JoinHandle;

use super::TOKEN;
use crate::harness::{
    app::{Setup, TestApp, local_user},
    clock::{ManualClock, until},
    flaky_store::{Call, FlakyStore},
    network,
};

/// The other process's clock beside the first one's, in milliseconds.
const SKEWS_MS: [i64; 3] = [-30_000, 0, 30_000];

const MS: Duration = Duration::from_millis(1);

/// Two processes of one service, each with a clock of its own. The first one's is the provider's, too.
struct Pair {
    one: TestApp,
    other: TestApp,
    store: Arc<FlakyStore>,
}

impl Pair {
    /// Ana is connected through the first one.
    async fn skewed_by(skew_ms: i64) -> Self {
        assert!(skew_ms.unsigned_abs() <= u64::try_from(CLOCK_SKEW_MAX.as_millis()).expect("seconds"));
        let (first, second) = (ManualClock::patient(), ManualClock::patient());
        let behind = if skew_ms < 0 { &first } else { &second };
        behind.advance(MS * u32::try_from(skew_ms.unsigned_abs()).expect("seconds"));
        let store = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database"));
        let setup = Setup::default().store(store.clone()).clock(first);
        let one = setup.start().await;
        let other = one
            .another_process()
            .clock(second)
            .sandbox(one.sandbox.clone())
            .start()
            .await;
        one.connected("ana").await;
        Self { one, other, store }
    }

    /// Time passes, everywhere.
    fn advance(&self, by: Duration) {
        self.one.advance(by);
        self.other.advance(by);
    }

    /// By this, her token has this much life left (negative: is dead for so long) by the clock of the process that got it.
    fn advance_to_life_ms(&self, expires_at_ms: i64, life_ms: i64) {
        let by = expires_at_ms - life_ms - self.one.clock.now_ms();
        self.advance(MS * u32::try_from(by).expect("time goes on"));
    }

    async fn expires_at_ms(&self) -> i64 {
        self.one.grant("ana").await.expires_at.as_ms()
    }

    /// Until whoever waits has looked so many times more.
    async fn others_look(&self, times: usize) {
        let before = self.store.calls(Call::FindUser);
        until("who waits looks again", async || {
            self.store.calls(Call::FindUser) >= before + times
        })
        .await;
    }

    async fn is_accepted(&self, token: &LiveToken) -> bool {
        let url = format!("{}/me", self.one.sandbox.api_url());
        let request = network::client().get(url).bearer_auth(token.token.expose());
        request.send().await.expect("the sandbox answers").status() == 200
    }
}

fn ask(app: &TestApp) -> JoinHandle<Result<LiveToken, GrantError>> {
    let grants = app.app.grants().clone();
    tokio::spawn(async move {
        grants
            .live_token(&local_user("ana"), Slot::Spotify, Duration::ZERO)
            .await
    })
}

async fn asked(app: &TestApp) -> LiveToken {
    ask(app).await.expect("no panic").expect("a token")
}

/// A renewal may take its ten seconds, and a process whose clock is half a minute ahead takes its lease for over.
#[tokio::test]
async fn nobody_takes_a_live_lease_from_who_has_it() {
    for skew_ms in SKEWS_MS {
        let pair = Pair::skewed_by(skew_ms).await;
        pair.advance_to_life_ms(pair.expires_at_ms().await, -60_000);
        pair.one.sandbox.world().hold(TOKEN);
        let holder = ask(&pair.one);
        pair.one.sandbox.arrived(TOKEN).await;
        // Just before the provider's time is up.
        pair.advance(Duration::from_secs(9));
        let waiting: Vec<_> = (0..4).flat_map(|_| [ask(&pair.one), ask(&pair.other)]).collect();
        pair.others_look(20).await;
        assert_eq!(pair.one.renewals(), 1, "at {skew_ms} ms");

        pair.one.sandbox.world().release(TOKEN);
        let token = holder.await.expect("no panic").expect("a token");
        for waiting in waiting {
            let same = waiting.await.expect("no panic").expect("a token");
            assert_eq!(same.token.expose(), token.token.expose(), "at {skew_ms} ms");
        }
        assert_eq!(pair.one.renewals(), 1, "at {skew_ms} ms");
    }
}

/// A lease that nobody is behind any more stands in the way for as long as it lasts and no longer, whatever time it is.
#[tokio::test]
async fn a_dead_holder_blocks_nobody_for_longer_because_of_the_clocks() {
    const LEASE: Duration = Duration::from_secs(30);
    const A_LOOK_OR_TWO: Duration = Duration::from_millis(500);
    for skew_ms in SKEWS_MS {
        // Waiting moves this one's clock.
        let app = TestApp::start().await;
        app.connected("ana").await;
        app.advance(Duration::from_hours(2));
        let until = app.clock.now() + LEASE;
        super::change_grant(&*app.store, &local_user("ana"), |grant| {
            grant.lease = Some(patchbay::store::StoredLease {
                holder: "somebody who is dead".to_owned(),
                until: patchbay::system::Timestamp::from_ms(until.as_ms() + skew_ms),
            });
        })
        .await;
        let began = app.clock.now();
        asked(&app).await;
        let waited = app.clock.now().since(began);
        assert!(
            waited >= LEASE && waited <= LEASE + A_LOOK_OR_TWO,
            "at {skew_ms} ms: {waited:?}"
        );
        assert_eq!(app.renewals(), 1, "at {skew_ms} ms");
    }
}

#[tokio::test]
async fn health_is_true_by_every_clock() {
    // Life left by the clock of who got the token, and whether everybody has to call it healthy.
    let moments = [
        (360_000, true),
        (299_000, true),
        (61_000, true),
        (59_000, false),
        (31_000, false),
        (29_000, false),
        (1, false),
        (0, false),
        (-1, false),
        (-29_999, false),
        (-31_000, false),
    ];
    for skew_ms in SKEWS_MS {
        let pair = Pair::skewed_by(skew_ms).await;
        let token = asked(&pair.one).await;
        let expires_at_ms = pair.expires_at_ms().await;
        for (life_ms, has_to_be) in moments {
            pair.advance_to_life_ms(expires_at_ms, life_ms);
            let works = pair.is_accepted(&token).await;
            assert_eq!(works, life_ms > 0, "the sandbox at {life_ms} ms");
            for app in [&pair.one, &pair.other] {
                let mut ana = app.signed_in("ana").await;
                let poll = ana.get("/api/spotify/status?token=false").await.expect(200);
                let healthy = poll["tokenHealth"] == "healthy";
                let what = format!("{skew_ms} ms, {life_ms} ms left: {poll}");
                assert!(works || !healthy, "{what}");
                assert!(healthy || !has_to_be, "{what}");
            }
        }
        assert_eq!(pair.one.renewals(), 0, "polling renews nothing");
    }
}

/// Whoever asks gets a token that works, also while somebody else is renewing it and the old one may seem to live.
#[tokio::test]
async fn nobody_is_given_a_dead_token() {
    for skew_ms in SKEWS_MS {
        for life_ms in [31_000, 1, 0, -1, -29_999] {
            let pair = Pair::skewed_by(skew_ms).await;
            pair.advance_to_life_ms(pair.expires_at_ms().await, life_ms);
            pair.one.sandbox.world().hold(TOKEN);
            let holder = ask(&pair.one);
            pair.one.sandbox.arrived(TOKEN).await;
            let other = ask(&pair.other);
            // It has read what is stored, and made up its mind: to wait, or to take what is there.
            pair.others_look(1).await;
            pair.one.sandbox.world().release(TOKEN);
            let token = other.await.expect("no panic").expect("a token");
            assert!(pair.is_accepted(&token).await, "{skew_ms} ms, {life_ms} ms left");
            holder.await.expect("no panic").expect("a token");
            assert_eq!(pair.one.renewals(), 1, "{skew_ms} ms, {life_ms} ms left");
        }
    }
}

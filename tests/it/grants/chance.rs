//! Chance decides what happens next: callers in two processes, outages, a failing database, sweeps, reconnects. Whatever
//! it was, nobody has to consent again who did not take their consent back, and in the end everything works.

use std::{sync::Arc, time::Duration};

use patchbay::{
    grants::{GrantError, SweepLimits},
    ids::Slot,
    store::{DatabaseUrl, GrantStatus},
    system::Entropy,
};
use sandbox::{Fault, FaultKind, Rotation};
use tokio::task::JoinSet;

use super::{HOUR, MIN, TOKEN, live, text};
use crate::harness::{
    app::{Setup, TestApp, local_user},
    clock::ManualClock,
    entropy::SeededEntropy,
    flaky_store::{Call, FlakyStore, When},
};

/// Each is a life of its own; a failure names its number, and comes back with it.
const LIVES: u64 = 12;
const STEPS: usize = 40;

struct Life {
    one: TestApp,
    other: TestApp,
    flaky: Arc<FlakyStore>,
    chance: SeededEntropy,
    told: Vec<&'static str>,
}

impl Life {
    async fn begin(seed: u64) -> Self {
        let flaky = FlakyStore::over(DatabaseUrl::SqliteInMemory.open().expect("a database in memory"));
        let setup = Setup::default().clock(ManualClock::patient());
        let one = setup.store(Arc::clone(&flaky) as _).start().await;
        let other = one.another_process().sandbox(one.sandbox.clone()).start().await;
        // The strictest provider: a refresh token that is used twice is dead.
        one.sandbox.world().set_rotation(Rotation::RotateSingleUse);
        one.connected("ana").await;
        let chance = SeededEntropy::new(seed);
        Self {
            one,
            other,
            flaky,
            chance,
            told: Vec::new(),
        }
    }

    /// One of `0..below`.
    fn any(&self, below: u8) -> u8 {
        let chance: &dyn Entropy = &self.chance;
        u8::try_from(u16::from_le_bytes(chance.bytes()) % u16::from(below)).expect("below a byte")
    }

    fn anyone(&self) -> &TestApp {
        if self.any(2) == 0 { &self.one } else { &self.other }
    }

    async fn step(&mut self) {
        let told = match self.any(12) {
            0..=3 => self.time_passes(),
            4 => self.the_provider_fails(),
            5 => self.the_database_fails(),
            6 => self.somebody_sweeps().await,
            7 => self.ana_reconnects().await,
            _ => self.many_want_the_token().await,
        };
        self.told.push(told);
    }

    fn time_passes(&self) -> &'static str {
        let spans = [
            Duration::from_secs(31),
            6 * MIN,
            56 * MIN,
            56 * MIN,
            HOUR,
            HOUR,
            26 * HOUR,
        ];
        self.one.advance(spans[usize::from(self.any(7))]);
        "time passes"
    }

    fn the_provider_fails(&self) -> &'static str {
        let kinds = [
            FaultKind::html(503),
            FaultKind::text(429, "Too many requests"),
            FaultKind::Garbage200,
            FaultKind::DropConnection,
            FaultKind::json(503, r#"{"error":"invalid_grant"}"#),
        ];
        let kind = kinds[usize::from(self.any(5))].clone();
        let times = u32::from(self.any(3)) + 1;
        self.one
            .sandbox
            .world()
            .fault(Fault::on("POST", TOKEN, kind).times(times));
        "the provider fails"
    }

    fn the_database_fails(&self) -> &'static str {
        let call = [Call::WriteUser, Call::FindUser][usize::from(self.any(2))];
        let when = [When::Before, When::After][usize::from(self.any(2))];
        self.flaky.fail_next(1, call, when);
        "the database fails"
    }

    async fn somebody_sweeps(&self) -> &'static str {
        let limits = SweepLimits {
            time: MIN,
            concurrency: 2,
        };
        // An error is an outage that was ordered; what is due stays due.
        let _ = self.anyone().app.grants().sweep(limits).await;
        "somebody sweeps"
    }

    async fn ana_reconnects(&self) -> &'static str {
        self.flaky.heal();
        self.one.sandbox.world().clear_faults();
        let callback = self.anyone().connected("ana");
        callback.await;
        "ana reconnects"
    }

    /// All who get a token get one that the provider takes, and nobody is told to consent again.
    async fn many_want_the_token(&self) -> &'static str {
        let mut callers = JoinSet::new();
        for _ in 0..=self.any(6) {
            let grants = self.anyone().app.grants().clone();
            callers.spawn(async move { grants.live_token(&local_user("ana"), Slot::Spotify, MIN).await });
        }
        for outcome in callers.join_all().await {
            match outcome {
                Ok(token) => assert_eq!(whose(&self.one, text(&token)).await, 200, "{:?}", self.told),
                Err(GrantError::ProviderUnavailable { .. } | GrantError::Store(_)) => {}
                Err(error) => panic!("{error:?} after {:?}", self.told),
            }
        }
        "many want the token"
    }

    /// How often the provider was asked in all.
    async fn end(self) -> usize {
        self.flaky.heal();
        self.one.sandbox.world().clear_faults();
        self.one.advance(HOUR);
        for app in [&self.one, &self.other] {
            let token = live(app)
                .await
                .unwrap_or_else(|error| panic!("{error:?} after {:?}", self.told));
            assert_eq!(whose(app, text(&token)).await, 200, "{:?}", self.told);
        }
        let grant = self.one.grant("ana").await;
        assert_eq!(
            (grant.status, grant.lease, grant.failures),
            (GrantStatus::Connected, None, 0),
            "{:?}",
            self.told
        );
        self.one.renewals()
    }
}

/// What the Web API says to a token.
async fn whose(app: &TestApp, token: &str) -> u16 {
    let url = format!("{}/me", app.sandbox.api_url());
    let answer = crate::harness::network::client()
        .get(url)
        .bearer_auth(token)
        .send()
        .await;
    answer.expect("the sandbox answers").status().as_u16()
}

#[tokio::test]
async fn whatever_happens_nobody_loses_a_grant_that_lives() {
    let mut lives = JoinSet::new();
    for seed in 0..LIVES {
        lives.spawn(async move {
            let mut life = Life::begin(seed).await;
            for _ in 0..STEPS {
                life.step().await;
            }
            life.end().await
        });
    }
    let renewals: Vec<_> = lives.join_all().await;
    let all: usize = renewals.iter().sum();
    assert!(all > 40, "they were lives worth looking at: {renewals:?}");
}

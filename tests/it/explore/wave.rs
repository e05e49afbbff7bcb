//! A provider that refuses a third of a whole user base by mistake for an hour: ten thousand grants, none lost.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use patchbay::{
    grants::{self, GrantError, NewGrant, SweepLimits},
    ids::UserId,
    providers::spotify::Profile,
    secret::{AccessToken, RefreshToken, Secret as _},
    store::{GrantStatus, StoredGrant, UserChange, UserDocument, Written},
    vault::{Place, Vault},
};

use super::{
    outside::{Life, Outside},
    process::{KEYS_MAX, Process, master_vault},
    world::SLOT,
};

const GRANTS: usize = 10_000;

/// Of ten grants, so many are refused while the wave lasts.
const REFUSED_IN_TEN: usize = 3;

const MINUTE_MS: i64 = 60_000;

/// Refusals that are believed before there are enough for a wave: `grants::breaker::WAVE_USERS` less one.
const BELIEVED_MAX: usize = 4;

/// Doubted grants that ask at a time: `grants::breaker::PROBES_PER_ROUND`.
const PROBES_PER_ROUND: usize = 3;

/// A day's cron may be slow; this one comes by each minute.
const SWEEP: SweepLimits = SweepLimits {
    time: Duration::from_mins(5),
    concurrency: 8,
};

struct Crowd {
    outside: Outside,
    process: Process,
    vault: Arc<Vault>,
}

fn person(number: usize) -> UserId {
    format!("person {number}").parse().expect("an id")
}

impl Crowd {
    /// So many people whose access tokens are about to run out.
    fn gather() -> Self {
        let outside = Outside::new(false, vec![0]);
        outside.lock().gate_is_open = true;
        let life = Life {
            process: 0,
            number: 0,
        };
        let process = Process::start(&outside, life, 0, KEYS_MAX);
        let crowd = Self {
            outside,
            process,
            vault: Arc::new(master_vault()),
        };
        (0..GRANTS).for_each(|number| crowd.connect(number));
        crowd.pass(56);
        crowd
    }

    fn connect(&self, number: usize) {
        let mut state = self.outside.lock();
        let now = state.now();
        let (access_token, refresh_token) = state.provider.grant(now.as_ms());
        let user = person(number);
        let place = Place::grant(&user, SLOT);
        let new = NewGrant {
            access_token_enc: self.vault.seal(&AccessToken::from_plain(access_token), place),
            refresh_token_enc: Some(self.vault.seal(&RefreshToken::from_plain(refresh_token), place)),
            client_id_enc: None,
            client_secret_enc: None,
            scopes: Vec::new(),
            expires_in: Duration::from_hours(1),
            grant_life: None,
            profile: Profile {
                account_id: user.to_string(),
                user_id: user.to_string(),
                display_name: None,
                avatar_url: None,
            },
        };
        let mut document = UserDocument::default();
        grants::connect(&mut document, SLOT, new, now);
        let change = UserChange {
            integrations: BTreeMap::from([(SLOT, document.integrations.remove(&SLOT))]),
            // Due at once; the sweep puts it right.
            next_due_at: Some(now),
            ..UserChange::default()
        };
        let written = state.shelves.write_user(&user, document.version, change);
        assert!(matches!(written, Written::As(_)), "an empty shelf");
    }

    fn pass(&self, minutes: i64) {
        let mut state = self.outside.lock();
        let then = state.now_ms + minutes * MINUTE_MS;
        state.move_to(then);
    }

    /// How many renewals the provider refused in one sweep.
    fn refused_in_a_sweep(&self) -> usize {
        let before = self.outside.lock().provider.refusals();
        let app = self.process.app.clone();
        self.process.spawn(async move {
            let swept = app.grants().sweep(SWEEP).await;
            assert!(!swept.expect("a store that works").more, "time stands still");
        });
        self.process.turn();
        self.outside.lock().provider.refusals() - before
    }

    fn grant(&self, number: usize) -> StoredGrant {
        let mut document = self.outside.lock().shelves.user(&person(number));
        document.integrations.remove(&SLOT).expect("nobody disconnected")
    }

    fn count(&self, status: GrantStatus) -> usize {
        (0..GRANTS)
            .filter(|number| self.grant(*number).status == status)
            .count()
    }

    /// What somebody hears who wants a token for a minute.
    fn ask(&self, number: usize) -> Result<String, GrantError> {
        let (app, heard) = (self.process.app.clone(), Arc::new(std::sync::Mutex::new(None)));
        let told = heard.clone();
        self.process.spawn(async move {
            let outcome = app
                .grants()
                .live_token(&person(number), SLOT, Duration::from_mins(1))
                .await;
            *told.lock().expect("nobody panics") = Some(outcome);
        });
        self.process.turn();
        let outcome = heard.lock().expect("nobody panics").take();
        outcome
            .expect("an answer")
            .map(|token| token.token.expose().to_owned())
    }
}

#[test]
fn ten_thousand_grants_outlive_an_hour_in_which_a_third_is_refused() {
    let crowd = Crowd::gather();
    crowd.outside.lock().provider.refused_in_ten = REFUSED_IN_TEN;
    let doubted = GRANTS * REFUSED_IN_TEN / 10;
    assert_eq!(crowd.refused_in_a_sweep(), doubted, "each is asked for once");
    assert_eq!(
        crowd.count(GrantStatus::Quarantined),
        doubted,
        "the first were taken back"
    );
    assert_eq!(crowd.count(GrantStatus::Connected), GRANTS - doubted);
    let mut probes = 0;
    for _ in 0..60 {
        crowd.pass(1);
        let asked = crowd.refused_in_a_sweep();
        assert!(
            asked <= PROBES_PER_ROUND,
            "{asked} doubted grants asked in one round"
        );
        probes += asked;
    }
    assert!((10..=100).contains(&probes), "{probes} probes in an hour");
    assert_eq!(
        crowd.count(GrantStatus::Quarantined),
        doubted,
        "nobody is told to connect again"
    );
    let heard = crowd.ask(0);
    assert!(
        matches!(heard, Err(GrantError::ProviderUnavailable { .. })),
        "{heard:?}"
    );

    crowd.outside.lock().provider.refused_in_ten = 0;
    for _ in 0..12 {
        crowd.pass(1);
        assert_eq!(crowd.refused_in_a_sweep(), 0);
    }
    assert_eq!(crowd.count(GrantStatus::Connected), GRANTS, "none is lost");
    for number in (0..GRANTS).step_by(50) {
        let token = crowd.ask(number).expect("a grant that works");
        let state = crowd.outside.lock();
        assert!(state.provider.honours(&token, state.now_ms), "{token}");
    }
    let told = crowd.outside.lock().shelves.events_of_kind("ended");
    assert!(
        told <= BELIEVED_MAX,
        "{told} people were told to connect again before the wave was noticed"
    );
}

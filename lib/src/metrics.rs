//! What is counted: the outcomes of renewals, how long they take, what the sweep does, the calls of exports.
//!
//! One value per process, handed to whoever counts; nothing is global, so that every test has its own. Labels are the
//! fixed words below: no user, client or secret ever becomes one. The text is OpenMetrics 1.0.

mod scrape;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

pub use scrape::CONTENT_TYPE;

use crate::{limits::Kind, providers::TOKEN_CALL_TIMEOUT, system::Timestamp};

/// Seconds that a provider's token endpoint takes: a healthy one a tenth to a half, a troubled one anything up to the
/// time-out of ten. What lies beyond the last of these was given up.
const TOKEN_CALL_S: [f64; 9] = [
    0.05,
    0.1,
    0.2,
    0.4,
    0.8,
    1.5,
    3.0,
    6.0,
    TOKEN_CALL_TIMEOUT.as_secs_f64(),
];

/// Seconds that somebody waits for a renewal: from joining one that is nearly done to outliving a dead holder's lease
/// (`grants::LEASE`, 30 s, and the skew of clocks on top).
const RENEWAL_S: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// How one wish for a renewed token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalOutcome {
    /// The provider gave a token and it was written.
    Renewed,
    /// Somebody else's renewal, in this process or another, gave the token.
    Joined,
    /// The token had been replaced already when its renewal was to begin.
    AlreadyFresh,
    /// The provider ended the grant.
    Revoked,
    /// The provider refused the app.
    AppError,
    /// The provider refused the grant together with too many others to be believed.
    Quarantined,
    /// A failure that says nothing about the grant and may pass.
    Transient,
    /// The claim was somebody else's by the time the provider answered.
    LeaseLost,
    /// The provider gave a token and it could not be written at once.
    PersistFailed,
}

impl RenewalOutcome {
    const ALL: [Self; 9] = [
        Self::Renewed,
        Self::Joined,
        Self::AlreadyFresh,
        Self::Revoked,
        Self::AppError,
        Self::Quarantined,
        Self::Transient,
        Self::LeaseLost,
        Self::PersistFailed,
    ];

    /// The value of the label.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Joined => "joined",
            Self::AlreadyFresh => "already_fresh",
            Self::Revoked => "revoked",
            Self::AppError => "app_error",
            Self::Quarantined => "quarantined",
            Self::Transient => "transient",
            Self::LeaseLost => "lease_lost",
            Self::PersistFailed => "persist_failed",
        }
    }
}

/// What a call to Last.fm is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastfmCall {
    /// Who somebody is.
    Profile,
    /// What they played.
    Recent,
    /// What they play most.
    Top,
    /// How often they played what, between two moments.
    Chart,
    /// Whose an account is.
    Session,
}

impl LastfmCall {
    const ALL: [Self; 5] = [Self::Profile, Self::Recent, Self::Top, Self::Chart, Self::Session];

    /// The value of the label.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Recent => "recent",
            Self::Top => "top",
            Self::Chart => "chart",
            Self::Session => "session",
        }
    }
}

/// How one call to Spotify's Web API or to Last.fm ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// Answered.
    Ok,
    /// Refused for a reason that another try would not cure.
    Refused,
    /// Refused as too fast.
    RateLimited,
    /// Refused because a quota is used up.
    QuotaExceeded,
    /// Not answered, or not in a way that can be read.
    Unavailable,
}

impl CallOutcome {
    const ALL: [Self; 5] = [
        Self::Ok,
        Self::Refused,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::Unavailable,
    ];

    /// The value of the label.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What one pass of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Documents that wanted attention and got it.
    pub visited: usize,
    /// Grants with a new token.
    pub renewed: usize,
    /// Grants that somebody else renewed, or is renewing.
    pub left_to_others: usize,
    /// Grants that the provider ended.
    pub ended: usize,
    /// Grants that are tried again later.
    pub put_off: usize,
    /// Documents that could not be read or written.
    pub failed: usize,
}

impl Swept {
    const fn results(self) -> [(&'static str, usize); 5] {
        [
            ("renewed", self.renewed),
            ("left_to_others", self.left_to_others),
            ("ended", self.ended),
            ("put_off", self.put_off),
            ("failed", self.failed),
        ]
    }
}

/// So many labels, whose names and values are words of the code.
type Labels<const N: usize> = [(&'static str, &'static str); N];
type Label = Labels<1>;

/// The counts of one process. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    renewals: Family<Label, Counter>,
    token_calls: Histogram,
    waits: Histogram,
    unwritten: Gauge,
    passes: Counter,
    visited: Counter,
    swept: Family<Label, Counter>,
    spotify_calls: Family<Labels<2>, Counter>,
    lastfm_calls: Family<Labels<2>, Counter>,
    /// Milliseconds since the epoch; [`NEVER`] until the first.
    last_pass: AtomicI64,
}

/// No pass was completed by this process.
const NEVER: i64 = i64::MIN;

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero; all values of all labels exist from the start, so that the first failure is an increase
    /// and not a new series.
    #[must_use]
    pub fn new() -> Self {
        let counts = Inner {
            registry: Registry::with_prefix("patchbay"),
            renewals: Family::default(),
            token_calls: Histogram::new(TOKEN_CALL_S),
            waits: Histogram::new(RENEWAL_S),
            unwritten: Gauge::default(),
            passes: Counter::default(),
            visited: Counter::default(),
            swept: Family::default(),
            spotify_calls: Family::default(),
            lastfm_calls: Family::default(),
            last_pass: AtomicI64::new(NEVER),
        };
        for outcome in RenewalOutcome::ALL {
            drop(counts.renewals.get_or_create(&[("outcome", outcome.as_str())]));
        }
        for (result, _) in Swept::default().results() {
            drop(counts.swept.get_or_create(&[("result", result)]));
        }
        for (kind, outcome) in Kind::ALL
            .iter()
            .flat_map(|kind| CallOutcome::ALL.map(|outcome| (*kind, outcome)))
        {
            drop(
                counts
                    .spotify_calls
                    .get_or_create(&labels_of(kind.as_str(), outcome)),
            );
        }
        for (call, outcome) in LastfmCall::ALL
            .iter()
            .flat_map(|call| CallOutcome::ALL.map(|outcome| (*call, outcome)))
        {
            drop(
                counts
                    .lastfm_calls
                    .get_or_create(&labels_of(call.as_str(), outcome)),
            );
        }
        Self(Arc::new(counts.registered()))
    }

    /// Counts how a wish for a renewed token ended.
    pub fn renewal(&self, outcome: RenewalOutcome) {
        let label = [("outcome", outcome.as_str())];
        self.0.renewals.get_or_create(&label).inc();
    }

    /// Counts one call to Spotify's Web API.
    pub fn spotify_call(&self, kind: Kind, outcome: CallOutcome) {
        self.0
            .spotify_calls
            .get_or_create(&labels_of(kind.as_str(), outcome))
            .inc();
    }

    /// Counts one call to Last.fm.
    pub fn lastfm_call(&self, call: LastfmCall, outcome: CallOutcome) {
        self.0
            .lastfm_calls
            .get_or_create(&labels_of(call.as_str(), outcome))
            .inc();
    }

    /// Notes how long the provider took to answer a token call, or to be given up.
    pub fn token_call(&self, took: Duration) {
        self.0.token_calls.observe(took.as_secs_f64());
    }

    /// Notes how long somebody waited for a renewal, their own or another's.
    pub fn renewal_took(&self, took: Duration) {
        self.0.waits.observe(took.as_secs_f64());
    }

    /// A token was received and is not written: counted until the answer is dropped.
    #[must_use = "it counts for as long as it is kept"]
    pub fn unwritten_token(&self) -> Unwritten {
        self.0.unwritten.inc();
        Unwritten(self.0.unwritten.clone())
    }

    /// Tokens that were received and are not written.
    #[must_use]
    pub fn unwritten_tokens(&self) -> u64 {
        u64::try_from(self.0.unwritten.get()).unwrap_or(0)
    }

    /// Counts what a pass did that was completed `at` this moment.
    pub fn swept(&self, swept: Swept, at: Timestamp) {
        let as_u64 = |count| u64::try_from(count).unwrap_or(u64::MAX);
        self.0.passes.inc();
        self.0.visited.inc_by(as_u64(swept.visited));
        for (result, count) in swept.results() {
            let result = [("result", result)];
            self.0.swept.get_or_create(&result).inc_by(as_u64(count));
        }
        self.0.last_pass.store(at.as_ms(), Ordering::Relaxed);
    }

    fn last_pass(&self) -> Option<Timestamp> {
        let ms = self.0.last_pass.load(Ordering::Relaxed);
        (ms != NEVER).then_some(Timestamp::from_ms(ms))
    }
}

impl Inner {
    /// The same, with a name and a sentence for everything.
    fn registered(mut self) -> Self {
        let to = &mut self.registry;
        to.register(
            "renewals",
            "Wishes for a renewed token, by how they ended",
            self.renewals.clone(),
        );
        to.register_with_unit(
            "token_call",
            "How long the provider took to answer a token call; above the last bucket it was given up",
            Unit::Seconds,
            self.token_calls.clone(),
        );
        to.register_with_unit(
            "renewal_wait",
            "How long callers waited for a renewal, their own or another's",
            Unit::Seconds,
            self.waits.clone(),
        );
        to.register(
            "unwritten_tokens",
            "Tokens that were received and are not written yet",
            self.unwritten.clone(),
        );
        to.register(
            "sweep_passes",
            "Passes of the sweep that were completed",
            self.passes.clone(),
        );
        to.register(
            "sweep_visits",
            "Documents that the sweep looked after",
            self.visited.clone(),
        );
        to.register(
            "sweep_results",
            "What came of the sweep's visits: grants renewed, ended and put off, documents that failed",
            self.swept.clone(),
        );
        to.register(
            "spotify_calls",
            "Calls of exports to Spotify's Web API, by what they are about and how they ended",
            self.spotify_calls.clone(),
        );
        to.register(
            "lastfm_calls",
            "Calls to Last.fm, by what they are about and how they ended",
            self.lastfm_calls.clone(),
        );
        self
    }
}

const fn labels_of(kind: &'static str, outcome: CallOutcome) -> Labels<2> {
    [("kind", kind), ("outcome", outcome.as_str())]
}

/// A token that was received and is not written. Dropping it says that it is, or that nobody has it any more.
#[derive(Debug)]
pub struct Unwritten(Gauge);

impl Drop for Unwritten {
    fn drop(&mut self) {
        self.0.dec();
    }
}

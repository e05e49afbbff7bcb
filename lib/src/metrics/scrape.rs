//! What a scrape is answered: what this process counted, and what the database says just now.

use std::fmt;

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::gauge::ConstGauge,
    registry::{Registry, Unit},
};

use super::Metrics;

/// The media type of OpenMetrics 1.0 (§"Protocol Negotiation").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How the grants of the whole deployment stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Documents that want the sweep now.
    pub due: u64,
    /// Grants whose people have to consent again.
    pub dead: u64,
}

/// What the database answered to a scrape. Asked every time and never remembered: a number of yesterday's that is
/// shown today is worse than none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stored {
    /// Whether it answered at all.
    pub up: bool,
    /// How the grants stand, if that is known.
    pub tally: Option<Tally>,
}

impl Metrics {
    /// Everything as OpenMetrics text.
    #[must_use]
    pub fn render(&self, stored: Stored) -> String {
        let mut text = String::new();
        let written: fmt::Result = encode_registry(&mut text, &self.0.registry)
            .and_then(|()| encode_registry(&mut text, &self.of_the_moment(stored)))
            .and_then(|()| encode_eof(&mut text));
        // Writing into a string cannot fail, and every label and number here can be written.
        debug_assert!(written.is_ok(), "{written:?}");
        text
    }

    /// What is known at a scrape only.
    fn of_the_moment(&self, stored: Stored) -> Registry {
        let mut registry = Registry::with_prefix("patchbay");
        registry.register(
            "store_up",
            "Whether the database answered this scrape",
            ConstGauge::new(i64::from(stored.up)),
        );
        if let Some(Tally { due, dead }) = stored.tally {
            let gauge = |count| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            registry.register(
                "grants_due",
                "Documents of the whole deployment that want the sweep now",
                gauge(due),
            );
            registry.register(
                "grants_dead",
                "Grants of the whole deployment whose people have to consent again",
                gauge(dead),
            );
        }
        if let Some(at) = self.last_pass() {
            registry.register_with_unit(
                "sweep_last_completed_timestamp",
                "When this process last completed a pass of the sweep",
                Unit::Seconds,
                ConstGauge::new(at.as_s()),
            );
        }
        registry
    }
}

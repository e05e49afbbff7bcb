//! What a scrape is answered: what this process counted, and what the database says just now.

use std::fmt;

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::gauge::ConstGauge,
    registry::{Registry, Unit},
};

use super::Metrics;
use crate::store::Tally;

/// The media type of OpenMetrics 1.0 (§"Protocol Negotiation").
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// Everything as OpenMetrics text. `tally` is what the database answered to this scrape, `None` if it did not; it is
    /// never remembered, because a number of yesterday's that is shown today is worse than none.
    #[must_use]
    pub fn render(&self, tally: Option<Tally>) -> String {
        let mut text = String::new();
        let written: fmt::Result = encode_registry(&mut text, &self.0.registry)
            .and_then(|()| encode_registry(&mut text, &self.of_the_moment(tally)))
            .and_then(|()| encode_eof(&mut text));
        // Writing into a string cannot fail, and every label and number here can be written.
        debug_assert!(written.is_ok(), "{written:?}");
        text
    }

    /// What is known at a scrape only.
    fn of_the_moment(&self, tally: Option<Tally>) -> Registry {
        let mut registry = Registry::with_prefix("patchbay");
        registry.register(
            "store_up",
            "Whether the database answered this scrape",
            ConstGauge::new(i64::from(tally.is_some())),
        );
        if let Some(Tally { due, dead }) = tally {
            let gauge = |count| ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX));
            registry.register(
                "users_due",
                "Users of the whole deployment who want the sweep now",
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

//! What happens without anybody asking: one pass, whoever's timer calls for it.

pub(super) mod refresh;

use std::time::Duration;

use serde::Serialize;

use super::Services;
use crate::{
    grants::{SweepLimits, SweepSummary},
    metrics::Swept,
    store::StoreError,
};

/// Parked exports that one pass goes on with, one after another.
const EXPORTS_MAX: usize = 20;

/// Renewals at once: enough to fill the time that a provider takes to answer, and few enough not to look like an attack
/// to it.
const RENEWALS_AT_ONCE: usize = 8;

/// What one pass did.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pass {
    /// What became of the grants that were due.
    #[serde(flatten)]
    pub grants: SweepSummary,
    /// Exports whose time had come.
    pub exports_due: usize,
    /// Exports that are finished now.
    pub exports_finished: usize,
}

impl Services {
    /// Renews what is due, goes on with what is parked. Grants come first: an export can wait, a token cannot.
    /// Takes `time` for each of the two, at most.
    ///
    /// # Errors
    /// [`StoreError`] when what is due cannot be read.
    pub async fn pass(&self, time: Duration) -> Result<Pass, StoreError> {
        let grants = self
            .grants
            .sweep(SweepLimits {
                time,
                concurrency: RENEWALS_AT_ONCE,
            })
            .await?;
        self.metrics.swept(counts_of(&grants), self.system.now());
        let exports = self.exporter.run_due(EXPORTS_MAX, time).await?;
        // What is kept of Last.fm is a help and no more: it must not stop the sweep.
        if let Err(error) = self.listening.tidy().await {
            tracing::warn!(%error, "what is kept of Last.fm could not be tidied up");
        }
        let pass = Pass {
            grants,
            exports_due: exports.due,
            exports_finished: exports.finished,
        };
        if pass.grants.visited + pass.exports_due > 0 {
            tracing::info!(?pass, "swept");
        }
        Ok(pass)
    }
}

const fn counts_of(summary: &SweepSummary) -> Swept {
    Swept {
        visited: summary.visited,
        renewed: summary.renewed,
        left_to_others: summary.left_to_others,
        ended: summary.ended,
        put_off: summary.put_off,
        failed: summary.failed,
    }
}

//! `GET /api/metrics`: what was counted, as OpenMetrics text, for the operator's Prometheus.

use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, header};

use super::{Services, Shared, health::STORE_TIMEOUT, operator, problem::Problem};
use crate::{metrics::CONTENT_TYPE, store::Tally};

pub(super) async fn get(services: Shared, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if !operator::knows(services.settings.admin_token.as_ref(), &headers) {
        let problem = Problem::new(
            StatusCode::UNAUTHORIZED,
            "admin_token_required",
            "This address is for the operator.",
        );
        return Err(
            problem.remedy("Send Authorization: Bearer with the value of ADMIN_TOKEN; it has to be set.")
        );
    }
    let text = services.metrics.render(tally(&services).await);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}

/// What the database says. One that does not answer costs nothing of what this process knows by itself.
async fn tally(services: &Services) -> Option<Tally> {
    let now = services.system.now();
    let answered = services
        .system
        .within(STORE_TIMEOUT, services.store.tally(now))
        .await;
    match answered {
        Some(Ok(tally)) => Some(tally),
        Some(Err(error)) => {
            tracing::warn!(?error, "the store does not answer a scrape");
            None
        }
        None => {
            tracing::warn!("the store does not answer a scrape in time");
            None
        }
    }
}

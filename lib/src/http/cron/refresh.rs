//! `GET·POST /api/cron/refresh`: one bounded pass of the sweep, for whoever knows the secret.

use std::time::Duration;

use axum::{Json, response::IntoResponse};
use http::{HeaderMap, StatusCode};

use crate::http::{Shared, operator, problem::Problem};

/// Twice this, for grants and for exports, and the work in hand at the end fit into the function's 300 s.
const TIME: Duration = Duration::from_mins(2);

pub(in crate::http) async fn run(services: Shared, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if !operator::knows(services.settings.cron_secret.as_ref(), &headers) {
        let problem = Problem::new(
            StatusCode::UNAUTHORIZED,
            "cron_secret_required",
            "This address is for the operator's timer.",
        );
        return Err(
            problem.remedy("Send Authorization: Bearer with the value of CRON_SECRET; it has to be set.")
        );
    }
    Ok(Json(services.pass(TIME).await?))
}

//! `GET·POST /api/cron/refresh`: one bounded pass of the sweep, for whoever knows the secret.

use std::time::Duration;

use axum::{Json, response::IntoResponse};
use http::{HeaderMap, StatusCode, header};
use subtle::ConstantTimeEq as _;

use crate::{
    http::{Services, Shared, problem::Problem},
    secret::Secret as _,
};

/// Twice this, for grants and for exports, and the work in hand at the end fit into the function's 300 s.
const TIME: Duration = Duration::from_mins(2);

pub(in crate::http) async fn run(services: Shared, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if !knows_the_secret(&services, &headers) {
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

fn knows_the_secret(services: &Services, headers: &HeaderMap) -> bool {
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let sent = sent
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let secret = services.settings.cron_secret.as_ref();
    secret.is_some_and(|secret| sent.as_bytes().ct_eq(secret.expose().as_bytes()).into())
}

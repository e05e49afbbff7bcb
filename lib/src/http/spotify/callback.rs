//! `GET /api/spotify/callback`: finishes both flows and sends the person back.

use std::time::Duration;

use axum::{
    extract::RawQuery,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::{Url, form_urlencoded};

use crate::{
    connect::{Callback, FinishError},
    http::{Services, Shared, cookies, problem::Problem},
    ids::Slot,
    secret::{AuthorizationCode, BrowserBinding, Secret as _},
};

pub(in crate::http) async fn get(services: Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let signed_in = services.callers.identify(&Method::GET, &headers, services.system.now()).await;
    let callback = Callback {
        // A sign-in that is not valid any more says nothing about who this is; the cookie of the start does.
        signed_in: signed_in.ok().flatten().map(|caller| caller.user),
        ..read(&services, query.as_deref().unwrap_or_default(), &headers)
    };
    match services.connector.finish(callback).await {
        Ok(finished) => back(&services, finished.slot, finished.return_to, "auth", "success"),
        Err(FinishError { refusal, slot: Some(slot), return_to: Some(return_to) }) => {
            let problem = Problem::from(&refusal);
            tracing::info!(%slot, code = problem.code(), cause = ?refusal, "a connection was not finished");
            back(&services, slot, return_to, "error", problem.code())
        }
        // A state that is not believed names no place to go back to.
        Err(error) => Problem::from(&error).into_response(),
    }
}

/// The first of each parameter counts; unknown ones are ignored.
fn read(services: &Services, query: &str, headers: &HeaderMap) -> Callback {
    let first = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
    };
    let binding = |slot| {
        let value = cookies::read(headers, &super::binding_cookie(services, slot))?;
        Some((slot, BrowserBinding::from_plain(value.to_owned())))
    };
    Callback {
        state: first("state"),
        code: first("code").map(AuthorizationCode::from_plain),
        error: first("error"),
        bindings: Slot::ALL.into_iter().filter_map(binding).collect(),
        signed_in: None,
    }
}

fn back(services: &Services, slot: Slot, mut to: Url, name: &str, value: &str) -> Response {
    to.query_pairs_mut().append_pair(name, value);
    let Ok(location) = HeaderValue::from_str(to.as_str()) else {
        return super::super::problem::internal().into_response();
    };
    // The cookie has done its work.
    let forget =
        cookies::set(&super::binding_cookie(services, slot), "", Duration::ZERO, &services.settings.app_url);
    (StatusCode::FOUND, [(header::LOCATION, location), (header::SET_COOKIE, forget)]).into_response()
}

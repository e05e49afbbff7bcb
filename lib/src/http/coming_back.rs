//! What every way back from a provider's page has in common: the cookie that it takes, how it is read, and where the
//! person goes on.

mod words;

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::task::JoinError;
use url::{Url, form_urlencoded};

use super::{Services, cookies, problem::internal};
use crate::{
    connect::{Arrival, FinishError, Finished, Flow, PENDING_LIFE, Started},
    ids::Slot,
    secret::{BrowserBinding, Secret as _},
};

/// Each flow has a cookie of its own, so that several connections can be under way in one browser.
fn binding_cookie(services: &Services, flow: Flow) -> String {
    let base = match flow {
        Flow::Grant(Slot::Spotify) => "patchbay_connect_spotify",
        Flow::Grant(Slot::SpotifyByo) => "patchbay_connect_spotify_byo",
        Flow::Lastfm => "patchbay_connect_lastfm",
    };
    cookies::name(base, &services.settings.app_url)
}

/// The cookie that the browser has to bring back.
pub(super) fn cookie(services: &Services, started: &Started) -> HeaderValue {
    cookies::set(
        &binding_cookie(services, started.flow),
        started.binding.expose(),
        PENDING_LIFE,
        &services.settings.app_url,
    )
}

/// The first of a callback's parameters of this name; unknown ones are ignored.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
}

/// Who comes back.
pub(super) async fn arrival(services: &Services, query: &str, headers: &HeaderMap) -> Arrival {
    let signed_in = services
        .callers
        .identify(&Method::GET, headers, services.system.now())
        .await;
    let binding = |flow| {
        let value = cookies::read(headers, &binding_cookie(services, flow))?;
        Some((flow, BrowserBinding::from_plain(value.to_owned())))
    };
    Arrival {
        state: parameter(query, "state"),
        bindings: Flow::all().filter_map(binding).collect(),
        // A sign-in that is not valid any more says nothing about who this is; the cookie of the start does.
        signed_in: signed_in.ok().flatten().map(|caller| caller.user),
    }
}

/// Sends the person on, with what came of it and with `mark` in the query; `provider` is what they came back from.
pub(super) fn answer(
    services: &Services,
    finished: Result<Result<Finished, FinishError>, JoinError>,
    provider: &str,
    mark: &[(&str, &str)],
) -> Response {
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => return internal().because(error).into_response(),
    };
    let back = |to: Url, name: &str, value: &str| back(to, &[&[(name, value)], mark].concat());
    match finished {
        Ok(finished) => forgetting(
            services,
            finished.flow,
            back(finished.return_to, "auth", "success"),
        ),
        Err(FinishError {
            refusal,
            flow,
            return_to: Some(return_to),
            used_up,
        }) => {
            let problem = words::refused(&refusal, provider);
            let connection = flow.map(Flow::as_str);
            tracing::info!(connection, code = problem.code(), cause = ?refusal, "a connection was not finished");
            let back = back(return_to, "error", problem.code());
            // What is still under way needs its cookie: a link from a stranger, or an older tab, must not end it.
            match flow {
                Some(flow) if used_up => forgetting(services, flow, back),
                _ => back,
            }
        }
        // A state that is not ours names no place to go back to.
        Err(error) => words::refused(&error.refusal, provider).into_response(),
    }
}

fn back(mut to: Url, parameters: &[(&str, &str)]) -> Response {
    to.query_pairs_mut().extend_pairs(parameters);
    let Ok(location) = HeaderValue::from_str(to.as_str()) else {
        return internal().into_response();
    };
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

/// The cookie has done its work.
fn forgetting(services: &Services, flow: Flow, mut answer: Response) -> Response {
    let name = binding_cookie(services, flow);
    let forget = cookies::set(&name, "", Duration::ZERO, &services.settings.app_url);
    answer.headers_mut().append(header::SET_COOKIE, forget);
    answer
}

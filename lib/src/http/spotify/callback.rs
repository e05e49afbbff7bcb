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
    http::{
        Services, Shared, cookies,
        problem::{Problem, internal},
    },
    ids::Slot,
    secret::{AuthorizationCode, BrowserBinding, Secret as _},
};

pub(in crate::http) async fn get(
    services: Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let signed_in = services
        .callers
        .identify(&Method::GET, &headers, services.system.now())
        .await;
    let callback = Callback {
        // A sign-in that is not valid any more says nothing about who this is; the cookie of the start does.
        signed_in: signed_in.ok().flatten().map(|caller| caller.user),
        ..read(&services, query.as_deref().unwrap_or_default(), &headers)
    };
    // A task of its own: the code works once, so a person who closes the window now is connected all the same.
    let connector = services.connector.clone();
    let finishing = tokio::spawn(async move { connector.finish(callback).await });
    let finished = match finishing.await {
        Ok(finished) => finished,
        Err(error) => return internal().because(error).into_response(),
    };
    match finished {
        Ok(finished) => forgetting(
            &services,
            finished.slot,
            back(finished.return_to, "auth", "success"),
        ),
        Err(FinishError {
            refusal,
            slot,
            return_to: Some(return_to),
            used_up,
        }) => {
            let problem = Problem::from(&refusal);
            tracing::info!(?slot, code = problem.code(), cause = ?refusal, "a connection was not finished");
            let back = back(return_to, "error", problem.code());
            // What is still under way needs its cookie: a link from a stranger, or an older tab, must not end it.
            match slot {
                Some(slot) if used_up => forgetting(&services, slot, back),
                _ => back,
            }
        }
        // A state that is not ours names no place to go back to.
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

fn back(mut to: Url, name: &str, value: &str) -> Response {
    to.query_pairs_mut().append_pair(name, value);
    let Ok(location) = HeaderValue::from_str(to.as_str()) else {
        return internal().into_response();
    };
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

/// The cookie has done its work.
fn forgetting(services: &Services, slot: Slot, mut answer: Response) -> Response {
    let name = super::binding_cookie(services, slot);
    let forget = cookies::set(&name, "", Duration::ZERO, &services.settings.app_url);
    answer.headers_mut().append(header::SET_COOKIE, forget);
    answer
}

//! What is the same for every answer: an id, the body of a problem, the headers that keep browsers from guessing, and
//! one line in the log for what went wrong.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    Services,
    problem::{Problem, internal},
};

/// Answers of the API are data: a browser that is sent to one renders and loads nothing.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Two years, as the preload list asks; only sent where the service itself is reached by https.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the envelope around every route of `router`.
pub(super) fn around(router: Router, services: &Services) -> Router {
    let envelope = Envelope {
        https: services.settings.app_url.scheme() == "https",
        next_id: AtomicU64::new(u64::from_le_bytes(services.system.entropy.bytes())),
    };
    within(router, envelope)
}

fn within(router: Router, envelope: Envelope) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(envelope), envelop))
}

/// What the envelopes of one process have in common.
struct Envelope {
    /// Whether people reach the service by https.
    https: bool,
    /// Counted from a random number: different in every process, and no call of the machine for every request.
    next_id: AtomicU64,
}

async fn envelop(State(envelope): State<Arc<Envelope>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let request_id = format!("{:016x}", envelope.next_id.fetch_add(1, Ordering::Relaxed));
    // Whatever a handler held when it panicked is dropped with it; what is shared is changed by whole steps only. The
    // panic itself is in the log already, by the process's own hook.
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| internal().because("a panic").into_response());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        report(&problem, &method, &path, &request_id);
        response = written(&problem, response.headers(), &request_id);
    }
    harden(response.headers_mut(), envelope.https);
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn report(problem: &Problem, method: &http::Method, path: &str, request_id: &str) {
    let (status, code, cause) = (problem.status().as_u16(), problem.code(), problem.cause());
    if problem.status().is_server_error() {
        tracing::error!(request_id, %method, path, status, code, ?cause, "answered with a problem");
    } else {
        tracing::debug!(request_id, %method, path, status, code, ?cause, "answered with a problem");
    }
}

fn written(problem: &Problem, headers: &HeaderMap, request_id: &str) -> Response {
    let mut response = (problem.status(), Json(problem.body(request_id))).into_response();
    // What the refusing side set stays: `Allow` of a 405, a cookie that is to be forgotten.
    for (name, value) in headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    if let Some(wait_s) = problem.retry_after_s() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
    }
    response
}

fn harden(headers: &mut HeaderMap, https: bool) {
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, API_POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_problem_like_any_other() {
        async fn panicking() -> &'static str {
            panic!("a bug, with a detail that is nobody's business")
        }
        let envelope = Envelope {
            https: true,
            next_id: AtomicU64::new(0xabc),
        };
        let router = within(Router::new().route("/", get(panicking)), envelope);
        let response = router
            .oneshot(Request::new(Body::empty()))
            .await
            .expect("an answer");
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            (&body["code"], &body["requestId"]),
            (&"internal_error".into(), &"0000000000000abc".into())
        );
        assert!(!body.to_string().contains("nobody's business"));
    }
}

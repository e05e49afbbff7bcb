//! Vercel functions: one invocation in, the router's answer out; the only file that names `vercel_runtime`.
//!
//! The runtime's own axum layer will not do (reference: Vercel, "Serving"): it writes a JSON answer in two parts,
//! which costs 44 ms on a reused connection, holds other streams back until they are complete, reads every request
//! body whole, drops the invocation's `wait_until` and loses the invocation's end when a handler panics.
//!
//! Here an invocation lasts from the arrival of its request until its answer's last byte: a stream is not reported as
//! ended while it still flows, and a request in flight outlives the SIGTERM that ends an instance.

use std::any::Any;
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::sync::oneshot;
use tower::{Service, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use vercel_runtime::{AppState, ResponseBody};

use crate::app::{App, StartError};
use crate::config::{Config, environment};
use crate::system::System;
use crate::telemetry;

/// A function instance has one or two cores (reference: Vercel), and two threads keep answering while one of them is
/// busy in SQLite or with a cipher.
const WORKER_THREADS: usize = 2;

/// The whole `main` of every file under `api/`: the service, from the process's environment.
#[must_use]
pub fn main() -> ExitCode {
    telemetry::start(environment("RUST_LOG"));
    serve(|| async {
        let config = Config::parse(environment)?;
        let app = App::new(config, System::real(), None)?;
        let router = app.router().layer(from_fn_with_state(app, finish_work));
        Ok::<_, StartError>(router)
    })
}

/// Keeps the instance running until what the request began is over: its own renewal, one that it joined, an export whose
/// caller did not wait. Callers hang up, and an instance that sleeps with a token that is not written may never wake.
async fn finish_work(
    State(app): State<App>,
    invocation: Invocation,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if !app.is_idle() {
        invocation.wait_until(async move { app.idle().await });
    }
    response
}

/// Serves a router as a Vercel function until the platform sends SIGTERM and the work in hand is done.
///
/// `build` runs on the runtime that serves, so it may open pools. Its error is printed, as is the runtime's own (a port
/// already taken), and makes the exit code 1.
pub fn serve<F, Fut, E>(build: F) -> ExitCode
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Router, E>>,
    E: Display,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    runtime.block_on(async {
        let router = match build().await {
            Ok(router) => router.layer(CatchPanicLayer::custom(answer_panic)),
            Err(error) => return failed(&error),
        };
        match vercel_runtime::run(Function { router }).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        }
    })
}

fn failed(error: &dyn Display) -> ExitCode {
    eprintln!("patchbay cannot start: {error}");
    ExitCode::FAILURE
}

/// The invocation that a handler runs in; an extractor that never fails.
///
/// Outside a function (tests, `patchbay serve`) there is none, and [`Invocation::wait_until`] is a plain spawn: the same
/// router runs everywhere.
#[derive(Clone)]
pub struct Invocation(Option<AppState>);

impl Invocation {
    /// Starts `work` at once. The answer does not wait for it, the end of the invocation does, so the platform keeps the
    /// instance running until the work is done (or the function's `maxDuration` is over).
    pub fn wait_until(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.0 {
            Some(state) => state.wait_until(work),
            None => drop(tokio::spawn(work)),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Invocation {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<AppState>().cloned()))
    }
}

/// The router as the service that `vercel_runtime` drives.
#[derive(Clone)]
struct Function {
    router: Router,
}

impl Service<(AppState, vercel_runtime::Request)> for Function {
    type Response = vercel_runtime::Response<ResponseBody>;
    type Error = vercel_runtime::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(())) // an axum router is always ready
    }

    fn call(&mut self, (state, request): (AppState, vercel_runtime::Request)) -> Self::Future {
        // Registered before the handler runs: at SIGTERM the runtime waits for registered work and for nothing else.
        let (running, ended) = oneshot::channel::<Infallible>();
        state.wait_until(async {
            // Nothing is ever sent; the channel closes when `running` is dropped, with the answer's body or before.
            let Err(_closed) = ended.await;
        });
        let router = self.router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(state);
        Box::pin(async move {
            let Ok(response) = router.oneshot(request).await;
            Ok(response.map(|body| ResponseBody(Answer::new(body, running).boxed())))
        })
    }
}

/// A response body that can be shared between threads, as [`ResponseBody`] demands and axum's bodies cannot, and that
/// holds the invocation open for as long as it lives.
struct Answer {
    body: SyncWrapper<Body>,
    /// What `body` last said: a [`SyncWrapper`] shows its content only to whoever may change it.
    size: SizeHint,
    ended: bool,
    _running: oneshot::Sender<Infallible>,
}

impl Answer {
    fn new(body: Body, running: oneshot::Sender<Infallible>) -> Self {
        let size = http_body::Body::size_hint(&body);
        let ended = http_body::Body::is_end_stream(&body);
        Self {
            body: SyncWrapper::new(body),
            size,
            ended,
            _running: running,
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = vercel_runtime::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let body = self.body.get_mut();
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        let (size, ended) = (body.size_hint(), body.is_end_stream());
        self.size = size;
        self.ended = ended;
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

/// What a caller sees of a panic. Its message is not told, nor logged here: it may quote anything, and the panic hook has
/// already printed it where the operator reads.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side; it is not your doing.",
        "internal_error",
    )
}

/// An answer in the service's error shape, never cached.
fn error(status: StatusCode, sentence: &str, code: &str) -> Response {
    let body = serde_json::json!({ "error": sentence, "code": code }).to_string();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

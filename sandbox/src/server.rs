//! Starting and stopping a sandbox, and the handle to one that runs.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

use crate::catalog::Catalog;
use crate::gate::Dropped;
use crate::world::{DEMO_APP, DEMO_LASTFM, Mode, World};

/// Epoch milliseconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How a sandbox starts. The default: any port, the real clock, the built-in catalogue, the demo world.
pub struct Options {
    /// 0 for any that is free.
    pub port: u16,
    /// Answer `/authorize` at once, as if the app's owner had pressed Agree.
    pub auto_approve: bool,
    /// What time it is; time travel adds to it.
    pub clock: Clock,
    /// All ids, codes and tokens follow from it.
    pub seed: u64,
    /// The tracks there are.
    pub catalog: Catalog,
    /// The mode of apps that do not name one.
    pub mode: Mode,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            auto_approve: false,
            clock: Arc::new(real_clock),
            seed: 0,
            catalog: Catalog::default(),
            mode: Mode::default(),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the machine's clock"
)]
fn real_clock() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}

/// How long to wait for the world. All work under the lock takes microseconds; a test that locks it twice would hang
/// without a word for ever, so it panics with one instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a request came from; Last.fm meters it. A request that came without a network has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What the server's tasks share.
pub(crate) struct Shared {
    world: Mutex<World>,
}

impl Shared {
    /// # Panics
    /// When the lock is not to be had for [`PATIENCE`]: then somebody waits for themselves.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        const STEP: Duration = Duration::from_millis(1);
        let mut waited = Duration::ZERO;
        loop {
            match self.world.try_lock() {
                Ok(world) => return world,
                // A test that panicked with the lock in hand has failed already; the others may go on.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    assert!(
                        waited < PATIENCE,
                        "world() is held: across an await, or twice in one statement"
                    );
                    std::thread::sleep(STEP);
                    waited += STEP;
                }
            }
        }
    }
}

/// A running sandbox. Clones are handles to the same one; it stops with the last of them.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    shared: Arc<Shared>,
    router: Router,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(server) = self
            .server
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            server.abort();
        }
    }
}

impl Sandbox {
    /// Binds a port of `127.0.0.1` and serves in a task of the current tokio runtime.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut world = World::new(
            url.clone(),
            options.clock,
            options.seed,
            options.catalog,
            options.mode,
        );
        world.settings.auto_approve = options.auto_approve;
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
        });
        let router = router(&shared);
        let server = tokio::spawn(serve_connections(listener, router.clone()));
        Ok(Self {
            inner: Arc::new(Inner {
                url,
                shared,
                router,
                server: Mutex::new(Some(server)),
            }),
        })
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// The accounts service: append `/authorize` or `/api/token`.
    #[must_use]
    pub fn accounts_url(&self) -> String {
        self.inner.url.clone()
    }

    /// The Web API: append `/me`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/v1", self.inner.url)
    }

    /// Last.fm's API: append a query string.
    #[must_use]
    pub fn lastfm_api_url(&self) -> String {
        format!("{}/2.0/", self.inner.url)
    }

    /// Last.fm's site: append `/api/auth/` or `/user/<name>`.
    #[must_use]
    pub fn lastfm_site_url(&self) -> String {
        self.inner.url.clone()
    }

    /// Answers one request as the server would, without a network between: many times as fast, for tests that make
    /// tens of thousands. `None` is a connection that was dropped. Who drops the future leaves the work undone that is
    /// not done yet.
    pub async fn ask(&self, request: Request<Vec<u8>>) -> Option<Response<Vec<u8>>> {
        let request = request.map(Body::from);
        let (parts, body) = answer(self.inner.router.clone(), request)
            .await
            .ok()?
            .into_parts();
        // All of the sandbox's bodies are in memory, and whole.
        let body = to_bytes(body, usize::MAX).await.ok()?;
        Some(Response::from_parts(parts, body.to_vec()))
    }

    /// The world, locked. The server waits while it is held: let go of it before the next `await`, and do
    /// not take it twice in one statement.
    ///
    /// # Panics
    /// After five seconds without the lock, which only such a mistake can cause.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.inner.shared.world()
    }

    /// Waits until a request has come to the hold on `path` (see [`World::hold`]); at once if one has already, or if
    /// there is no such hold.
    pub async fn arrived(&self, path: &str) {
        self.arrived_count(path, 1).await;
    }

    /// Waits until so many requests have come to the hold on `path`.
    pub async fn arrived_count(&self, path: &str, count: usize) {
        let arrivals = self.world().arrivals(path);
        if let Some(mut arrivals) = arrivals {
            // An error means that the hold was released, and nobody can arrive any more.
            let _ = arrivals.wait_for(|&arrived| arrived >= count).await;
        }
    }

    /// The lines of a `.env` file that point an application here.
    #[must_use]
    pub fn env_lines(&self) -> String {
        // The client secret of Spotify stays the last: `tests/clients/run` waits for it.
        let lines = [
            format!("LASTFM_API_URL={}", self.lastfm_api_url()),
            format!("LASTFM_SITE_URL={}", self.lastfm_site_url()),
            format!("LASTFM_API_KEY={}", DEMO_LASTFM.api_key),
            format!("LASTFM_SHARED_SECRET={}", DEMO_LASTFM.shared_secret),
            format!("SPOTIFY_ACCOUNTS_URL={}", self.accounts_url()),
            format!("SPOTIFY_API_URL={}", self.api_url()),
            format!("SPOTIFY_CLIENT_ID={}", DEMO_APP.client_id),
            format!("SPOTIFY_CLIENT_SECRET={}", DEMO_APP.client_secret),
        ];
        lines.join("\n") + "\n"
    }

    /// Stops serving, for every clone of this handle, and frees the port.
    pub async fn stop(self) {
        let server = self
            .inner
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(server) = server {
            server.abort();
            // Cancelled is what it is meant to be.
            let _ = server.await;
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let provider = Router::new()
        .merge(crate::accounts::routes())
        .merge(crate::web_api::routes())
        .merge(crate::lastfm::routes())
        .fallback(crate::web_api::no_such_route)
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(shared),
            crate::gate::gate,
        ));
    Router::new()
        .merge(crate::pages::routes())
        .merge(crate::lastfm::page_routes())
        .merge(crate::control::routes())
        .fallback_service(provider.with_state(Arc::clone(shared)))
        .with_state(Arc::clone(shared))
}

/// Accepts until it is aborted; the connections go with it.
async fn serve_connections(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns one connection (or too many open files, which passes).
                if let Ok((stream, address)) = accepted {
                    let router = router.clone();
                    let service = service_fn(move |mut request: Request<Incoming>| {
                        request.extensions_mut().insert(Peer(address.ip()));
                        answer(router.clone(), request.map(Body::new))
                    });
                    connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Answers one request; the error closes the connection without a word, which is what a fault may ask for.
async fn answer(router: Router, mut request: Request<Body>) -> Result<Response<Body>, Dropped> {
    if let Some(trimmed) = crate::web_api::without_trailing_slash(request.uri()) {
        *request.uri_mut() = trimmed;
    }
    let answered: Result<Response<Body>, Infallible> = router.oneshot(request).await;
    let Ok(response) = answered;
    match response.extensions().get::<Dropped>() {
        Some(&dropped) => Err(dropped),
        None => Ok(response),
    }
}

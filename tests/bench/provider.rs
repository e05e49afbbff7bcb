//! A provider that does nothing but renew: as little as a token endpoint can be, so that it is not what is measured.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::{net::TcpListener, task::JoinHandle};
use url::form_urlencoded;

use crate::Failure;

const ANSWER: &str = r#"{"access_token":"a-new-access-token","token_type":"Bearer","expires_in":3600}"#;

/// It runs; it stops with this.
pub struct Provider {
    address: SocketAddr,
    asked: Arc<Asked>,
    serving: JoinHandle<()>,
}

struct Asked {
    latency: Duration,
    /// How often each refresh token came.
    by_token: Mutex<HashMap<String, usize>>,
}

impl Asked {
    fn by_token(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.by_token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// One that takes so long for each answer, and any number at a time.
    pub async fn start(latency: Duration) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Asked {
            latency,
            by_token: Mutex::default(),
        });
        let router = Router::new()
            .route("/api/token", post(renew))
            .with_state(Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("bench: the provider: {error}");
            }
        });
        Ok(Self {
            address,
            asked,
            serving,
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many different grants it was asked to renew, and how often it was asked; and it forgets.
    pub fn asked(&self) -> (usize, usize) {
        let by_token = std::mem::take(&mut *self.asked.by_token());
        (by_token.len(), by_token.values().sum())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn renew(State(asked): State<Arc<Asked>>, body: Bytes) -> Response {
    let mut fields = form_urlencoded::parse(&body);
    if let Some((_, token)) = fields.find(|(name, _)| name == "refresh_token") {
        *asked.by_token().entry(token.into_owned()).or_default() += 1;
    }
    tokio::time::sleep(asked.latency).await;
    ([(CONTENT_TYPE, "application/json")], ANSWER).into_response()
}

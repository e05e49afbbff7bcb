//! The one way out: time-outs, no redirects, a user agent, and a limit on how much an answer may be.

use std::{
    error::Error,
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use http::{HeaderMap, Request, Response, StatusCode, header};

use crate::system::{System, Timestamp};

/// Tells the people on the other side whom to ask about our calls.
const USER_AGENT: &str = concat!("patchbay/", env!("CARGO_PKG_VERSION"));

/// Time to get a connection: a provider that does not even accept one will not answer the call either.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The port to the services outside: one complete exchange at a time, without time-outs of its own.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends `request` once, follows no redirect, and reads the whole answer, whatever its status. Dropping the future
    /// gives the exchange up; whether the other side acts upon it is not known then.
    ///
    /// # Errors
    /// [`TransportError`]; `TooLong` for a body of more than `body_bytes_max` bytes.
    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        body_bytes_max: usize,
    ) -> Result<Response<Vec<u8>>, TransportError>;
}

/// No usable answer. Whether the request was acted upon is not known.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke.
    #[error("the connection failed")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// No complete answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// The answer does not end where a sane one would.
    #[error("the answer is too long")]
    TooLong,
}

/// What one call may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The whole call, from connecting to the last byte.
    pub timeout: Duration,
    /// Bytes of the answer's body; a longer one is [`TransportError::TooLong`].
    pub body_bytes_max: usize,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
    /// When it was complete, on our clock.
    pub received_at: Timestamp,
}

impl Answer {
    /// How long the provider asks to be left alone (RFC 9110 §10.2.3), as seconds or as a date; `None` when it does
    /// not say or says nonsense.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let instant = httpdate::parse_http_date(value).ok()?;
        let since_epoch = instant.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some((Timestamp::from_ms(0) + since_epoch).since(self.received_at))
    }
}

/// The HTTP client of every provider. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpClient {
    transport: Arc<dyn Transport>,
    system: System,
}

impl HttpClient {
    /// A client that sends through `transport` and waits on `system`'s clock.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, system: System) -> Self {
        Self { transport, system }
    }

    /// Sends `request` and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`] when there is no complete answer within `limits`.
    pub async fn send(&self, request: Request<Vec<u8>>, limits: Limits) -> Result<Answer, TransportError> {
        let exchange = self.transport.exchange(request, limits.body_bytes_max);
        let response = self
            .system
            .within(limits.timeout, exchange)
            .await
            .unwrap_or(Err(TransportError::TimedOut))?;
        let received_at = self.system.now();
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            received_at,
        })
    }
}

/// The real world outside, over TLS. Its client is built at the first call, because reading the system's certificates
/// would double a function's cold start.
#[derive(Default)]
pub struct Internet {
    client: OnceLock<reqwest::Client>,
}

impl fmt::Debug for Internet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Internet")
    }
}

impl Internet {
    #[expect(clippy::disallowed_methods, reason = "this is the one HTTP client")]
    fn client(&self) -> &reqwest::Client {
        self.client.get_or_init(|| {
            // Somebody else in the process may have chosen a provider before us; theirs then stands.
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                // A redirected token call would carry the secret elsewhere (RFC 9700 §4.11).
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .build()
                .expect("constant settings with a TLS provider installed make a client")
        })
    }
}

#[async_trait]
impl Transport for Internet {
    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        body_bytes_max: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let broken = |error: reqwest::Error| TransportError::Broken(error.without_url().into());
        let request = reqwest::Request::try_from(request).map_err(broken)?;
        let mut answer = self.client().execute(request).await.map_err(broken)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > body_bytes_max {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retry_after: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().expect("a header value"));
        // 1994-11-06T08:49:37Z, the example date of RFC 9110, is 784 111 777 s after the epoch.
        let received_at = Timestamp::from_ms(784_111_770_000);
        Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: Vec::new(),
            received_at,
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        for (value, expected) in [
            ("7", Some(Duration::from_secs(7))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(Duration::from_secs(7))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(answer(value).retry_after(), expected, "{value}");
        }
    }
}

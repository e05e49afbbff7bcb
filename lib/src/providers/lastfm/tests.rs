//! Last.fm's client against a transport that answers what a test says.

mod asked;
mod bodies;
mod dice;
mod refusals;
mod shapes;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use http::{Request, Response, header};

use super::*;
use crate::{
    providers::{Transport, TransportError},
    system::{BoxFuture, Clock, RealEntropy, System},
};

/// None of these may be seen anywhere but in a request.
const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "fedcba9876543210fedcba9876543210";
const TOKEN: &str = "tokentokentokentokentokentoken32";
const SESSION_KEY: &str = "d580d57f32848f5dcf574d1ce18d78b2";

/// Gives every request the same answer, or none, and keeps what was asked.
#[derive(Debug)]
struct Always {
    answer: Option<Response<Vec<u8>>>,
    asked: Mutex<Vec<Url>>,
}

#[async_trait]
impl Transport for Always {
    async fn exchange(
        &self,
        request: Request<Vec<u8>>,
        body_bytes_max: usize,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let url = request.uri().to_string().parse().expect("an address");
        self.asked.lock().expect("one test").push(url);
        let answer = self.answer.clone();
        let answer = answer.ok_or_else(|| TransportError::Broken("the line is cut".into()))?;
        if answer.body().len() > body_bytes_max {
            return Err(TransportError::TooLong);
        }
        Ok(answer)
    }
}

/// No time passes.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_795_262_400_000)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// A client, and what it talks to.
struct Peer {
    lastfm: Lastfm,
    transport: Arc<Always>,
}

impl Peer {
    fn answering(status: u16, body: &str) -> Self {
        Self::with(Some(answer(status, body)))
    }

    fn with(answer: Option<Response<Vec<u8>>>) -> Self {
        Self::knowing(answer, Some(SECRET))
    }

    fn knowing(answer: Option<Response<Vec<u8>>>, secret: Option<&str>) -> Self {
        let transport = Arc::new(Always {
            answer,
            asked: Mutex::default(),
        });
        let system = System {
            clock: Arc::new(Stopped),
            entropy: Arc::new(RealEntropy),
        };
        let http = HttpClient::new(transport.clone(), system);
        let credentials = Credentials {
            api_key: ApiKey::from_plain(KEY.to_owned()),
            shared_secret: secret.map(|secret| SharedSecret::from_plain(secret.to_owned())),
        };
        let address = |text: &str| text.parse::<Url>().expect("an address");
        let (api, site) = (
            address("https://api.example/2.0"),
            address("https://site.example/"),
        );
        Self {
            lastfm: Lastfm::new(&http, &api, &site, credentials),
            transport,
        }
    }

    /// What was asked last, without the address.
    fn asked(&self) -> HashMap<String, String> {
        let asked = self.transport.asked.lock().expect("one test");
        let url = asked.last().expect("a request");
        assert!(url.as_str().starts_with("https://api.example/2.0/?"), "{url}");
        url.query_pairs().into_owned().collect()
    }

    fn times_asked(&self) -> usize {
        self.transport.asked.lock().expect("one test").len()
    }
}

fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.as_bytes().to_vec())
        .expect("an answer")
}

fn session_key() -> SessionKey {
    SessionKey::from_plain(SESSION_KEY.to_owned())
}

fn token() -> LoginToken {
    LoginToken::from_plain(TOKEN.to_owned())
}

/// Every play of somebody, a page of 200.
fn ask(user: &str) -> RecentAsk<'_> {
    RecentAsk {
        user,
        session: None,
        from: None,
        to: None,
        limit: 200,
        page: 1,
    }
}

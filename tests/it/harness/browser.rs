//! A browser: a cookie jar in front of the real router, and the trip to the sandbox's consent page and back.

use std::collections::BTreeMap;

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use url::form_urlencoded;

use super::{app::APP_URL, network};

/// Where providers send people back to.
const CALLBACKS: [&str; 2] = ["/api/spotify/callback", "/api/lastfm/callback"];

/// One person's browser.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    /// What the jar holds; a test may look into it, steal from it, or spoil it.
    pub cookies: BTreeMap<String, String>,
    /// Headers that every request carries.
    pub headers: HeaderMap,
    /// The origin of the page that asks; ours, unless a test says otherwise.
    pub origin: Option<String>,
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            headers: HeaderMap::new(),
            origin: Some(APP_URL.to_owned()),
        }
    }

    /// The same with a Bearer token in place of cookies.
    pub fn bearer(router: Router, token: &str) -> Self {
        let mut browser = Self::new(router);
        let value = format!("Bearer {token}")
            .parse()
            .expect("a token is a header value");
        browser.headers.insert(header::AUTHORIZATION, value);
        browser
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, Body::empty()).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Body::from(body.to_string())).await
    }

    pub async fn put(&mut self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Body::from(body.to_string())).await
    }

    pub async fn post_bytes(&mut self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::POST, path, body.into()).await
    }

    /// Sends as a page does, cookies included, and keeps the cookies that come back.
    pub async fn send(&mut self, method: Method, path: &str, body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let jar: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !jar.is_empty() {
            request = request.header(header::COOKIE, jar.join("; "));
        }
        let mut request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .expect("a request");
        if let Some(origin) = &self.origin {
            request
                .headers_mut()
                .insert(header::ORIGIN, origin.parse().expect("an origin"));
        }
        request.headers_mut().extend(self.headers.clone());
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie is text"));
        }
        let bytes = body
            .collect()
            .await
            .expect("the answer is complete")
            .to_bytes()
            .to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Starts at `start` (a GET that answers `{url}`), agrees on the consent page, and comes back: the answer of the
    /// callback.
    pub async fn connect(&mut self, start: &str) -> Answer {
        let callback = self.consent(start).await;
        self.get(&callback).await
    }

    /// The same without coming back: the path and query that the browser would open next.
    pub async fn consent(&mut self, start: &str) -> String {
        let url = self.get(start).await.expect(200)["url"]
            .as_str()
            .expect("an address")
            .to_owned();
        consent(&url).await
    }

    /// Registers an own app and connects through it: the answer of the callback.
    pub async fn connect_own(&mut self, client_id: &str, client_secret: Option<&str>) -> Answer {
        let body = serde_json::json!({"clientId": client_id, "clientSecret": client_secret});
        let started = self
            .post("/api/spotify/client-credentials", body)
            .await
            .expect(200);
        let callback = consent(started["url"].as_str().expect("an address")).await;
        self.get(&callback).await
    }
}

/// Opens the consent page of a sandbox that agrees by itself: the path and query it sends the browser back to.
pub async fn consent(url: &str) -> String {
    let client = network::client();
    let mut answer = client.get(url).send().await.expect("the sandbox answers");
    // It may bounce over pages of its own first.
    while let Some(location) = answer.headers().get(header::LOCATION) {
        let location = location.to_str().expect("an address");
        let next = answer.url().join(location).expect("an address");
        if CALLBACKS.contains(&next.path()) {
            return format!("{}?{}", next.path(), next.query().unwrap_or_default());
        }
        answer = client.get(next).send().await.expect("the sandbox answers");
    }
    panic!("no way back from the consent page: {}", answer.status());
}

/// The value of a parameter of a callback's address.
pub fn parameter(callback: &str, name: &str) -> String {
    let query = callback.split_once('?').expect("a query").1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
        .expect("it is there")
}

/// A callback's address with one parameter replaced, added or, for `None`, left out.
pub fn altered(callback: &str, name: &str, value: Option<&str>) -> String {
    let (path, query) = callback.split_once('?').expect("a query");
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found != name);
    let mut altered = form_urlencoded::Serializer::new(String::new());
    altered.extend_pairs(others);
    if let Some(value) = value {
        altered.append_pair(name, value);
    }
    format!("{path}?{}", altered.finish())
}

impl Answer {
    /// The JSON of an answer that has this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// The code of a problem with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        let body = self.expect(status);
        assert!(
            body["error"]
                .as_str()
                .is_some_and(|sentence| !sentence.is_empty()),
            "a sentence: {body}"
        );
        assert!(body["requestId"].is_string(), "a request id: {body}");
        body["code"].as_str().expect("a code").to_owned()
    }

    /// Where a redirect leads.
    #[track_caller]
    pub fn location(&self) -> String {
        assert_eq!(
            self.status,
            StatusCode::FOUND,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.headers[header::LOCATION]
            .to_str()
            .expect("an address")
            .to_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }
}

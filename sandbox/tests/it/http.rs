//! A plain HTTP client for the tests, and a sandbox with a clock that stands still.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, Response};
use sandbox::{Catalog, DEMO_APP, Options, Sandbox};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// 2026-11-21T12:00:00Z.
pub const NOON_MS: i64 = 1_795_262_400_000;
pub const CALLBACK: &str = "http://127.0.0.1:3000/api/spotify/callback";
pub const WRITE: &str = "playlist-modify-public playlist-modify-private playlist-read-private";
pub const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier-0123";
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

const TRACKS: &str = r#"{"id":"AAAAAAAAAAAAAAAAAAAAA1","title":"Ground Loop","artists":["The Loopbacks","Ana Log"],"album":"Signal Path","isrc":"ZZPBY1700002","durationMs":187500,"year":2017}
{"id":"AAAAAAAAAAAAAAAAAAAAA2","title":"Ground Loop (Live)","artists":["The Loopbacks"],"album":"On Stage","isrc":"ZZPBY1900002","durationMs":211000,"year":2019}
{"id":"AAAAAAAAAAAAAAAAAAAAA3","title":"Señal y Ruido","artists":["Ana Log"],"album":"Ruido","isrc":"ZZPBY2100003","durationMs":245120,"year":2021}
{"id":"AAAAAAAAAAAAAAAAAAAAA4","title":"夜の回路","artists":["水野"],"album":"夜","durationMs":200000,"year":2020}
{"id":"AAAAAAAAAAAAAAAAAAAAA5","title":"Sixty Hertz","artists":["Mains Hum"],"album":"Earth Wire","isrc":"ZZPBY1900004","durationMs":60000,"year":2019}"#;

/// The URI of the test catalogue's track with this number.
pub fn uri(number: u8) -> String {
    format!("spotify:track:AAAAAAAAAAAAAAAAAAAAA{number}")
}

pub async fn start() -> Sandbox {
    let catalog = Catalog::from_json_lines(TRACKS).expect("the lines above are tracks");
    let options = Options {
        clock: Arc::new(|| NOON_MS),
        catalog,
        ..Options::default()
    };
    Sandbox::start(options).await.expect("a free port")
}

/// One client for all tests, which keeps no connection: one would not outlive the runtime of the test that made it.
#[expect(
    clippy::disallowed_methods,
    reason = "a plain client is what an outsider would use"
)]
pub fn client() -> &'static Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        // The client wants a provider even for plain HTTP; an error would mean that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0);
        client.build().expect("a client with a provider")
    });
    &CLIENT
}

pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub fn demo_basic() -> String {
    basic(DEMO_APP.client_id, DEMO_APP.client_secret)
}

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// Status, the header if it is there, and the body as JSON or, if it is none, as a string.
pub async fn read(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    body(response).await
}

pub async fn body(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// A token request with a form and perhaps an `Authorization` header.
pub async fn token(sandbox: &Sandbox, authorization: Option<&str>, form: &[(&str, &str)]) -> (u16, Value) {
    let mut request = client()
        .post(format!("{}/api/token", sandbox.accounts_url()))
        .form(form);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    read(request).await
}

/// A user's token out of thin air.
pub fn access(sandbox: &Sandbox, user: &str, scopes: &str) -> String {
    sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, user, scopes)
        .expect("app and user exist")
        .access_token
}

/// A Web API call.
pub fn api(sandbox: &Sandbox, method: &str, path: &str, token: &str) -> RequestBuilder {
    let method = method.parse().expect("a method");
    client()
        .request(method, format!("{}{path}", sandbox.api_url()))
        .bearer_auth(token)
}

/// Walks through `/authorize` as a person who presses Agree, and answers the code.
pub async fn code(sandbox: &Sandbox, user: &str, more: &[(&str, &str)]) -> String {
    let query = authorize_query(more);
    let request = client()
        .post(format!("{}/authorize", sandbox.url()))
        .query(&query);
    let response = request
        .form(&[("user", user), ("decision", "agree")])
        .send()
        .await
        .expect("an answer");
    returned(&response, "code").expect("a code")
}

pub fn authorize_query<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut query = vec![
        ("client_id", DEMO_APP.client_id),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", WRITE),
        ("state", "s t&a=te"),
    ];
    query.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    query.extend_from_slice(more);
    query
}

/// A value of the query string that an answer redirects with.
pub fn returned(response: &Response, name: &str) -> Option<String> {
    let location = response.headers().get("location")?.to_str().ok()?;
    let location = url::Url::parse(location).ok()?;
    location
        .query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

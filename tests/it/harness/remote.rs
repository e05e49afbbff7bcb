//! A browser whose requests go over the network, to whatever process is there just then.

use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use reqwest::Client;

use super::{browser::Browser, network, process::Site};

/// What a browser sees of a process that ends instead of answering.
pub const GONE: StatusCode = StatusCode::BAD_GATEWAY;

/// A browser of the site's own address.
pub fn browser(site: &Site) -> Browser {
    browser_at(site, site.url())
}

/// A browser that a load balancer sends to the process at `base`, while it sees the site's own address.
pub fn browser_at(site: &Site, base: &str) -> Browser {
    let client = network::client();
    let base = base.to_owned();
    let network =
        Router::new().fallback(move |request: Request| async move { forward(&client, &base, request).await });
    let mut browser = Browser::new(network);
    let origin = site.url().parse().expect("an origin");
    browser.headers.insert(header::ORIGIN, origin);
    browser
}

async fn forward(client: &Client, base: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body in memory");
    let sent = client
        .request(parts.method, format!("{base}{}", parts.uri))
        .headers(parts.headers)
        .body(body);
    let Ok(answer) = sent.send().await else {
        return GONE.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    // The body is passed on in one piece, whatever it came in.
    headers.remove(header::TRANSFER_ENCODING);
    match answer.bytes().await {
        Ok(body) => (status, headers, body).into_response(),
        Err(_) => GONE.into_response(),
    }
}

/// A browser of the site's own address that is signed in.
pub async fn signed_in(site: &Site, name: &str) -> Browser {
    signed_in_at(site, site.url(), name).await
}

/// A browser that is signed in through the process at `base`.
pub async fn signed_in_at(site: &Site, base: &str, name: &str) -> Browser {
    let mut browser = browser_at(site, base);
    browser
        .post("/api/session", serde_json::json!({"name": name}))
        .await
        .expect(200);
    browser
}

//! The binary as a process: killed at the worst moments and started again, told to stop, called wrongly.

mod command_line;
mod connect;
mod export;
mod renewal;
mod stop;
mod writes;

use axum::{
    Router,
    body::to_bytes,
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use reqwest::Client;
use rusqlite::Connection;

use crate::harness::{browser::Browser, network, process::Site};

/// What a browser sees of a process that ends instead of answering.
const GONE: StatusCode = StatusCode::BAD_GATEWAY;

/// A browser whose requests go over the network, to whatever process is at the site just then.
fn browser(site: &Site) -> Browser {
    let client = network::client();
    let base = site.url().to_owned();
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

/// A browser that is signed in.
async fn signed_in(site: &Site, name: &str) -> Browser {
    let mut browser = browser(site);
    browser
        .post("/api/session", serde_json::json!({"name": name}))
        .await
        .expect(200);
    browser
}

/// Sets one field of a user's stored document, as if time had passed over it.
fn rewrite(site: &Site, user: &str, path: &str, value: i64) {
    let sql = "UPDATE users SET document = json_set(document, ?2, ?3) WHERE id = ?1";
    let touched = database(site)
        .execute(sql, (user, path, value))
        .expect("a document to rewrite");
    assert_eq!(touched, 1, "{user} has no document");
}

/// One field of a user's stored document.
fn stored<T: rusqlite::types::FromSql>(site: &Site, user: &str, path: &str) -> T {
    let sql = "SELECT document ->> ?2 FROM users WHERE id = ?1";
    database(site)
        .query_row(sql, (user, path), |row| row.get(0))
        .expect("a document")
}

fn database(site: &Site) -> Connection {
    Connection::open(site.file()).expect("the database file")
}

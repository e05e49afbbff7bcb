//! A person who has connected Spotify, and what their browser sends to ask about it.

use reqwest::header;
use serde_json::{Value, json};
use url::Url;

use crate::{Failure, network, process::Site};

/// Signs in, connects through the operator's app, and answers the request of a poll, cookie included.
pub async fn connect(site: &Site) -> Result<String, Failure> {
    let session = session(site.url(), "ana").await?;
    Ok(format!(
        "GET /api/spotify/status?token=false HTTP/1.1\r\nhost: patchbay\r\naccept: */*\r\ncookie: {session}\r\n\r\n"
    ))
}

/// Signs in and connects at the process that is at `base`: the session's cookie.
pub async fn session(base: &str, name: &str) -> Result<String, Failure> {
    let client = network::client();
    let url = |path: &str| format!("{base}{path}");
    let signed_in = client
        .post(url("/api/session"))
        .json(&json!({"name": name}))
        .send()
        .await?;
    let session = cookie(&signed_in)?;
    let started = client
        .get(url("/api/spotify/auth-url"))
        .header(header::COOKIE, &session)
        .send()
        .await?;
    let binding = cookie(&started)?;
    let started: Value = started.json().await?;
    let consented = client
        .get(started["url"].as_str().ok_or("an address")?)
        .send()
        .await?;
    // The way back leads to the site's own address, which is every process of it.
    let back = location(&consented)?.parse::<Url>()?;
    let path = back
        .query()
        .map_or_else(String::new, |query| format!("{}?{query}", back.path()));
    let connected = client
        .get(url(&path))
        .header(header::COOKIE, format!("{session}; {binding}"))
        .send()
        .await?;
    let back = location(&connected)?;
    if !back.contains("auth=success") {
        return Err(back.into());
    }
    Ok(session)
}

/// The one cookie that an answer sets.
fn cookie(answer: &reqwest::Response) -> Result<String, Failure> {
    let cookie = answer
        .headers()
        .get(header::SET_COOKIE)
        .ok_or("no cookie")?
        .to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

fn location(answer: &reqwest::Response) -> Result<String, Failure> {
    Ok(answer
        .headers()
        .get(header::LOCATION)
        .ok_or("no redirect")?
        .to_str()?
        .to_owned())
}

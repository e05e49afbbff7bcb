//! A person who has connected Spotify, and what their browser sends to ask about it.

use reqwest::header;
use serde_json::{Value, json};

use crate::{Failure, network, process::Site};

/// Signs in, connects through the operator's app, and answers the request of a poll, cookie included.
pub async fn connect(site: &Site) -> Result<String, Failure> {
    let client = network::client();
    let url = |path: &str| format!("{}{path}", site.url());
    let signed_in = client
        .post(url("/api/session"))
        .json(&json!({"name": "ana"}))
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
    let back = location(&consented)?;
    let connected = client
        .get(back)
        .header(header::COOKIE, format!("{session}; {binding}"))
        .send()
        .await?;
    let back = location(&connected)?;
    if !back.contains("auth=success") {
        return Err(back.into());
    }
    Ok(format!(
        "GET /api/spotify/status?token=false HTTP/1.1\r\nhost: patchbay\r\naccept: */*\r\ncookie: {session}\r\n\r\n"
    ))
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

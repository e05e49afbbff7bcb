//! The page where a person lets an application in.

use reqwest::RequestBuilder;
use sandbox::{DEMO_LASTFM, Sandbox};

use super::{ask_signed, with_dora};
use crate::http::{client, read, returned};

const CALLBACK: &str = "http://127.0.0.1:3000/api/lastfm/callback?state=a%26b";

fn request(sandbox: &Sandbox, method: &str, more: &[(&str, &str)]) -> RequestBuilder {
    let mut query = vec![("api_key", DEMO_LASTFM.api_key), ("cb", CALLBACK)];
    query.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    query.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    let url = format!("{}/api/auth/", sandbox.lastfm_site_url());
    client()
        .request(method.parse().expect("a method"), url)
        .query(&query)
}

async fn name_of(sandbox: &Sandbox, token: &str) -> String {
    let (_, body) = ask_signed(sandbox, "auth.getSession", &[("token", token)]).await;
    body["session"]["name"].as_str().expect("a session").to_owned()
}

#[tokio::test]
async fn a_person_chooses_an_account_and_agrees() {
    let sandbox = with_dora().await;
    let (status, page) = read(request(&sandbox, "GET", &[])).await;
    let page = page.as_str().expect("HTML");
    assert_eq!(status, 200);
    for part in [
        "Sandbox - not Last.fm",
        "value=\"Dora\"",
        "hides recent listening",
        "Cancel",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let form = [("user", "Dora"), ("decision", "agree")];
    let response = request(&sandbox, "POST", &[])
        .form(&form)
        .send()
        .await
        .expect("an answer");
    let location = response.headers()["location"].to_str().expect("text").to_owned();
    assert_eq!(response.status().as_u16(), 303);
    let token = returned(&response, "token").expect("a token");
    assert_eq!(location, format!("{CALLBACK}&token={token}"));
    assert_eq!(name_of(&sandbox, &token).await, "Dora");
}

#[tokio::test]
async fn who_cancels_stays_and_can_go_back_without_a_token() {
    let sandbox = with_dora().await;
    let form = [("user", "Dora"), ("decision", "cancel")];
    let (status, page) = read(request(&sandbox, "POST", &[]).form(&form)).await;
    assert_eq!(status, 200);
    let page = page.as_str().expect("HTML");
    let back = CALLBACK.replace('&', "&amp;");
    assert!(
        page.contains(&format!("href=\"{back}\"")) && !page.contains("token="),
        "{page}"
    );
}

#[tokio::test]
async fn it_agrees_at_once_when_told_to() {
    let sandbox = with_dora().await;
    sandbox.world().settings.auto_approve = true;
    for (agrees, expected) in [(None, "ana_listens"), (Some("dora"), "Dora")] {
        sandbox.world().settings.lastfm.auto_approve_as = agrees.map(str::to_owned);
        let response = request(&sandbox, "GET", &[]).send().await.expect("an answer");
        let token = returned(&response, "token").expect("a token");
        assert_eq!(name_of(&sandbox, &token).await, expected);
    }
}

#[tokio::test]
async fn an_application_without_an_address_waits_for_its_token_to_work() {
    let sandbox = with_dora().await;
    let (_, body) = ask_signed(&sandbox, "auth.getToken", &[]).await;
    let token = body["token"].as_str().expect("a token");
    let query = [("token", token), ("cb", "")];
    let form = [("user", "Dora"), ("decision", "agree")];
    let (status, page) = read(request(&sandbox, "POST", &query).form(&form)).await;
    assert!(status == 200 && page.as_str().is_some_and(|page| page.contains("Agreed")));
    assert_eq!(name_of(&sandbox, token).await, "Dora");
    let (status, _) = read(request(&sandbox, "POST", &query).form(&form)).await;
    assert_eq!(status, 400, "the token is used up");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_on_a_page() {
    let sandbox = with_dora().await;
    for (more, text) in [
        ([("api_key", "")].as_slice(), "api_key must be supplied"),
        (&[("api_key", "unknown")], "Invalid API key"),
        (&[("cb", "")], "cb must be supplied"),
        (&[("cb", "javascript:alert(1)")], "not an address of a web page"),
    ] {
        let (status, page) = read(request(&sandbox, "GET", more)).await;
        assert!(
            status == 400 && page.as_str().is_some_and(|page| page.contains(text)),
            "{text}: {page}"
        );
    }
    let form = [("user", "nobody"), ("decision", "agree")];
    assert_eq!(read(request(&sandbox, "POST", &[]).form(&form)).await.0, 400);
}

#[tokio::test]
async fn another_site_cannot_agree_for_a_person() {
    let sandbox = with_dora().await;
    let form = [("user", "Dora"), ("decision", "agree")];
    let foreign = request(&sandbox, "POST", &[])
        .form(&form)
        .header("origin", "https://evil.example");
    assert_eq!(read(foreign).await.0, 403);
}

#[tokio::test]
async fn the_last_slash_is_not_needed() {
    let sandbox = with_dora().await;
    let url = format!(
        "{}/api/auth?api_key={}&cb={CALLBACK}",
        sandbox.lastfm_site_url(),
        DEMO_LASTFM.api_key
    );
    assert_eq!(read(client().get(url)).await.0, 200);
}

//! `GET /api/lastfm/callback`: where Last.fm's own page sends people back to.

use axum::{extract::RawQuery, response::Response};
use http::HeaderMap;

use crate::{
    connect::LinkCallback,
    http::{Shared, coming_back},
    ids::LASTFM,
    secret::{LoginToken, Secret as _},
};

pub(in crate::http) async fn get(
    services: Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let callback = LinkCallback {
        arrival: coming_back::arrival(&services, &query, &headers).await,
        token: coming_back::parameter(&query, "token").map(LoginToken::from_plain),
    };
    // A task of its own: the token works once, so a person who closes the window now is linked all the same.
    let connector = services.connector.clone();
    let finished = tokio::spawn(async move { connector.finish_link(callback).await }).await;
    coming_back::answer(&services, finished, "Last.fm", &[("service", LASTFM)])
}

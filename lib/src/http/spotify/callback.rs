//! `GET /api/spotify/callback`: finishes both flows and sends the person back.

use axum::{extract::RawQuery, response::Response};
use http::HeaderMap;

use crate::{
    connect::Callback,
    http::{Shared, coming_back},
    secret::{AuthorizationCode, Secret as _},
};

pub(in crate::http) async fn get(
    services: Shared,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let callback = Callback {
        arrival: coming_back::arrival(&services, &query, &headers).await,
        code: coming_back::parameter(&query, "code").map(AuthorizationCode::from_plain),
        error: coming_back::parameter(&query, "error"),
    };
    // A task of its own: the code works once, so a person who closes the window now is connected all the same.
    let connector = services.connector.clone();
    let finished = tokio::spawn(async move { connector.finish(callback).await }).await;
    coming_back::answer(&services, finished, "Spotify", &[])
}

//! What a request carries besides its token: a JSON body, and the numbers of a page.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde_json::Value;

use super::refusal::Refusal;

/// The query string by name.
pub(super) type Params = axum::extract::Query<HashMap<String, String>>;

/// A JSON body; null if there is none.
pub(super) struct Payload(pub Value);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
        let unreadable = |_| Refusal::json(400, "Error parsing JSON.");
        let body = Bytes::from_request(request, state).await.map_err(unreadable)?;
        if body.is_empty() {
            return Ok(Self(Value::Null));
        }
        if !is_json {
            return Err(Refusal::json(415, "Unsupported Media Type"));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|_| Refusal::json(400, "Error parsing JSON."))
    }
}

/// A page of a list.
#[derive(Clone, Copy)]
pub(super) struct Page {
    pub limit: usize,
    pub offset: usize,
}

impl Page {
    /// Reads `limit` and `offset`; `Invalid limit` above the largest (reference: §7.3).
    pub(super) fn of(params: &HashMap<String, String>, default: usize, max: usize) -> Result<Self, Refusal> {
        let number = |name: &str, default| {
            params
                .get(name)
                .map_or(Ok(default), |value| value.parse::<usize>())
        };
        let limit = number("limit", default).ok().filter(|&limit| limit <= max);
        let limit = limit.ok_or_else(|| Refusal::json(400, "Invalid limit"))?;
        let offset = number("offset", 0).ok().filter(|&offset| offset <= 100_000);
        let offset = offset.ok_or_else(|| Refusal::json(400, "Invalid offset"))?;
        Ok(Self { limit, offset })
    }

    /// The rows of this page.
    pub(super) fn cut<T>(self, rows: impl IntoIterator<Item = T>) -> Vec<T> {
        rows.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

//! JSON bodies: read up to a limit, parsed, and every way in which they can be wrong told apart.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::problem::Problem;

/// What the platform passes on to a function at most (reference: Vercel, "Serving"), and what a list of ten thousand
/// songs fits into. The binary keeps the same limit, so that what works there works deployed.
const BODY_BYTES_MAX: usize = 4_500_000;

const FIELDS: &str = "The README lists the fields of every route.";

/// A JSON body. Unknown fields are ignored; an empty body is an empty object.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Problem> {
        axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| unread(&error))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        if text.trim_ascii_start().starts_with(b"[") {
            // Serde would take a list for the fields in their order.
            return Err(
                Problem::bad_request("invalid_field", "The JSON has to be an object.").remedy(FIELDS),
            );
        }
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| unparsed(&error))
    }
}

fn unread(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The request is larger than 4.5 MB.",
        )
        .remedy("Send fewer songs at once.");
    }
    Problem::bad_request("body_unreadable", "The request broke off before its end.")
}

/// The parser's own words stay here: they quote what was sent, which may be a secret.
fn unparsed(error: &serde_json::Error) -> Problem {
    let place = format!("at line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => Problem::bad_request(
            "invalid_field",
            format!("The JSON has a field that is missing or of the wrong type, {place}."),
        ),
        Category::Syntax | Category::Eof | Category::Io => Problem::bad_request(
            "invalid_json",
            format!("The body is not valid JSON in UTF-8, {place}."),
        ),
    }
    .remedy(FIELDS)
}

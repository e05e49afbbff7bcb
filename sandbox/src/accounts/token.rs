//! `POST /api/token`: every form of request, and every refusal, of reference §5.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::basic_credentials;
use crate::server::Shared;
use crate::world::{CodeExchange, Issued, RefreshField, TokenRefusal, World};

/// Answers a token request.
pub(super) async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("application/json") {
        let refusal = TokenRefusal::new("server_error", "Unexpected status: 415");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(refusal_body(&refusal))).into_response();
    }
    // Any other type is read as an empty form, which then misses its grant_type.
    let form = if kind.starts_with("application/x-www-form-urlencoded") {
        body.as_ref()
    } else {
        b""
    };
    let form: HashMap<String, String> = form_urlencoded::parse(form).into_owned().collect();
    match grant(&mut shared.world(), &headers, &form) {
        Ok(issued) => ([(header::CACHE_CONTROL, "no-store")], Json(issued_body(issued))).into_response(),
        // Always 400, invalid_client too (reference: §5.3).
        Err(refusal) => (StatusCode::BAD_REQUEST, Json(refusal_body(&refusal))).into_response(),
    }
}

fn grant(
    world: &mut World,
    headers: &HeaderMap,
    form: &HashMap<String, String>,
) -> Result<Issued, TokenRefusal> {
    let unsupported = |text: &str| TokenRefusal::new("unsupported_grant_type", text);
    let grant_type = form.get("grant_type").filter(|grant_type| !grant_type.is_empty());
    let grant_type = grant_type.ok_or_else(|| unsupported("grant_type parameter is missing"))?;
    if !matches!(
        grant_type.as_str(),
        "authorization_code" | "refresh_token" | "client_credentials"
    ) {
        return Err(unsupported(&format!("grant_type {grant_type} is not supported")));
    }
    let client = Client::authenticate(world, headers, form)?;
    match grant_type.as_str() {
        "client_credentials" if client.proved => Ok(world.client_credentials(&client.id)),
        "client_credentials" => Err(TokenRefusal::bare("invalid_client")),
        "refresh_token" => world.refresh(&client.id, client.proved, required(form, "refresh_token")?),
        _ => world.exchange_code(&CodeExchange {
            client_id: &client.id,
            proved: client.proved,
            code: required(form, "code")?,
            redirect_uri: required(form, "redirect_uri")?,
            verifier: form.get("code_verifier").map(String::as_str),
        }),
    }
}

fn required<'a>(form: &'a HashMap<String, String>, name: &str) -> Result<&'a str, TokenRefusal> {
    let value = form
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty());
    value.ok_or_else(|| TokenRefusal::new("invalid_request", &format!("{name} must be supplied")))
}

/// Which app is asking.
struct Client {
    id: String,
    /// It showed its secret.
    proved: bool,
}

impl Client {
    /// Basic, or `client_id` with or without `client_secret` in the body (reference: §5.1).
    fn authenticate(
        world: &World,
        headers: &HeaderMap,
        form: &HashMap<String, String>,
    ) -> Result<Self, TokenRefusal> {
        let unknown = || TokenRefusal::new("invalid_client", "Invalid client");
        let (id, secret) = if headers.contains_key(header::AUTHORIZATION) {
            let (id, secret) = basic_credentials(headers).ok_or_else(unknown)?;
            (id, Some(secret))
        } else {
            let id = form
                .get("client_id")
                .cloned()
                .ok_or_else(|| TokenRefusal::bare("invalid_client"))?;
            (id, form.get("client_secret").cloned())
        };
        let app = world.app(&id).ok_or_else(unknown)?;
        if secret.is_some() && secret != app.client_secret {
            return Err(TokenRefusal::new("invalid_client", "Invalid client secret"));
        }
        Ok(Self {
            id,
            proved: secret.is_some(),
        })
    }
}

fn issued_body(issued: Issued) -> Value {
    let mut body = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in_s,
    });
    match issued.refresh_token {
        RefreshField::Absent => {}
        RefreshField::Null => body["refresh_token"] = Value::Null,
        RefreshField::Token(token) => body["refresh_token"] = json!(token),
    }
    if let Some(scope) = issued.scope {
        body["scope"] = json!(scope);
    }
    if let Some(expires_in) = issued.refresh_token_expires_in {
        body["refresh_token_expires_in"] = expires_in;
    }
    body
}

fn refusal_body(refusal: &TokenRefusal) -> Value {
    match &refusal.description {
        Some(description) => json!({"error": refusal.error, "error_description": description}),
        None => json!({"error": refusal.error}),
    }
}

//! `GET·POST·DELETE /api/session`: who is signed in here, and what a page has to know before it can offer anything.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Services, Shared,
    body::Body,
    caller::{Caller, CallerError},
    problem::Problem,
};
use crate::ids::UserId;

/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 40;

#[derive(Debug, Deserialize)]
pub(super) struct SignIn {
    name: Option<String>,
}

/// Nobody has to be signed in to ask.
pub(super) async fn get(services: Shared, caller: Result<Caller, Problem>) -> Result<Json<Value>, Problem> {
    match caller {
        Ok(caller) => Ok(Json(answer(&services, Some(&caller.user)))),
        Err(problem) if problem.code() == "not_signed_in" => Ok(Json(answer(&services, None))),
        Err(problem) => Err(problem),
    }
}

/// Local sign-in: people just say who they are. A name is a name for everybody who says it; without one, a fresh
/// person that only this browser's cookie knows.
///
/// A page elsewhere must not sign its visitors in as somebody of its choosing; a program, which sends no Origin, may.
pub(super) async fn post(
    services: Shared,
    headers: HeaderMap,
    Body(sign_in): Body<SignIn>,
) -> Result<Response, Problem> {
    if headers.contains_key(header::ORIGIN) && !services.callers.is_same_origin(&headers) {
        return Err(CallerError::CrossSiteWrite.into());
    }
    if !services.settings.local_sign_in {
        let problem = Problem::new(
            StatusCode::FORBIDDEN,
            "local_sign_in_off",
            "Nobody can sign in here.",
        );
        return Err(problem.remedy("Sign in to the site that uses this service; its requests carry a JWT."));
    }
    let user = user_named(
        &services,
        sign_in
            .name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty()),
    )?;
    let cookie = services.callers.sign_in(&user, services.system.now());
    Ok(with_cookie(cookie, Json(answer(&services, Some(&user)))))
}

/// Signs out. What is connected stays connected.
pub(super) async fn delete(services: Shared) -> Response {
    with_cookie(services.callers.sign_out(), Json(json!({"success": true})))
}

/// An answer that changes the session cookie, where there is such a thing.
pub(super) fn with_cookie(cookie: Option<HeaderValue>, body: Json<Value>) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn user_named(services: &Arc<Services>, name: Option<&str>) -> Result<UserId, Problem> {
    let name = match name {
        Some(name) if name.chars().count() > NAME_CHARS_MAX => None,
        Some(name) => Some(name.to_lowercase()),
        None => Some(BASE64_URL_SAFE_NO_PAD.encode(services.system.entropy.bytes::<12>())),
    };
    name.and_then(|name| format!("local:{name}").parse().ok())
        .ok_or_else(|| {
            Problem::bad_request(
                "invalid_name",
                "A name has at most 40 characters, and no control characters.",
            )
        })
}

fn answer(services: &Services, user: Option<&UserId>) -> Value {
    let connecting = services.connector.settings();
    json!({
        "signedIn": user.is_some(),
        "userId": user,
        "localSignIn": services.settings.local_sign_in,
        "setup": {
            "redirectUri": connecting.redirect_uri,
            "standardAvailable": connecting.operator_app.is_some(),
            "ownAppAvailable": true,
            "ownerAvailable": services.exporter.has_owner(),
            "scopes": connecting.scopes,
            "demo": services.settings.demo,
        },
    })
}

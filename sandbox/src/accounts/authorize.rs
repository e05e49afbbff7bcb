//! `/authorize`: checks the request, bounces who has agreed already, takes the person's decision.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use url::{Url, form_urlencoded};

use super::{consent, scopes};
use crate::control::is_foreign;
use crate::pages;
use crate::server::Shared;
use crate::world::{Approval, World};

/// The browser session of the consent page. Cookies know no ports: the name must not meet an application's.
const SESSION_COOKIE: &str = "sandbox_spotify_session";

/// A request that passed every check.
pub(super) struct Authorization {
    pub client_id: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    state: Option<String>,
    challenge: Option<String>,
    show_dialog: bool,
}

/// Shows the consent page, or bounces straight back.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Response {
    let mut world = shared.world();
    let asked = match Authorization::check(&world, query) {
        Ok(asked) => asked,
        Err(text) => return pages::error(StatusCode::BAD_REQUEST, &text),
    };
    if world.settings.auto_approve {
        let owner = world.app(&asked.client_id).map(|app| app.owner.clone());
        let user = world.settings.auto_approve_as.clone().or(owner);
        if let Some(user) = user.filter(|user| world.user(user).is_some()) {
            return back(&asked, &[("code", &asked.approve(&mut world, &user, true))]);
        }
    }
    let person = session(&headers)
        .and_then(|session| world.signed_in(session))
        .map(|user| user.id.clone());
    if let Some(user) = &person
        && !asked.show_dialog
    {
        let agreed = world.consented_scopes(&asked.client_id, user);
        if agreed.is_some_and(|agreed| asked.scopes.iter().all(|scope| agreed.contains(scope))) {
            return back(&asked, &[("code", &asked.approve(&mut world, user, false))]);
        }
    }
    consent::page(&world, &asked, &raw.unwrap_or_default(), person.as_deref())
}

/// Takes the decision of the consent page's form.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if is_foreign(&headers) {
        return pages::error(StatusCode::FORBIDDEN, "This form was sent from another site.");
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let mut world = shared.world();
    let asked = match Authorization::check(&world, query) {
        Ok(asked) => asked,
        Err(text) => return pages::error(StatusCode::BAD_REQUEST, &text),
    };
    if form.get("decision").map(String::as_str) != Some("agree") {
        return back(&asked, &[("error", "access_denied")]);
    }
    let Some(user) = form.get("user").filter(|user| world.user(user).is_some()) else {
        return pages::error(StatusCode::BAD_REQUEST, "Choose one of the accounts.");
    };
    let code = asked.approve(&mut world, user, true);
    let cookie = format!(
        "{SESSION_COOKIE}={}; Path=/; HttpOnly; SameSite=Lax",
        world.sign_in(user)
    );
    ([(header::SET_COOKIE, cookie)], back(&asked, &[("code", &code)])).into_response()
}

impl Authorization {
    /// The checks whose failure never reaches the redirect URI; the error is the text of the page (reference: §2.3).
    fn check(world: &World, mut query: HashMap<String, String>) -> Result<Self, String> {
        let old = world.settings.legacy_authorize_errors;
        let client_id = query.remove("client_id").ok_or("client_id must be supplied")?;
        let app = world.app(&client_id).ok_or("INVALID_CLIENT: Invalid client")?;
        let redirect_uri = query
            .remove("redirect_uri")
            .ok_or("redirect_uri must be supplied")?;
        if is_insecure(&redirect_uri) {
            let text = if old {
                "INVALID_CLIENT: Insecure redirect URI"
            } else {
                "redirect_uri: Insecure"
            };
            return Err(text.to_owned());
        }
        if !app.redirects_to(&redirect_uri) {
            let new = "redirect_uri: Not matching configuration";
            return Err(if old {
                "INVALID_CLIENT: Invalid redirect URI"
            } else {
                new
            }
            .to_owned());
        }
        if query.get("response_type").map(String::as_str) != Some("code") {
            return Err("response_type must be code".to_owned());
        }
        let challenge = query.remove("code_challenge");
        if challenge.is_some() && query.get("code_challenge_method").map(String::as_str) != Some("S256") {
            return Err("code_challenge_method must be S256".to_owned());
        }
        let scope = query.remove("scope").unwrap_or_default();
        let mut scopes: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        scopes.sort();
        scopes.dedup();
        if let Some(unknown) = scopes.iter().find(|scope| scopes::meaning(scope).is_none()) {
            return Err(format!("INVALID_SCOPE: Invalid scope {unknown}"));
        }
        Ok(Self {
            client_id,
            redirect_uri,
            scopes,
            state: query.remove("state"),
            challenge,
            show_dialog: query
                .get("show_dialog")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    fn approve(&self, world: &mut World, user: &str, asked: bool) -> String {
        world.approve(&Approval {
            client_id: &self.client_id,
            user,
            redirect_uri: &self.redirect_uri,
            scopes: &self.scopes,
            challenge: self.challenge.as_deref(),
            asked,
        })
    }
}

/// `http` anywhere but on a loopback IP literal (reference: §3).
fn is_insecure(redirect_uri: &str) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else {
        return false;
    };
    url.scheme() == "http" && !matches!(url.host_str(), Some("127.0.0.1" | "[::1]"))
}

/// The way back to the application: the registered URI, as it was sent, with the outcome and the state appended.
fn back(asked: &Authorization, outcome: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(outcome);
    if let Some(state) = &asked.state {
        query.append_pair("state", state);
    }
    let joint = if asked.redirect_uri.contains('?') {
        '&'
    } else {
        '?'
    };
    Redirect::to(&format!("{}{joint}{}", asked.redirect_uri, query.finish())).into_response()
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, value)| value)
}

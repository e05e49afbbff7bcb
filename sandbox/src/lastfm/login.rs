//! `/api/auth/`: the page where a person lets an application in (reference: Last.fm §10a).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use url::{Url, form_urlencoded};

use super::pages;
use crate::control::is_foreign;
use crate::pages::escape;
use crate::server::Shared;
use crate::world::World;

/// A login that passed every check.
struct Login {
    api_key: String,
    way: Way,
}

/// How the application learns of the outcome.
enum Way {
    /// By a token that the browser brings to this address.
    Callback(String),
    /// It has got this token already, and asks whether it works by now.
    Token(String),
}

/// Shows the page, or lets the application in at once.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    RawQuery(raw): RawQuery,
) -> Response {
    let mut world = shared.world();
    let login = match Login::check(&world, query) {
        Ok(login) => login,
        Err(text) => return pages::error(StatusCode::BAD_REQUEST, text),
    };
    if world.settings.auto_approve {
        let first = world.lastfm.users().next().map(|user| user.name.clone());
        let name = world.settings.lastfm.auto_approve_as.clone().or(first);
        if let Some(name) = name.filter(|name| world.lastfm.user(name).is_some()) {
            return login.agree(&mut world, &name);
        }
    }
    consent(&world, &login, &raw.unwrap_or_default())
}

/// Takes the decision of the page's form.
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
    let login = match Login::check(&world, query) {
        Ok(login) => login,
        Err(text) => return pages::error(StatusCode::BAD_REQUEST, text),
    };
    if form.get("decision").map(String::as_str) != Some("agree") {
        return login.cancelled();
    }
    let Some(name) = form.get("user").filter(|user| world.lastfm.user(user).is_some()) else {
        return pages::error(StatusCode::BAD_REQUEST, "Choose one of the accounts.");
    };
    login.agree(&mut world, name)
}

impl Login {
    /// The error is the text of the page.
    fn check(world: &World, mut query: HashMap<String, String>) -> Result<Self, &'static str> {
        let api_key = query.remove("api_key").ok_or("api_key must be supplied")?;
        if world.lastfm.label(&api_key).is_none() {
            return Err("Invalid API key - You must be granted a valid key by last.fm");
        }
        let way = match (query.remove("token"), query.remove("cb")) {
            (Some(token), _) => Way::Token(token),
            (None, Some(callback)) => Way::Callback(callback),
            (None, None) => return Err("cb must be supplied: this application has no address of its own"),
        };
        if let Way::Callback(callback) = &way {
            let url = Url::parse(callback).ok();
            if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
                return Err("cb is not an address of a web page");
            }
        }
        Ok(Self { api_key, way })
    }

    fn agree(&self, world: &mut World, name: &str) -> Response {
        let now_s = world.now_s();
        match &self.way {
            Way::Callback(callback) => {
                let token = world.lastfm.issue_token(&self.api_key, Some(name), now_s);
                Redirect::to(&with_token(callback, &token)).into_response()
            }
            Way::Token(token) if world.lastfm.authorize_token(&self.api_key, token, name) => pages::page(
                "Agreed",
                "<h1>Agreed</h1>\n<p>You can go back to the application.</p>",
            ),
            Way::Token(_) => pages::error(StatusCode::BAD_REQUEST, "Invalid token"),
        }
    }

    /// The real page stays where it is; the link is for a person who wants to see what the application makes of that.
    fn cancelled(&self) -> Response {
        let back = match &self.way {
            Way::Callback(callback) => {
                format!(
                    "<p><a href=\"{}\">Back, without a token</a></p>",
                    escape(callback)
                )
            }
            Way::Token(_) => String::new(),
        };
        let body = format!("<h1>Not connected</h1>\n<p>The application was not let in.</p>\n{back}");
        pages::page("Not connected", &body)
    }
}

/// `cb` with the token appended to its query string.
fn with_token(callback: &str, token: &str) -> String {
    let (address, fragment) = match callback.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (callback, String::new()),
    };
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}token={token}{fragment}")
}

/// `query` is the request's own, so that the form posts back to the same request.
fn consent(world: &World, login: &Login, query: &str) -> Response {
    let mut people = String::new();
    for (index, user) in world.lastfm.users().enumerate() {
        let checked = if index == 0 { " checked" } else { "" };
        let hidden = if user.hidden { "hides recent listening" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(
            people,
            r#"<label class="person"><input type="radio" name="user" value="{name}" required{checked}>
<span><b>{name}</b> <span class="small">{hidden}</span></span></label>"#,
            name = escape(&user.name),
        );
    }
    let whither = match &login.way {
        Way::Callback(callback) => format!(
            "<p class=\"small\">If you agree you are sent back to <code>{}</code>.</p>",
            escape(callback)
        ),
        Way::Token(_) => String::new(),
    };
    let html = format!(
        r#"<h1>An application asks for access</h1>
<form method="post" action="/api/auth/?{query}">
<fieldset><legend>Who are you?</legend>
{people}</fieldset>
<section aria-labelledby="may"><h2 id="may">It will be able to</h2>
<ul class="scopes"><li>Know your name on Last.fm</li><li>See what you listen to, even if you hide it</li></ul></section>
<p class="actions"><button class="primary" name="decision" value="agree">Agree</button>
<button name="decision" value="cancel">Cancel</button></p>
{whither}
</form>"#,
        query = escape(query),
    );
    pages::page("Agree?", &html)
}

#[cfg(test)]
mod tests {
    use super::with_token;

    #[test]
    fn the_token_joins_whatever_query_there_is() {
        for (callback, expected) in [
            ("http://a/b", "http://a/b?token=t"),
            ("http://a/b?state=1", "http://a/b?state=1&token=t"),
            ("http://a/b?c#d", "http://a/b?c&token=t#d"),
        ] {
            assert_eq!(with_token(callback, "t"), expected);
        }
    }
}

//! The consent page: who are you, what may the app do, Agree or Cancel. A plain form; needs no script.

use std::fmt::Write as _;

use axum::response::Response;

use super::authorize::Authorization;
use super::scopes;
use crate::pages::{self, escape};
use crate::world::World;

/// The page; `query` is the request's own, so that the form posts back to the same request.
pub(super) fn page(world: &World, asked: &Authorization, query: &str, person: Option<&str>) -> Response {
    let app = world.app(&asked.client_id);
    let name = escape(app.map_or("An app", |app| &app.name));
    let chosen = person.or_else(|| app.map(|app| app.owner.as_str()));
    let html = format!(
        r#"<p class="banner" role="note"><strong>Sandbox - not Spotify.</strong> No password, no real account.</p>
<h1>{name} asks for access</h1>
<form method="post" action="/authorize?{query}">
<fieldset><legend>Who are you?</legend>
{people}</fieldset>
<section aria-labelledby="may"><h2 id="may">{name} will be able to</h2>
<ul class="scopes">{scopes}</ul></section>
<p class="actions"><button class="primary" name="decision" value="agree">Agree</button>
<button name="decision" value="cancel">Cancel</button></p>
<p class="small">Either way you are sent back to <code>{redirect}</code>.</p>
</form>"#,
        query = escape(query),
        people = people(world, asked, chosen),
        scopes = meanings(asked),
        redirect = escape(&asked.redirect_uri),
    );
    pages::page("Agree?", &html)
}

fn people(world: &World, asked: &Authorization, chosen: Option<&str>) -> String {
    let mut html = String::new();
    for user in world.users() {
        let checked = if chosen == Some(&user.id) { " checked" } else { "" };
        let listed = world
            .app(&asked.client_id)
            .is_some_and(|app| world.is_registered(app, &user.id));
        let note = if listed {
            ""
        } else {
            "not on the app's allow-list: agreeing works, the Web API will refuse"
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            html,
            r#"<label class="person"><input type="radio" name="user" value="{id}" required{checked}>
<span><b>{name}</b> <span class="small">{note}</span></span></label>"#,
            id = escape(&user.id),
            name = escape(user.name()),
        );
    }
    html
}

fn meanings(asked: &Authorization) -> String {
    let mut html = String::from("<li>See your name and picture</li>");
    for scope in &asked.scopes {
        let meaning = scopes::meaning(scope).unwrap_or_default();
        let _ = write!(html, "<li>{meaning} <code>{}</code></li>", escape(scope));
    }
    html
}

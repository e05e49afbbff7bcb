//! Pages for a person: the index, a playlist, errors; one frame and one stylesheet for all.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::server::Shared;
use crate::world::{Mode, World};

/// No script, no foreign source, no framing. `form-action` is left out on purpose: browsers hold it against the
/// redirect that follows a form, and the consent form's leads to the application.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(style))
        .route("/open/playlist/{id}", get(playlist))
        .route("/open/track/{id}", get(track))
        .route("/open/user/{id}", get(user))
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("pages/style.css"),
    )
}

/// A whole page around `body`, which is HTML already.
pub(crate) fn page(title: &str, body: &str) -> Response {
    framed("Spotify", title, body)
}

/// The same for a page that stands for another service's.
pub(crate) fn framed(service: &str, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{} - Sandbox, not {service}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n\
         <body><main>\n{body}\n</main></body></html>\n",
        escape(title)
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: then a browser would send `Origin: null` with the consent form.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    (headers, Html(html)).into_response()
}

/// An error page that consists of one text.
pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    framed_error("Spotify", status, text)
}

/// The same for another service.
pub(crate) fn framed_error(service: &str, status: StatusCode, text: &str) -> Response {
    let body = format!(
        "<p class=\"banner\" role=\"note\"><strong>Sandbox - not {service}.</strong></p>\n\
         <p class=\"error\" role=\"alert\">{}</p>",
        escape(text)
    );
    (status, framed(service, "Error", &body)).into_response()
}

/// Text made safe between tags and inside double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

async fn index(State(shared): State<Arc<Shared>>) -> Response {
    let world = shared.world();
    let catalog = world.catalog();
    let html = format!(
        "<p class=\"banner\" role=\"note\"><strong>Sandbox - not Spotify.</strong> A local copy of its behaviour, \
         for tests and first runs.</p>\n<h1>Spotify sandbox</h1>\n\
         <p>Point an application at <code>{base}</code> (accounts) and <code>{base}/v1</code> (Web API). \
         {tracks} tracks by {artists} artists. Time travel, faults and the list of requests: \
         <a href=\"/_sandbox\">the control face</a>.</p>\n\
         <h2>Apps</h2>\n{apps}\n<h2>People</h2>\n<ul>{people}</ul>\n<h2>Playlists</h2>\n{playlists}\n\
         {lastfm}",
        base = escape(world.base_url()),
        tracks = catalog.len(),
        artists = catalog.artists(),
        apps = apps(&world),
        people = people(&world),
        playlists = playlists(&world, |_| true),
        lastfm = crate::lastfm::index_section(&world),
    );
    page("Spotify sandbox", &html)
}

fn apps(world: &World) -> String {
    let mut html = String::new();
    for app in world.apps() {
        let mode = if world.mode_of(app) == Mode::Extended {
            "extended"
        } else {
            "development"
        };
        let users: Vec<String> = app.allowed.iter().map(|user| escape(user)).collect();
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<dl><dt>Name</dt><dd>{} ({mode} mode)</dd><dt>Client id</dt><dd><code>{}</code></dd>\
             <dt>Client secret</dt><dd><code>{}</code></dd><dt>Allow-list</dt><dd>{}</dd></dl>",
            escape(&app.name),
            escape(&app.client_id),
            escape(app.client_secret.as_deref().unwrap_or("none")),
            users.join(", ")
        );
    }
    html
}

fn people(world: &World) -> String {
    let mut html = String::new();
    for user in world.users() {
        let premium = if user.premium { ", Premium" } else { "" };
        let (id, name) = (escape(&user.id), escape(user.name()));
        let _ = write!(
            html,
            "<li><a href=\"/open/user/{id}\">{name}</a> <span class=\"small\">{id}{premium}</span></li>"
        );
    }
    html
}

fn playlists(world: &World, wanted: impl Fn(&str) -> bool) -> String {
    let mut html = String::new();
    for playlist in world.playlists().filter(|playlist| wanted(&playlist.owner)) {
        let _ = write!(
            html,
            "<li><a href=\"/open/playlist/{}\">{}</a> <span class=\"small\">by {}, {} tracks</span></li>",
            escape(&playlist.id),
            escape(&playlist.name),
            escape(&playlist.owner),
            playlist.rows.len()
        );
    }
    if html.is_empty() {
        "<p>None yet.</p>".to_owned()
    } else {
        format!("<ul>{html}</ul>")
    }
}

async fn user(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let world = shared.world();
    let Some(user) = world.user(&id) else {
        return error(StatusCode::NOT_FOUND, "There is no such person.");
    };
    let listed = playlists(&world, |owner| owner == user.id);
    page(
        user.name(),
        &format!(
            "<h1>{}</h1>\n{listed}\n<p><a href=\"/\">All</a></p>",
            escape(user.name())
        ),
    )
}

async fn track(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let world = shared.world();
    let Some(track) = world.catalog().get(&id) else {
        return error(StatusCode::NOT_FOUND, "There is no such track.");
    };
    let html = format!(
        "<h1>{}</h1>\n<p>{} - {} ({}), {}</p>\n<p><a href=\"/\">All</a></p>",
        escape(&track.title),
        escape(&track.artists.join(", ")),
        escape(&track.album),
        track.year,
        minutes(track.duration_ms)
    );
    page(&track.title, &html)
}

async fn playlist(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let world = shared.world();
    let Some(playlist) = world.playlist(&id) else {
        return error(StatusCode::NOT_FOUND, "There is no such playlist.");
    };
    let mut rows = String::new();
    for row in &playlist.rows {
        let known = row
            .uri
            .strip_prefix("spotify:track:")
            .and_then(|id| world.catalog().get(id));
        let _ = match known {
            Some(track) => writeln!(
                rows,
                "<li><b>{}</b> <span class=\"small\">{} - {}, {}</span></li>",
                escape(&track.title),
                escape(&track.artists.join(", ")),
                escape(&track.album),
                minutes(track.duration_ms)
            ),
            None => writeln!(rows, "<li><span class=\"small\">No longer available</span></li>"),
        };
    }
    let owner = world
        .user(&playlist.owner)
        .map_or(playlist.owner.as_str(), |owner| owner.name());
    let html = format!(
        "<p class=\"banner\" role=\"note\"><strong>Sandbox - not Spotify.</strong></p>\n<h1>{name}</h1>\n\
         <p>{description}</p>\n<p class=\"small\">By {owner}; {listed} on the profile; {count} tracks</p>\n\
         <ol class=\"tracks\">\n{rows}</ol>\n<p><a href=\"/\">All</a></p>",
        name = escape(&playlist.name),
        description = escape(playlist.description.as_deref().unwrap_or_default()),
        owner = escape(owner),
        listed = if playlist.public { "listed" } else { "not listed" },
        count = playlist.rows.len(),
    );
    page(&playlist.name, &html)
}

fn minutes(duration_ms: u32) -> String {
    format!("{}:{:02}", duration_ms / 60_000, duration_ms / 1000 % 60)
}

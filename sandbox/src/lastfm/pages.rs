//! Pages for a person: somebody's profile, where a song can be played, and where links to music lead.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use url::form_urlencoded;

use super::{dates, shapes};
use crate::control::is_foreign;
use crate::pages::{escape, framed, framed_error};
use crate::server::Shared;
use crate::world::{DEMO_LASTFM, Listener, Refused, Song, World};

/// Plays shown on a profile.
const SHOWN_MAX: usize = 50;
/// Plays that the form adds at once.
const FORM_TIMES_MAX: u32 = 1000;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/user/{name}", get(profile))
        .route("/user/{name}/play", post(play))
        .route("/user/{name}/now-playing", post(now_playing))
        .route("/user/{name}/privacy", post(privacy))
        .route("/music/{artist}", get(music))
        .route("/music/{artist}/{album}", get(music))
        .route("/music/{artist}/_/{title}", get(music))
}

/// A whole page of this side of the sandbox.
pub(super) fn page(title: &str, body: &str) -> Response {
    let banner = "<p class=\"banner\" role=\"note\"><strong>Sandbox - not Last.fm.</strong> No password, no real \
                  account.</p>\n";
    framed("Last.fm", title, &format!("{banner}{body}"))
}

pub(super) fn error(status: StatusCode, text: &str) -> Response {
    framed_error("Last.fm", status, text)
}

/// What the front page says of this side.
pub(super) fn index_section(world: &World) -> String {
    let now_s = world.now_s();
    let mut people = String::new();
    for listener in world.lastfm.users() {
        let hidden = if listener.hidden {
            ", hides recent listening"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = write!(
            people,
            "<li><a href=\"/user/{name}\">{name}</a> <span class=\"small\">{} plays{hidden}</span></li>",
            listener.plays(now_s).len(),
            name = escape(&listener.name),
        );
    }
    format!(
        "<h2>Last.fm</h2>\n<p>Its API is <code>{base}/2.0/</code>, its login <code>{base}/api/auth/</code>. Open \
         somebody's page to play a song as them.</p>\n\
         <dl><dt>API key</dt><dd><code>{}</code></dd><dt>Shared secret</dt><dd><code>{}</code></dd></dl>\n\
         <ul>{people}</ul>",
        DEMO_LASTFM.api_key,
        DEMO_LASTFM.shared_secret,
        base = escape(world.base_url()),
    )
}

async fn profile(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let world = shared.world();
    let Some(listener) = world.lastfm.user(&name) else {
        return no_such_user();
    };
    let plays = listener.plays(world.now_s());
    let real_name = match listener.real_name.as_str() {
        "" => String::new(),
        real_name => format!("{}, ", escape(real_name)),
    };
    let html = format!(
        "<h1>{name}</h1>\n<p class=\"small\">{real_name}{count} plays; account made {since}</p>\n\
         <h2>Play a song</h2>\n{form}\n<h2>Privacy</h2>\n{privacy}\n\
         <h2>Recent tracks</h2>\n{recent}\n<p><a href=\"/\">All</a></p>",
        name = escape(&listener.name),
        count = plays.len(),
        since = dates::of_account(listener.registered_s),
        form = play_form(listener),
        recent = recent(&world, listener),
        privacy = privacy_form(listener),
    );
    page(&listener.name, &html)
}

fn play_form(listener: &Listener) -> String {
    format!(
        r#"<form method="post" action="/user/{name}/play" class="play">
<label>Artist <input name="artist" required autocomplete="off"></label>
<label>Title <input name="title" required autocomplete="off"></label>
<label>Times <input name="times" type="number" min="1" max="{FORM_TIMES_MAX}" value="1" required></label>
<label>When <select name="since"><option value="now">now</option>
<option value="today">spread over today (UTC)</option><option value="monday">spread since Monday</option></select></label>
<p class="actions"><button class="primary">Play</button>
<button formaction="/user/{name}/now-playing">Only start playing</button></p>
</form>"#,
        name = escape(&listener.name),
    )
}

fn privacy_form(listener: &Listener) -> String {
    let (state, next, label) = if listener.hidden {
        (
            "Recent listening is hidden from others.",
            "no",
            "Show recent listening",
        )
    } else {
        (
            "Everybody can see recent listening.",
            "yes",
            "Hide recent listening",
        )
    };
    format!(
        "<p>{state}</p>\n<form method=\"post\" action=\"/user/{}/privacy\"><p class=\"actions\">\
         <button name=\"hide\" value=\"{next}\">{label}</button></p></form>",
        escape(&listener.name)
    )
}

fn recent(world: &World, listener: &Listener) -> String {
    let mut rows = String::new();
    if let Some(song) = &listener.now_playing {
        row(&mut rows, world, song, "playing now");
    }
    for play in listener.plays(world.now_s()).iter().rev().take(SHOWN_MAX) {
        row(&mut rows, world, &play.song, &dates::of_play(play.at_s));
    }
    let stop = if listener.now_playing.is_some() {
        format!(
            "<form method=\"post\" action=\"/user/{}/now-playing\"><p class=\"actions\"><button>Stop playing</button>\
             </p></form>",
            escape(&listener.name)
        )
    } else {
        String::new()
    };
    if rows.is_empty() {
        "<p>Nothing yet.</p>".to_owned()
    } else {
        format!("{stop}<ul class=\"tracks\">\n{rows}</ul>")
    }
}

fn row(rows: &mut String, world: &World, song: &Song, when: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        rows,
        "<li><a href=\"{}\">{}</a> <span class=\"small\">{}, {when}</span></li>",
        escape(&shapes::track_url(world, &song.artist, &song.title)),
        escape(&song.title),
        escape(&song.artist),
    );
}

async fn play(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(&shared, &name, &headers, &body, |world, form| {
        let times = form.get("times").and_then(|times| times.parse().ok());
        let times = times.filter(|times| (1..=FORM_TIMES_MAX).contains(times));
        let times = times.ok_or_else(|| Refused::Malformed(format!("times is not 1 to {FORM_TIMES_MAX}")))?;
        let now_s = world.now_s();
        let since = form.get("since").map_or("now", String::as_str);
        let from_s = dates::since(since, now_s);
        let from_s = from_s.ok_or_else(|| Refused::Malformed("since is no moment".to_owned()))?;
        world.lastfm.play_many(&name, &song(form), times, from_s, now_s)
    })
}

async fn now_playing(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(&shared, &name, &headers, &body, |world, form| {
        let song = form.contains_key("artist").then(|| song(form));
        world.lastfm.now_playing(&name, song)
    })
}

async fn privacy(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    change(&shared, &name, &headers, &body, |world, form| {
        let hide = form.get("hide").is_some_and(|hide| hide == "yes");
        world.lastfm.set_hidden(&name, hide)
    })
}

/// Takes a form of a profile, does what it says, and shows the profile again.
fn change(
    shared: &Shared,
    name: &str,
    headers: &HeaderMap,
    body: &Bytes,
    work: impl FnOnce(&mut World, &HashMap<String, String>) -> Result<(), Refused>,
) -> Response {
    if is_foreign(headers) {
        return error(StatusCode::FORBIDDEN, "This form was sent from another site.");
    }
    let form: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let mut world = shared.world();
    let Some(name) = world.lastfm.user(name).map(|listener| listener.name.clone()) else {
        return no_such_user();
    };
    match work(&mut world, &form) {
        Ok(()) => Redirect::to(&format!("/user/{name}")).into_response(),
        Err(refused) => error(StatusCode::BAD_REQUEST, &refused.to_string()),
    }
}

fn song(form: &HashMap<String, String>) -> Song {
    let field = |name: &str| form.get(name).map_or("", |text| text.trim());
    Song::new(field("artist"), field("title"))
}

fn no_such_user() -> Response {
    error(StatusCode::NOT_FOUND, "User not found")
}

/// Whatever was linked: an artist, an album, a track.
async fn music(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches("/music/");
    let names: Vec<String> = path
        .split('/')
        .filter(|part| *part != "_")
        .map(plus_decoded)
        .collect();
    let title = names.last().map_or("", String::as_str);
    let by = names.first().filter(|_| names.len() > 1);
    let by = by
        .map(|artist| format!("<p>by {}</p>\n", escape(artist)))
        .unwrap_or_default();
    let html = format!(
        "<h1>{}</h1>\n{by}<p class=\"small\">Here the real Last.fm has a page.</p>\n<p><a href=\"/\">All</a></p>",
        escape(title)
    );
    page(title, &html)
}

/// A piece of a path: its escapes, and a plus for a space, are those of a form.
fn plus_decoded(part: &str) -> String {
    let form = format!("x={}", part.replace('&', "%26"));
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    pairs
        .next()
        .map(|(_, name)| name.into_owned())
        .unwrap_or_default()
}

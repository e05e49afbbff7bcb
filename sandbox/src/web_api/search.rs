//! `GET /v1/search`, for tracks; other types are answered with empty pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::caller::Caller;
use super::payload::{Page, Params};
use super::refusal::Refusal;
use super::shapes;
use crate::server::Shared;
use crate::world::{LongQuery, Mode};

/// What may be asked for; the answer's key is the plural (reference: §11).
const TYPES: [&str; 7] = [
    "album",
    "artist",
    "playlist",
    "track",
    "show",
    "episode",
    "audiobook",
];
const OFFSET_MAX: usize = 1000;

/// Searches; the page counts for each type by itself.
pub(super) async fn search(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Params { 0: params }: Params,
) -> Result<Json<Value>, Refusal> {
    let world = shared.world();
    let settings = &world.settings;
    // The addresses of further pages say `query`, and are followed as they are.
    let query = params
        .get("q")
        .or_else(|| params.get("query"))
        .filter(|q| !q.trim().is_empty());
    let query = query.ok_or_else(|| Refusal::json(400, "No search query"))?;
    let types = params
        .get("type")
        .ok_or_else(|| Refusal::json(400, "Missing parameter type"))?;
    let types: Vec<&str> = types.split(',').collect();
    if let Some(bad) = types.iter().find(|name| !TYPES.contains(name)) {
        return Err(Refusal::Json {
            status: 400,
            message: format!("Bad search type field {bad}"),
        });
    }
    let (default, max) = if caller.mode == Mode::Extended {
        (20, 50)
    } else {
        (5, 10)
    };
    let page = Page::of(&params, default, max)?;
    if page.offset > OFFSET_MAX {
        return Err(Refusal::json(400, "Invalid offset"));
    }
    if query.chars().count() > settings.query_chars_max {
        match settings.long_query {
            LongQuery::Accepted => {}
            LongQuery::NotFound => return Err(Refusal::json(404, "Not found.")),
            LongQuery::BadRequest => return Err(Refusal::json(400, "Query exceeds maximum length")),
        }
    }
    let href = format!("{}/v1/search", world.base_url());
    let echo = |kind: &str| {
        let echo = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", query)
            .finish();
        format!("{echo}&type={kind}&")
    };
    let mut body = Map::new();
    for kind in types {
        let found = if kind == "track" {
            crate::search::search(world.catalog(), query, settings.isrc_outage)
        } else {
            Vec::new()
        };
        let total = found.len();
        let mut rows: Vec<Value> = page
            .cut(found)
            .into_iter()
            .map(|track| shapes::track(&world, track, caller.mode))
            .collect();
        if settings.null_search_items {
            rows.insert(0, Value::Null);
            rows.truncate(page.limit);
        }
        body.insert(
            format!("{kind}s"),
            shapes::paging(&href, &echo(kind), &rows, total, page),
        );
    }
    Ok(Json(json!(body)))
}

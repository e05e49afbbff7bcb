//! `POST /api/playlist/export?forecast=true`: what an export would cost. Nothing is begun.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::answers::mode;
use crate::export::{Calls, Fits, Forecast};

pub(super) fn answer(forecast: &Forecast) -> Response {
    let budget = &forecast.budget;
    let body = json!({
        "totalSongs": forecast.total,
        "remembered": forecast.remembered,
        "calls": {
            "search": calls(forecast.search),
            "playlist": calls(forecast.playlist),
            "other": calls(forecast.other),
        },
        "takesMs": u64::try_from(forecast.takes.as_millis()).unwrap_or(u64::MAX),
        "mode": mode(forecast.mode),
        "budget": {
            "spentSearch24h": budget.search.map(|seen| seen.spent),
            "spentPlaylist24h": budget.playlist.map(|seen| seen.spent),
            "refusedAfterSearch": budget.search.and_then(|seen| seen.refused_after),
            "refusedAfterPlaylist": budget.playlist.and_then(|seen| seen.refused_after),
            "closedUntil": budget.closed_until,
        },
        "fits": match forecast.fits {
            Fits::Yes => "yes",
            Fits::No => "no",
            Fits::Unknown => "unknown",
        },
        "sentence": forecast.sentence,
    });
    Json(body).into_response()
}

fn calls(calls: Calls) -> Value {
    json!({"least": calls.least, "likely": calls.likely, "most": calls.most})
}

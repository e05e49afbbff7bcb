//! What a caller of `/api/playlist/export` is answered: what became of every song, or how far it is.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::words::words;
use crate::{
    export::{Candidate, Finished, How, Mode, Outcome, Progress, Stage, WaitsFor, Why},
    providers::spotify::PLAYLIST_ITEMS_MAX,
    system::Timestamp,
};

pub(super) fn answer(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Finished(finished) => Json(FinishedBody::from(*finished)).into_response(),
        Outcome::Unfinished(progress) => {
            (StatusCode::ACCEPTED, Json(ProgressBody::from(progress))).into_response()
        }
    }
}

/// 200: what became of every song.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FinishedBody {
    success: bool,
    export_id: String,
    playlist_id: Option<String>,
    playlist_url: Option<String>,
    tracks_added: usize,
    total_songs: usize,
    mode: &'static str,
    used_fallback: bool,
    account_id: Option<String>,
    matched: Vec<Value>,
    unmatched: Vec<Value>,
    duplicates: Vec<Value>,
    rejected: Vec<Value>,
    /// What a person should know beyond the lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl From<Finished> for FinishedBody {
    fn from(finished: Finished) -> Self {
        let candidate = |candidate: Candidate| {
            json!({
                "uri": candidate.uri,
                "title": candidate.title,
                "artists": candidate.artists,
                "score": candidate.score,
                "reason": candidate.reason,
            })
        };
        let matched = finished.matched.iter().map(
            |song| json!({"index": song.index, "uri": song.uri, "score": song.score, "how": how(song.how)}),
        );
        let duplicates = finished
            .duplicates
            .iter()
            .map(|song| json!({"index": song.index, "uri": song.uri, "of": song.of}));
        let rejected = finished
            .rejected
            .iter()
            .map(|song| json!({"index": song.index, "uri": song.uri, "reason": song.reason}));
        Self {
            success: true,
            message: (finished.beyond > 0).then(|| {
                format!(
                    "The playlist is full: Spotify takes at most {PLAYLIST_ITEMS_MAX} songs, so the last {} were left out.",
                    finished.beyond
                )
            }),
            tracks_added: finished.tracks_added(),
            total_songs: finished.total_songs,
            mode: mode(finished.mode),
            used_fallback: finished.used_fallback,
            matched: matched.collect(),
            duplicates: duplicates.collect(),
            rejected: rejected.collect(),
            export_id: finished.id.as_str().to_owned(),
            playlist_id: finished.playlist_id,
            playlist_url: finished.playlist_url,
            account_id: finished.account_id,
            unmatched: finished
                .unmatched
                .into_iter()
                .map(|song| {
                    let candidates: Vec<_> = song.candidates.into_iter().map(candidate).collect();
                    json!({"index": song.index, "reason": song.reason, "candidates": candidates})
                })
                .collect(),
        }
    }
}

/// 202: how far it is, and when it goes on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProgressBody {
    export_id: String,
    stage: &'static str,
    done: usize,
    total: usize,
    current_song: Option<Value>,
    remaining_ms: Option<u64>,
    resume_at: Option<Timestamp>,
    code: &'static str,
    message: &'static str,
}

impl From<Progress> for ProgressBody {
    fn from(progress: Progress) -> Self {
        let (code, message) = match progress.waits_for {
            WaitsFor::Nothing => ("running", "The export is running."),
            WaitsFor::Time(Why::TimeBudget) => (
                "time_budget",
                "The export takes longer than one request may; it goes on from here.",
            ),
            WaitsFor::Time(Why::ThrottledHere) => ("throttled_here", "Other exports are before this one."),
            WaitsFor::Time(Why::RateLimited) => (
                "rate_limited",
                "Spotify asked to slow down; the export goes on by itself afterwards.",
            ),
            WaitsFor::Time(Why::QuotaExceeded) => (
                "quota_exceeded",
                "The Spotify app has used up its quota; the export goes on when it has some again.",
            ),
            WaitsFor::Time(Why::ProviderUnavailable) => (
                "provider_unavailable",
                "Spotify does not answer properly; the export is tried again by itself.",
            ),
            WaitsFor::Person(blocked) => {
                let (_, code, sentence, _) = words(blocked);
                (code, sentence)
            }
        };
        Self {
            export_id: progress.id.as_str().to_owned(),
            stage: stage(progress.stage),
            done: progress.done,
            total: progress.total,
            current_song: progress
                .song
                .map(|song| json!({"index": song.index, "title": song.title, "artist": song.artist})),
            remaining_ms: progress
                .remaining
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            resume_at: progress.resume_at,
            code,
            message,
        }
    }
}

pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Byo => "byo",
        Mode::Standard => "standard",
        Mode::Owner => "owner",
        Mode::Bearer => "bearer",
    }
}

const fn how(how: How) -> &'static str {
    match how {
        How::Given => "given",
        How::Isrc => "isrc",
        How::Fielded => "fielded",
        How::Plain => "plain",
        How::Remembered => "remembered",
        How::Corrected => "corrected",
    }
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Loading | Stage::Resolve => "resolve",
        Stage::Create => "create",
        Stage::Fill => "fill",
        Stage::Done => "done",
    }
}

//! `GET·PUT·DELETE /api/playlist/corrections`: which track the caller wants for a song, and which never.

use axum::{
    Json,
    extract::{Query, rejection::QueryRejection},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    export::{Correction, CorrectionDraft, CorrectionError, InvalidCorrection},
    http::{Shared, body::Body, caller::Caller, problem::Problem},
};

#[derive(Debug, Deserialize)]
pub(in crate::http) struct Which {
    id: String,
}

pub(in crate::http) async fn get(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    let corrections = services.exporter.corrections().list(&caller.user).await?;
    let shown: Vec<Value> = corrections.iter().map(shown).collect();
    Ok(Json(json!({"corrections": shown})))
}

pub(in crate::http) async fn put(
    services: Shared,
    caller: Caller,
    Body(draft): Body<CorrectionDraft>,
) -> Result<Json<Value>, Problem> {
    let correction = services.exporter.corrections().put(&caller.user, draft).await?;
    Ok(Json(shown(&correction)))
}

pub(in crate::http) async fn delete(
    services: Shared,
    caller: Caller,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(which) = which.map_err(|_| {
        Problem::bad_request("missing_id", "id is missing.")
            .remedy("Send the id of the correction to take back.")
    })?;
    let corrections = services.exporter.corrections();
    corrections.delete(&caller.user, &which.id).await?;
    Ok(Json(json!({"success": true})))
}

/// A correction as the caller sees it.
pub(in crate::http) fn shown(correction: &Correction) -> Value {
    json!({
        "id": correction.id,
        "title": correction.title,
        "artist": correction.artist,
        "use": correction.uses,
        "never": correction.never,
        "updatedAt": correction.updated_at,
    })
}

impl From<CorrectionError> for Problem {
    fn from(error: CorrectionError) -> Self {
        let mut sentence = error.to_string();
        sentence[..1].make_ascii_uppercase();
        sentence.push('.');
        match error {
            CorrectionError::Invalid(invalid) => {
                let code = match invalid {
                    InvalidCorrection::Song => "invalid_song",
                    InvalidCorrection::Nothing => "nothing_to_correct",
                    InvalidCorrection::Track => "invalid_track",
                    InvalidCorrection::Contradiction => "contradiction",
                };
                Self::bad_request(code, sentence)
            }
            CorrectionError::TooMany => Self::new(StatusCode::CONFLICT, "too_many_corrections", sentence)
                .remedy("Take back some that are no longer needed."),
            CorrectionError::TooManyNever => Self::new(StatusCode::CONFLICT, "too_many_never", sentence)
                .remedy("Say which track to use instead, or take the correction back and begin anew."),
            CorrectionError::NotFound => Self::new(
                StatusCode::NOT_FOUND,
                "correction_not_found",
                "There is no such correction of yours.",
            ),
            CorrectionError::Store(error) => Self::from(&error),
        }
    }
}

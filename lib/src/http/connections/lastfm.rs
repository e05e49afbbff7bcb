//! `GET·POST·DELETE /api/connections/lastfm`: which Last.fm account is linked, linking one by its name, forgetting it.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    http::{Services, Shared, body::Body, caller::Caller, problem::Problem},
    store::StoredLastfm,
};

#[derive(Debug, Deserialize)]
pub(in crate::http) struct Wanted {
    username: Option<String>,
}

pub(in crate::http) async fn get(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    let document = services.grants.look(&caller.user).await?;
    Ok(Json(shown(&services, document.lastfm.as_ref())))
}

/// By a name alone, so not verified; answers like `get`.
pub(in crate::http) async fn post(
    services: Shared,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Value>, Problem> {
    let typed = wanted.username.unwrap_or_default();
    let linked = services.connector.link_by_name(&caller.user, &typed).await?;
    Ok(Json(shown(&services, Some(&linked))))
}

/// Forgets the account and all that was kept of it. Last.fm itself keeps what was allowed on its page, until its person
/// takes that back there.
pub(in crate::http) async fn delete(services: Shared, caller: Caller) -> Result<Json<Value>, Problem> {
    services.connector.unlink(&caller.user).await?;
    Ok(Json(json!({"success": true})))
}

fn shown(services: &Services, link: Option<&StoredLastfm>) -> Value {
    let mut shown = json!({
        "available": services.listening.is_available(),
        "canVerify": services.listening.can_verify(),
        "linked": link.is_some(),
    });
    if let Some(link) = link {
        shown["username"] = json!(link.username);
        shown["verified"] = json!(link.verified);
        shown["connectedAt"] = json!(link.connected_at);
        shown["profileUrl"] = json!(services.listening.profile_url(&link.username));
        shown["sessionKept"] = json!(link.session_key_enc.is_some());
    }
    shown
}

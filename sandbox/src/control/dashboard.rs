//! Apps, people and grants, over HTTP: what the developer dashboard and the account page can do, and a little more.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, Sandboxed, done, read};
use crate::world::{App, Mode, User};

pub(super) async fn apps(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().apps().collect::<Vec<_>>()))
}

pub(super) async fn add_app(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let app: App = read(&body)?;
    Ok(Json(json!({"clientId": shared.world().add_app(app)?})))
}

pub(super) async fn delete_app(State(shared): Sandboxed, Path(id): Path<String>) -> Outcome {
    shared.world().delete_app(&id)?;
    Ok(done())
}

pub(super) async fn rotate_secret(State(shared): Sandboxed, Path(id): Path<String>) -> Outcome {
    Ok(Json(json!({"clientSecret": shared.world().rotate_secret(&id)?})))
}

#[derive(Deserialize)]
struct SetMode {
    mode: Mode,
}

pub(super) async fn set_mode(State(shared): Sandboxed, Path(id): Path<String>, body: Bytes) -> Outcome {
    let SetMode { mode } = read(&body)?;
    shared.world().set_mode(&id, mode)?;
    Ok(done())
}

#[derive(Deserialize)]
struct AddRedirect {
    uri: String,
}

pub(super) async fn add_redirect(State(shared): Sandboxed, Path(id): Path<String>, body: Bytes) -> Outcome {
    let AddRedirect { uri } = read(&body)?;
    shared.world().add_redirect_uri(&id, &uri)?;
    Ok(done())
}

pub(super) async fn allow(State(shared): Sandboxed, Path((id, user)): Path<(String, String)>) -> Outcome {
    shared.world().allow(&id, &user)?;
    Ok(done())
}

pub(super) async fn disallow(State(shared): Sandboxed, Path((id, user)): Path<(String, String)>) -> Outcome {
    shared.world().disallow(&id, &user)?;
    Ok(done())
}

pub(super) async fn users(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().users().collect::<Vec<_>>()))
}

pub(super) async fn add_user(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let user: User = read(&body)?;
    shared.world().add_user(user)?;
    Ok(done())
}

#[derive(Deserialize)]
struct SetPremium {
    premium: bool,
}

pub(super) async fn set_premium(State(shared): Sandboxed, Path(id): Path<String>, body: Bytes) -> Outcome {
    let SetPremium { premium } = read(&body)?;
    shared.world().set_premium(&id, premium)?;
    Ok(done())
}

pub(super) async fn revoke_user(State(shared): Sandboxed, Path(id): Path<String>) -> Json<Value> {
    shared.world().revoke_user(&id);
    done()
}

pub(super) async fn revoke_all(State(shared): Sandboxed) -> Json<Value> {
    shared.world().revoke_all();
    done()
}

pub(super) async fn grants(State(shared): Sandboxed) -> Json<Value> {
    Json(json!(shared.world().grants().collect::<Vec<_>>()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueGrant {
    client_id: String,
    user: String,
    scope: String,
}

pub(super) async fn issue_grant(State(shared): Sandboxed, body: Bytes) -> Outcome {
    let IssueGrant {
        client_id,
        user,
        scope,
    } = read(&body)?;
    Ok(Json(json!(
        shared.world().issue_grant(&client_id, &user, &scope)?
    )))
}

pub(super) async fn expire(State(shared): Sandboxed) -> Json<Value> {
    shared.world().expire_access_tokens();
    done()
}

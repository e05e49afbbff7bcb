//! `POST /api/spotify/reconnect-byo`: the address that renews the consent to one's own, registered app.

use axum::response::Response;
use serde::Deserialize;

use crate::{
    connect::StartOptions,
    http::{Shared, body::Body, caller::Caller, problem::Problem},
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::http) struct Wanted {
    return_to: Option<String>,
    switch_account: bool,
}

pub(in crate::http) async fn post(
    services: Shared,
    caller: Caller,
    Body(wanted): Body<Wanted>,
) -> Result<Response, Problem> {
    let options = StartOptions {
        return_to: wanted.return_to,
        switch_account: wanted.switch_account,
    };
    let started = services.connector.restart_own(&caller.user, options).await?;
    Ok(super::started(&services, &started))
}

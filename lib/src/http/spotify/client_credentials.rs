//! `POST /api/spotify/client-credentials`: register one's own app; answers with the address that connects it.

use std::fmt;

use axum::response::Response;
use serde::Deserialize;

use crate::{
    connect::{OwnApp, StartOptions},
    http::{Shared, body::Body, caller::Caller, problem::Problem},
    secret::{ClientId, ClientSecret, Secret as _},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Registration {
    client_id: Option<String>,
    client_secret: Option<String>,
    scopes: Option<Vec<String>>,
    return_to: Option<String>,
    #[serde(default)]
    switch_account: bool,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration(…)")
    }
}

pub(in crate::http) async fn post(
    services: Shared,
    caller: Caller,
    Body(registration): Body<Registration>,
) -> Result<Response, Problem> {
    let client_id = typed(registration.client_id).ok_or_else(|| {
        Problem::bad_request("missing_client_id", "clientId is missing.")
            .remedy("Copy the Client ID from your app's Settings on developer.spotify.com/dashboard.")
    })?;
    let own = OwnApp {
        client_id: ClientId::from_plain(client_id),
        client_secret: typed(registration.client_secret).map(ClientSecret::from_plain),
        scopes: registration.scopes,
    };
    let options = StartOptions {
        return_to: registration.return_to,
        switch_account: registration.switch_account,
    };
    let started = services.connector.start_own(&caller.user, own, options).await?;
    Ok(super::started(&services, &started))
}

/// What a person meant by a field: pasted blanks do not count, and an empty field is none.
fn typed(field: Option<String>) -> Option<String> {
    field
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

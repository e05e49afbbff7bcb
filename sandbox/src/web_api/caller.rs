//! Who is calling the Web API, and whether they may at all. Every handler takes a [`Caller`], so none can forget.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::bearer_token;
use super::refusal::{Refusal, Unauthorized};
use crate::server::Shared;
use crate::world::Mode;

/// The app and, unless it speaks for itself alone, the user behind a token that passed every general check.
pub(super) struct Caller {
    pub mode: Mode,
    user: Option<String>,
    scopes: Vec<String>,
}

impl Caller {
    /// The user, who must be there.
    pub(super) fn user(&self) -> Result<&str, Refusal> {
        // The wording is from memory of the live service; the reference has none.
        self.user
            .as_deref()
            .ok_or_else(|| Refusal::json(401, "Valid user authentication required"))
    }

    pub(super) fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|has| has == scope)
    }

    pub(super) fn needs(&self, scope: &str) -> Result<(), Refusal> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(Refusal::scope())
        }
    }

    /// Endpoints of the old, wide API.
    pub(super) fn needs_extended_mode(&self) -> Result<(), Refusal> {
        if self.mode == Mode::Extended {
            Ok(())
        } else {
            Err(Refusal::forbidden())
        }
    }
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let mut world = shared.world();
        let legacy = world.settings.legacy_401;
        let unauthorized = |why| Refusal::Unauthorized { why, legacy };
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Err(unauthorized(Unauthorized::Missing));
        }
        let token = bearer_token(&parts.headers)
            .ok_or_else(|| Refusal::json(400, "Only valid bearer authentication supported"))?;
        let bearer = world
            .bearer(token)
            .ok_or_else(|| unauthorized(Unauthorized::Invalid))?;
        if bearer.expired {
            return Err(unauthorized(Unauthorized::Expired));
        }
        let app = world
            .app(&bearer.client_id)
            .ok_or_else(|| unauthorized(Unauthorized::Invalid))?;
        let mode = world.mode_of(app);
        if mode == Mode::Development && !world.owner_premium(app) {
            return Err(Refusal::premium());
        }
        if let Some(user) = &bearer.user
            && !world.is_registered(app, user)
        {
            return Err(Refusal::not_registered(world.settings.not_registered));
        }
        world
            .count_call(&bearer.client_id, parts.uri.path())
            .map_err(Refusal::Limited)?;
        Ok(Self {
            mode,
            user: bearer.user,
            scopes: bearer.scopes,
        })
    }
}

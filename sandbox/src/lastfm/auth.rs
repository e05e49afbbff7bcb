//! `auth.getToken` and `auth.getSession` (reference: Last.fm §10a).

use super::call::{Call, Checked};
use super::element::{Content, Element};
use super::refusal::Refusal;
use crate::world::{LoginRefusal, World};

/// A token that nobody has agreed to yet: the way of applications that have no address to come back to.
pub(super) fn token(world: &mut World, checked: &Checked) -> Element {
    let now_s = world.now_s();
    let token = world.lastfm.issue_token(&checked.api_key, None, now_s);
    Element::text("token", &token)
}

/// Swaps a token for a session.
pub(super) fn session(world: &mut World, call: &Call, checked: &Checked) -> Result<Element, Refusal> {
    let token = call.get("token").ok_or(Refusal::of(6))?;
    let (now_s, ttl_s) = (world.now_s(), world.settings.lastfm.token_ttl_s);
    let session = world.lastfm.exchange_token(&checked.api_key, token, now_s, ttl_s);
    let (name, key) = session.map_err(|refusal| match refusal {
        LoginRefusal::Invalid => Refusal::of(4),
        LoginRefusal::Unauthorized => Refusal::of(14),
        LoginRefusal::Expired => Refusal::of(15),
    })?;
    let pays = world
        .lastfm
        .user(&name)
        .is_some_and(|listener| listener.subscriber);
    let subscriber = if world.settings.lastfm.subscriber_text {
        Content::Text(u8::from(pays).to_string())
    } else {
        Content::Number(pays.into())
    };
    Ok(Element::parent("session")
        .field("name", &name)
        .field("key", &key)
        .child(Element::with("subscriber", subscriber)))
}

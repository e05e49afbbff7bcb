//! Last.fm: proving whose an account is, and what its person listens to.

mod answers;
pub(super) mod auth_url;
pub(super) mod callback;
pub(super) mod recent;
pub(super) mod top;
pub(super) mod verify;
mod words;

//! The services outside: one file per service with its wire shapes and its few calls, and one HTTP client for all.
//!
//! Wire types stay inside; errors are sorted by what a caller can do about them.

mod http_client;
pub mod lastfm;
pub mod rules;
pub mod spotify;
mod token_answer;
mod token_endpoint;

pub use http_client::{Answer, HttpClient, Internet, Limits, Transport, TransportError};
pub use token_endpoint::{AppCredentials, TOKEN_CALL_TIMEOUT, TokenEndpoint, TokenError, Tokens};

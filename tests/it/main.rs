//! The integration tests: one binary, one module per URL or subject.

mod breaker;
mod export;
mod function;
mod grants;
mod harness;
mod kill;
mod layout;
mod playlist;
mod spotify;
mod store;

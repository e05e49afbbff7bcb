//! The integration tests: one binary, one module per URL or subject.

mod bad_input;
mod breaker;
mod callers;
mod cron;
mod explore;
mod export;
mod fire;
mod function;
mod grants;
mod harness;
mod headers;
mod health;
mod kill;
mod lastfm;
mod layout;
mod limits;
mod me;
mod metrics;
mod playlist;
mod secrets;
mod session;
mod spotify;
mod store;

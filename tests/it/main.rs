//! The integration tests: one binary, one module per URL or subject.

mod function;
mod harness;
mod layout;
mod spotify;
mod store;

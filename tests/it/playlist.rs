//! `/api/playlist/*`.

mod export;
mod file;

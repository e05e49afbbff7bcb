//! `/api/playlist/*`.

mod corrections;
mod export;
mod file;
mod forecast;
mod progress;

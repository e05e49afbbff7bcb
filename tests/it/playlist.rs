//! `/api/playlist/*`.

mod export;

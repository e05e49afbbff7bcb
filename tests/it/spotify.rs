//! `/api/spotify/*`.

mod connect;

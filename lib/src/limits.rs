//! How fast and how often outside services may be asked: turns that every instance takes from one bucket, what refusals
//! close, and a ledger of the calls of a day.

mod ledger;
mod pacer;
mod tidy;

pub use crate::pace::{Level, Pace, Refusal, Throttled};
pub use ledger::{Calls, Kind, Known, Ledger};
pub use pacer::{Closing, NoTurn, Pacer};

/// The pace towards Spotify, for each client id. Its numbers are unpublished and lower in development mode; bursts
/// alone have cost apps hours of refusals, and 100 to 250 ms between calls are advised (reference: Spotify, rate limits).
/// So there is no burst: what was not used is gone.
pub const SPOTIFY: Pace = Pace {
    capacity: 1,
    spacing_ms: 200,
};

//! How fast and how often outside services may be asked: turns that every instance takes from one bucket, what refusals
//! close, and a ledger of the calls of a day.

mod ledger;
mod pacer;
mod tidy;

pub use crate::pace::{Class, FOR_GOOD, Level, Pace, Refusal, Throttled};
pub use ledger::{Calls, Kind, Known, Ledger};
pub use pacer::{Closing, NoTurn, Pacer, Turn};

/// The pace towards Spotify, for each client id. Its numbers are unpublished and lower in development mode; bursts
/// alone have cost apps hours of refusals, and 100 to 250 ms between calls are advised (reference: Spotify, rate limits).
/// So there is no burst: what was not used is gone. A refusal says how long it lasts.
pub const SPOTIFY: Pace = Pace {
    capacity: 1,
    spacing_ms: 200,
    room: 0,
    pause_min_ms: 0,
    pause_max_ms: 0,
};

/// The pace towards Last.fm, for each key. Its terms allow 5 calls a second, averaged over 5 minutes, and nothing tells
/// what is left of them (reference: Last.fm §8; design §9): five at once and 4.9 a second after that are 1,475 within any
/// 5 minutes, of 1,500. Two tokens are left for people. After a refusal the whole key rests for a minute at least, and twice
/// as long after the next one, up to a quarter of an hour (reference: Last.fm §7, §8: error 29).
pub const LASTFM: Pace = Pace {
    capacity: 5,
    spacing_ms: 204,
    room: 2,
    pause_min_ms: 60_000,
    pause_max_ms: 15 * 60_000,
};

//! How fast outside services may be asked: pacing within this process, and what is remembered of their refusals.

mod closures;
mod pace;
mod pacer;

pub use closures::{Closing, Closures};
pub use pace::{Level, Pace, Throttled};
pub use pacer::Pacer;

/// The pace towards Spotify, for each client id. Its numbers are unpublished and lower in development mode; bursts
/// alone have cost apps hours of refusals, and 100 to 250 ms between calls are advised (reference: Spotify, rate limits).
pub const SPOTIFY: Pace = Pace {
    capacity: 2.0,
    per_second: 5.0,
};

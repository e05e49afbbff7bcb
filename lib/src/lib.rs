//! Everything patchbay knows: connecting Spotify accounts, keeping their grants alive, exporting playlists.
//!
//! One room per subject. Data flows one way, from `http` through the subject rooms to
//! [`store`], [`providers`] and [`system`], and never back; the README has the map.

pub mod app;
pub mod config;
pub mod connect;
pub mod export;
pub mod function;
pub mod grants;
pub mod http;
pub mod ids;
pub mod joining;
pub mod limits;
pub mod listening;
pub mod metrics;
pub mod pace;
pub mod providers;
pub mod secret;
pub mod songs;
pub mod store;
pub mod system;
pub mod telemetry;
pub mod vault;

/// What one thread allocates another one frees, because requests move between them; the C library's allocator lets the
/// threads wait for each other then, which took a third of the time of a poll.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! A small honest copy of Spotify: its accounts service and its Web API, for tests and first runs.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::{DEMO_APP, Fault, FaultKind, Options, Sandbox};
//!
//! let spotify = Sandbox::start(Options::default()).await?;
//! println!("{}", spotify.env_lines()); // the lines that point an application at it
//! spotify.world().allow(DEMO_APP.client_id, "guest").expect("five places, two taken");
//! spotify.world().fault(Fault::on("POST", "/api/token", FaultKind::Garbage200).times(2));
//! # Ok(()) }
//! ```
//!
//! The [`World`] is a data model: apps, people, grants, playlists, a [`Catalog`] of tracks, and every fault the
//! real service has been seen to have. The HTTP face is thin. It behaves as the public documentation and reports
//! say Spotify behaved in November 2026; where those are silent, the behaviour is a field of [`Settings`].
//! It shares no type with any client: what a client gets wrong shows here.
//!
//! | address | what |
//! |---|---|
//! | `/authorize`, `/api/token` | the accounts service |
//! | `/v1/...` | the Web API |
//! | `/`, `/open/playlist/{id}` | pages for a person |
//! | `/_sandbox` | the control face: lists itself; the same things [`Sandbox::world`] offers in process |
//!
//! Three rules for tests that share a process with it:
//! - [`Sandbox::world`] is a lock that the server needs too: let go of it before the next `await`,
//!   and take it once in a statement.
//! - Time does not pass by itself for anything stored: [`World::advance_ms`] moves it, from the clock in [`Options`].
//! - [`World::unexpected`] lists the calls no route answered; a test may end by asserting that there were none.

mod accounts;
mod catalog;
mod control;
mod gate;
mod pages;
mod search;
mod serve;
mod server;
mod web_api;
mod world;

pub use catalog::{Catalog, CatalogError, Track};
pub use serve::serve;
pub use server::{Clock, Options, Sandbox};
pub use world::{
    App, Bucket, DEMO_APP, DemoApp, Fault, FaultKind, FixedFlag, GrantView, ItemNames, LongQuery, Matcher,
    Mode, NotRegistered, OWN_APP, Playlist, PlaylistRow, RateLimit, Refused, Rotation, Seen, Settings,
    SpentToken, TokenPair, User, World,
};

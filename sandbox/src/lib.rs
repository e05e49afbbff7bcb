//! A small honest copy of Spotify and of Last.fm, for tests and first runs: Spotify's accounts service and Web API,
//! Last.fm's API and web login.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use sandbox::{DEMO_APP, Fault, FaultKind, Options, Sandbox, Song};
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! println!("{}", sandbox.env_lines()); // the lines that point an application at it
//! sandbox.world().allow(DEMO_APP.client_id, "guest").expect("five places, two taken");
//! sandbox.world().fault(Fault::on("POST", "/api/token", FaultKind::Garbage200).times(2));
//!
//! let now_s = sandbox.world().now_s();
//! let song = Song::new("BTS", "봄날").on("YOU NEVER WALK ALONE");
//! sandbox.world().lastfm.play("new_ears", &song, now_s).expect("one of the demo's people");
//! sandbox.world().fault(Fault::on_lastfm("user.getRecentTracks", FaultKind::lastfm_error(8)).times(2));
//! # Ok(()) }
//! ```
//!
//! The [`World`] is a data model: apps, people, grants, playlists, a [`Catalog`] of tracks, [`Lastfm`] with its
//! listeners and their plays, and every fault the real services have been seen to have. The HTTP face is thin. It
//! behaves as the public documentation and reports say the two behaved in November 2026; where those are silent, the
//! behaviour is a field of [`Settings`] or of [`LastfmSettings`]. It shares no type with any client: what a client
//! gets wrong shows here.
//!
//! | address | what |
//! |---|---|
//! | `/authorize`, `/api/token` | Spotify's accounts service |
//! | `/v1/...` | Spotify's Web API |
//! | `/2.0/` | Last.fm's API |
//! | `/api/auth/` | Last.fm's web login |
//! | `/`, `/open/playlist/{id}`, `/user/{name}` | pages for a person; on the last, one can play a song |
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
mod lastfm;
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
    App, BadPeriod, Bucket, DEMO_APP, DEMO_LASTFM, DemoApp, DemoLastfm, Escaping, Fault, FaultKind,
    FixedFlag, GrantView, ItemNames, KeyOrder, Lastfm, LastfmSettings, ListShape, Listener, LongQuery,
    Matcher, MeterCount, MeterRule, Mode, NotRegistered, OWN_APP, OverCap, Pictures, Play, Playlist,
    PlaylistRow, RateLimit, Refused, Rotation, Seen, Settings, Song, SpentToken, TokenPair, Transport, User,
    WindowEdges, World,
};

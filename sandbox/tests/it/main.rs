//! The sandbox through its HTTP face, and through the methods of its world.

mod authorize;
mod caller;
mod control;
mod faults;
mod http;
mod lastfm;
mod limits;
mod playlists;
mod search;
mod token;

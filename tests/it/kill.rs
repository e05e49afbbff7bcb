//! The binary as a process: killed at the worst moments and started again, told to stop, called wrongly.

mod command_line;
mod connect;
mod export;
mod renewal;
mod stop;
mod writes;

use rusqlite::Connection;

use crate::harness::{
    process::Site,
    remote::{GONE, browser, signed_in},
};

/// Sets one field of a user's stored document, as if time had passed over it.
fn rewrite(site: &Site, user: &str, path: &str, value: i64) {
    let sql = "UPDATE users SET document = json_set(document, ?2, ?3) WHERE id = ?1";
    let touched = database(site)
        .execute(sql, (user, path, value))
        .expect("a document to rewrite");
    assert_eq!(touched, 1, "{user} has no document");
}

/// One field of a user's stored document.
fn stored<T: rusqlite::types::FromSql>(site: &Site, user: &str, path: &str) -> T {
    let sql = "SELECT document ->> ?2 FROM users WHERE id = ?1";
    database(site)
        .query_row(sql, (user, path), |row| row.get(0))
        .expect("a document")
}

fn database(site: &Site) -> Connection {
    Connection::open(site.file()).expect("the database file")
}

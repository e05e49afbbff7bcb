//! The engines under test, each with the view of somebody else who uses the same database.

use std::sync::Arc;

use mongodb::{Client, bson::doc};
use patchbay::{
    secret::{DatabaseAddress, Secret as _},
    store::{DatabaseUrl, MongoStore, SqliteStore, Store},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{clock::ManualClock, mongod};

/// A fresh database, gone with this.
pub struct Engine {
    pub store: Arc<dyn Store>,
    other: Other,
}

/// The way in past patchbay.
enum Other {
    None,
    Sqlite(TempDir),
    Mongo(String),
}

impl Engine {
    pub fn sqlite_in_memory() -> Self {
        Self {
            store: DatabaseUrl::SqliteInMemory.open().expect("a database in memory"),
            other: Other::None,
        }
    }

    pub fn sqlite_file() -> Self {
        let folder = TempDir::new().expect("a folder");
        let url = DatabaseUrl::Sqlite(folder.path().join("grants.db"));
        Self {
            store: url.open().expect("a database file"),
            other: Other::Sqlite(folder),
        }
    }

    /// `None` where there is no MongoDB to test on.
    pub fn mongodb() -> Option<Self> {
        let url = mongod::fresh_database_url()?;
        let store = url
            .parse::<DatabaseUrl>()
            .expect("a good URL")
            .open()
            .expect("a store");
        Some(Self {
            store,
            other: Other::Mongo(url),
        })
    }

    /// The same database (another one, if it is in memory), whose turns go by a clock of the test's.
    pub fn on_clock(&self, clock: Arc<ManualClock>) -> Arc<dyn Store> {
        match &self.other {
            Other::None => Arc::new(SqliteStore::in_memory().expect("memory").with_clock(clock)),
            Other::Sqlite(folder) => {
                let opened = SqliteStore::open(&folder.path().join("grants.db"));
                Arc::new(opened.expect("a database file").with_clock(clock))
            }
            Other::Mongo(url) => {
                let address = DatabaseAddress::from_plain(url.clone());
                Arc::new(MongoStore::new(address).with_clock(clock))
            }
        }
    }

    /// The user's document as the host application sees it.
    pub async fn document(&self, id: &str) -> Option<Value> {
        match &self.other {
            Other::None => unreachable!("nobody sees a database in memory"),
            Other::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("grants.db")).expect("a file");
                let select = "SELECT document FROM users WHERE id = ?1";
                let text: Option<String> = connection.query_row(select, [id], |row| row.get(0)).ok();
                text.map(|text| serde_json::from_str(&text).expect("JSON"))
            }
            Other::Mongo(url) => {
                let found = users(url).await.find_one(doc! { "_id": id }).await;
                found.expect("an answer")
            }
        }
    }

    /// Puts a document as the host application does. It has an `_id`.
    pub async fn put_document(&self, document: Value) {
        let id = document["_id"].as_str().expect("an _id").to_owned();
        match &self.other {
            Other::None => unreachable!("nobody writes to a database in memory"),
            Other::Sqlite(folder) => {
                let connection = rusqlite::Connection::open(folder.path().join("grants.db")).expect("a file");
                let put = "INSERT INTO users (id, document) VALUES (?1, ?2)
                           ON CONFLICT (id) DO UPDATE SET document = excluded.document";
                connection
                    .execute(put, [id, document.to_string()])
                    .expect("a row");
            }
            Other::Mongo(url) => {
                let put = users(url).await;
                put.replace_one(doc! { "_id": id }, document)
                    .upsert(true)
                    .await
                    .expect("a document put");
            }
        }
    }
}

async fn users(url: &str) -> mongodb::Collection<Value> {
    let client = Client::with_uri_str(url).await.expect("a client");
    client
        .default_database()
        .expect("a database in the URL")
        .collection("users")
}

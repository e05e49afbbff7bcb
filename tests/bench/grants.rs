//! Databases full of people who have connected, written as patchbay writes them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use mongodb::bson::{Document, doc};
use patchbay::{
    config::Config,
    ids::{Slot, UserId},
    secret::{AccessToken, RefreshToken, Secret as _},
    store::{Store, StoredGrant, UserChange, Version, Written},
    system::{System, Timestamp},
    vault::{Place, Vault},
};
use tokio::task::JoinSet;

use crate::{Failure, mongod, process::Site};

/// Documents written at a time; SQLite commits those together.
const WRITES_AT_ONCE: usize = 64;

/// Copies handed to MongoDB at a time.
const COPIES_AT_ONCE: usize = 5_000;

/// As long as Spotify's.
const TOKEN_CHARS: usize = 180;

/// A site whose database can be filled.
pub struct Filled {
    pub site: Site,
    /// What it is called in a table.
    pub name: &'static str,
    /// Where MongoDB is, where it is MongoDB.
    pub mongodb: Option<String>,
    file: PathBuf,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    now: Timestamp,
}

impl Filled {
    /// An empty one on each database there is, with this in place of Spotify.
    pub async fn on_each(provider: String) -> Result<Vec<Self>, Failure> {
        let mut all = vec![Self::new("SQLite", provider.clone(), None).await?];
        if let Some(url) = mongod::fresh_database_url() {
            all.push(Self::new("`mongod`", provider, Some(url)).await?);
        }
        Ok(all)
    }

    async fn new(name: &'static str, provider: String, mongodb: Option<String>) -> Result<Self, Failure> {
        let mut site = Site::new().await;
        site.variables.insert("SPOTIFY_ACCOUNTS_URL", provider);
        site.variables.insert("RUST_LOG", "warn".to_owned());
        if let Some(url) = &mongodb {
            site.variables.insert("DATABASE_URL", url.clone());
        }
        let system = System::real();
        let config = config(&site)?;
        let store = config.database.open()?;
        // As `patchbay` does before its first pass: makes the indexes.
        store.users_due(Timestamp::default(), None, 1).await?;
        Ok(Self {
            file: site.file(),
            site,
            name,
            mongodb,
            store,
            vault: Arc::new(Vault::new(config.key_ring, system.entropy.clone())),
            now: system.now(),
        })
    }

    /// The same without anybody in it.
    pub async fn empty(&self) -> Result<(), Failure> {
        if let Some(url) = &self.mongodb {
            users(url).await?.delete_many(doc! {}).await?;
        } else {
            rusqlite::Connection::open(&self.file)?.execute("DELETE FROM users", ())?;
        }
        Ok(())
    }

    /// So many people who were there lately, and whose tokens want to be renewed.
    pub async fn add_due(&self, prefix: &str, count: usize) -> Result<(), Failure> {
        let mut writing = JoinSet::new();
        for n in 0..count {
            let user: UserId = format!("{prefix}-{n}").parse()?;
            let change = UserChange {
                integrations: BTreeMap::from([(Slot::Spotify, Some(self.due_grant(&user)))]),
                next_due_at: Some(Timestamp::from_ms(self.now.as_ms() - 1)),
                ..UserChange::default()
            };
            let store = Arc::clone(&self.store);
            writing.spawn(async move { store.write_user(&user, Version::ABSENT, &change).await });
            if writing.len() >= WRITES_AT_ONCE
                && let Some(written) = writing.join_next().await
            {
                is_written(written??)?;
            }
        }
        while let Some(written) = writing.join_next().await {
            is_written(written??)?;
        }
        Ok(())
    }

    fn due_grant(&self, user: &UserId) -> StoredGrant {
        let place = Place::grant(user, Slot::Spotify);
        let token = format!("{user}-{}", "x".repeat(TOKEN_CHARS));
        let an_hour_ago = Timestamp::from_ms(self.now.as_ms() - 3_600_000);
        StoredGrant {
            access_token_enc: Some(self.vault.seal(&AccessToken::from_plain(token.clone()), place)),
            refresh_token_enc: Some(self.vault.seal(&RefreshToken::from_plain(token), place)),
            token_type: "Bearer".to_owned(),
            scopes: vec![
                "playlist-modify-public".to_owned(),
                "playlist-modify-private".to_owned(),
            ],
            expires_at: self.now,
            authorized_at: an_hour_ago,
            account_id: user.to_string(),
            spotify_user_id: user.to_string(),
            status_since: an_hour_ago,
            generation: 1,
            last_used_at: an_hour_ago,
            updated_at: an_hour_ago,
            ..StoredGrant::default()
        }
    }

    /// More people like `like`, who want nothing for a year: numbers `from` to `to`, without `to`.
    pub async fn add_quiet(&self, like: &str, from: usize, to: usize) -> Result<(), Failure> {
        let due_at_ms = self.now.as_ms() + 365 * 24 * 3_600_000;
        let Some(url) = &self.mongodb else {
            let file = rusqlite::Connection::open(&self.file)?;
            // Nobody needs these after a power cut.
            file.pragma_update(None, "synchronous", "OFF")?;
            file.execute(
                "WITH RECURSIVE number(n) AS (SELECT ?2 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?3)
                 INSERT INTO users (id, document)
                 SELECT 'quiet-' || n, json_set(document, '$._id', 'quiet-' || n, '$.patchbay.nextDueAt', ?4 + n)
                 FROM number, users WHERE id = ?1",
                (like, i64::try_from(from)?, i64::try_from(to)?, due_at_ms),
            )?;
            return Ok(());
        };
        let users = users(url).await?;
        let model = users
            .find_one(doc! { "_id": like })
            .await?
            .ok_or("nobody to copy")?;
        let mut copies = Vec::with_capacity(COPIES_AT_ONCE);
        for n in from..to {
            let mut copy = model.clone();
            copy.insert("_id", format!("quiet-{n}"));
            copy.get_document_mut("patchbay")?
                .insert("nextDueAt", due_at_ms + i64::try_from(n)?);
            copies.push(copy);
            if copies.len() == COPIES_AT_ONCE || n + 1 == to {
                users.insert_many(copies.drain(..)).ordered(false).await?;
            }
        }
        Ok(())
    }
}

/// The configuration that the processes of this site have.
pub fn config(site: &Site) -> Result<Config, Failure> {
    Ok(Config::parse(|name| site.variables.get(name).cloned())?)
}

fn is_written(written: Written) -> Result<(), Failure> {
    match written {
        Written::As(_) => Ok(()),
        Written::Conflict => Err("somebody is there already".into()),
    }
}

async fn users(url: &str) -> Result<mongodb::Collection<Document>, Failure> {
    let client = mongodb::Client::with_uri_str(url).await?;
    let database = client.default_database().ok_or("a database in the URL")?;
    Ok(database.collection("users"))
}

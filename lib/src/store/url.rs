//! Which database to use, as one URL says: the only place that picks an engine.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use mongodb::options::ConnectionString;
use url::Url;

use super::{MongoStore, SqliteStore, Store, StoreError};
use crate::secret::{DatabaseAddress, Secret};

/// A database, named but not opened.
#[derive(Clone, Debug)]
pub enum DatabaseUrl {
    /// `sqlite:///absolute/path.db`: one file, safe for several processes of one machine.
    Sqlite(PathBuf),
    /// `sqlite::memory:`: gone with the process; for tests and trials.
    SqliteInMemory,
    /// `mongodb://…` or `mongodb+srv://…`: for more than one machine.
    Mongo(DatabaseAddress),
}

/// What is wrong with a database URL. Never quotes it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another scheme, or none.
    #[error("it has to start with sqlite://, mongodb:// or mongodb+srv://")]
    Scheme,
    /// A relative path would name another file in every folder.
    #[error("a SQLite database is named by an absolute path: sqlite:///folder/file.db (three slashes)")]
    RelativePath,
    /// SQLite takes no options here.
    #[error("a SQLite URL ends with the path; write `?` as %3F and `#` as %23 in it")]
    SqliteOptions,
    /// The path is not text, or there is none.
    #[error("the path of the SQLite database cannot be read")]
    Path,
    /// The driver does not understand it.
    #[error(
        "not a MongoDB connection string: mongodb://user:password@host:port/database?options, \
         with the special characters in user and password percent-encoded"
    )]
    Mongo,
}

impl DatabaseUrl {
    /// Whether it is gone with the process, and no other one can see it.
    #[must_use]
    pub const fn is_in_memory(&self) -> bool {
        matches!(self, Self::SqliteInMemory)
    }

    /// Opens the engine. SQLite opens (or makes) its file now; MongoDB connects on first use.
    ///
    /// # Errors
    /// The file cannot be opened, or holds something else. Must run inside a tokio runtime.
    pub fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path)?),
            Self::SqliteInMemory => Arc::new(SqliteStore::in_memory()?),
            Self::Mongo(address) => Arc::new(MongoStore::new(address.clone())),
        })
    }
}

/// Which kind of database, for a log line.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite, {}", path.display()),
            Self::SqliteInMemory => f.write_str("SQLite, in memory"),
            Self::Mongo(_) => f.write_str("MongoDB"),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(url: &str) -> Result<Self, InvalidDatabaseUrl> {
        match url
            .split_once(':')
            .map(|(scheme, rest)| (scheme, rest.trim_end()))
        {
            Some(("sqlite", ":memory:")) => Ok(Self::SqliteInMemory),
            Some(("sqlite", rest)) => sqlite_path(rest).map(Self::Sqlite),
            Some(("mongodb" | "mongodb+srv", _)) => match ConnectionString::parse(url.trim_end()) {
                Ok(_) => Ok(Self::Mongo(DatabaseAddress::from_plain(
                    url.trim_end().to_owned(),
                ))),
                Err(_) => Err(InvalidDatabaseUrl::Mongo),
            },
            _ => Err(InvalidDatabaseUrl::Scheme),
        }
    }
}

fn sqlite_path(after_scheme: &str) -> Result<PathBuf, InvalidDatabaseUrl> {
    if !after_scheme.starts_with("///") {
        return Err(InvalidDatabaseUrl::RelativePath);
    }
    if after_scheme.contains(['?', '#']) {
        return Err(InvalidDatabaseUrl::SqliteOptions);
    }
    // As a file URL, because for that scheme the `url` crate knows what a path is on every system.
    let path = Url::parse(&format!("file:{after_scheme}"))
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .ok_or(InvalidDatabaseUrl::Path)?;
    if path.file_name().is_none() || after_scheme.ends_with('/') {
        return Err(InvalidDatabaseUrl::Path);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<String, InvalidDatabaseUrl> {
        url.parse::<DatabaseUrl>().map(|url| url.to_string())
    }

    #[test]
    fn each_engine_has_its_form() {
        assert_eq!(
            parsed("sqlite:///var/lib/patchbay/my%20grants.db").as_deref(),
            Ok("SQLite, /var/lib/patchbay/my grants.db")
        );
        assert_eq!(parsed("sqlite::memory:").as_deref(), Ok("SQLite, in memory"));
        assert_eq!(parsed("mongodb://localhost/app").as_deref(), Ok("MongoDB"));
        assert_eq!(
            parsed("mongodb+srv://u:p@cluster.example.net/app").as_deref(),
            Ok("MongoDB")
        );
    }

    #[test]
    fn a_bad_url_is_told_what_is_wrong() {
        for (url, wrong) in [
            ("", InvalidDatabaseUrl::Scheme),
            ("/var/lib/patchbay.db", InvalidDatabaseUrl::Scheme),
            ("postgres://u:p@host/db", InvalidDatabaseUrl::Scheme),
            ("sqlite://patchbay.db", InvalidDatabaseUrl::RelativePath),
            ("sqlite:patchbay.db", InvalidDatabaseUrl::RelativePath),
            ("sqlite:///a.db?mode=ro", InvalidDatabaseUrl::SqliteOptions),
            ("sqlite:///", InvalidDatabaseUrl::Path),
            ("sqlite:///folder/", InvalidDatabaseUrl::Path),
            ("mongodb://", InvalidDatabaseUrl::Mongo),
            ("mongodb://u:p@ss@host", InvalidDatabaseUrl::Mongo),
        ] {
            assert_eq!(parsed(url), Err(wrong), "{url}");
        }
    }

    #[test]
    fn the_password_is_in_no_text() {
        let url: DatabaseUrl = "mongodb://someone:hunter2@localhost/app"
            .parse()
            .expect("a good URL");
        let bad = "mongodb://someone:hunter2@local host:x/app"
            .parse::<DatabaseUrl>()
            .expect_err("a bad URL");
        for text in [
            format!("{url:?}"),
            url.to_string(),
            format!("{bad:?}"),
            bad.to_string(),
        ] {
            assert!(!text.contains("hunter2") && !text.contains("someone"), "{text}");
        }
    }
}

//! A database that is not there, and files that are something else: what callers get to see of it.

use std::{fs, sync::Arc};

use patchbay::{
    ids::Slot,
    store::{DatabaseUrl, SqliteStore, Store, StoreError, Version},
};
use tempfile::TempDir;

use super::{engine::Engine, grant, putting, user, version};
use crate::harness::flaky_store::{Call, FlakyStore, When};

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_when_asked_and_not_before() {
    // Port 1 of the loopback refuses at once.
    let url = "mongodb://someone:hunter2@127.0.0.1:1/app?serverSelectionTimeoutMS=50";
    let store = url
        .parse::<DatabaseUrl>()
        .expect("a good URL")
        .open()
        .expect("a store that asks nobody");
    let results = [
        store.ping().await,
        store.find_user(&user("ada")).await.map(drop),
        store.users_due(super::at(0), None, 1).await.map(drop),
        store
            .write_user(&user("ada"), Version::ABSENT, &super::due(1))
            .await
            .map(drop),
    ];
    for result in results {
        let error = result.expect_err("nobody answers");
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[test]
fn a_file_that_is_something_else_is_not_touched() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("letter.txt");
    let letter = "Dear Ada, this is not a database. ".repeat(100);
    fs::write(&path, &letter).expect("a file");
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::Unreadable(_))));
    assert_eq!(fs::read_to_string(&path).expect("the file"), letter);
    // A folder where the file should be.
    assert!(matches!(
        SqliteStore::open(folder.path()),
        Err(StoreError::Unavailable(_))
    ));
    // A file where the folder should be.
    assert!(matches!(
        SqliteStore::open(&path.join("grants.db")),
        Err(StoreError::Unavailable(_))
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_made_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("new/deep/grants.db");
    let store = SqliteStore::open(&path).expect("a database");
    version(
        store
            .write_user(&user("ada"), Version::ABSENT, &super::due(1))
            .await
            .expect("a write"),
    );
    let rights = |path: &std::path::Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    for made in ["new", "new/deep"] {
        assert_eq!(rights(&folder.path().join(made)), 0o700, "{made}");
    }
    for made in ["grants.db", "grants.db-wal", "grants.db-shm"] {
        assert_eq!(rights(&path.with_file_name(made)), 0o600, "{made}");
    }
}

#[tokio::test]
async fn the_flaky_store_fails_as_often_as_it_is_told_and_where() {
    let Engine { store, .. } = Engine::sqlite_in_memory();
    let flaky = FlakyStore::over(Arc::clone(&store));
    let (ada, change) = (user("ada"), putting(Slot::Spotify, grant("one")));

    flaky.fail_next(1, Call::WriteUser, When::Before);
    flaky.fail_next(1, Call::WriteUser, When::After);
    let lost = flaky.write_user(&ada, Version::ABSENT, &change).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))));
    assert_eq!(
        store.find_user(&ada).await.expect("an answer").version,
        Version::ABSENT
    );
    let unanswered = flaky.write_user(&ada, Version::ABSENT, &change).await;
    assert!(matches!(unanswered, Err(StoreError::Unavailable(_))));
    let written = store.find_user(&ada).await.expect("an answer");
    assert_eq!(written.integrations, [(Slot::Spotify, grant("one"))].into());
    version(
        flaky
            .write_user(&ada, written.version, &change)
            .await
            .expect("a write"),
    );
    assert_eq!(flaky.calls(Call::WriteUser), 3);

    flaky.fail_next(usize::MAX, Call::Ping, When::Before);
    for _ in 0..3 {
        assert!(flaky.ping().await.is_err());
    }
    flaky.heal();
    flaky.ping().await.expect("a healed store");
}

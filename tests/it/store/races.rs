//! Many writers at once in one process: one winner a version, and the winners' writes are what is there.

use super::over_every_engine;

over_every_engine!(
    many_writers_lose_nothing,
    one_of_many_first_writes_wins,
    erasing_leaves_whole_documents_or_none,
);

pub mod stories {
    use std::{collections::BTreeSet, sync::Arc};

    use patchbay::{
        ids::{Slot, UserId},
        store::{Record, Store, UserDocument, Version, Written},
    };
    use serde_json::json;

    use crate::store::{engine::Engine, grant, putting, user, version};

    const WRITERS: usize = 8;
    const WRITES_EACH: usize = 12;

    /// Counts a grant's generation up, however often somebody else is faster; the version that it took.
    pub async fn count_up(store: &dyn Store, id: &UserId) -> Version {
        loop {
            let read = store.find_user(id).await.expect("an answer");
            let mut counted = read.integrations.get(&Slot::Spotify).cloned().unwrap_or_default();
            counted.generation += 1;
            let change = putting(Slot::Spotify, counted);
            if let Written::As(version) = store
                .write_user(id, read.version, &change)
                .await
                .expect("a write")
            {
                return version;
            }
        }
    }

    pub async fn many_writers_lose_nothing(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (store, ada) = (Arc::clone(&store), ada.clone());
                tokio::spawn(async move {
                    let mut versions = Vec::new();
                    for _ in 0..WRITES_EACH {
                        versions.push(count_up(&*store, &ada).await);
                    }
                    versions
                })
            })
            .collect();
        let mut taken = BTreeSet::new();
        for writer in writers {
            let versions = writer.await.expect("a writer that ends");
            assert!(versions.is_sorted(), "a version went back: {versions:?}");
            for version in versions {
                assert!(taken.insert(version), "two writers took {version:?}");
            }
        }
        let found = store.find_user(&ada).await.expect("an answer");
        let total = WRITERS * WRITES_EACH;
        assert_eq!(found.integrations[&Slot::Spotify].generation, total as u64);
        assert_eq!(taken.last(), Some(&found.version));
        assert_eq!(
            found.version.0 - taken.first().expect("a version").0,
            total as u64 - 1
        );
    }

    pub async fn one_of_many_first_writes_wins(Engine { store, .. }: Engine) {
        let attempts: Vec<_> = (0..WRITERS)
            .map(|n| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let grant = grant(&n.to_string());
                    let user = store
                        .write_user(&user("ada"), Version::ABSENT, &putting(Slot::Spotify, grant))
                        .await;
                    let record = Record {
                        body: json!(n),
                        ..Record::default()
                    };
                    let record = store
                        .write_record(patchbay::store::Collection::Exports, "job", &record)
                        .await;
                    (n, user.expect("an answer"), record.expect("an answer"))
                })
            })
            .collect();
        let (mut users, mut records) = (Vec::new(), Vec::new());
        for attempt in attempts {
            let (n, user, record) = attempt.await.expect("an attempt that ends");
            users.extend(matches!(user, Written::As(_)).then_some(n));
            records.extend(matches!(record, Written::As(_)).then_some(n));
        }
        let stored = store.find_user(&user("ada")).await.expect("an answer");
        assert_eq!(users.len(), 1);
        assert_eq!(
            stored.integrations[&Slot::Spotify].account_id,
            users[0].to_string()
        );
        let stored = store
            .find_record(patchbay::store::Collection::Exports, "job")
            .await
            .expect("an answer");
        assert_eq!(records.len(), 1);
        assert_eq!(stored.expect("a record").body, json!(records[0]));
    }

    pub async fn erasing_leaves_whole_documents_or_none(Engine { store, .. }: Engine) {
        let ada = user("ada");
        for _ in 0..20 {
            let writer = {
                let (store, ada) = (Arc::clone(&store), ada.clone());
                tokio::spawn(async move { count_up(&*store, &ada).await })
            };
            store.delete_user(&ada).await.expect("an erasure");
            let counted = writer.await.expect("a writer that ends");
            // Either the write came last, and its document is there as a whole, or it is gone as a whole.
            let found = store.find_user(&ada).await.expect("an answer");
            if found.version == counted {
                assert_eq!(found.integrations.len(), 1);
            } else {
                assert_eq!(found, UserDocument::default());
            }
        }
        store.delete_user(&ada).await.expect("an erasure");
        version(
            store
                .write_user(&ada, Version::ABSENT, &putting(Slot::Spotify, grant("new")))
                .await
                .expect("a write"),
        );
    }
}

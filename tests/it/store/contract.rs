//! What every engine promises.

use super::over_every_engine;

over_every_engine!(
    nothing_is_there_at_first,
    what_is_written_is_read,
    only_the_named_slots_change,
    a_write_names_the_version_it_read,
    an_erased_document_never_gets_an_old_version_back,
    due_users_come_in_order_page_by_page,
    records_are_kept,
    due_records_come_in_order,
    an_owner_has_the_latest_records_and_can_be_forgotten,
);

mod stories {
    use patchbay::{
        ids::{Slot, UserId},
        store::{Collection, Record, Store, StoredGrant, UserChange, UserDocument, Version, Written},
    };
    use serde_json::json;

    use crate::store::{at, due, engine::Engine, grant, pending, putting, user, version};

    pub async fn nothing_is_there_at_first(Engine { store, .. }: Engine) {
        let ada = user("ada");
        store.ping().await.expect("a database");
        assert_eq!(
            store.find_user(&ada).await.expect("an answer"),
            UserDocument::default()
        );
        assert_eq!(
            store.users_due(at(i64::MAX), None, 9).await.expect("an answer"),
            []
        );
        store.delete_user(&ada).await.expect("nothing to do");
        for collection in Collection::ALL {
            assert_eq!(store.find_record(collection, "a").await.expect("an answer"), None);
            assert_eq!(
                store
                    .records_due(collection, at(i64::MAX), 9)
                    .await
                    .expect("an answer"),
                []
            );
            assert_eq!(
                store.records_of(collection, &ada, 9).await.expect("an answer"),
                []
            );
            store
                .delete_records_of(collection, &ada)
                .await
                .expect("nothing to do");
        }
    }

    pub async fn what_is_written_is_read(Engine { store, .. }: Engine) {
        // An id with everything that a path, a query or a JSON text could trip over.
        let ada = user("auth0|ada.$set'\"\\ 東京");
        let change = UserChange {
            integrations: [
                (Slot::Spotify, Some(grant("one"))),
                (Slot::SpotifyByo, Some(StoredGrant::default())),
            ]
            .into(),
            pending: [(Slot::SpotifyByo, Some(pending("state")))].into(),
            next_due_at: Some(at(-5)),
        };
        let written = version(
            store
                .write_user(&ada, Version::ABSENT, &change)
                .await
                .expect("a write"),
        );
        let found = store.find_user(&ada).await.expect("an answer");
        let expected = UserDocument {
            version: written,
            integrations: [
                (Slot::Spotify, grant("one")),
                (Slot::SpotifyByo, StoredGrant::default()),
            ]
            .into(),
            pending: [(Slot::SpotifyByo, pending("state"))].into(),
            next_due_at: Some(at(-5)),
        };
        assert_eq!(found, expected);
        assert_eq!(
            store.find_user(&user("bob")).await.expect("an answer"),
            UserDocument::default()
        );
    }

    pub async fn only_the_named_slots_change(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let both = UserChange {
            integrations: [
                (Slot::Spotify, Some(grant("one"))),
                (Slot::SpotifyByo, Some(grant("own"))),
            ]
            .into(),
            pending: [(Slot::Spotify, Some(pending("first")))].into(),
            next_due_at: Some(at(9)),
        };
        let first = version(
            store
                .write_user(&ada, Version::ABSENT, &both)
                .await
                .expect("a write"),
        );

        // A grant is replaced whole: a field that is gone from it is gone from the database.
        let bare = StoredGrant::default();
        let replace = UserChange {
            integrations: [(Slot::Spotify, Some(bare.clone()))].into(),
            pending: [(Slot::Spotify, None), (Slot::SpotifyByo, None)].into(),
            next_due_at: None,
        };
        let second = version(store.write_user(&ada, first, &replace).await.expect("a write"));
        let expected = UserDocument {
            version: second,
            integrations: [(Slot::Spotify, bare), (Slot::SpotifyByo, grant("own"))].into(),
            ..UserDocument::default()
        };
        assert_eq!(store.find_user(&ada).await.expect("an answer"), expected);
        assert!(second > first);

        let remove = UserChange {
            integrations: [(Slot::Spotify, None)].into(),
            ..UserChange::default()
        };
        version(store.write_user(&ada, second, &remove).await.expect("a write"));
        let slots = store.find_user(&ada).await.expect("an answer").integrations;
        assert_eq!(slots, [(Slot::SpotifyByo, grant("own"))].into());
    }

    pub async fn a_write_names_the_version_it_read(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let too_early = store
            .write_user(&ada, Version(7), &putting(Slot::Spotify, grant("none")))
            .await;
        assert_eq!(too_early.expect("an answer"), Written::Conflict);
        assert_eq!(
            store.find_user(&ada).await.expect("an answer"),
            UserDocument::default()
        );

        let first = putting(Slot::Spotify, grant("first"));
        let first = version(
            store
                .write_user(&ada, Version::ABSENT, &first)
                .await
                .expect("a write"),
        );
        let second = version(store.write_user(&ada, first, &due(5)).await.expect("a write"));
        let before = store.find_user(&ada).await.expect("an answer");
        for stale in [Version::ABSENT, first, Version(second.0 + 1)] {
            let late = store
                .write_user(&ada, stale, &putting(Slot::Spotify, grant("late")))
                .await;
            assert_eq!(late.expect("an answer"), Written::Conflict);
        }
        assert_eq!(store.find_user(&ada).await.expect("an answer"), before);
    }

    pub async fn an_erased_document_never_gets_an_old_version_back(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let mut seen = Vec::new();
        for _ in 0..3 {
            let first = version(
                store
                    .write_user(&ada, Version::ABSENT, &due(1))
                    .await
                    .expect("a write"),
            );
            let second = version(store.write_user(&ada, first, &due(2)).await.expect("a write"));
            for old in &seen {
                let late = store.write_user(&ada, *old, &due(3)).await.expect("an answer");
                assert_eq!(late, Written::Conflict);
            }
            seen.extend([first, second]);
            store.delete_user(&ada).await.expect("an erasure");
            assert_eq!(
                store.find_user(&ada).await.expect("an answer"),
                UserDocument::default()
            );
            assert_eq!(store.users_due(at(9), None, 9).await.expect("an answer"), []);
            // Forgetting wins over what was going on.
            assert_eq!(
                store.write_user(&ada, second, &due(4)).await.expect("an answer"),
                Written::Conflict
            );
        }
    }

    pub async fn due_users_come_in_order_page_by_page(Engine { store, .. }: Engine) {
        let rows = [
            ("e", 30),
            ("b", 10),
            ("d", 20),
            ("ä", 20),
            ("c", 20),
            ("a", 10),
            ("late", 31),
            ("f", -3),
        ];
        for (id, at_ms) in rows {
            version(
                store
                    .write_user(&user(id), Version::ABSENT, &due(at_ms))
                    .await
                    .expect("a write"),
            );
        }
        let never = UserChange::default();
        version(
            store
                .write_user(&user("never"), Version::ABSENT, &never)
                .await
                .expect("a write"),
        );

        assert_eq!(pages(&*store, 30, 2).await, ["f a", "b c", "d ä", "e"]);
        assert_eq!(pages(&*store, 30, 99).await, ["f a b c d ä e"]);
        assert_eq!(pages(&*store, 9, 1).await, ["f"]);
    }

    /// The due users' ids, a text for each page; every row has to come with its document.
    async fn pages(store: &dyn Store, until_ms: i64, limit: usize) -> Vec<String> {
        let mut pages = Vec::new();
        let mut after: Option<(_, UserId)> = None;
        loop {
            let page = store
                .users_due(at(until_ms), after.as_ref(), limit)
                .await
                .expect("a page");
            let Some((id, document)) = page.last() else {
                return pages;
            };
            after = Some((document.next_due_at.expect("a due row"), id.clone()));
            let ids: Vec<_> = page.iter().map(|(id, _)| id.as_str()).collect();
            pages.push(ids.join(" "));
        }
    }

    pub async fn records_are_kept(Engine { store, .. }: Engine) {
        for collection in Collection::ALL {
            let mut record = Record {
                version: Version::ABSENT,
                owner: Some(user("ada")),
                due_at: Some(at(5)),
                body: json!({"a.b": {"$c": [1, -2.5, null, true, "東京", i64::MIN]}, "": {}}),
            };
            record.version = version(
                store
                    .write_record(collection, "id", &record)
                    .await
                    .expect("a write"),
            );
            assert_eq!(
                store
                    .find_record(collection, "id")
                    .await
                    .expect("an answer")
                    .as_ref(),
                Some(&record)
            );

            let next = Record {
                owner: None,
                due_at: None,
                body: json!("done"),
                ..record.clone()
            };
            let written = version(
                store
                    .write_record(collection, "id", &next)
                    .await
                    .expect("a write"),
            );
            assert!(written > record.version);
            let expected = Record {
                version: written,
                ..next
            };
            for stale in [Version::ABSENT, record.version, Version(written.0 + 1)] {
                let late = Record {
                    version: stale,
                    ..record.clone()
                };
                let late = store
                    .write_record(collection, "id", &late)
                    .await
                    .expect("an answer");
                assert_eq!(late, Written::Conflict);
            }
            assert_eq!(
                store.find_record(collection, "id").await.expect("an answer"),
                Some(expected)
            );
            assert_eq!(
                store.find_record(collection, "other").await.expect("an answer"),
                None
            );
            let nothing_to_update = store.write_record(collection, "other", &record).await;
            assert_eq!(nothing_to_update.expect("an answer"), Written::Conflict);
        }
    }

    pub async fn due_records_come_in_order(Engine { store, .. }: Engine) {
        for (id, due_ms) in [
            ("c", Some(20)),
            ("a", Some(20)),
            ("b", Some(10)),
            ("z", Some(21)),
            ("never", None),
        ] {
            let record = Record {
                due_at: due_ms.map(at),
                ..Record::default()
            };
            version(
                store
                    .write_record(Collection::Exports, id, &record)
                    .await
                    .expect("a write"),
            );
        }
        let due = store
            .records_due(Collection::Exports, at(20), 2)
            .await
            .expect("an answer");
        assert_eq!(ids(&due), ["b", "a"]);
        let due = store
            .records_due(Collection::Exports, at(20), 9)
            .await
            .expect("an answer");
        assert_eq!(ids(&due), ["b", "a", "c"]);
        assert_eq!(
            store
                .records_due(Collection::Budgets, at(99), 9)
                .await
                .expect("an answer"),
            []
        );
    }

    pub async fn an_owner_has_the_latest_records_and_can_be_forgotten(Engine { store, .. }: Engine) {
        let (ada, bob) = (user("ada"), user("bob"));
        let of = |owner: &UserId| Record {
            owner: Some(owner.clone()),
            ..Record::default()
        };
        let mut versions = Vec::new();
        for id in ["3", "1", "2"] {
            versions.push(version(
                store
                    .write_record(Collection::Exports, id, &of(&ada))
                    .await
                    .expect("a write"),
            ));
        }
        version(
            store
                .write_record(Collection::Exports, "bob's", &of(&bob))
                .await
                .expect("a write"),
        );
        let again = Record {
            version: versions[0],
            ..of(&ada)
        };
        version(
            store
                .write_record(Collection::Exports, "3", &again)
                .await
                .expect("a write"),
        );

        let all = store
            .records_of(Collection::Exports, &ada, 9)
            .await
            .expect("an answer");
        assert_eq!(ids(&all), ["1", "2", "3"]);
        let latest = store
            .records_of(Collection::Exports, &ada, 2)
            .await
            .expect("an answer");
        assert_eq!(ids(&latest), ["2", "3"]);

        store
            .delete_records_of(Collection::Exports, &ada)
            .await
            .expect("an erasure");
        assert_eq!(
            store
                .records_of(Collection::Exports, &ada, 9)
                .await
                .expect("an answer"),
            []
        );
        let left = store
            .records_of(Collection::Exports, &bob, 9)
            .await
            .expect("an answer");
        assert_eq!(ids(&left), ["bob's"]);
    }

    fn ids(records: &[(String, Record)]) -> Vec<&str> {
        records.iter().map(|(id, _)| id.as_str()).collect()
    }
}

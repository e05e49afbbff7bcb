//! What every engine promises about records.

use crate::store::over_every_engine;

over_every_engine!(
    records_are_kept,
    several_records_are_read_at_once,
    a_record_is_removed_by_who_read_it_last,
    due_records_come_in_order,
    an_owner_has_the_latest_records_and_can_be_forgotten,
    what_is_due_first_goes_when_there_is_too_much,
);

mod stories {
    use patchbay::{
        ids::UserId,
        store::{Collection, Record, Version, Written},
    };
    use serde_json::json;

    use crate::store::{at, engine::Engine, user, version};

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

    pub async fn several_records_are_read_at_once(Engine { store, .. }: Engine) {
        let mut expected = Vec::new();
        // More than MongoDB sends at first unless it is asked to.
        for number in 0..110 {
            let mut record = Record {
                body: json!({"number": number}),
                ..Record::default()
            };
            let id = format!("a'\"{number}");
            let written = store.write_record(Collection::Tracks, &id, &record).await;
            record.version = version(written.expect("a write"));
            if number != 7 {
                expected.push((id, record));
            }
        }
        let mut ids: Vec<String> = expected.iter().map(|(id, _)| id.clone()).collect();
        ids.extend(["absent".to_owned(), ids[0].clone()]);
        let found = |collection, ids| {
            let store = &store;
            async move { store.find_records(collection, ids).await.expect("an answer") }
        };
        let mut there = found(Collection::Tracks, &ids).await;
        there.sort_by_key(|(_, record)| record.body["number"].as_u64());
        assert_eq!(there, expected, "those that were asked for, each once");
        assert_eq!(found(Collection::Tracks, &[]).await, []);
        assert_eq!(found(Collection::Exports, &ids).await, []);
    }

    pub async fn a_record_is_removed_by_who_read_it_last(Engine { store, .. }: Engine) {
        for collection in Collection::ALL {
            let mut record = Record::default();
            let first = version(
                store
                    .write_record(collection, "id", &record)
                    .await
                    .expect("a write"),
            );
            record.version = first;
            let second = version(
                store
                    .write_record(collection, "id", &record)
                    .await
                    .expect("a write"),
            );
            let remove = |id, read| {
                let store = &store;
                async move {
                    store
                        .delete_record(collection, id, read)
                        .await
                        .expect("an answer")
                }
            };
            for (id, read) in [("id", Version::ABSENT), ("id", first), ("other", second)] {
                assert_eq!(remove(id, read).await, Written::Conflict);
            }
            let kept = store.find_record(collection, "id").await.expect("an answer");
            assert_eq!(kept.map(|record| record.version), Some(second));

            assert_eq!(remove("id", second).await, Written::As(Version::ABSENT));
            assert_eq!(
                store.find_record(collection, "id").await.expect("an answer"),
                None
            );
            assert_eq!(remove("id", second).await, Written::Conflict);
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

    pub async fn what_is_due_first_goes_when_there_is_too_much(Engine { store, .. }: Engine) {
        const BYTES: usize = 10_000;
        let due = [Some(30), Some(10), None, Some(50), Some(40), Some(20)];
        for (number, due_at) in due.iter().enumerate() {
            let record = Record {
                due_at: due_at.map(at),
                body: json!({"text": "x".repeat(BYTES)}),
                ..Record::default()
            };
            let id = format!("record-{number}");
            for collection in [Collection::Listening, Collection::Tracks] {
                version(
                    store
                        .write_record(collection, &id, &record)
                        .await
                        .expect("a write"),
                );
            }
        }
        // Whatever an engine adds to each is small beside the text.
        let room_for = |count: u64| count * 11_000;
        let trimmed = store.trim_records(Collection::Listening, room_for(6)).await;
        assert_eq!(trimmed.expect("an answer"), 0);
        let trimmed = store.trim_records(Collection::Listening, room_for(3)).await;
        assert_eq!(trimmed.expect("an answer"), 3);
        let left = store.records_due(Collection::Listening, at(99), 9).await;
        let left: Vec<_> = left.expect("an answer").into_iter().map(|(id, _)| id).collect();
        assert_eq!(left, ["record-0", "record-4", "record-3"]);
        let lost = store.find_record(Collection::Listening, "record-2").await;
        assert_eq!(
            lost.expect("an answer"),
            None,
            "what is never due goes before all"
        );
        let others = store.records_due(Collection::Tracks, at(99), 9).await;
        assert_eq!(others.expect("an answer").len(), 5);
        let trimmed = store.trim_records(Collection::Listening, 0).await;
        assert_eq!(trimmed.expect("an answer"), 3);
    }
}

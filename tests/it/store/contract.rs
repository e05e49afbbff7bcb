//! What every engine promises.

mod buckets;
mod records;

use super::over_every_engine;

over_every_engine!(
    nothing_is_there_at_first,
    what_is_written_is_read,
    only_the_named_slots_change,
    a_lastfm_account_is_left_replaced_or_removed,
    a_write_names_the_version_it_read,
    an_erased_document_never_gets_an_old_version_back,
    due_users_come_in_order_page_by_page,
    an_outbox_is_replaced_or_left_as_it_is,
    what_is_due_and_who_is_waited_for_is_counted,
);

mod stories {
    use patchbay::{
        ids::{Slot, UserId},
        store::{
            Collection, Edit, Store, StoredEvent, StoredGrant, StoredLastfm, Tally, UserChange, UserDocument,
            Version, Written,
        },
    };

    use crate::store::{
        at, due, engine::Engine, event, grant, lastfm, pending, pending_link, putting, user, version,
    };

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
            let none = store.find_records(collection, &["a".to_owned()]).await;
            assert_eq!(none.expect("an answer"), []);
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
            lastfm: Edit::Put(lastfm("RJ")),
            pending_link: Edit::Put(pending_link("link")),
            next_due_at: Some(at(-5)),
            dead: 2,
            outbox: Some(vec![event("1"), event("2")]),
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
            lastfm: Some(lastfm("RJ")),
            pending_link: Some(pending_link("link")),
            next_due_at: Some(at(-5)),
            dead: 2,
            outbox: vec![event("1"), event("2")],
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
            ..UserChange::default()
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
            ..UserChange::default()
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

    pub async fn a_lastfm_account_is_left_replaced_or_removed(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let bare = StoredLastfm {
            verified: false,
            session_key_enc: None,
            updated_at: None,
            ..lastfm("bare")
        };
        let mut read = Version::ABSENT;
        for (account, way, found_account, found_way) in [
            (Edit::Leave, Edit::Leave, None, None),
            (Edit::Put(lastfm("RJ")), Edit::Leave, Some(lastfm("RJ")), None),
            (
                Edit::Leave,
                Edit::Put(pending_link("1")),
                Some(lastfm("RJ")),
                Some(pending_link("1")),
            ),
            // It is replaced whole: a session key that is gone from it is gone from the database.
            (
                Edit::Put(bare.clone()),
                Edit::Leave,
                Some(bare.clone()),
                Some(pending_link("1")),
            ),
            (Edit::Leave, Edit::Remove, Some(bare), None),
            (
                Edit::Remove,
                Edit::Put(pending_link("2")),
                None,
                Some(pending_link("2")),
            ),
            (Edit::Remove, Edit::Remove, None, None),
        ] {
            let change = UserChange {
                lastfm: account,
                pending_link: way,
                ..putting(Slot::Spotify, grant("one"))
            };
            read = version(store.write_user(&ada, read, &change).await.expect("a write"));
            let expected = UserDocument {
                version: read,
                integrations: [(Slot::Spotify, grant("one"))].into(),
                lastfm: found_account,
                pending_link: found_way,
                ..UserDocument::default()
            };
            assert_eq!(store.find_user(&ada).await.expect("an answer"), expected);
        }
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

    pub async fn an_outbox_is_replaced_or_left_as_it_is(Engine { store, .. }: Engine) {
        let ada = user("ada");
        let mut read = Version::ABSENT;
        let bare = StoredEvent {
            reason: None,
            days_left: None,
            ..event("bare")
        };
        for (change, outbox) in [
            (None, vec![]),
            (Some(vec![event("1")]), vec![event("1")]),
            (None, vec![event("1")]),
            (Some(vec![event("2"), bare.clone()]), vec![event("2"), bare]),
            (Some(vec![]), vec![]),
            (Some(vec![]), vec![]),
        ] {
            let change = UserChange {
                outbox: change,
                ..putting(Slot::Spotify, grant("one"))
            };
            read = version(store.write_user(&ada, read, &change).await.expect("a write"));
            let found = store.find_user(&ada).await.expect("an answer");
            assert_eq!((found.outbox, found.version), (outbox, read));
        }
    }

    pub async fn what_is_due_and_who_is_waited_for_is_counted(Engine { store, .. }: Engine) {
        let tally = |now_ms| {
            let store = &store;
            async move { store.tally(at(now_ms)).await.expect("an answer") }
        };
        assert_eq!(tally(i64::MAX).await, Tally::default());
        let mut last = Version::ABSENT;
        for (id, next_due_ms, dead) in [
            ("a", Some(10), 0),
            ("b", Some(20), 1),
            ("c", None, 2),
            ("d", None, 0),
            ("e", Some(-3), 0),
        ] {
            let change = UserChange {
                next_due_at: next_due_ms.map(at),
                dead,
                ..UserChange::default()
            };
            let written = store.write_user(&user(id), Version::ABSENT, &change).await;
            last = version(written.expect("a write"));
        }
        assert_eq!(tally(-4).await, Tally { due: 0, dead: 3 });
        assert_eq!(tally(19).await, Tally { due: 2, dead: 3 });
        assert_eq!(tally(20).await, Tally { due: 3, dead: 3 });

        // Who has come back is not waited for any more, and who was forgotten is nowhere.
        let never_due = UserChange::default();
        version(
            store
                .write_user(&user("e"), last, &never_due)
                .await
                .expect("a write"),
        );
        store.delete_user(&user("b")).await.expect("an erasure");
        let c = store.find_user(&user("c")).await.expect("an answer");
        assert_eq!(c.dead, 2);
        version(
            store
                .write_user(&user("c"), c.version, &never_due)
                .await
                .expect("a write"),
        );
        assert_eq!(tally(20).await, Tally { due: 1, dead: 0 });
    }
}

//! The database is not patchbay's alone: a host application's fields survive, and what cannot be read does no harm.

use super::over_every_shared_engine;

over_every_shared_engine!(
    fields_of_the_host_application_survive,
    a_slot_that_cannot_be_read_is_left_alone,
    a_lastfm_account_that_cannot_be_read_is_left_alone,
    an_outbox_that_cannot_be_read_is_left_alone,
    a_document_of_another_shape_is_left_alone,
);

mod stories {
    use patchbay::{
        ids::Slot,
        store::{Edit, StoreError, UserChange, UserDocument, Version},
    };
    use serde_json::json;

    use crate::store::{
        at, due, engine::Engine, event, grant, lastfm, pending, pending_link, putting, user, version,
    };

    pub async fn fields_of_the_host_application_survive(engine: Engine) {
        let (store, ada) = (&engine.store, user("ada"));
        let theirs = json!({
            "_id": "ada",
            "zName": "Ada",
            "a": {"b": [1, 2.5, null, {"c": "$x"}]},
            "integrations": {"theirs": {"token": "t"}},
        });
        engine.put_document(theirs.clone()).await;
        assert_eq!(
            store.find_user(&ada).await.expect("an answer"),
            UserDocument::default()
        );

        let change = UserChange {
            integrations: [(Slot::Spotify, Some(grant("one")))].into(),
            pending: [(Slot::Spotify, Some(pending("state")))].into(),
            lastfm: Edit::Put(lastfm("RJ")),
            pending_link: Edit::Put(pending_link("link")),
            next_due_at: Some(at(4)),
            ..UserChange::default()
        };
        let written = version(
            store
                .write_user(&ada, Version::ABSENT, &change)
                .await
                .expect("a write"),
        );
        let mut stored = engine.document("ada").await.expect("a document");
        assert_eq!(
            stored["patchbay"],
            json!({"version": written.0, "nextDueAt": 4, "schema": 1})
        );
        assert_eq!(stored["pending"]["spotify"]["stateHash"], "state");
        let integrations = stored["integrations"].as_object_mut().expect("an object");
        let ours = integrations.remove("spotify").expect("the grant");
        assert_eq!(ours["accessTokenEnc"], "v1.k1.access");
        assert_eq!(
            integrations.remove("lastfm"),
            Some(json!({
                "username": "RJ",
                "connectedAt": 1_790_000_000_003_i64,
                "verified": true,
                "sessionKeyEnc": "v1.k1.session",
                "updatedAt": 1_790_000_000_004_i64,
            }))
        );
        assert_eq!(
            stored["pending"]["lastfm"],
            json!({
                "stateHash": "link",
                "bindingHash": "binding",
                "returnTo": "/listening",
                "createdAt": 3,
                "expiresAt": 4,
            })
        );
        for field in ["zName", "a", "integrations"] {
            assert_eq!(stored[field], theirs[field], "{field}");
        }

        store.delete_user(&ada).await.expect("an erasure");
        assert_eq!(engine.document("ada").await, Some(theirs));

        // What was patchbay's alone goes as a whole.
        version(
            store
                .write_user(&user("bob"), Version::ABSENT, &change)
                .await
                .expect("a write"),
        );
        store.delete_user(&user("bob")).await.expect("an erasure");
        assert_eq!(engine.document("bob").await, None);
    }

    pub async fn a_slot_that_cannot_be_read_is_left_alone(engine: Engine) {
        let (store, ada) = (&engine.store, user("ada"));
        let from_the_future = json!({"status": "transcended", "accessTokenEnc": "v9"});
        engine
            .put_document(json!({
                "_id": "ada",
                "integrations": {"spotify": from_the_future, "spotifyByo": grant("own")},
                "pending": {"spotify": 3},
                "patchbay": {"version": 5, "nextDueAt": 1, "schema": 1},
            }))
            .await;
        let readable = UserDocument {
            version: Version(5),
            integrations: [(Slot::SpotifyByo, grant("own"))].into(),
            next_due_at: Some(at(1)),
            ..UserDocument::default()
        };
        assert_eq!(store.find_user(&ada).await.expect("an answer"), readable);
        let due_now = store.users_due(at(1), None, 9).await.expect("an answer");
        assert_eq!(due_now, [(ada.clone(), readable)]);

        let mended = putting(Slot::SpotifyByo, grant("mended"));
        assert_eq!(
            version(
                store
                    .write_user(&ada, Version(5), &mended)
                    .await
                    .expect("a write")
            ),
            Version(6)
        );
        let stored = engine.document("ada").await.expect("a document");
        assert_eq!(stored["integrations"]["spotify"], from_the_future);
        assert_eq!(stored["integrations"]["spotifyByo"]["accountId"], "mended");
        assert_eq!(stored["pending"]["spotify"], 3);

        // Forgetting somebody does not depend on understanding what was kept.
        store.delete_user(&ada).await.expect("an erasure");
        assert_eq!(engine.document("ada").await, None);
    }

    pub async fn a_lastfm_account_that_cannot_be_read_is_left_alone(engine: Engine) {
        let (store, ada) = (&engine.store, user("ada"));
        // As another system may keep one: no patchbay made it, and no patchbay may lose it.
        let theirs = json!({"user": "RJ", "since": "2020"});
        engine
            .put_document(json!({
                "_id": "ada",
                "integrations": {"lastfm": theirs, "spotifyByo": grant("own")},
                "pending": {"lastfm": "soon"},
                "patchbay": {"version": 5, "nextDueAt": 1, "schema": 1},
            }))
            .await;
        let readable = UserDocument {
            version: Version(5),
            integrations: [(Slot::SpotifyByo, grant("own"))].into(),
            next_due_at: Some(at(1)),
            ..UserDocument::default()
        };
        assert_eq!(store.find_user(&ada).await.expect("an answer"), readable);

        let mended = putting(Slot::SpotifyByo, grant("mended"));
        let written = store.write_user(&ada, Version(5), &mended).await;
        let read = version(written.expect("a write"));
        let stored = engine.document("ada").await.expect("a document");
        assert_eq!(stored["integrations"]["lastfm"], theirs);
        assert_eq!(stored["pending"]["lastfm"], "soon");

        // Who links an account now wants this one.
        let link = UserChange {
            lastfm: Edit::Put(lastfm("RJ")),
            ..UserChange::default()
        };
        version(store.write_user(&ada, read, &link).await.expect("a write"));
        let found = store.find_user(&ada).await.expect("an answer");
        assert_eq!(found.lastfm, Some(lastfm("RJ")));
        store.delete_user(&ada).await.expect("an erasure");
        assert_eq!(engine.document("ada").await, None);
    }

    pub async fn an_outbox_that_cannot_be_read_is_left_alone(engine: Engine) {
        let (store, ada) = (&engine.store, user("ada"));
        let mut patchbay = json!({"version": 5, "nextDueAt": 1, "schema": 1, "outbox": "posted"});
        for (outbox, readable) in [
            (json!("posted"), vec![]),
            (
                json!([event("1"), {"id": "2", "slot": "elsewhere"}, 3]),
                vec![event("1")],
            ),
        ] {
            patchbay["outbox"] = outbox.clone();
            engine
                .put_document(
                    json!({"_id": "ada", "patchbay": patchbay, "integrations": {"spotify": grant("one")}}),
                )
                .await;
            let found = store.find_user(&ada).await.expect("an answer");
            assert_eq!(found.integrations, [(Slot::Spotify, grant("one"))].into());
            assert_eq!((found.outbox, found.version), (readable, Version(5)));

            let written = store
                .write_user(&ada, Version(5), &due(7))
                .await
                .expect("a write");
            let stored = engine.document("ada").await.expect("a document");
            assert_eq!(
                stored["patchbay"]["outbox"], outbox,
                "nobody has asked to replace it"
            );
            let replaced = UserChange {
                outbox: Some(vec![event("3")]),
                ..due(7)
            };
            version(
                store
                    .write_user(&ada, version(written), &replaced)
                    .await
                    .expect("a write"),
            );
            let found = store.find_user(&ada).await.expect("an answer");
            assert_eq!(found.outbox, [event("3")]);
        }
    }

    pub async fn a_document_of_another_shape_is_left_alone(engine: Engine) {
        let store = &engine.store;
        let other_shape =
            json!({"_id": "a", "integrations": ["mine"], "patchbay": {"version": 5, "nextDueAt": 1}});
        engine.put_document(other_shape.clone()).await;
        engine
            .put_document(json!({"_id": "b", "patchbay": {"version": "five", "nextDueAt": 1}}))
            .await;
        for id in ["a", "b"] {
            let found = store.find_user(&user(id)).await;
            assert!(matches!(found, Err(StoreError::Unreadable(_))), "{id}: {found:?}");
        }
        let written = store
            .write_user(&user("a"), Version(5), &putting(Slot::Spotify, grant("x")))
            .await;
        assert!(matches!(written, Err(StoreError::Unreadable(_))), "{written:?}");
        assert_eq!(engine.document("a").await, Some(other_shape));

        // Two pages of them do not hide who comes after.
        version(
            store
                .write_user(&user("c"), Version::ABSENT, &due(2))
                .await
                .expect("a write"),
        );
        let page = store.users_due(at(9), None, 1).await.expect("an answer");
        assert_eq!(page.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["c"]);
    }
}

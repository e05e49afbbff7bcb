//! What MongoDB looks at to answer: as much as it answers, however much is stored. (SQLite's plans are a unit test.)

use std::iter;

use mongodb::{
    Client, Database,
    bson::{Document, doc},
};
use patchbay::store::{DatabaseUrl, Tally};

use super::at;
use crate::harness::mongod;

/// Users that are due at one and the same moment, as after an import, and as many at moments of their own.
const DUE_AT_ONCE: usize = 200;
/// Users whom nobody asks about.
const NOT_DUE: usize = 600;
/// Grants that wait for somebody, all in all.
const DEAD: u64 = 5;
/// Users asked for at once.
const PAGE: usize = 50;
/// The server looks one key further than a stretch of the index goes, or past an edge.
const EDGES: i64 = 6;

#[tokio::test]
async fn a_page_costs_what_is_on_it_and_a_count_what_it_counts() {
    let Some(url) = mongod::fresh_database_url() else {
        return;
    };
    let store = url
        .parse::<DatabaseUrl>()
        .expect("a good URL")
        .open()
        .expect("a store");
    let client = Client::with_uri_str(&url).await.expect("a client");
    let database = client.default_database().expect("a database in the URL");
    // Makes the indexes, so that the questions below do nothing else.
    assert_eq!(store.tally(at(0)).await.expect("an answer"), Tally::default());
    fill(&database).await;
    database.run_command(doc! { "profile": 2 }).await.expect("a log");

    let mut after = None;
    let mut pages = 0;
    loop {
        let page = store
            .users_due(at(i64::MAX), after.as_ref(), PAGE)
            .await
            .expect("a page");
        let Some((id, last)) = page.last() else { break };
        after = Some((last.next_due_at.expect("a due row"), id.clone()));
        pages += 1;
    }
    assert_eq!(pages, 2 * DUE_AT_ONCE / PAGE);
    let looks = looks(&database, "find").await;
    assert_eq!(looks.len(), pages + 1);
    let page = i64::try_from(PAGE).expect("a small number");
    for (keys, documents) in looks {
        assert!(keys <= page + EDGES, "{keys} keys looked at for a page of {PAGE}");
        assert!(
            documents <= page,
            "{documents} documents read for a page of {PAGE}"
        );
    }

    let tally = store.tally(at(10)).await.expect("an answer");
    assert_eq!(
        tally,
        Tally {
            due: DUE_AT_ONCE as u64 + 2,
            dead: DEAD,
        }
    );
    let looks = self::looks(&database, "aggregate").await;
    let counted = i64::try_from(tally.due + tally.dead).expect("a small number");
    let keys: i64 = looks.iter().map(|(keys, _)| keys).sum();
    assert!(
        keys <= counted + EDGES,
        "{keys} keys looked at to count {counted}"
    );
    assert_eq!(looks.iter().map(|(_, documents)| documents).sum::<i64>(), 0);
}

/// Puts the users into the database, past patchbay.
async fn fill(database: &Database) {
    let at_once = iter::repeat_n(doc! { "version": 1, "nextDueAt": 8_i64 }, DUE_AT_ONCE);
    let one_by_one = (0_i64..)
        .take(DUE_AT_ONCE)
        .map(|n| doc! { "version": 1, "nextDueAt": 9 + n });
    let quiet = iter::repeat_n(doc! { "version": 1 }, NOT_DUE);
    let waiting = (0..DEAD).map(|_| doc! { "version": 1, "dead": 1 });
    let users = at_once.chain(one_by_one).chain(quiet).chain(waiting);
    let users = users
        .enumerate()
        .map(|(n, patchbay)| doc! { "_id": format!("user-{n:05}"), "patchbay": patchbay });
    database
        .collection::<Document>("users")
        .insert_many(users)
        .await
        .expect("users");
}

/// How many keys and documents each question of this kind made the server look at, the reading on of an answer included.
async fn looks(database: &Database, command: &str) -> Vec<(i64, i64)> {
    let log = database.collection::<Document>("system.profile");
    let filter = doc! { format!("command.{command}"): "users" };
    let mut entries = log.find(filter).await.expect("the log");
    let mut looks = Vec::new();
    while entries.advance().await.expect("an entry") {
        let entry: Document = entries.deserialize_current().expect("an entry");
        assert!(!entry.contains_key("hasSortStage"), "sorted in memory: {entry}");
        let count = |name| {
            entry
                .get_i32(name)
                .map(i64::from)
                .or_else(|_| entry.get_i64(name))
        };
        looks.push((
            count("keysExamined").expect("a count"),
            count("docsExamined").expect("a count"),
        ));
    }
    looks
}

//! Token buckets: one update that computes, on the server and on its clock, what `pace::Level` would.

use std::time::Duration;

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
    options::ReturnDocument,
};
use serde::Deserialize;

use super::{failure, to_bson};
use crate::{
    pace::{HALVINGS_MAX, Pace, QUIET_MS, Refusal, TRIAL_MS, Throttled, Turn},
    store::{
        Collection, StoreError, Version,
        bucket::{BucketClock, KEPT_IDLE},
    },
};

/// Two processes that make the same bucket at once: one of them meets the other's, and changes that.
const TRIES_MAX: usize = 3;

/// What the document says after an update: the level, and what this caller is told.
#[derive(Deserialize)]
struct Stored {
    told: Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    wait_ms: u64,
    taken: bool,
    closings: u64,
    closed_by: Option<Refusal>,
}

/// Takes the next place in the bucket `id`.
pub(super) async fn take(
    database: &Database,
    clock: &BucketClock,
    id: &str,
    pace: Pace,
    wait_max: Duration,
) -> Result<Result<Turn, Throttled>, StoreError> {
    let told = update(database, id, || {
        let mut pipeline = vec![read(clock)];
        pipeline.extend(taking(pace, wait_max));
        pipeline.extend(written()?);
        Ok(pipeline)
    });
    let told = told.await?;
    let wait = Duration::from_millis(told.wait_ms);
    Ok(if told.taken {
        Ok(Turn {
            wait,
            closings: told.closings,
        })
    } else {
        Err(Throttled {
            retry_after: wait,
            closed_by: told.closed_by,
        })
    })
}

/// Closes the bucket `id`.
pub(super) async fn close(
    database: &Database,
    clock: &BucketClock,
    id: &str,
    pace: Pace,
    pause: Duration,
    refusal: Refusal,
) -> Result<(), StoreError> {
    let told = update(database, id, || {
        let mut pipeline = vec![read(clock)];
        pipeline.extend(closing(pace, pause, refusal));
        pipeline.extend(written()?);
        Ok(pipeline)
    });
    told.await.map(drop)
}

async fn update(
    database: &Database,
    id: &str,
    pipeline: impl Fn() -> Result<Vec<Document>, StoreError>,
) -> Result<Told, StoreError> {
    let records: mongodb::Collection<Stored> = database.collection(Collection::Budgets.as_str());
    for _ in 0..TRIES_MAX {
        let updated = records
            .find_one_and_update(doc! { "_id": id }, pipeline()?)
            .upsert(true)
            .return_document(ReturnDocument::After)
            .projection(doc! { "_id": 0, "told": 1 })
            .await;
        match updated {
            Ok(Some(stored)) => return Ok(stored.told),
            Ok(None) => break,
            Err(error) if failure::is_duplicate_key(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::unavailable("a bucket could not be made"))
}

/// The level as it is stored, beside `now` and the halvings that are left (`Level::halvings_at`).
fn read(clock: &BucketClock) -> Document {
    let now: Bson = match clock {
        BucketClock::Database => doc! { "$toLong": "$$NOW" }.into(),
        BucketClock::Given(clock) => clock.now().as_ms().into(),
    };
    let field = |name: &str, or: Bson| doc! { "$ifNull": [format!("$body.{name}"), or] };
    doc! { "$set": { "level": {
        "now": now,
        "fullAt": field("fullAt", 0_i64.into()),
        "closedUntil": field("closedUntil", 0_i64.into()),
        "refusal": field("refusal", "rate_limit".into()),
        "halvings": field("halvings", 0_i64.into()),
        "onTrial": field("onTrial", false.into()),
        "closings": field("closings", 0_i64.into()),
    } } }
}

fn halvings_left() -> Document {
    let quiet = doc! { "$max": [0_i64, { "$subtract": ["$level.now", "$level.closedUntil"] }] };
    let taken_back = doc! { "$toLong": { "$floor": { "$divide": [quiet, QUIET_MS] } } };
    doc! { "$max": [0_i64, { "$subtract": ["$level.halvings", taken_back] }] }
}

/// `Level::take`.
fn taking(pace: Pace, wait_max: Duration) -> [Document; 3] {
    let tolerance = pace.tolerance_ms();
    let spacing = doc! { "$multiply": [
        i64::from(pace.spacing_ms),
        { "$toLong": { "$pow": [2_i64, halvings_left()] } },
    ] };
    let start = doc! { "$subtract": ["$level.fullAt", tolerance] };
    let alone = doc! { "$add": ["$level.now", tolerance] };
    let full_at = doc! { "$cond": ["$level.onTrial",
        { "$add": [{ "$max": ["$level.fullAt", alone] }, { "$max": ["$spacing", TRIAL_MS] }] },
        { "$add": [{ "$max": ["$level.fullAt", "$level.now"] }, "$spacing"] },
    ] };
    let closed = doc! { "$gt": ["$level.closedUntil", "$level.now"] };
    [
        doc! { "$set": {
            "spacing": spacing,
            "wait": { "$max": [0_i64, { "$subtract": [start, "$level.now"] }] },
        } },
        doc! { "$set": { "told": {
            "waitMs": "$wait",
            "taken": { "$lte": ["$wait", millis(wait_max)] },
            "closings": "$level.closings",
            "closedBy": { "$cond": [closed, "$level.refusal", Bson::Null] },
        } } },
        doc! { "$set": {
            "level.fullAt": { "$cond": ["$told.taken", full_at, "$level.fullAt"] },
            "level.onTrial": { "$and": ["$level.onTrial", { "$not": "$told.taken" }] },
        } },
    ]
}

/// `Level::close`.
fn closing(pace: Pace, pause: Duration, refusal: Refusal) -> [Document; 3] {
    let was_closed = doc! { "$lt": ["$level.now", "$level.closedUntil"] };
    let one_more = doc! { "$min": [{ "$add": [halvings_left(), 1_i64] }, i64::from(HALVINGS_MAX)] };
    let closed = doc! {
        "now": "$level.now",
        "fullAt": { "$add": ["$until", pace.tolerance_ms()] },
        "closedUntil": "$until",
        "refusal": name_of(refusal),
        "halvings": { "$cond": [was_closed, "$level.halvings", one_more] },
        "onTrial": true,
        "closings": { "$add": ["$level.closings", 1_i64] },
    };
    [
        doc! { "$set": { "until": { "$add": ["$level.now", millis(pace.closed_for(pause))] } } },
        doc! { "$set": { "level": { "$cond": [
            { "$gt": ["$until", "$level.closedUntil"] },
            closed,
            "$level",
        ] } } },
        doc! { "$set": { "told": {
            "waitMs": 0_i64,
            "taken": true,
            "closings": "$level.closings",
            "closedBy": Bson::Null,
        } } },
    ]
}

/// The level back into the record's place, and the record's own fields.
fn written() -> Result<[Document; 2], StoreError> {
    let first = to_bson(Version::ABSENT.after_write())?;
    let at_full_rate = doc! { "$add": [
        "$level.closedUntil",
        { "$multiply": ["$level.halvings", QUIET_MS] },
    ] };
    let idle = doc! { "$max": ["$level.fullAt", at_full_rate] };
    Ok([
        doc! { "$set": {
            "version": { "$ifNull": [{ "$add": ["$version", 1_i64] }, first] },
            "dueAt": { "$add": [idle, millis(KEPT_IDLE)] },
            "body": "$level",
        } },
        doc! { "$unset": ["level", "spacing", "wait", "until", "body.now"] },
    ])
}

fn name_of(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::RateLimit => "rate_limit",
        Refusal::Quota => "quota",
    }
}

/// Spans beyond an `i64` are as good as endless.
fn millis(span: Duration) -> i64 {
    // Half of it leaves room for the sum with an instant, which MongoDB would turn into a double.
    i64::try_from(span.as_millis()).map_or(i64::MAX / 2, |ms| ms.min(i64::MAX / 2))
}

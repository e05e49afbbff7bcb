//! Token buckets: one update that computes, on the server and on its clock, what `pace::Level` would.
//!
//! The stages of a pipeline stand here in the order of the functions whose work they do, and under their names.

mod turns;

use std::time::Duration;

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
    options::ReturnDocument,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{failure, to_bson};
use crate::{
    pace::{Answer, Ask, Class, FOR_GOOD, HALVINGS_MAX, Pace, QUIET_MS, Refusal},
    store::{
        Collection, StoreError, Version,
        bucket::{BucketClock, KEPT_IDLE},
    },
};

/// Two processes that make the same bucket at once: one of them meets the other's, and changes that.
const TRIES_MAX: usize = 3;

/// What the document says after an update: the level, and what this caller is told.
#[derive(Deserialize)]
struct Stored<Told> {
    told: Told,
}

/// `Level::take_turns` on the bucket `id`.
pub(super) async fn take_turns(
    database: &Database,
    clock: &BucketClock,
    id: &str,
    pace: Pace,
    ask: &Ask,
) -> Result<Answer, StoreError> {
    let asked = turns::Asked::new(pace, ask)?;
    let told: turns::Told = update(database, id, || {
        let mut pipeline = read(clock, pace);
        pipeline.extend(asked.stages());
        pipeline.extend(written()?);
        Ok(pipeline)
    })
    .await?;
    Ok(told.into_answer(pace, ask))
}

/// `Level::close` on the bucket `id`.
pub(super) async fn close(
    database: &Database,
    clock: &BucketClock,
    id: &str,
    pace: Pace,
    pause: Duration,
    refusal: Refusal,
) -> Result<(), StoreError> {
    let told: Bson = update(database, id, || {
        let mut pipeline = read(clock, pace);
        pipeline.extend(closing(pace, pause, refusal));
        pipeline.extend(written()?);
        Ok(pipeline)
    })
    .await?;
    drop(told);
    Ok(())
}

async fn update<Told: DeserializeOwned + Send + Sync>(
    database: &Database,
    id: &str,
    pipeline: impl Fn() -> Result<Vec<Document>, StoreError>,
) -> Result<Told, StoreError> {
    let records: mongodb::Collection<Stored<Told>> = database.collection(Collection::Budgets.as_str());
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

/// The level as it is stored, beside `now`, the halvings that are left (`Level::halvings_at`) and the spacing that they make.
fn read(clock: &BucketClock, pace: Pace) -> Vec<Document> {
    let now: Bson = match clock {
        BucketClock::Database => doc! { "$toLong": "$$NOW" }.into(),
        BucketClock::Given(clock) => clock.now().as_ms().into(),
    };
    let field = |name: &str, or: Bson| doc! { "$ifNull": [format!("$body.{name}"), or] };
    let quiet = doc! { "$max": [0_i64, { "$subtract": ["$now", "$level.closedUntil"] }] };
    let taken_back = doc! { "$toLong": { "$floor": { "$divide": [quiet, QUIET_MS] } } };
    let twofold = doc! { "$toLong": { "$pow": [2_i64, "$halved"] } };
    vec![
        doc! { "$set": {
            "now": now,
            "level": {
                "fullAt": field("fullAt", 0_i64.into()),
                "closedUntil": field("closedUntil", 0_i64.into()),
                "refusal": field("refusal", "rate_limit".into()),
                "halvings": field("halvings", 0_i64.into()),
                "onTrial": field("onTrial", false.into()),
                "closings": field("closings", 0_i64.into()),
                "waiting": field("waiting", Bson::Array(Vec::new())),
                "tightAt": field("tightAt", 0_i64.into()),
                "spareMs": field("spareMs", 0_i64.into()),
                "shiftedAt": field("shiftedAt", 0_i64.into()),
            },
        } },
        doc! { "$set": { "halved": { "$max": [0_i64, { "$subtract": ["$level.halvings", taken_back] }] } } },
        doc! { "$set": { "spacing": { "$multiply": [i64::from(pace.spacing_ms), twofold] } } },
    ]
}

/// `Level::close`.
fn closing(pace: Pace, pause: Duration, refusal: Refusal) -> [Document; 4] {
    let twofold = doc! { "$toLong": { "$pow": [2_i64, "$halved"] } };
    let doubled = doc! { "$multiply": [i64::from(pace.pause_min_ms), twofold] };
    let asked_for = millis(pace.stays_closed_for(pause));
    let least = doc! { "$min": [doubled, i64::from(pace.pause_max_ms)] };
    let one_more = doc! { "$min": [{ "$add": ["$halved", 1_i64] }, i64::from(HALVINGS_MAX)] };
    let closed = doc! { "$mergeObjects": ["$level", {
        "fullAt": { "$add": ["$until", pace.tolerance_ms(Class::Interactive)] },
        "closedUntil": "$until",
        "refusal": name_of(refusal),
        "halvings": { "$cond": ["$wasClosed", "$level.halvings", one_more] },
        "onTrial": true,
        "closings": { "$add": ["$level.closings", 1_i64] },
    }] };
    [
        doc! { "$set": { "wasClosed": { "$lt": ["$now", "$level.closedUntil"] } } },
        doc! { "$set": { "until": { "$add": ["$now", { "$cond": [
            "$wasClosed",
            asked_for,
            { "$max": [asked_for, least] },
        ] }] } } },
        doc! { "$set": { "level": { "$cond": [
            { "$gt": ["$until", "$level.closedUntil"] },
            closed,
            "$level",
        ] } } },
        doc! { "$set": { "told": "$level.closings" } },
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
    let mut scratch = vec!["now", "level", "halved", "spacing", "wasClosed", "until"];
    scratch.extend(turns::SCRATCH);
    Ok([
        doc! { "$set": {
            "version": { "$ifNull": [{ "$add": ["$version", 1_i64] }, first] },
            "dueAt": { "$add": [idle, millis(KEPT_IDLE)] },
            "body": "$level",
        } },
        doc! { "$unset": scratch },
    ])
}

fn name_of(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::RateLimit => "rate_limit",
        Refusal::Quota => "quota",
        Refusal::Key => "key",
    }
}

/// No span here is longer than a closing for good.
fn millis(span: Duration) -> i64 {
    i64::try_from(span.min(FOR_GOOD).as_millis()).unwrap_or(i64::MAX)
}

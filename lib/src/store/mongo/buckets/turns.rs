//! `Level::take_turns` as stages of a pipeline.

use std::time::Duration;

use mongodb::bson::{Array, Bson, Document, doc};
use serde::Deserialize;

use super::super::to_bson;
use crate::{
    pace::{
        Answer, Ask, Class, GRACE_MS, LOOK_EVERY_MS, Pace, Refusal, SPARE_MAX_MS, TRIAL_MS, Throttled,
        Ticket, Token, Told as Said, WAITING_MAX,
    },
    store::{StoreError, Version},
    system::Timestamp,
};

/// What the stages leave behind beside the level.
pub(super) const SCRATCH: [&str; 6] = ["given", "dead", "begins", "line", "done", "beside"];

/// An [`Ask`] as MongoDB takes it.
pub(super) struct Asked {
    pace: Pace,
    process: i64,
    tickets: Vec<(i64, Ticket)>,
    unused: Vec<Document>,
    beside: bool,
}

/// What the document says of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    now: Timestamp,
    closings: u64,
    closed_by: Option<Refusal>,
    callers: Vec<Caller>,
    look_ms: u64,
    beside: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller {
    number: u64,
    wait_ms: u64,
    stays: bool,
    full_at: Timestamp,
}

impl Told {
    pub(super) fn into_answer(self, pace: Pace, ask: &Ask) -> Answer {
        let said = |caller: &Caller| {
            let wait = Duration::from_millis(caller.wait_ms);
            if caller.wait_ms == 0 {
                Said::Go(Token {
                    taken_at: self.now,
                    full_at: caller.full_at,
                    closings: self.closings,
                })
            } else if caller.stays {
                Said::Wait(wait)
            } else {
                Said::Throttled(Throttled {
                    retry_after: wait,
                    closed_by: self.closed_by,
                })
            }
        };
        let someone_waits = self
            .callers
            .iter()
            .any(|caller| caller.stays && caller.wait_ms > 0);
        let answer = Answer {
            closings: self.closings,
            look_after: someone_waits.then(|| Duration::from_millis(self.look_ms)),
            told: self
                .callers
                .iter()
                .map(|caller| (caller.number, said(caller)))
                .collect(),
            beside: self
                .beside
                .then(|| Duration::from_millis(pace.lease_ms().unsigned_abs())),
        };
        answer.with_those_left_out(pace, ask)
    }
}

impl Asked {
    pub(super) fn new(pace: Pace, ask: &Ask) -> Result<Self, StoreError> {
        let number = |number: u64| to_bson(Version(number));
        let ticket = |ticket: &Ticket| Ok((number(ticket.number)?, *ticket));
        let token = |token: &Token| {
            Ok(doc! {
                "takenAt": token.taken_at.as_ms(),
                "fullAt": token.full_at.as_ms(),
                "closings": number(token.closings)?,
            })
        };
        Ok(Self {
            pace,
            process: number(ask.process)?,
            tickets: ask
                .waiting
                .iter()
                .map(ticket)
                .collect::<Result<_, StoreError>>()?,
            unused: ask.unused.iter().map(token).collect::<Result<_, StoreError>>()?,
            beside: ask.beside,
        })
    }

    pub(super) fn stages(&self) -> Vec<Document> {
        let mut stages = Vec::new();
        if !self.unused.is_empty() {
            stages.extend(self.refill());
        }
        stages.extend(self.queue_up());
        stages.extend(self.line());
        stages.push(self.let_go());
        stages.push(self.let_stay());
        stages.push(Self::take());
        stages.extend(self.take_beside());
        stages.push(doc! { "$set": { "told": {
            "now": "$now",
            "closings": "$level.closings",
            "closedBy": { "$cond": [{ "$gt": ["$level.closedUntil", "$now"] }, "$level.refusal", Bson::Null] },
            "callers": "$done.callers",
            "lookMs": "$done.look",
            "beside": "$beside",
        } } });
        stages
    }

    /// `Level::refill`, for each token.
    fn refill(&self) -> [Document; 2] {
        let from_now_on = doc! { "$add": ["$now", 1_i64] };
        let is_refused = doc! { "$or": [
            { "$ne": ["$$this.closings", "$level.closings"] },
            { "$lt": ["$$this.takenAt", "$$value.tightAt"] },
        ] };
        let is_last = doc! { "$and": [
            { "$eq": ["$$this.fullAt", "$$value.fullAt"] },
            { "$gte": ["$$this.takenAt", "$$value.shiftedAt"] },
        ] };
        let fuller = doc! { "fullAt": { "$subtract": ["$$value.fullAt", "$spacing"] } };
        let is_used_up = doc! { "$lt": ["$$left", "$spacing"] };
        let shifted = doc! { "$let": {
            "vars": { "left": { "$subtract": ["$$value.spareMs", "$spacing"] } },
            "in": { "$mergeObjects": ["$$value", fuller.clone(), {
                "shiftedAt": from_now_on.clone(),
                "spareMs": { "$cond": [is_used_up.clone(), SPARE_MAX_MS, "$$left"] },
                "tightAt": { "$cond": [is_used_up, from_now_on, "$$value.tightAt"] },
            }] },
        } };
        let given = doc! { "$switch": {
            "branches": [
                { "case": is_refused, "then": "$$value" },
                { "case": is_last, "then": { "$mergeObjects": ["$$value", fuller] } },
                { "case": { "$lt": ["$$value.spareMs", "$spacing"] }, "then": "$$value" },
            ],
            "default": shifted,
        } };
        [
            doc! { "$set": { "given": { "$reduce": {
                "input": self.unused.clone(),
                "initialValue": {
                    "fullAt": "$level.fullAt",
                    "tightAt": "$level.tightAt",
                    "spareMs": "$level.spareMs",
                    "shiftedAt": "$level.shiftedAt",
                },
                "in": given,
            } } } },
            doc! { "$set": { "level": { "$mergeObjects": ["$level", "$given"] } } },
        ]
    }

    /// `Level::queue_up`.
    fn queue_up(&self) -> [Document; 3] {
        let numbers: Array = self
            .tickets
            .iter()
            .map(|(number, _)| Bson::from(*number))
            .collect();
        let overdue = doc! { "$and": [
            { "$lt": ["$$one.dueAt", { "$subtract": ["$now", GRACE_MS] }] },
            { "$ne": ["$$one.process", self.process] },
        ] };
        let keeps = doc! { "$cond": [
            { "$eq": ["$$one.process", self.process] },
            { "$in": ["$$one.number", numbers] },
            { "$not": { "$in": ["$$one.process", "$dead"] } },
        ] };
        let new: Array = self
            .tickets
            .iter()
            .map(|(number, ticket)| {
                let one = doc! {
                    "process": self.process,
                    "number": *number,
                    "background": ticket.class == Class::Background,
                    "patientUntil": { "$add": ["$now", ticket.patience_ms()] },
                    "dueAt": "$now",
                };
                Bson::from(one)
            })
            .collect();
        let stands = doc! { "$map": {
            "input": { "$filter": { "input": "$level.waiting", "as": "one", "cond": {
                "$eq": ["$$one.process", self.process],
            } } },
            "as": "one",
            "in": "$$one.number",
        } };
        let behind = doc! { "$let": {
            "vars": { "stands": stands },
            "in": { "$filter": { "input": new, "as": "one", "cond": {
                "$not": { "$in": ["$$one.number", "$$stands"] },
            } } },
        } };
        let waiting_max = i64::try_from(WAITING_MAX).unwrap_or(i64::MAX);
        [
            doc! { "$set": { "dead": { "$map": {
                "input": { "$filter": { "input": "$level.waiting", "as": "one", "cond": overdue } },
                "as": "one",
                "in": "$$one.process",
            } } } },
            doc! { "$set": { "level.waiting": {
                "$filter": { "input": "$level.waiting", "as": "one", "cond": keeps },
            } } },
            doc! { "$set": { "level.waiting": { "$slice": [
                { "$concatArrays": ["$level.waiting", behind] },
                waiting_max,
            ] } } },
        ]
    }

    /// `Line::new`, with what does not depend on the number of calls.
    fn line(&self) -> [Document; 2] {
        let alone = doc! { "$add": ["$now", self.pace.tolerance_ms(Class::Interactive)] };
        let first = doc! { "$cond": ["$level.onTrial", { "$max": ["$spacing", TRIAL_MS] }, "$spacing"] };
        [
            doc! { "$set": { "begins": {
                "$max": ["$level.fullAt", { "$cond": ["$level.onTrial", alone, "$now"] }],
            } } },
            doc! { "$set": { "line": {
                "afterNone": { "$max": ["$level.fullAt", "$now"] },
                "afterOne": { "$add": ["$begins", first] },
                "isFull": { "$and": [
                    { "$lte": ["$level.fullAt", "$now"] },
                    { "$not": "$level.onTrial" },
                    { "$eq": ["$halved", 0_i64] },
                ] },
            } } },
        ]
    }

    /// Who goes and who stays, of those who wait: the loop of `Level::take_turns`.
    fn let_go(&self) -> Document {
        let of_class = |background: bool| {
            doc! { "$filter": { "input": "$level.waiting", "as": "one", "cond": {
                "$eq": ["$$one.background", background],
            } } }
        };
        let tolerance = doc! { "$cond": [
            "$$this.background",
            self.pace.tolerance_ms(Class::Background),
            self.pace.tolerance_ms(Class::Interactive),
        ] };
        let wait = doc! { "$max": [0_i64, { "$subtract": [
            { "$subtract": [full_after("$$value.ahead"), tolerance] },
            "$now",
        ] }] };
        let passes = doc! { "$mergeObjects": ["$$value", { "ahead": { "$add": ["$$value.ahead", 1_i64] } }] };
        let is_told = doc! { "$let": {
            "vars": {
                "stays": { "$lte": [{ "$add": ["$now", "$$wait"] }, "$$this.patientUntil"] },
                "goes": { "$eq": ["$$wait", 0_i64] },
            },
            "in": {
                "ahead": { "$add": ["$$value.ahead", { "$cond": [{ "$or": ["$$stays", "$$goes"] }, 1_i64, 0_i64] }] },
                "gone": { "$add": ["$$value.gone", { "$cond": ["$$goes", 1_i64, 0_i64] }] },
                "look": { "$cond": [
                    { "$and": ["$$stays", { "$not": "$$goes" }] },
                    { "$min": ["$$value.look", "$$wait"] },
                    "$$value.look",
                ] },
                "callers": { "$concatArrays": ["$$value.callers", [{
                    "number": "$$this.number",
                    "waitMs": "$$wait",
                    "stays": "$$stays",
                    "fullAt": full_after(doc! { "$add": ["$$value.gone", 1_i64] }),
                }]] },
            },
        } };
        doc! { "$set": { "done": { "$reduce": {
            "input": { "$concatArrays": [of_class(false), of_class(true)] },
            "initialValue": { "ahead": 0_i64, "gone": 0_i64, "look": self.looks_after(), "callers": [] },
            "in": { "$cond": [
                { "$eq": ["$$this.process", self.process] },
                { "$let": { "vars": { "wait": wait }, "in": is_told } },
                passes,
            ] },
        } } } }
    }

    /// `Level::looks_after`.
    fn looks_after(&self) -> Document {
        let late = doc! { "$filter": { "input": "$level.waiting", "as": "one", "cond": { "$and": [
            { "$lt": ["$$one.dueAt", "$now"] },
            { "$ne": ["$$one.process", self.process] },
        ] } } };
        let given_up_at = doc! { "$map": { "input": late, "as": "one", "in": {
            "$subtract": [{ "$add": ["$$one.dueAt", GRACE_MS + 1] }, "$now"],
        } } };
        // Where nobody is late, the inner one is null, which the outer one leaves out.
        doc! { "$min": [LOOK_EVERY_MS, { "$min": given_up_at }] }
    }

    /// `Level::let_stay`.
    fn let_stay(&self) -> Document {
        let waits = doc! { "$and": ["$$caller.stays", { "$gt": ["$$caller.waitMs", 0_i64] }] };
        let staying = doc! { "$map": {
            "input": { "$filter": { "input": "$done.callers", "as": "caller", "cond": waits } },
            "as": "caller",
            "in": "$$caller.number",
        } };
        let is_ours = doc! { "$eq": ["$$one.process", self.process] };
        let left = doc! { "$filter": { "input": "$level.waiting", "as": "one", "cond": { "$or": [
            { "$not": is_ours.clone() },
            { "$in": ["$$one.number", "$$staying"] },
        ] } } };
        let due = doc! { "$mergeObjects": ["$$one", { "dueAt": { "$add": ["$now", "$done.look"] } }] };
        doc! { "$set": { "level.waiting": { "$let": {
            "vars": { "staying": staying },
            "in": { "$map": { "input": left, "as": "one", "in": { "$cond": [is_ours, due, "$$one"] } } },
        } } } }
    }

    /// `Level::take`.
    fn take() -> Document {
        let spare = doc! { "$subtract": ["$begins", "$now"] };
        let spares = doc! { "$gte": [spare.clone(), "$spacing"] };
        let taken = doc! {
            "fullAt": full_after("$done.gone"),
            "onTrial": false,
            "tightAt": { "$cond": [spares.clone(), "$level.tightAt", "$now"] },
            "spareMs": { "$switch": {
                "branches": [
                    { "case": spares, "then": { "$min": ["$level.spareMs", spare.clone()] } },
                    { "case": { "$gt": ["$done.gone", 1_i64] }, "then": { "$add": [spare, "$spacing"] } },
                ],
                "default": SPARE_MAX_MS,
            } },
        };
        doc! { "$set": { "level": { "$cond": [
            { "$gt": ["$done.gone", 0_i64] },
            { "$mergeObjects": ["$level", taken] },
            "$level",
        ] } } }
    }

    /// `Level::take_beside`, and when it is called.
    fn take_beside(&self) -> [Document; 3] {
        let lease = self.pace.lease_ms();
        let latest = doc! { "$add": ["$now", self.pace.tolerance_ms(Class::Background)] };
        let is_to_be_had = doc! { "$and": [
            self.beside && lease > 0,
            { "$gt": ["$done.gone", 0_i64] },
            { "$eq": ["$level.waiting", []] },
            "$line.isFull",
            { "$lte": ["$begins", latest] },
        ] };
        let taken = doc! {
            "fullAt": { "$add": ["$begins", "$spacing"] },
            "tightAt": { "$add": ["$now", 1_i64] },
            "spareMs": SPARE_MAX_MS,
        };
        [
            doc! { "$set": { "begins": { "$max": ["$level.fullAt", { "$add": ["$now", lease] }] } } },
            doc! { "$set": { "beside": is_to_be_had } },
            doc! { "$set": { "level": { "$cond": [
                "$beside",
                { "$mergeObjects": ["$level", taken] },
                "$level",
            ] } } },
        ]
    }
}

/// `Line::full_after`.
fn full_after(calls: impl Into<Bson>) -> Document {
    let calls = calls.into();
    let more = doc! { "$subtract": [calls.clone(), 1_i64] };
    doc! { "$cond": [
        { "$eq": [calls, 0_i64] },
        "$line.afterNone",
        { "$add": ["$line.afterOne", { "$multiply": [more, "$spacing"] }] },
    ] }
}

//! A store that fails on demand, before or after it did what it was asked: the database as it is on a bad day.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use patchbay::{
    ids::UserId,
    pace::{Answer, Ask, Pace, Refusal},
    store::{Collection, Record, Store, StoreError, Tally, UserChange, UserDocument, Version, Written},
    system::Timestamp,
};

use super::{clock::ManualClock, exits::Exits};

/// One method of the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    FindUser,
    WriteUser,
    UsersDue,
    Tally,
    DeleteUser,
    FindRecord,
    FindRecords,
    WriteRecord,
    /// The same in [`Collection::Tracks`], which nobody has to have.
    WriteTrack,
    DeleteRecord,
    RecordsDue,
    RecordsOf,
    DeleteRecordsOf,
    TrimRecords,
    TakeTurns,
    CloseBucket,
    Ping,
}

/// Where in a call the database goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It never heard of the call.
    Before,
    /// It did what it was asked, and the answer was lost.
    After,
    /// It heard the call and says nothing, for as long as anybody waits.
    Never,
}

#[derive(Debug)]
struct Fault {
    call: Call,
    when: When,
    times_left: usize,
}

/// Another store, with faults. Every failure is [`StoreError::Unavailable`].
#[derive(Debug)]
pub struct FlakyStore {
    inner: Arc<dyn Store>,
    exits: Arc<Exits>,
    faults: Mutex<Vec<Fault>>,
    calls: Mutex<Vec<Call>>,
    late: Mutex<Option<Late>>,
    under_way: AtomicUsize,
}

/// An answer that somebody hears late, because their process was asleep when it came.
#[derive(Debug)]
struct Late {
    call: Call,
    clock: Arc<ManualClock>,
    by: Duration,
}

impl FlakyStore {
    /// A store that works until it is told otherwise.
    pub fn over(inner: Arc<dyn Store>) -> Arc<Self> {
        Self::behind(Arc::default(), inner)
    }

    /// The same for a process that can be stopped at every call.
    pub fn behind(exits: Arc<Exits>, inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            exits,
            faults: Mutex::default(),
            calls: Mutex::default(),
            late: Mutex::default(),
            under_way: AtomicUsize::default(),
        })
    }

    /// Lets so much time pass on `clock` between the next call of this kind and the moment at which its caller hears that
    /// it is done.
    pub fn answer_late(&self, call: Call, clock: Arc<ManualClock>, by: Duration) {
        let late = Late { call, clock, by };
        *self.late.lock().unwrap_or_else(PoisonError::into_inner) = Some(late);
    }

    /// Lets the next `times` calls of this kind fail, behind those that were ordered before. `usize::MAX`: all of them.
    pub fn fail_next(&self, times: usize, call: Call, when: When) {
        let fault = Fault {
            call,
            when,
            times_left: times,
        };
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Forgets all faults that were ordered.
    pub fn heal(&self) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How often this was called, failures included.
    pub fn calls(&self, call: Call) -> usize {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|made| **made == call).count()
    }

    /// Whether nobody waits for an answer.
    pub fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }

    async fn through<T>(
        &self,
        call: Call,
        question: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
        let _counted = Counted::one(&self.under_way);
        self.exits
            .leave(&format!("{call:?}"), self.with_faults(call, question))
            .await
    }

    async fn with_faults<T>(
        &self,
        call: Call,
        question: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.take_fault(call) {
            None => {
                let answer = question.await;
                let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(late) = late.take_if(|late| late.call == call) {
                    late.clock.advance(late.by);
                }
                answer
            }
            Some(When::Before) => Err(gone()),
            Some(When::After) => question.await.and(Err(gone())),
            Some(When::Never) => std::future::pending().await,
        }
    }

    fn take_fault(&self, call: Call) -> Option<When> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults
            .iter_mut()
            .find(|fault| fault.call == call && fault.times_left > 0)?;
        if fault.times_left < usize::MAX {
            fault.times_left -= 1;
        }
        Some(fault.when)
    }
}

/// One more, until this is dropped.
pub struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    pub fn one(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn gone() -> StoreError {
    StoreError::unavailable("the test took the database away")
}

#[async_trait]
impl Store for FlakyStore {
    async fn find_user(&self, id: &UserId) -> Result<UserDocument, StoreError> {
        self.through(Call::FindUser, self.inner.find_user(id)).await
    }

    async fn write_user(
        &self,
        id: &UserId,
        read: Version,
        change: &UserChange,
    ) -> Result<Written, StoreError> {
        self.through(Call::WriteUser, self.inner.write_user(id, read, change))
            .await
    }

    async fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
        self.through(Call::UsersDue, self.inner.users_due(until, after, limit))
            .await
    }

    async fn tally(&self, now: Timestamp) -> Result<Tally, StoreError> {
        self.through(Call::Tally, self.inner.tally(now)).await
    }

    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError> {
        self.through(Call::DeleteUser, self.inner.delete_user(id)).await
    }

    async fn find_record(&self, collection: Collection, id: &str) -> Result<Option<Record>, StoreError> {
        self.through(Call::FindRecord, self.inner.find_record(collection, id))
            .await
    }

    async fn find_records(
        &self,
        collection: Collection,
        ids: &[String],
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.through(Call::FindRecords, self.inner.find_records(collection, ids))
            .await
    }

    async fn write_record(
        &self,
        collection: Collection,
        id: &str,
        record: &Record,
    ) -> Result<Written, StoreError> {
        let call = match collection {
            Collection::Tracks => Call::WriteTrack,
            _ => Call::WriteRecord,
        };
        self.through(call, self.inner.write_record(collection, id, record))
            .await
    }

    async fn delete_record(
        &self,
        collection: Collection,
        id: &str,
        read: Version,
    ) -> Result<Written, StoreError> {
        self.through(Call::DeleteRecord, self.inner.delete_record(collection, id, read))
            .await
    }

    async fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.through(Call::RecordsDue, self.inner.records_due(collection, until, limit))
            .await
    }

    async fn records_of(
        &self,
        collection: Collection,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.through(Call::RecordsOf, self.inner.records_of(collection, owner, limit))
            .await
    }

    async fn delete_records_of(&self, collection: Collection, owner: &UserId) -> Result<(), StoreError> {
        self.through(
            Call::DeleteRecordsOf,
            self.inner.delete_records_of(collection, owner),
        )
        .await
    }

    async fn trim_records(&self, collection: Collection, bytes_max: u64) -> Result<u64, StoreError> {
        self.through(Call::TrimRecords, self.inner.trim_records(collection, bytes_max))
            .await
    }

    async fn take_turns(&self, id: &str, pace: Pace, ask: &Ask) -> Result<Answer, StoreError> {
        self.through(Call::TakeTurns, self.inner.take_turns(id, pace, ask))
            .await
    }

    async fn close_bucket(
        &self,
        id: &str,
        pace: Pace,
        pause: Duration,
        refusal: Refusal,
    ) -> Result<(), StoreError> {
        self.through(
            Call::CloseBucket,
            self.inner.close_bucket(id, pace, pause, refusal),
        )
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.through(Call::Ping, self.inner.ping()).await
    }
}

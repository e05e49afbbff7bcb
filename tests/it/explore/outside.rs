//! Everything outside of the simulated processes: the time, the store, the provider, and the gate at which whatever a
//! process asks of them waits until the schedule decides about it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{Request, Response};
use patchbay::{
    ids::UserId,
    pace::{self, Ask, Pace, Refusal},
    providers::{Transport, TransportError},
    store::{Collection, Record, Store, StoreError, Tally, UserChange, UserDocument, Version, Written},
    system::{BoxFuture, Clock, Timestamp},
};
use tokio::sync::oneshot;

use super::{
    case::Verdict,
    provider::{Provider, Reply},
    shelves::Shelves,
    truth::Truth,
};

/// 2026-11-21T12:00:00Z.
const START_MS: i64 = 1_795_262_400_000;

/// One life of a simulated process: a crash ends it, and the next begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    pub process: usize,
    pub number: u32,
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)?;
        if self.number > 0 {
            write!(f, " (started {} times again)", self.number)?;
        }
        Ok(())
    }
}

type Answer = Result<Response<Vec<u8>>, TransportError>;
type StoreCall = Box<dyn FnOnce(&mut Shelves, Verdict) + Send>;

/// Something that a process asked for.
pub struct Waiting {
    pub who: Life,
    pub since_ms: i64,
    /// The number of the renewal that is asked for.
    pub renewal: Option<usize>,
    pub what: What,
}

pub enum What {
    /// Of the store.
    Stored(StoreCall),
    /// Of the provider, which has not heard of it.
    Going(Request<Vec<u8>>, oneshot::Sender<Answer>),
    /// Of the provider, which has done it; with the refresh token that is new in the answer.
    Coming(Reply, oneshot::Sender<Answer>),
}

impl Waiting {
    /// Whether the process still wants the answer.
    pub fn is_wanted(&self) -> bool {
        match &self.what {
            What::Stored(_) => true,
            What::Going(_, answer) | What::Coming(_, answer) => !answer.is_closed(),
        }
    }
}

pub struct State {
    pub now_ms: i64,
    pub gate: Vec<Waiting>,
    /// Nothing waits: everything is done at once. Nobody judges then.
    pub gate_is_open: bool,
    timers: Vec<(i64, oneshot::Sender<()>)>,
    pub shelves: Shelves,
    pub store_works: bool,
    pub provider: Provider,
    pub truth: Truth,
}

impl State {
    pub fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms)
    }

    /// When the next sleeper wakes, if before or at `until_ms`.
    pub fn next_timer(&mut self, until_ms: i64) -> Option<i64> {
        self.timers.retain(|(_, wake)| !wake.is_closed());
        self.timers
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| *at <= until_ms)
            .min()
    }

    /// Moves the time and wakes whoever waited for it.
    pub fn move_to(&mut self, ms: i64) {
        self.now_ms = self.now_ms.max(ms);
        for (_, wake) in self.timers.extract_if(.., |(at, _)| *at <= self.now_ms) {
            // Who does not wait any more does not mind.
            let _ = wake.send(());
        }
    }
}

/// The outside, shared by all processes. One thread runs them all, one after another, so nobody ever waits for it.
#[derive(Clone)]
pub struct Outside(Arc<Mutex<State>>);

impl Outside {
    pub fn new(rotates: bool, skews_ms: Vec<i64>) -> Self {
        Self(Arc::new(Mutex::new(State {
            now_ms: START_MS,
            gate: Vec::new(),
            gate_is_open: false,
            timers: Vec::new(),
            shelves: Shelves::default(),
            store_works: true,
            provider: Provider {
                rotates,
                ..Provider::default()
            },
            truth: Truth::new(skews_ms),
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outside as one life of a process sees it: its store, its way to the provider, and its clock.
#[derive(Clone)]
pub struct View {
    pub outside: Outside,
    pub who: Life,
    pub skew_ms: i64,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({:?})", self.who)
    }
}

impl View {
    fn wait(&self, what: What) {
        let mut state = self.outside.lock();
        let since_ms = state.now_ms;
        state.gate.push(Waiting {
            who: self.who,
            since_ms,
            renewal: None,
            what,
        });
    }

    async fn stored<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Shelves) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        if let state = &mut *self.outside.lock()
            && state.gate_is_open
        {
            return Ok(call(&mut state.shelves));
        }
        self.wait(What::Stored(Box::new(move |shelves, verdict| {
            let outcome = match verdict {
                Verdict::Through => Ok(call(shelves)),
                Verdict::Lost => {
                    call(shelves);
                    Err(StoreError::unavailable("the answer was lost"))
                }
                Verdict::Failed => Err(StoreError::unavailable("the store is away")),
            };
            // A process that died does not mind.
            let _ = answer.send(outcome);
        })));
        match answered.await {
            Ok(outcome) => outcome,
            // The world is being put away.
            Err(_) => std::future::pending().await,
        }
    }
}

impl View {
    fn ask(&self, request: Request<Vec<u8>>) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.outside.lock();
        if state.gate_is_open {
            let now_ms = state.now_ms;
            let reply = state.provider.act(&request, now_ms);
            // Whoever asks waits for it.
            let _ = answer.send(Ok(reply.response));
            return answered;
        }
        let State {
            now_ms, gate, truth, ..
        } = &mut *state;
        let renewal = truth.asks(self.who, &request, *now_ms, gate);
        gate.push(Waiting {
            who: self.who,
            since_ms: *now_ms,
            renewal,
            what: What::Going(request, answer),
        });
        answered
    }
}

impl Clock for View {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.outside.lock().now_ms + self.skew_ms)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut state = self.outside.lock();
        let at = state.now() + duration.max(Duration::from_millis(1));
        state.timers.push((at.as_ms(), wake));
        Box::pin(async move {
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[async_trait]
impl Transport for View {
    async fn exchange(&self, request: Request<Vec<u8>>, _body_bytes_max: usize) -> Answer {
        let answered = self.ask(request);
        match answered.await {
            Ok(answer) => answer,
            Err(_) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Store for View {
    async fn find_user(&self, id: &UserId) -> Result<UserDocument, StoreError> {
        let id = id.clone();
        self.stored(move |shelves| shelves.user(&id)).await
    }

    async fn write_user(
        &self,
        id: &UserId,
        read: Version,
        change: &UserChange,
    ) -> Result<Written, StoreError> {
        let (id, change) = (id.clone(), change.clone());
        self.stored(move |shelves| shelves.write_user(&id, read, change))
            .await
    }

    async fn users_due(
        &self,
        until: Timestamp,
        after: Option<&(Timestamp, UserId)>,
        limit: usize,
    ) -> Result<Vec<(UserId, UserDocument)>, StoreError> {
        let after = after.cloned();
        self.stored(move |shelves| shelves.users_due(until, after.as_ref(), limit))
            .await
    }

    async fn tally(&self, now: Timestamp) -> Result<Tally, StoreError> {
        self.stored(move |shelves| shelves.tally(now)).await
    }

    async fn delete_user(&self, id: &UserId) -> Result<(), StoreError> {
        let id = id.clone();
        self.stored(move |shelves| shelves.delete_user(&id)).await
    }

    async fn find_record(&self, collection: Collection, id: &str) -> Result<Option<Record>, StoreError> {
        let id = id.to_owned();
        self.stored(move |shelves| shelves.record(collection, &id)).await
    }

    async fn find_records(
        &self,
        collection: Collection,
        ids: &[String],
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let ids = ids.to_vec();
        self.stored(move |shelves| {
            let found = |id: String| shelves.record(collection, &id).map(|record| (id, record));
            ids.into_iter().filter_map(found).collect()
        })
        .await
    }

    async fn write_record(
        &self,
        collection: Collection,
        id: &str,
        record: &Record,
    ) -> Result<Written, StoreError> {
        let (id, record) = (id.to_owned(), record.clone());
        self.stored(move |shelves| shelves.write_record(collection, &id, record))
            .await
    }

    async fn delete_record(
        &self,
        collection: Collection,
        id: &str,
        read: Version,
    ) -> Result<Written, StoreError> {
        let id = id.to_owned();
        self.stored(move |shelves| shelves.delete_record(collection, &id, read))
            .await
    }

    async fn records_due(
        &self,
        collection: Collection,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        self.stored(move |shelves| shelves.records_due(collection, until, limit))
            .await
    }

    async fn records_of(
        &self,
        collection: Collection,
        owner: &UserId,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, StoreError> {
        let owner = owner.clone();
        self.stored(move |shelves| shelves.records_of(collection, &owner, limit))
            .await
    }

    async fn delete_records_of(&self, collection: Collection, owner: &UserId) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.stored(move |shelves| shelves.delete_records_of(collection, &owner))
            .await
    }

    async fn trim_records(&self, _: Collection, _: u64) -> Result<u64, StoreError> {
        unreachable!("nobody's listening is read here")
    }

    async fn take_turns(&self, id: &str, pace: Pace, ask: &Ask) -> Result<pace::Answer, StoreError> {
        let (id, ask) = (id.to_owned(), ask.clone());
        let now = self.outside.lock().now();
        self.stored(move |shelves| shelves.take_turns(&id, pace, now, &ask))
            .await
    }

    async fn close_bucket(
        &self,
        id: &str,
        pace: Pace,
        pause: Duration,
        refusal: Refusal,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        let now = self.outside.lock().now();
        self.stored(move |shelves| shelves.close_bucket(&id, pace, now, pause, refusal))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.stored(|_| ()).await
    }
}

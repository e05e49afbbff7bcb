//! Asking together: when many want the same document at once, one question is on its way, and one more answers everybody
//! who came meanwhile. A hundred callers who wait for one renewal then cost the database two questions and not a hundred.
//!
//! An answer is only for those who came before its question was sent: whatever was written before somebody asked, they
//! see.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::store::StoreError;

/// Those who ask for the same thing, by what they ask for.
pub(super) struct Together<T> {
    // Never held across an await: coming and going is a look into the map.
    queues: Mutex<HashMap<String, Arc<Queue<T>>>>,
}

struct Queue<T> {
    /// Numbers for who comes and for each question that is sent, in their order.
    numbers: AtomicU64,
    /// Held by whoever asks: the number of the last question, and its answer.
    turn: tokio::sync::Mutex<Option<(u64, Answer<T>)>>,
}

type Answer<T> = Result<T, Arc<StoreError>>;

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self {
            queues: Mutex::default(),
        }
    }
}

impl<T> fmt::Debug for Together<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Together({})", self.queues().len())
    }
}

impl<T: Clone> Together<T> {
    /// The answer to `question` about `id`, sent by this caller or by another one who came later than now.
    pub(super) async fn ask(
        &self,
        id: &str,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let place = self.queue_up(id);
        let came = place.queue.next_number();
        let mut turn = place.queue.turn.lock().await;
        if let Some((asked, answer)) = &*turn
            && *asked > came
        {
            return answer.clone().map_err(shared);
        }
        let asked = place.queue.next_number();
        let answer = question.await.map_err(Arc::new);
        *turn = Some((asked, answer.clone()));
        answer.map_err(shared)
    }
}

impl<T> Together<T> {
    fn queue_up(&self, id: &str) -> Place<'_, T> {
        let mut queues = self.queues();
        let queue = if let Some(queue) = queues.get(id) {
            Arc::clone(queue)
        } else {
            let queue = Arc::new(Queue {
                numbers: AtomicU64::default(),
                turn: tokio::sync::Mutex::default(),
            });
            queues.insert(id.to_owned(), Arc::clone(&queue));
            queue
        };
        Place {
            all: self,
            id: id.to_owned(),
            queue,
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<String, Arc<Queue<T>>>> {
        // Nothing inside the lock can panic half-way through a change.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Queue<T> {
    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::AcqRel)
    }
}

/// A place in a queue, given up by whoever stops waiting, too; the last one takes the queue away.
struct Place<'a, T> {
    all: &'a Together<T>,
    id: String,
    queue: Arc<Queue<T>>,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        let mut queues = self.all.queues();
        // The map's, and this one.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.id);
        }
    }
}

/// The same failure, for one of several callers.
fn shared(error: Arc<StoreError>) -> StoreError {
    match &*error {
        StoreError::Unavailable(_) => StoreError::unavailable(error),
        StoreError::Unreadable(_) => StoreError::unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::{FutureExt as _, future::join_all};
    use tokio::sync::Notify;

    use super::*;

    /// A document, how often it was asked for, and answers that wait until told.
    #[derive(Default)]
    struct Database {
        stored: AtomicUsize,
        asked: AtomicUsize,
        answer: Notify,
    }

    impl Database {
        async fn question(&self) -> Result<usize, StoreError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let found = self.stored.load(Ordering::SeqCst);
            self.answer.notified().await;
            Ok(found)
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn one_question_for_all_who_came_while_another_was_on_its_way() {
        let (database, together) = (Database::default(), Together::default());
        let mut first = Box::pin(together.ask("ana", database.question()));
        assert!((&mut first).now_or_never().is_none());
        let mut others = Box::pin(join_all((0..9).map(|_| together.ask("ana", database.question()))));
        assert!((&mut others).now_or_never().is_none());
        assert_eq!(database.asked(), 1);

        // Written after the first question was sent, and before the others': they see it.
        database.stored.store(7, Ordering::SeqCst);
        database.answer.notify_one();
        assert_eq!(first.await.expect("an answer"), 0);
        database.answer.notify_one();
        for answer in others.await {
            assert_eq!(answer.expect("an answer"), 7);
        }
        assert_eq!(database.asked(), 2);
        assert!(together.queues().is_empty(), "{together:?}");
    }

    #[tokio::test]
    async fn who_asks_after_an_answer_asks_anew() {
        let (database, together) = (Database::default(), Together::default());
        for stored in 1..=3 {
            database.stored.store(stored, Ordering::SeqCst);
            database.answer.notify_one();
            let found = together.ask("ana", database.question()).await;
            assert_eq!((found.expect("an answer"), database.asked()), (stored, stored));
        }
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_the_turn_to_the_next() {
        let (database, together) = (Database::default(), Together::default());
        let mut first = Box::pin(together.ask("ana", database.question()));
        assert!((&mut first).now_or_never().is_none());
        let mut second = Box::pin(together.ask("ana", database.question()));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert!((&mut second).now_or_never().is_none());
        database.answer.notify_one();
        assert_eq!(second.await.expect("an answer"), 0);
        assert!(together.queues().is_empty(), "{together:?}");
    }

    #[tokio::test]
    async fn different_people_do_not_wait_for_each_other() {
        let (database, together) = (Database::default(), Together::default());
        let mut ana = Box::pin(together.ask("ana", database.question()));
        assert!((&mut ana).now_or_never().is_none());
        let mut ben = Box::pin(together.ask("ben", database.question()));
        assert!((&mut ben).now_or_never().is_none());
        assert_eq!(database.asked(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_everybodys() {
        let together = Together::<usize>::default();
        let hang = Notify::new();
        let mut first = Box::pin(together.ask("ana", async {
            hang.notified().await;
            Ok(1)
        }));
        assert!((&mut first).now_or_never().is_none());
        let asked = AtomicUsize::new(0);
        let fail = || async {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(StoreError::unavailable("it went away"))
        };
        let mut others = Box::pin(join_all((0..5).map(|_| together.ask("ana", fail()))));
        assert!((&mut others).now_or_never().is_none());
        hang.notify_one();
        assert_eq!(first.await.expect("an answer"), 1);
        for failed in others.await {
            assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
        }
        assert_eq!(asked.into_inner(), 1);
    }
}

//! Refusals that outlast a process: until when an app may not ask, kept in the store for every instance.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    store::{Collection, Record, Store, StoreError, Written},
    system::Timestamp,
};

/// Races that are tried again. Who loses all of them leaves a closing that another one wrote a moment before.
const TRIES_MAX: usize = 4;

/// What is remembered of long refusals, by budget.
#[derive(Clone, Debug)]
pub struct Closures {
    store: Arc<dyn Store>,
}

/// One remembered refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// When the app may ask again.
    pub until: Timestamp,
    /// Whether a quota is used up; otherwise it was asked to slow down.
    pub quota: bool,
}

impl Closures {
    /// What `store` remembers.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// What closes `budget` at `now`, if anything does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, budget: &str, now: Timestamp) -> Result<Option<Closing>, StoreError> {
        let record = self.store.find_record(Collection::Budgets, &id(budget)).await?;
        let closing = record.as_ref().and_then(read);
        Ok(closing.filter(|closing| closing.until > now))
    }

    /// Closes `budget`, unless it is closed for longer already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self, budget: &str, closing: Closing) -> Result<(), StoreError> {
        for _ in 0..TRIES_MAX {
            let found = self.store.find_record(Collection::Budgets, &id(budget)).await?;
            let mut record = found.unwrap_or_default();
            if read(&record).is_some_and(|closed| closed.until >= closing.until) {
                return Ok(());
            }
            record.body = serde_json::to_value(closing).map_err(StoreError::unreadable)?;
            let written = self
                .store
                .write_record(Collection::Budgets, &id(budget), &record)
                .await?;
            if matches!(written, Written::As(_)) {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn id(budget: &str) -> String {
    format!("closed:{budget}")
}

/// What cannot be read closes nothing: the provider will say it again.
fn read(record: &Record) -> Option<Closing> {
    Closing::deserialize(&record.body).ok()
}

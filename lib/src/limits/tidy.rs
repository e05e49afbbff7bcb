//! Dropping what says nothing any more: apps come and go, and nobody else removes what is kept about them.

use super::{Pacer, ledger, pacer};
use crate::store::{Collection, StoreError, Written};

/// Records that one pass drops; the next one goes on.
const DROPPED_MAX: usize = 1_000;

impl Pacer {
    /// Removes the buckets that are as good as new, and the ledgers in which nothing counts any more. Who uses one in the same moment keeps it. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_idle(&self) -> Result<usize, StoreError> {
        let desks = self.drop_desks();
        let Some(store) = self.store() else {
            return Ok(desks);
        };
        let due = store
            .records_due(Collection::Budgets, self.now(), DROPPED_MAX)
            .await?;
        let mut dropped = 0;
        let is_ours = |id: &str| {
            [pacer::ID_PREFIX, ledger::ID_PREFIX]
                .iter()
                .any(|ours| id.starts_with(ours))
        };
        for (id, record) in due.iter().filter(|(id, _)| is_ours(id)) {
            let gone = store
                .delete_record(Collection::Budgets, id, record.version)
                .await?;
            dropped += usize::from(matches!(gone, Written::As(_)));
        }
        Ok(dropped)
    }
}

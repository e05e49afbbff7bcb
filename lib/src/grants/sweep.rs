//! The sweep: one bounded pass over the documents that want attention. The cron route, the server's timer and
//! `patchbay refresh` are all this function.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::{GrantError, Grants, schedule::grant_due_at};
use crate::{
    ids::UserId,
    store::{StoreError, UserDocument},
    system::Timestamp,
};

/// Documents read at a time.
const PAGE: usize = 100;

/// What one pass may use.
#[derive(Clone, Copy, Debug)]
pub struct SweepLimits {
    /// No document is begun after this long.
    pub time: Duration,
    /// Renewals under way at a time.
    pub concurrency: usize,
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SweepSummary {
    /// Documents that wanted attention and got it.
    pub visited: usize,
    /// Grants with a new token.
    pub renewed: usize,
    /// Grants that the provider ended.
    pub ended: usize,
    /// Grants that could not be renewed now and are tried again later.
    pub put_off: usize,
    /// Documents that could not be read or written.
    pub failed: usize,
    /// Whether time ran out with documents left: the next pass goes on.
    pub more: bool,
}

impl Grants {
    /// Renews what is due and used, erases what is dead for long, drops what was never finished. One failure never
    /// stops the rest, and two passes at once renew nothing twice.
    ///
    /// # Errors
    /// [`StoreError`] when the list itself cannot be read.
    pub async fn sweep(&self, limits: SweepLimits) -> Result<SweepSummary, StoreError> {
        let began = self.0.system.now();
        let mut summary = SweepSummary::default();
        let mut after = None;
        if let Err(error) = self.tend_breakers(began).await {
            tracing::warn!(?error, "the breakers could not be looked after");
        }
        loop {
            let page = self.0.store.users_due(began, after.as_ref(), PAGE).await?;
            let was_last = page.len() < PAGE;
            after = page
                .last()
                .and_then(|(user, document)| Some((document.next_due_at?, user.clone())));
            let visits = page.into_iter().map(|(user, document)| {
                let grants = self.clone();
                async move { grants.visit(&user, &document, began).await }
            });
            let mut visits = stream::iter(visits).buffer_unordered(limits.concurrency.max(1));
            while let Some(visit) = visits.next().await {
                summary.add(&visit);
            }
            if was_last || after.is_none() {
                break;
            }
            if self.0.system.now().since(began) >= limits.time {
                summary.more = true;
                break;
            }
        }
        Ok(summary)
    }

    async fn visit(&self, user: &UserId, document: &UserDocument, now: Timestamp) -> SweepSummary {
        let mut visit = SweepSummary {
            visited: 1,
            ..SweepSummary::default()
        };
        let tidied: Result<(), StoreError> = self
            .change(user, |document| {
                document.pending.retain(|_, pending| pending.expires_at > now);
                document
                    .integrations
                    .values_mut()
                    .for_each(|grant| grant.erase_if_long_dead(now));
                Ok(())
            })
            .await;
        if let Err(error) = tidied {
            tracing::warn!(user = %self.0.vault.pseudonym(user), ?error, "a document could not be tidied");
            visit.failed += 1;
            return visit;
        }
        for (slot, grant) in &document.integrations {
            let due = grant_due_at(grant, self.0.margin).is_some_and(|due| due <= now);
            if !due || grant.refuses().is_some() {
                continue;
            }
            match self.kept_warm(user, *slot, grant.generation).await {
                Ok(_) => visit.renewed += 1,
                Err(GrantError::NeedsReauth(_) | GrantError::NotConnected) => visit.ended += 1,
                Err(GrantError::Store(_) | GrantError::Sealed(_) | GrantError::BrokeOff) => visit.failed += 1,
                Err(
                    GrantError::AppError(_)
                    | GrantError::ProviderUnavailable { .. }
                    | GrantError::NoOperatorApp,
                ) => {
                    visit.put_off += 1;
                }
            }
        }
        visit
    }
}

impl SweepSummary {
    fn add(&mut self, other: &Self) {
        self.visited += other.visited;
        self.renewed += other.renewed;
        self.ended += other.ended;
        self.put_off += other.put_off;
        self.failed += other.failed;
        self.more |= other.more;
    }
}

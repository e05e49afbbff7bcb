//! The sweep: one bounded pass over the documents that want attention. The cron route, the server's timer and
//! `patchbay refresh` are all this function.

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, future, stream};
use serde::Serialize;

use super::{
    GrantError, Grants,
    errand::{Errand, Fresh, How, Outcome, Purpose, Stop},
    schedule::renewal_due_at,
};
use crate::{
    ids::{Slot, UserId},
    store::{StoreError, StoredGrant, UserDocument},
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
    /// Grants that somebody else renewed, or is renewing.
    pub left_to_others: usize,
    /// Grants that the provider ended, and those that it says again are over.
    pub ended: usize,
    /// Grants that could not be renewed now and are tried again later.
    pub put_off: usize,
    /// Documents that could not be read or written.
    pub failed: usize,
    /// Whether documents are left that time ran out for, or that could not be listed: the next pass goes on.
    pub more: bool,
}

type Due = Result<(UserId, UserDocument), StoreError>;

impl Grants {
    /// Renews what is due and used, asks again about what was called dead, erases what is dead for long, drops what was
    /// never finished, tells of what comes to its end. One failure never stops the rest, and of two passes at once each
    /// leaves to the other what the other is at.
    ///
    /// # Errors
    /// [`StoreError`] when the list itself cannot be read.
    pub async fn sweep(&self, limits: SweepLimits) -> Result<SweepSummary, StoreError> {
        let began = self.0.system.now();
        let out_of_time = AtomicBool::new(false);
        let in_time = |_: &Due| {
            let late = self.0.system.now().since(began) >= limits.time;
            out_of_time.fetch_or(late, Ordering::Relaxed);
            future::ready(!late)
        };
        if let Err(error) = self.tend_breakers(began).await {
            tracing::warn!(?error, "the breakers could not be looked after");
        }
        if let Err(error) = self.forget_old_events(began).await {
            tracing::warn!(?error, "old events could not be forgotten");
        }
        let visits = self.due(began).take_while(in_time).map(|due| async move {
            let (user, document) = due?;
            Ok(self.visit(&user, &document, began).await)
        });
        let mut visits = pin!(visits.buffer_unordered(limits.concurrency.max(1)));
        let mut summary = SweepSummary::default();
        while let Some(visit) = visits.next().await {
            match visit {
                Ok(visit) => summary.add(&visit),
                Err(error) if summary.visited == 0 => return Err(error),
                Err(error) => {
                    tracing::error!(?error, "the list of what is due breaks off");
                    summary.more = true;
                }
            }
        }
        summary.more |= out_of_time.load(Ordering::Relaxed);
        Ok(summary)
    }

    /// What is due at `until`, earliest first, read page by page as it is wanted. An error ends it.
    fn due(&self, until: Timestamp) -> impl Stream<Item = Due> {
        enum Place {
            Beginning,
            Behind((Timestamp, UserId)),
            End,
        }
        let pages = stream::unfold(Place::Beginning, move |place| async move {
            let after = match place {
                Place::Beginning => None,
                Place::Behind(row) => Some(row),
                Place::End => return None,
            };
            let page = match self.0.store.users_due(until, after.as_ref(), PAGE).await {
                Ok(page) => page,
                Err(error) => return Some((vec![Err(error)], Place::End)),
            };
            let last = page.last().filter(|_| page.len() == PAGE);
            let next = last.and_then(|(user, document)| Some((document.next_due_at?, user.clone())));
            let next = next.map_or(Place::End, Place::Behind);
            Some((page.into_iter().map(Ok).collect(), next))
        });
        pages.flat_map(stream::iter)
    }

    async fn visit(&self, user: &UserId, document: &UserDocument, now: Timestamp) -> SweepSummary {
        let mut visit = SweepSummary {
            visited: 1,
            ..SweepSummary::default()
        };
        if let Err(error) = self.tidy(user, document, now).await {
            tracing::warn!(user = %self.0.vault.pseudonym(user), ?error, "a document could not be tidied");
            visit.failed += 1;
            return visit;
        }
        for (slot, grant) in &document.integrations {
            if let Some(purpose) = self.wants(grant, now) {
                visit.count(self.run(errand(user, *slot, grant, purpose)).await);
            }
        }
        visit
    }

    /// Drops what was never finished, erases what is dead for long, notes what comes to its end.
    async fn tidy(&self, user: &UserId, document: &UserDocument, now: Timestamp) -> Result<(), StoreError> {
        let tidied = |document: &mut UserDocument| {
            document.pending.retain(|_, pending| pending.expires_at > now);
            document.pending_link.take_if(|pending| pending.expires_at <= now);
            for grant in document.integrations.values_mut() {
                grant.erase_if_long_dead(now);
                grant.tell_days_left(now);
            }
        };
        let mut as_read = document.clone();
        tidied(&mut as_read);
        if !document.outbox.is_empty() {
            self.publish(user, &document.outbox).await;
        }
        if as_read == *document {
            return Ok(());
        }
        self.change(user, |document| {
            tidied(document);
            Ok(())
        })
        .await
    }

    /// What the sweep asks the provider about this grant, if anything.
    fn wants(&self, grant: &StoredGrant, now: Timestamp) -> Option<Purpose> {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if is_due(grant.check_due_at()) && !is_due(grant.erased_at()) {
            return Some(Purpose::Check);
        }
        is_due(renewal_due_at(grant, self.upkeep())).then_some(Purpose::Warmth)
    }
}

fn errand(user: &UserId, slot: Slot, grant: &StoredGrant, purpose: Purpose) -> Errand {
    Errand {
        user: user.clone(),
        slot,
        stale: grant.generation,
        purpose,
    }
}

impl SweepSummary {
    fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Ok(Fresh {
                how: How::Renewed, ..
            }) => &mut self.renewed,
            Ok(_) | Err(Stop::HeldElsewhere) => &mut self.left_to_others,
            Err(Stop::For(error)) => match error {
                GrantError::NeedsReauth(_) | GrantError::NotConnected => &mut self.ended,
                GrantError::Store(_) | GrantError::Sealed(_) | GrantError::BrokeOff => &mut self.failed,
                GrantError::AppError(_)
                | GrantError::ProviderUnavailable { .. }
                | GrantError::NoOperatorApp => &mut self.put_off,
            },
        };
        *counter += 1;
    }

    fn add(&mut self, other: &Self) {
        self.visited += other.visited;
        self.renewed += other.renewed;
        self.left_to_others += other.left_to_others;
        self.ended += other.ended;
        self.put_off += other.put_off;
        self.failed += other.failed;
        self.more |= other.more;
    }
}

//! When a document next wants attention, and the one loop through which documents are changed.

use std::{collections::BTreeMap, time::Duration};

use super::{Grants, events};
use crate::{
    ids::{Slot, UserId},
    store::{Edit, GrantStatus, StoreError, StoredEvent, StoredGrant, UserChange, UserDocument, Written},
    system::Timestamp,
};

/// Only grants that somebody used in this time are kept warm; the others are renewed when somebody asks.
const KEPT_WARM_AFTER_USE: Duration = Duration::from_hours(7 * 24);

/// An app that was refused is tried again this often without anybody's asking.
const APP_RETRY_UNASKED: Duration = Duration::from_hours(1);

/// A provider that hands out tokens which are dead on arrival must not keep the sweep spinning on one grant.
const RENEWALS_APART_MIN: Duration = Duration::from_mins(1);

/// How long before a limit on idleness a grant is renewed: a month of failing sweeps is noticed.
const IDLE_MARGIN: Duration = Duration::from_hours(30 * 24);

/// So many lost races in a row mean that something writes without end, not that it is busy.
pub(super) const CONFLICTS_MAX: usize = 64;

/// What keeping a grant alive takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Upkeep {
    /// An access token with less life than this is renewed.
    margin: Duration,
    /// After how long without a renewal the provider ends a grant, if it does.
    idle_life: Option<Duration>,
}

impl Grants {
    pub(super) fn upkeep(&self) -> Upkeep {
        Upkeep {
            margin: self.0.margin,
            idle_life: self.0.spotify.tokens.rules().idle_life,
        }
    }

    /// Reads a user's document, lets `decide` change it, and writes what changed; again from the start when somebody
    /// else wrote in between. Nothing is written when nothing changed. `decide` may run several times. What happened to a
    /// grant by it is told afterwards.
    pub(crate) async fn change<T, E: From<StoreError>>(
        &self,
        user: &UserId,
        decide: impl FnMut(&mut UserDocument) -> Result<T, E>,
    ) -> Result<T, E> {
        let (decided, outbox) = self.write_change(user, decide).await?;
        if !outbox.is_empty() {
            self.publish(user, &outbox).await;
        }
        Ok(decided)
    }

    /// The same, telling nobody: also gives what is to be told.
    pub(super) async fn write_change<T, E: From<StoreError>>(
        &self,
        user: &UserId,
        mut decide: impl FnMut(&mut UserDocument) -> Result<T, E>,
    ) -> Result<(T, Vec<StoredEvent>), E> {
        for _ in 0..CONFLICTS_MAX {
            let before = self.0.store.find_user(user).await?;
            let mut after = before.clone();
            let decided = decide(&mut after)?;
            events::note(user, &before, &mut after, self.0.system.now());
            after.next_due_at = next_due_at(&after, self.upkeep());
            after.dead = waiting_for_their_person(&after);
            if after == before {
                return Ok((decided, Vec::new()));
            }
            let outbox = after.outbox.clone();
            match self
                .0
                .store
                .write_user(user, before.version, &difference(&before, after))
                .await?
            {
                Written::As(_) => return Ok((decided, outbox)),
                Written::Conflict => {}
            }
        }
        Err(StoreError::unavailable("a document is written to without end").into())
    }
}

fn difference(before: &UserDocument, after: UserDocument) -> UserChange {
    UserChange {
        integrations: changed_slots(&before.integrations, after.integrations),
        pending: changed_slots(&before.pending, after.pending),
        lastfm: Edit::between(before.lastfm.as_ref(), after.lastfm),
        pending_link: Edit::between(before.pending_link.as_ref(), after.pending_link),
        next_due_at: after.next_due_at,
        dead: after.dead,
        outbox: (before.outbox != after.outbox).then_some(after.outbox),
    }
}

fn changed_slots<V: PartialEq>(
    before: &BTreeMap<Slot, V>,
    after: BTreeMap<Slot, V>,
) -> BTreeMap<Slot, Option<V>> {
    let mut changes: BTreeMap<Slot, Option<V>> = before
        .keys()
        .filter(|slot| !after.contains_key(slot))
        .map(|slot| (*slot, None))
        .collect();
    let put = after
        .into_iter()
        .filter(|(slot, value)| before.get(slot) != Some(value));
    changes.extend(put.map(|(slot, value)| (slot, Some(value))));
    changes
}

fn waiting_for_their_person(document: &UserDocument) -> u32 {
    let grants = document.integrations.values();
    grants
        .map(|grant| u32::from(grant.status == GrantStatus::NeedsReauth))
        .sum()
}

/// The earliest moment at which any slot wants the sweep.
fn next_due_at(document: &UserDocument, upkeep: Upkeep) -> Option<Timestamp> {
    let grants = document
        .integrations
        .values()
        .filter_map(|grant| grant_due_at(grant, upkeep));
    let pending = document.pending.values().map(|pending| pending.expires_at);
    let link = document.pending_link.iter().map(|pending| pending.expires_at);
    let untold = document.outbox.iter().map(|event| event.at);
    grants.chain(pending).chain(link).chain(untold).min()
}

/// When the sweep has something to do for this grant: renew it, ask about it again, tell of its end, or erase what is left
/// of it.
fn grant_due_at(grant: &StoredGrant, upkeep: Upkeep) -> Option<Timestamp> {
    let reasons = [
        renewal_due_at(grant, upkeep),
        grant.check_due_at(),
        grant.erased_at(),
        grant.told_next_at(),
    ];
    reasons.into_iter().flatten().min()
}

/// When the sweep renews this grant.
pub(super) fn renewal_due_at(grant: &StoredGrant, upkeep: Upkeep) -> Option<Timestamp> {
    grant.refresh_token_enc.as_ref()?;
    let pause = match grant.status {
        GrantStatus::NeedsReauth => return None,
        // Used or not, live token or not: whether it is dead has to be known within the day.
        GrantStatus::Quarantined => return Some(grant.next_attempt_at.unwrap_or_default()),
        GrantStatus::AppError => grant.updated_at + APP_RETRY_UNASKED,
        GrantStatus::Connected => grant.next_attempt_at.unwrap_or_default(),
    };
    let due = (grant.expires_at - upkeep.margin)
        .max(pause)
        .max(grant.updated_at + RENEWALS_APART_MIN);
    let warm = (due < grant.last_used_at + KEPT_WARM_AFTER_USE).then_some(due);
    // Whoever does not use it learns that it is over all the same, when the provider says so.
    let unsettled = |end: &Timestamp| grant.updated_at < *end || grant.failures > 0;
    let end = grant.grant_expires_at.filter(unsettled).map(|end| end.max(due));
    // And what the provider takes back from who does not use it is used in time, if by nobody else.
    let idle = upkeep.idle_life.map(|life| grant.expires_at + life - IDLE_MARGIN);
    let idle = idle.map(|idle| idle.max(due));
    warm.into_iter().chain(end).chain(idle).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        providers::rules::GOOGLE,
        store::{StoredLastfm, StoredPendingLink},
    };

    const NOW: Timestamp = Timestamp::from_ms(10_000_000_000);

    #[test]
    fn a_way_to_lastfm_that_was_not_finished_is_looked_at_when_it_ends() {
        let mut document = UserDocument {
            pending_link: Some(StoredPendingLink {
                expires_at: NOW,
                ..StoredPendingLink::default()
            }),
            ..UserDocument::default()
        };
        assert_eq!(next_due_at(&document, Upkeep::default()), Some(NOW));
        document.pending_link = None;
        assert_eq!(next_due_at(&document, Upkeep::default()), None);
    }

    #[test]
    fn only_what_differs_is_written() {
        let link = |name: &str| StoredLastfm {
            username: name.to_owned(),
            connected_at: NOW,
            verified: false,
            session_key_enc: None,
            updated_at: None,
        };
        let with = |lastfm: Option<StoredLastfm>| UserDocument {
            lastfm,
            ..UserDocument::default()
        };
        let (ana, ben) = (Some(link("ana")), Some(link("ben")));
        for (before, after, edit) in [
            (None, None, Edit::Leave),
            (ana.clone(), ana.clone(), Edit::Leave),
            (ana.clone(), ben.clone(), Edit::Put(link("ben"))),
            (None, ben.clone(), Edit::Put(link("ben"))),
            (ben, None, Edit::Remove),
        ] {
            let change = difference(&with(before), with(after));
            assert_eq!((change.lastfm, change.pending_link), (edit, Edit::Leave));
        }
    }

    #[test]
    fn a_grant_that_nobody_uses_is_let_go_cold_unless_it_is_doubted() {
        let unused = StoredGrant {
            refresh_token_enc: Some(String::new()),
            expires_at: NOW,
            next_attempt_at: Some(NOW + Duration::from_secs(1)),
            ..StoredGrant::default()
        };
        assert_eq!(renewal_due_at(&unused, Upkeep::default()), None);
        let doubted = StoredGrant {
            status: GrantStatus::Quarantined,
            ..unused
        };
        assert_eq!(
            renewal_due_at(&doubted, Upkeep::default()),
            doubted.next_attempt_at
        );
    }

    #[test]
    fn an_unused_grant_is_renewed_a_month_before_the_provider_would_take_it_back() {
        let unused = StoredGrant {
            refresh_token_enc: Some(String::new()),
            expires_at: NOW,
            ..StoredGrant::default()
        };
        let upkeep = Upkeep {
            idle_life: GOOGLE.idle_life,
            ..Upkeep::default()
        };
        let day = Duration::from_hours(24);
        assert_eq!(renewal_due_at(&unused, upkeep), Some(NOW + day * 150));
    }

    #[test]
    fn an_unused_grant_is_tried_when_its_life_ends_until_the_provider_has_answered() {
        let day = Duration::from_hours(24);
        let ending = StoredGrant {
            refresh_token_enc: Some(String::new()),
            grant_expires_at: Some(NOW + day * 30),
            updated_at: NOW,
            ..StoredGrant::default()
        };
        assert_eq!(
            renewal_due_at(&ending, Upkeep::default()),
            ending.grant_expires_at
        );
        let next_attempt_at = Some(NOW + day * 31);
        let unanswered = StoredGrant {
            updated_at: NOW + day * 30,
            failures: 1,
            next_attempt_at,
            ..ending.clone()
        };
        assert_eq!(renewal_due_at(&unanswered, Upkeep::default()), next_attempt_at);
        let lives_on = StoredGrant {
            failures: 0,
            next_attempt_at: None,
            ..unanswered
        };
        assert_eq!(renewal_due_at(&lives_on, Upkeep::default()), None);
    }
}

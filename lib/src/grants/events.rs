//! What happens to a grant, told once: to its person, to the host application, to the log.
//!
//! What happened is read off the difference that a write makes, and stored by that same write, in an outbox inside the
//! user's document. From there it goes to the collection `events` under an id that follows from the write. So an event is
//! there if and only if the change is, and once, whoever dies in between: who comes next finds it in the outbox, and
//! telling it again meets its own id.

use std::time::Duration;

use super::Grants;
use crate::{
    ids::UserId,
    store::{
        Collection, GrantStatus, Record, StoreError, StoredEvent, StoredGrant, UserDocument, Version, Written,
    },
    system::Timestamp,
};

/// How long an event is kept; nobody asks what happened to a connection the quarter before.
const KEPT: Duration = Duration::from_hours(90 * 24);

/// Events that one sweep forgets; the next one goes on.
const FORGOTTEN_MAX: usize = 1000;

/// Whoever was told "ended" and came back by consenting again.
const RECONNECTED: &str = "reconnected";

/// Whoever came back by itself: the refresh token works after all.
const RENEWED: &str = "renewed";

/// The kinds of events, as stable codes.
mod kind {
    /// The provider ends the grant in so many days.
    pub(super) const ENDING: &str = "ending";
    /// The person has to consent again.
    pub(super) const ENDED: &str = "ended";
    /// Refused together with many others; not believed yet.
    pub(super) const QUARANTINED: &str = "quarantined";
    /// The app is refused; its owner has to mend it.
    pub(super) const APP_ERROR: &str = "app_error";
    /// It works again.
    pub(super) const RECOVERED: &str = "recovered";
}

/// Puts what happened between `before` and `after`, which is about to be written, into the outbox of `after`.
pub(super) fn note(user: &UserId, before: &UserDocument, after: &mut UserDocument, now: Timestamp) {
    let mut happened = Vec::new();
    for (slot, grant) in &after.integrations {
        let Some(earlier) = before.integrations.get(slot) else {
            continue;
        };
        // The version that this write replaces: no other write can have replaced it, too.
        let id = |kind| format!("{user}/{slot}/{}/{kind}", before.version.0);
        let event = |kind: &'static str, reason: Option<&str>, days_left| StoredEvent {
            id: id(kind),
            slot: *slot,
            kind: kind.to_owned(),
            at: now,
            reason: reason.map(str::to_owned),
            days_left,
        };
        if let Some((kind, reason)) = turn(earlier, grant) {
            happened.push(event(kind, reason, None));
        }
        if grant.announced.is_some() && grant.announced != earlier.announced {
            happened.push(event(kind::ENDING, None, grant.days_left(now)));
        }
    }
    after.outbox.extend(happened);
}

/// The turn that a grant's status took, and why.
fn turn<'a>(before: &StoredGrant, after: &'a StoredGrant) -> Option<(&'static str, Option<&'a str>)> {
    if before.status == after.status {
        return None;
    }
    Some(match after.status {
        GrantStatus::Connected if before.authorized_at == after.authorized_at => {
            (kind::RECOVERED, Some(RENEWED))
        }
        GrantStatus::Connected => (kind::RECOVERED, Some(RECONNECTED)),
        GrantStatus::NeedsReauth => (kind::ENDED, after.status_reason.as_deref()),
        GrantStatus::AppError => (kind::APP_ERROR, after.status_reason.as_deref()),
        GrantStatus::Quarantined => (kind::QUARANTINED, None),
    })
}

impl Grants {
    /// Moves what is in a user's outbox to `events`. What fails stays, and the sweep comes by for it.
    pub(super) async fn publish(&self, user: &UserId, outbox: &[StoredEvent]) {
        let told = self.tell(user, outbox).await;
        let user = self.0.vault.pseudonym(user);
        if let Err(error) = told {
            tracing::warn!(%user, ?error, "events stay in the outbox");
        }
    }

    async fn tell(&self, user: &UserId, outbox: &[StoredEvent]) -> Result<(), StoreError> {
        for event in outbox {
            let record = Record {
                version: Version::ABSENT,
                owner: Some(user.clone()),
                due_at: Some(event.at + KEPT),
                body: serde_json::to_value(event).map_err(StoreError::unreadable)?,
            };
            let written = self
                .0
                .store
                .write_record(Collection::Events, &event.id, &record)
                .await?;
            // A conflict is the event itself: somebody told it and died.
            if matches!(written, Written::As(_)) {
                tracing::info!(user = %self.0.vault.pseudonym(user), slot = %event.slot, kind = event.kind,
                    reason = event.reason, days_left = event.days_left, "a grant has news");
            }
        }
        let (is_erased, _) = self
            .write_change(user, |document| {
                document.outbox.retain(|event| !outbox.contains(event));
                Ok::<_, StoreError>(document.version == Version::ABSENT)
            })
            .await?;
        if is_erased {
            // Forgetting wins: who was erased meanwhile leaves no events behind.
            self.0.store.delete_records_of(Collection::Events, user).await?;
        }
        Ok(())
    }

    /// Forgets events that are old.
    pub(super) async fn forget_old_events(&self, now: Timestamp) -> Result<(), StoreError> {
        let events = Collection::Events;
        for (id, record) in self.0.store.records_due(events, now, FORGOTTEN_MAX).await? {
            // A conflict: another sweep was faster.
            let _ = self.0.store.delete_record(events, &id, record.version).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Slot;

    const NOW: Timestamp = Timestamp::from_ms(1_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn document(version: u64, grant: &StoredGrant) -> UserDocument {
        UserDocument {
            version: Version(version),
            integrations: [(Slot::Spotify, grant.clone())].into(),
            ..UserDocument::default()
        }
    }

    /// What is noted when this becomes that: kind, reason and days.
    fn noted(before: &StoredGrant, after: &StoredGrant) -> Vec<(String, Option<String>, Option<u64>)> {
        let user = "ana".parse().expect("an id");
        let mut written = document(7, after);
        note(&user, &document(7, before), &mut written, NOW);
        let events = written.outbox.into_iter();
        events
            .map(|event| (event.kind, event.reason, event.days_left))
            .collect()
    }

    fn with(status: GrantStatus) -> StoredGrant {
        StoredGrant {
            status,
            ..StoredGrant::default()
        }
    }

    #[test]
    fn every_turn_of_a_grant_is_an_event_and_nothing_else_is() {
        let all = [
            GrantStatus::Connected,
            GrantStatus::NeedsReauth,
            GrantStatus::AppError,
            GrantStatus::Quarantined,
        ];
        let kinds = ["recovered", "ended", "app_error", "quarantined"];
        for before in all {
            for (after, kind) in all.into_iter().zip(kinds) {
                let expected = if before == after {
                    vec![]
                } else {
                    vec![kind.to_owned()]
                };
                let found: Vec<_> = noted(&with(before), &with(after))
                    .into_iter()
                    .map(|(kind, ..)| kind)
                    .collect();
                assert_eq!(found, expected, "{before:?} to {after:?}");
            }
        }
        let renewed = StoredGrant {
            generation: 9,
            expires_at: NOW,
            ..StoredGrant::default()
        };
        assert_eq!(noted(&StoredGrant::default(), &renewed), []);
    }

    #[test]
    fn coming_back_says_how() {
        let dead = with(GrantStatus::NeedsReauth);
        let reason = |after: &StoredGrant| noted(&dead, after).remove(0).1;
        assert_eq!(reason(&with(GrantStatus::Connected)).as_deref(), Some("renewed"));
        let reconnected = StoredGrant {
            authorized_at: NOW,
            ..StoredGrant::default()
        };
        assert_eq!(reason(&reconnected).as_deref(), Some("reconnected"));
    }

    #[test]
    fn a_threshold_says_how_many_days_there_really_are() {
        let before = StoredGrant {
            grant_expires_at: Some(NOW + DAY * 10),
            ..StoredGrant::default()
        };
        let after = StoredGrant {
            announced: Some(14),
            ..before.clone()
        };
        assert_eq!(noted(&before, &after), [("ending".to_owned(), None, Some(10))]);
        assert_eq!(noted(&after, &after), []);
    }

    #[test]
    fn the_same_write_gives_the_same_ids_and_another_gives_others() {
        let user = "ana".parse().expect("an id");
        let ids = |version| {
            let mut after = document(version, &with(GrantStatus::NeedsReauth));
            note(
                &user,
                &document(version, &StoredGrant::default()),
                &mut after,
                NOW,
            );
            after.outbox.into_iter().map(|event| event.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(7), ids(7));
        assert_ne!(ids(7), ids(8));
    }
}

//! The grant's own clock: some providers end a grant so many days after consent, whatever is renewed until then. People
//! are told in time, once at each threshold.

use std::time::Duration;

use crate::{
    store::{GrantStatus, StoredGrant},
    system::Timestamp,
};

/// Days left at which the person is told. A provider that gives fewer days to begin with is only held to those below.
const TOLD_AT_DAYS: [u16; 4] = [30, 14, 7, 1];

const DAY: Duration = Duration::from_hours(24);

impl StoredGrant {
    /// Whole and begun days until the provider ends the grant, where it does; 0 when it is over.
    pub(super) fn days_left(&self, now: Timestamp) -> Option<u64> {
        let end = self.grant_expires_at?;
        Some(
            end.since(now)
                .as_millis()
                .div_ceil(DAY.as_millis())
                .try_into()
                .unwrap_or(u64::MAX),
        )
    }

    /// The thresholds that are still ahead or not told yet, with the moments at which they are reached.
    fn thresholds(&self) -> impl Iterator<Item = (u16, Timestamp)> {
        let end = self
            .grant_expires_at
            .filter(|_| self.status != GrantStatus::NeedsReauth);
        let (from, told) = (self.authorized_at, self.announced.unwrap_or(u16::MAX));
        TOLD_AT_DAYS
            .into_iter()
            .filter_map(move |days| Some((days, end? - DAY * u32::from(days))))
            .filter(move |(days, at)| *days < told && *at > from)
    }

    /// When the next threshold is reached.
    pub(super) fn told_next_at(&self) -> Option<Timestamp> {
        self.thresholds().map(|(_, at)| at).next()
    }

    /// Notes the threshold that is reached, if it was not told yet; of several, the nearest to the end: nobody is told
    /// that 30 days are left when it is 10.
    pub(super) fn tell_days_left(&mut self, now: Timestamp) {
        if let Some((days, _)) = self.thresholds().filter(|(_, at)| *at <= now).last() {
            self.announced = Some(days);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSENT: Timestamp = Timestamp::from_ms(1_000_000_000);

    fn grant(life_days: u32) -> StoredGrant {
        StoredGrant {
            authorized_at: CONSENT,
            grant_expires_at: Some(CONSENT + DAY * life_days),
            ..StoredGrant::default()
        }
    }

    /// What is told of a grant that is looked at on each of these days.
    fn told(mut grant: StoredGrant, days: impl IntoIterator<Item = u32>) -> Vec<u16> {
        let mut told = Vec::new();
        for day in days {
            let before = grant.announced;
            grant.tell_days_left(CONSENT + DAY * day);
            told.extend(grant.announced.filter(|_| grant.announced != before));
        }
        told
    }

    #[test]
    fn each_threshold_is_told_once() {
        assert_eq!(told(grant(180), 0..200), [30, 14, 7, 1]);
    }

    #[test]
    fn who_looks_late_tells_only_what_is_true_now() {
        assert_eq!(told(grant(180), [100, 170, 171, 180]), [14, 1]);
    }

    #[test]
    fn a_grant_of_seven_days_is_not_told_of_at_once() {
        assert_eq!(told(grant(7), 0..10), [1]);
    }

    #[test]
    fn a_grant_without_an_end_and_a_dead_one_have_no_thresholds() {
        let endless = StoredGrant {
            grant_expires_at: None,
            ..grant(180)
        };
        assert_eq!((endless.told_next_at(), endless.days_left(CONSENT)), (None, None));
        let dead = StoredGrant {
            status: GrantStatus::NeedsReauth,
            ..grant(180)
        };
        assert!(told(dead, 0..200).is_empty());
    }

    #[test]
    fn the_sweep_comes_by_when_the_next_one_is_reached() {
        let mut grant = grant(180);
        assert_eq!(grant.told_next_at(), Some(CONSENT + DAY * 150));
        grant.tell_days_left(CONSENT + DAY * 150);
        assert_eq!(grant.told_next_at(), Some(CONSENT + DAY * 166));
    }

    #[test]
    fn begun_days_count_and_it_ends_at_nought() {
        let grant = grant(180);
        let at = |time| grant.days_left(CONSENT + time);
        assert_eq!(at(Duration::ZERO), Some(180));
        assert_eq!(at(DAY * 179 + Duration::from_millis(1)), Some(1));
        assert_eq!(at(DAY * 181), Some(0));
    }
}

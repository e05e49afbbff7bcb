//! A grant's steps, without a provider or a store.

use super::*;
use crate::system::CLOCK_SKEW_MAX;

const NOW: Timestamp = Timestamp::from_ms(1_000_000);

fn grant() -> StoredGrant {
    StoredGrant {
        access_token_enc: Some("sealed access".to_owned()),
        refresh_token_enc: Some("sealed refresh".to_owned()),
        expires_at: NOW,
        ..StoredGrant::default()
    }
}

fn renewed(refresh: Option<&str>) -> Renewed {
    Renewed {
        access_token_enc: "new access".to_owned(),
        refresh_token_enc: refresh.map(str::to_owned),
        expires_at: NOW + Duration::from_hours(1),
        scopes: None,
    }
}

#[test]
fn a_claim_excludes_others_until_its_lease_is_over() {
    let claimed = grant()
        .claim("one".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .into_grant();
    let refused = claimed
        .clone()
        .claim("two".to_owned(), &Watch::default(), NOW + LEASE.mul_f64(0.9))
        .unwrap_err();
    let holder = "one".to_owned();
    assert_eq!(refused, NotClaimed::HeldByOther { holder });
    let late = NOW + LEASE + CLOCK_SKEW_MAX * 2;
    let taken_over = claimed
        .claim("two".to_owned(), &Watch::default(), late)
        .expect("the lease is over")
        .into_grant();
    assert!(
        taken_over.clone().held_by("one").is_none(),
        "a late holder has lost its claim"
    );
    assert!(taken_over.clone().held_by("two").is_some());
    assert!(
        taken_over.still_at(0).is_some(),
        "but a token in its hands is as good as any, while there is none of a later generation"
    );
}

#[test]
fn a_token_of_an_older_generation_is_nobodys() {
    let newer = StoredGrant {
        generation: 8,
        ..grant()
    };
    assert!(newer.still_at(7).is_none());
}

#[test]
fn a_pause_that_no_clock_can_have_meant_is_no_pause() {
    let paused = |until| StoredGrant {
        next_attempt_at: Some(until),
        ..grant()
    };
    let claim = |grant: StoredGrant| grant.claim("me".to_owned(), &Watch::default(), NOW);
    assert!(claim(paused(NOW + RETRY_AFTER_MAX)).is_err());
    assert!(claim(paused(NOW + RETRY_AFTER_MAX * 2)).is_ok());
}

#[test]
fn an_absent_refresh_token_keeps_the_old_one_and_a_present_one_replaces_it() {
    let claim = || {
        grant()
            .claim("me".to_owned(), &Watch::default(), NOW)
            .expect("free")
    };
    assert_eq!(
        claim().renewed(renewed(None), NOW).refresh_token_enc.as_deref(),
        Some("sealed refresh")
    );
    assert_eq!(
        claim()
            .renewed(renewed(Some("new")), NOW)
            .refresh_token_enc
            .as_deref(),
        Some("new")
    );
    assert_eq!(claim().renewed(renewed(None), NOW).generation, 1);
}

#[test]
fn a_refused_grant_is_asked_about_for_a_day_and_then_erased() {
    let mut dead = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .revoked(NOW);
    assert_eq!(dead.refuses(), Some(Reason::GrantRevoked));
    assert!(
        dead.access_token_enc.is_none(),
        "nobody gets a token of a dead grant"
    );
    assert!(
        dead.clone()
            .claim("me".to_owned(), &Watch::default(), NOW + ERASED_AFTER)
            .is_err()
    );
    let mut asked_after = Vec::new();
    while let Some(at) = dead.check_due_at() {
        asked_after.push(at.since(NOW));
        let early = at - Duration::from_millis(1);
        assert!(
            dead.clone()
                .claim_dead("me".to_owned(), &Watch::default(), early)
                .is_err()
        );
        assert!(dead.refresh_token_enc.is_some());
        dead = dead
            .claim_dead("me".to_owned(), &Watch::default(), at)
            .expect("its time")
            .still_dead(at);
        assert_eq!(
            (dead.refuses(), dead.status_since),
            (Some(Reason::GrantRevoked), NOW)
        );
    }
    assert_eq!(asked_after, CHECKED_AGAIN_AFTER);
    assert_eq!((dead.refresh_token_enc.as_ref(), dead.erased_at()), (None, None));
}

#[test]
fn a_dead_grant_that_works_after_all_is_back() {
    let dead = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .revoked(NOW);
    let at = dead.check_due_at().expect("it is asked about");
    let back = dead
        .claim_dead("me".to_owned(), &Watch::default(), at)
        .expect("its time")
        .renewed(renewed(None), at);
    assert_eq!(
        (back.status, back.status_reason.as_ref()),
        (GrantStatus::Connected, None)
    );
    assert!(back.refresh_token_enc.is_some() && back.access_token_enc.is_some());
}

#[test]
fn who_comes_late_asks_once_and_not_for_every_time_that_was_missed() {
    let dead = |at| {
        let dead = grant()
            .claim("me".to_owned(), &Watch::default(), NOW)
            .expect("free")
            .revoked(NOW);
        dead.claim_dead("me".to_owned(), &Watch::default(), at)
            .expect("its time")
            .still_dead(at)
    };
    let evening = NOW + Duration::from_hours(9);
    assert_eq!(dead(evening).check_due_at(), Some(NOW + KEPT_AFTER_REFUSAL));
    assert_eq!(dead(NOW + KEPT_AFTER_REFUSAL).refresh_token_enc, None);
}

#[test]
fn what_cannot_be_asked_about_is_erased_all_the_same_but_not_untried() {
    let mut untried = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .revoked(NOW);
    untried.erase_if_long_dead(NOW + ERASED_AFTER * 10);
    assert!(untried.refresh_token_enc.is_some(), "nothing was running");
    let mut unanswered = untried
        .claim_dead("me".to_owned(), &Watch::default(), NOW + KEPT_AFTER_REFUSAL)
        .expect("its time")
        .failed(None, 0.0, NOW + KEPT_AFTER_REFUSAL);
    assert_eq!(unanswered.refuses(), Some(Reason::GrantRevoked));
    unanswered.erase_if_long_dead(NOW + KEPT_AFTER_REFUSAL);
    assert!(unanswered.refresh_token_enc.is_some());
    unanswered.erase_if_long_dead(NOW + ERASED_AFTER);
    assert!(unanswered.refresh_token_enc.is_none());
}

#[test]
fn a_grant_past_its_life_is_expired_rather_than_revoked() {
    let old = StoredGrant {
        grant_expires_at: Some(NOW),
        ..grant()
    };
    let mut dead = old
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .revoked(NOW);
    assert_eq!(dead.refuses(), Some(Reason::GrantExpired));
    assert_eq!(dead.check_due_at(), None, "that is no surprise to ask about");
    dead.erase_if_long_dead(NOW + KEPT_AFTER_REFUSAL - Duration::from_millis(1));
    assert!(dead.refresh_token_enc.is_some());
    dead.erase_if_long_dead(NOW + KEPT_AFTER_REFUSAL);
    assert!(dead.refresh_token_enc.is_none());
}

#[test]
fn a_failure_pauses_and_a_retry_after_is_honoured_up_to_a_day() {
    let fail = |retry_after| {
        grant()
            .claim("me".to_owned(), &Watch::default(), NOW)
            .expect("free")
            .failed(retry_after, 0.0, NOW)
    };
    assert_eq!(fail(None).next_attempt_at, Some(NOW + BACKOFF_FIRST / 2));
    assert_eq!(
        fail(Some(Duration::from_mins(7))).next_attempt_at,
        Some(NOW + Duration::from_mins(7))
    );
    assert_eq!(
        fail(Some(Duration::MAX)).next_attempt_at,
        Some(NOW + RETRY_AFTER_MAX)
    );
    let paused = fail(None)
        .claim("me".to_owned(), &Watch::default(), NOW)
        .unwrap_err();
    assert!(matches!(
        paused,
        NotClaimed::TooSoon {
            app_at_fault: false,
            ..
        }
    ));
    assert_eq!(pause_after(40, 1.0), BACKOFF_MAX);
}

#[test]
fn a_refused_app_costs_the_grant_nothing() {
    let kept = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .app_refused(NOW);
    assert_eq!(kept.refuses(), None);
    assert!(kept.refresh_token_enc.is_some() && kept.access_token_enc.is_some());
    let revived = kept
        .claim("me".to_owned(), &Watch::default(), NOW + APP_RETRY)
        .expect("tried again")
        .renewed(renewed(None), NOW);
    assert_eq!(revived.status, GrantStatus::Connected);
}

#[test]
fn a_doubted_grant_loses_nothing_and_is_tried_again_after_seconds() {
    let first = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .quarantined(0.0, NOW);
    assert_eq!(first.refuses(), None);
    assert!(first.refresh_token_enc.is_some() && first.access_token_enc.is_some());
    let at = first.next_attempt_at.expect("it is tried again");
    assert_eq!(at, NOW + BACKOFF_FIRST / 2);
    let second = first
        .claim("me".to_owned(), &Watch::default(), at)
        .expect("the pause is over")
        .quarantined(0.0, at);
    assert_eq!(second.next_attempt_at, Some(at + BACKOFF_FIRST));
    assert_eq!(second.status_since, NOW, "doubted since the first refusal");
}

#[test]
fn a_refusal_is_final_after_the_life_of_the_grant_or_a_day_of_doubt() {
    let claim = |grant: StoredGrant, now| {
        grant
            .claim("me".to_owned(), &Watch::default(), now)
            .expect("free")
    };
    assert!(!claim(grant(), NOW).refusal_is_final(NOW));
    let ending = StoredGrant {
        grant_expires_at: Some(NOW + Duration::from_millis(1)),
        ..grant()
    };
    assert!(!claim(ending.clone(), NOW).refusal_is_final(NOW));
    let end = NOW + Duration::from_millis(1);
    assert!(claim(ending, end).refusal_is_final(end));
    let doubted = claim(grant(), NOW).quarantined(0.0, NOW);
    let day_after = NOW + DOUBTED_FOR;
    let before = day_after - Duration::from_millis(1);
    assert!(!claim(doubted.clone(), before).refusal_is_final(before));
    assert!(claim(doubted, day_after).refusal_is_final(day_after));
}

#[test]
fn only_the_grant_that_a_refusal_ended_is_taken_back() {
    let later = NOW + Duration::from_secs(9);
    let dead = grant()
        .claim("me".to_owned(), &Watch::default(), NOW)
        .expect("free")
        .revoked(NOW);
    let back = dead
        .clone()
        .doubted(NOW, 0.0, later)
        .expect("it was this refusal");
    assert_eq!(
        (back.status, back.status_since),
        (GrantStatus::Quarantined, later)
    );
    assert_eq!(back.next_attempt_at, Some(later + BACKOFF_FIRST / 2));
    assert!(
        dead.clone().doubted(later, 0.0, later).is_none(),
        "another refusal ended it"
    );
    let erased = StoredGrant {
        refresh_token_enc: None,
        ..dead
    };
    assert!(erased.doubted(NOW, 0.0, later).is_none(), "nothing is left");
    let reconnected = StoredGrant {
        status_since: NOW,
        ..grant()
    };
    assert!(reconnected.doubted(NOW, 0.0, later).is_none());
}

//! A grant's steps, without a provider or a store.

use super::*;

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
    let claimed = grant().claim("one".to_owned(), NOW).expect("free").into_grant();
    let refused = claimed
        .clone()
        .claim("two".to_owned(), NOW + LEASE.mul_f64(0.9))
        .unwrap_err();
    assert_eq!(refused, NotClaimed::HeldByOther);
    let taken_over = claimed
        .claim("two".to_owned(), NOW + LEASE)
        .expect("the lease is over")
        .into_grant();
    assert!(
        taken_over.clone().held_by("one").is_none(),
        "a late holder has lost its claim"
    );
    assert!(taken_over.held_by("two").is_some());
}

#[test]
fn an_absent_refresh_token_keeps_the_old_one_and_a_present_one_replaces_it() {
    let claim = || grant().claim("me".to_owned(), NOW).expect("free");
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
fn a_refused_grant_keeps_its_refresh_token_for_a_day() {
    let mut dead = grant().claim("me".to_owned(), NOW).expect("free").revoked(NOW);
    assert_eq!(dead.refuses(), Some(Reason::GrantRevoked));
    assert!(
        dead.access_token_enc.is_none(),
        "nobody gets a token of a dead grant"
    );
    dead.erase_if_long_dead(NOW + Duration::from_hours(23));
    assert!(dead.refresh_token_enc.is_some());
    dead.erase_if_long_dead(NOW + Duration::from_hours(24));
    assert!(dead.refresh_token_enc.is_none());
}

#[test]
fn a_grant_past_its_life_is_expired_rather_than_revoked() {
    let old = StoredGrant {
        grant_expires_at: Some(NOW),
        ..grant()
    };
    let dead = old.claim("me".to_owned(), NOW).expect("free").revoked(NOW);
    assert_eq!(dead.refuses(), Some(Reason::GrantExpired));
}

#[test]
fn a_failure_pauses_and_a_retry_after_is_honoured_up_to_a_day() {
    let fail = |retry_after| {
        grant()
            .claim("me".to_owned(), NOW)
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
    let paused = fail(None).claim("me".to_owned(), NOW).unwrap_err();
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
        .claim("me".to_owned(), NOW)
        .expect("free")
        .app_refused(NOW);
    assert_eq!(kept.refuses(), None);
    assert!(kept.refresh_token_enc.is_some() && kept.access_token_enc.is_some());
    let revived = kept
        .claim("me".to_owned(), NOW + APP_RETRY)
        .expect("tried again")
        .renewed(renewed(None), NOW);
    assert_eq!(revived.status, GrantStatus::Connected);
}

#[test]
fn a_doubted_grant_loses_nothing_and_is_tried_again_after_seconds() {
    let first = grant()
        .claim("me".to_owned(), NOW)
        .expect("free")
        .quarantined(0.0, NOW);
    assert_eq!(first.refuses(), None);
    assert!(first.refresh_token_enc.is_some() && first.access_token_enc.is_some());
    let at = first.next_attempt_at.expect("it is tried again");
    assert_eq!(at, NOW + BACKOFF_FIRST / 2);
    let second = first
        .claim("me".to_owned(), at)
        .expect("the pause is over")
        .quarantined(0.0, at);
    assert_eq!(second.next_attempt_at, Some(at + BACKOFF_FIRST));
    assert_eq!(second.status_since, NOW, "doubted since the first refusal");
}

#[test]
fn a_refusal_is_final_after_the_life_of_the_grant_or_a_day_of_doubt() {
    let claim = |grant: StoredGrant, now| grant.claim("me".to_owned(), now).expect("free");
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
    let dead = grant().claim("me".to_owned(), NOW).expect("free").revoked(NOW);
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

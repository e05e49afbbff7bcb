//! The cookie of local sign-in.

use std::time::Duration;

use super::*;

fn with_sessions(app_url: &str) -> Callers {
    let auth = Auth {
        local_sign_in: LocalSignIn::On,
        ..auth()
    };
    callers_at(app_url, &auth, None)
}

/// The cookie pair that signing in gives.
fn cookie(callers: &Callers, user: &str, now: Timestamp) -> String {
    let set_cookie = callers.sign_in(&user.parse().unwrap(), now).unwrap();
    set_cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn read_as(callers: &Callers, cookie: &str, now: Timestamp) -> Result<Option<Caller>, CallerError> {
    callers
        .identify(&Method::GET, &headers(&[("cookie", cookie)]), now)
        .await
}

#[tokio::test]
async fn a_session_lasts_thirty_days() {
    let callers = with_sessions(COOKIE_URL);
    let cookie = cookie(&callers, "ann@example.com", NOW);
    let days = |days: u64| Duration::from_hours(24 * days);
    let ann = Caller {
        user: "ann@example.com".parse().unwrap(),
        via: Via::Session,
    };

    assert_eq!(read_as(&callers, &cookie, NOW).await, Ok(Some(ann.clone())));
    let among_others = format!("a=b; {cookie}; c");
    assert_eq!(
        read_as(&callers, &among_others, NOW + days(29)).await,
        Ok(Some(ann.clone()))
    );
    assert_eq!(
        read_as(&callers, &cookie, NOW + days(30)).await,
        Err(CallerError::Expired)
    );
    assert_eq!(
        read_as(&callers, &cookie, NOW - Duration::from_mins(1)).await,
        Ok(Some(ann))
    );
    assert_eq!(
        read_as(&callers, &cookie, NOW - Duration::from_secs(61)).await,
        Err(CallerError::Invalid(InvalidToken::NotYetValid))
    );
}

#[tokio::test]
async fn a_changed_or_foreign_cookie_is_refused() {
    let callers = with_sessions(COOKIE_URL);
    let good = cookie(&callers, "ann", NOW);
    for position in "patchbay_session=".len()..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let outcome = read_as(&callers, &changed, NOW).await;
        assert!(
            matches!(outcome, Err(CallerError::Invalid(_))),
            "{position}: {outcome:?}"
        );
    }
    for value in [
        "",
        ".",
        "v1",
        "v1.YW5u.1900001800000",
        "v1.YW5u.1900001800000.",
        "x.y.z",
    ] {
        let outcome = read_as(&callers, &format!("patchbay_session={value}"), NOW).await;
        assert!(!matches!(outcome, Ok(Some(_))), "{value}");
    }

    let auth = Auth {
        local_sign_in: LocalSignIn::On,
        ..auth()
    };
    let elsewhere = Callers::new(&auth, &COOKIE_URL.parse().unwrap(), &[], vault("k1", 2), None);
    assert_eq!(
        read_as(&elsewhere, &good, NOW).await,
        Err(CallerError::Invalid(InvalidToken::Signature))
    );

    let state_key = vault("k1", 1).sign(crate::vault::SigningUse::State, b"v1.YW5u.1900001800000");
    let as_state = format!(
        "patchbay_session=v1.YW5u.1900001800000.{}",
        URL_SAFE_NO_PAD.encode(state_key)
    );
    assert!(
        read_as(&callers, &as_state, NOW).await.is_err(),
        "a signed state is no session"
    );
}

#[tokio::test]
async fn without_local_sign_in_no_cookie_counts() {
    let cookie = cookie(&with_sessions(COOKIE_URL), "ann", NOW);
    let callers = with_secret();
    assert_eq!(read_as(&callers, &cookie, NOW).await, Ok(None));
    assert_eq!(callers.sign_in(&"ann".parse().unwrap(), NOW), None);
    assert_eq!(callers.sign_out(), None);
}

#[tokio::test]
async fn who_claims_nothing_is_nobody_and_a_wrong_token_is_not_made_up_for() {
    let callers = with_sessions(COOKIE_URL);
    let session = cookie(&callers, "ann", NOW);
    for pairs in [
        vec![],
        vec![("cookie", "a=b")],
        vec![("authorization", "Basic YTpi")],
    ] {
        assert_eq!(
            callers.identify(&Method::POST, &headers(&pairs), NOW).await,
            Ok(None),
            "{pairs:?}"
        );
    }
    let both = headers(&[("authorization", "bearer x.y.z"), ("cookie", &session)]);
    assert!(callers.identify(&Method::GET, &both, NOW).await.is_err());
}

#[test]
fn cookies_are_as_tight_as_the_address_allows() {
    let ann = "ann".parse().unwrap();
    let (plain, secure) = (with_sessions(COOKIE_URL), with_sessions("https://example.com"));
    let value = |set_cookie: &HeaderValue| {
        set_cookie
            .to_str()
            .unwrap()
            .split(['=', ';'])
            .nth(1)
            .unwrap()
            .to_owned()
    };

    let set = plain.sign_in(&ann, NOW).unwrap();
    let session = value(&set);
    assert!(session.starts_with("v1.YW5u.1900001800000."));
    assert_eq!(
        set,
        format!("patchbay_session={session}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")
    );
    assert_eq!(
        secure.sign_in(&ann, NOW).unwrap(),
        format!("__Host-patchbay_session={session}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure")
    );
    assert_eq!(
        secure.sign_out().unwrap(),
        "__Host-patchbay_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    );
}

#[tokio::test]
async fn a_write_with_a_cookie_comes_from_our_own_page() {
    let callers = with_sessions(COOKIE_URL);
    let session = cookie(&callers, "ann", NOW);
    let refused = Err(CallerError::CrossSiteWrite);
    for (pairs, allowed) in [
        (vec![("origin", COOKIE_URL)], true),
        (vec![("origin", "https://front.example.com")], true),
        (vec![("sec-fetch-site", "same-origin")], true),
        (vec![("origin", "null"), ("sec-fetch-site", "same-origin")], true),
        (vec![], false),
        (vec![("origin", "null")], false),
        (vec![("origin", "https://evil.example.com")], false),
        (vec![("origin", "http://127.0.0.1:3001")], false),
        (vec![("origin", "http://127.0.0.1:3000.evil.example.com")], false),
        (vec![("sec-fetch-site", "same-site")], false),
        (vec![("sec-fetch-site", "cross-site")], false),
        (vec![("sec-fetch-site", "none")], false),
    ] {
        let mut request = headers(&pairs);
        request.insert("cookie", session.parse().unwrap());
        for method in [Method::POST, Method::DELETE, Method::PUT, Method::PATCH] {
            let outcome = callers
                .identify(&method, &request, NOW)
                .await
                .map(|caller| caller.is_some());
            let expected = if allowed { Ok(true) } else { refused };
            assert_eq!(outcome, expected, "{method} {pairs:?}");
        }
        assert!(callers.identify(&Method::GET, &request, NOW).await.is_ok());
    }
    // A bearer token is never sent by a browser on its own, so it may come from anywhere.
    let token = hs256(&json!({"sub": "ann", "exp": at(60)}));
    assert_eq!(user(&with_secret(), &token, NOW).await.unwrap(), "ann");
}

//! `/authorize`: the page, the ways back, and the errors that never leave it.

use sandbox::{DEMO_APP, OWN_APP};

use crate::http::{CALLBACK, DAY_MS, authorize_query, client, code, demo_basic, returned, start, token};

/// Opens `/authorize` as a browser with perhaps a session cookie.
async fn open(sandbox: &sandbox::Sandbox, cookie: Option<&str>, more: &[(&str, &str)]) -> reqwest::Response {
    let mut request = client()
        .get(format!("{}/authorize", sandbox.url()))
        .query(&authorize_query(more));
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    request.send().await.expect("an answer")
}

/// Presses a button of the page; the answer.
async fn press(sandbox: &sandbox::Sandbox, decision: &str, more: &[(&str, &str)]) -> reqwest::Response {
    let request = client()
        .post(format!("{}/authorize", sandbox.url()))
        .query(&authorize_query(more));
    request
        .form(&[("user", "ben"), ("decision", decision)])
        .send()
        .await
        .expect("an answer")
}

#[tokio::test]
async fn the_page_says_what_it_is_who_asks_and_for_what() {
    let sandbox = start().await;
    let response = open(&sandbox, None, &[]).await;
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("default-src 'none'")
            && !policy.contains("form-action")
            && !policy.contains("unsafe")
    );
    let page = response.text().await.expect("a page");
    for text in [
        "Sandbox - not Spotify",
        "Patchbay demo",
        "Ana",
        "Ben",
        "Guest",
        "playlist-modify-private",
        "Agree",
        "Cancel",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(page.contains(r#"action="/authorize?client_id=decafbad"#) && !page.contains("<script"));
}

#[tokio::test]
async fn what_a_stranger_put_into_the_address_is_shown_harmless() {
    let sandbox = start().await;
    let response = open(&sandbox, None, &[("state", "\"><script>alert(1)</script>")]).await;
    let page = response.text().await.expect("a page");
    assert!(!page.contains("<script"));
    let response = open(&sandbox, None, &[("scope", "<img>")]).await;
    assert!(response.text().await.expect("a page").contains("&lt;img&gt;"));
}

#[tokio::test]
async fn agree_leads_back_with_a_code_and_cancel_with_an_error() {
    let sandbox = start().await;
    let agreed = press(&sandbox, "agree", &[]).await;
    assert_eq!(agreed.status(), 303);
    assert!(
        agreed.headers()["location"]
            .to_str()
            .is_ok_and(|to| to.starts_with(&format!("{CALLBACK}?code=AQ")))
    );
    assert_eq!(returned(&agreed, "state").as_deref(), Some("s t&a=te"));
    let cancelled = press(&sandbox, "cancel", &[]).await;
    assert_eq!(returned(&cancelled, "error").as_deref(), Some("access_denied"));
    assert_eq!(
        (
            returned(&cancelled, "code"),
            returned(&cancelled, "error_description")
        ),
        (None, None)
    );
    assert_eq!(returned(&cancelled, "state").as_deref(), Some("s t&a=te"));
}

#[tokio::test]
async fn who_agreed_before_is_bounced_unless_the_dialog_is_asked_for_or_the_scopes_grew() {
    let sandbox = start().await;
    let agreed = press(&sandbox, "agree", &[]).await;
    let cookie = agreed.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    let cookie = cookie.split(';').next();
    assert_eq!(open(&sandbox, cookie, &[]).await.status(), 303);
    assert_eq!(
        open(&sandbox, cookie, &[("scope", "playlist-read-private")])
            .await
            .status(),
        303
    );
    assert_eq!(
        open(&sandbox, cookie, &[("show_dialog", "true")]).await.status(),
        200
    );
    assert_eq!(
        open(&sandbox, cookie, &[("scope", "streaming")]).await.status(),
        200
    );
    assert_eq!(
        open(&sandbox, cookie, &[("client_id", OWN_APP.client_id)])
            .await
            .status(),
        200
    );
    assert_eq!(open(&sandbox, None, &[]).await.status(), 200);
    sandbox.world().revoke_user("ben");
    assert_eq!(open(&sandbox, cookie, &[]).await.status(), 200);
}

#[tokio::test]
async fn a_bounce_does_not_renew_a_grants_life_unless_told_to() {
    let sandbox = start().await;
    let agreed = press(&sandbox, "agree", &[]).await;
    let cookie = agreed.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .split(';')
        .next()
        .map(str::to_owned);
    for renews in [false, true] {
        sandbox.world().settings.silent_bounce_renews_life = renews;
        sandbox.world().advance_ms(DAY_MS);
        let bounced = open(&sandbox, cookie.as_deref(), &[]).await;
        let code = returned(&bounced, "code").expect("a code");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ];
        assert_eq!(token(&sandbox, Some(&demo_basic()), &form).await.0, 200);
        let world = sandbox.world();
        let newest = world.grants().last().expect("one at least");
        assert_eq!(newest.consented_at_ms == world.now_ms(), renews);
    }
}

/// What is wrong with the query, the text of the page, and its wording before 2026 if that is known.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[tokio::test]
async fn a_wrong_request_gets_a_page_and_never_comes_back() {
    let sandbox = start().await;
    let rows: [Row<'_>; 8] = [
        (&[("client_id", "nobody")], "INVALID_CLIENT: Invalid client", ""),
        (
            &[("redirect_uri", "https://app.example/x")],
            "redirect_uri: Not matching configuration",
            "INVALID_CLIENT: Invalid redirect URI",
        ),
        (
            &[("redirect_uri", "http://127.0.0.1:3000/other")],
            "redirect_uri: Not matching configuration",
            "",
        ),
        (
            &[("redirect_uri", "http://localhost:3000/api/spotify/callback")],
            "redirect_uri: Insecure",
            "INVALID_CLIENT: Insecure redirect URI",
        ),
        (
            &[("redirect_uri", "http://192.168.0.2/x")],
            "redirect_uri: Insecure",
            "",
        ),
        (&[("response_type", "token")], "response_type must be code", ""),
        (
            &[("code_challenge", "x"), ("code_challenge_method", "plain")],
            "code_challenge_method must be S256",
            "",
        ),
        (
            &[("scope", "everything")],
            "INVALID_SCOPE: Invalid scope everything",
            "",
        ),
    ];
    for (wrong, text, old_text) in rows {
        for response in [
            open(&sandbox, None, wrong).await,
            press(&sandbox, "agree", wrong).await,
        ] {
            assert_eq!(
                (response.status().as_u16(), response.headers().get("location")),
                (400, None),
                "{wrong:?}"
            );
            assert!(response.text().await.expect("a page").contains(text), "{wrong:?}");
        }
        sandbox.world().settings.legacy_authorize_errors = true;
        let old = open(&sandbox, None, wrong).await.text().await.expect("a page");
        assert!(
            old.contains(if old_text.is_empty() { "alert" } else { old_text }),
            "{wrong:?}"
        );
        sandbox.world().settings.legacy_authorize_errors = false;
    }
}

#[tokio::test]
async fn auto_approval_answers_at_once_as_the_owner_or_as_told() {
    let sandbox = start().await;
    sandbox.world().settings.auto_approve = true;
    for (told, expected) in [(None, "ana"), (Some("guest".to_owned()), "guest")] {
        sandbox.world().settings.auto_approve_as = told;
        let code = returned(&open(&sandbox, None, &[("show_dialog", "true")]).await, "code").expect("a code");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ];
        assert_eq!(token(&sandbox, Some(&demo_basic()), &form).await.0, 200);
        assert_eq!(sandbox.world().grants().last().expect("one").user, expected);
    }
}

#[tokio::test]
async fn another_site_cannot_press_agree() {
    let sandbox = start().await;
    let request = client()
        .post(format!("{}/authorize", sandbox.url()))
        .query(&authorize_query(&[]));
    let forged = request
        .header("origin", "https://evil.example")
        .form(&[("user", "ana"), ("decision", "agree")]);
    assert_eq!(forged.send().await.expect("an answer").status(), 403);
}

#[tokio::test]
async fn a_new_consent_can_end_the_old_grants() {
    let sandbox = start().await;
    sandbox
        .world()
        .issue_grant(DEMO_APP.client_id, "ana", "")
        .expect("app and user exist");
    code(&sandbox, "ana", &[]).await;
    assert!(sandbox.world().grants().all(|grant| !grant.revoked));
    sandbox.world().settings.consent_ends_older_grants = true;
    code(&sandbox, "ana", &[]).await;
    assert!(sandbox.world().grants().all(|grant| grant.revoked));
}

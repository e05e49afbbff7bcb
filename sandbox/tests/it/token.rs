//! `POST /api/token`: every form of request and every row of the error table.

use sandbox::{App, DEMO_APP, Rotation, SpentToken};
use serde_json::{Value, json};

use crate::http::{
    CALLBACK, DAY_MS, VERIFIER, WRITE, basic, challenge, client, code, demo_basic, read, start, token,
};

const ID: &str = DEMO_APP.client_id;
const SECRET: &str = DEMO_APP.client_secret;

fn refused(error: &str, description: &str) -> (u16, Value) {
    (400, json!({"error": error, "error_description": description}))
}

fn exchange(code: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ]
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let sandbox = start().await;
    let code = code(&sandbox, "ana", &[]).await;
    let (status, body) = token(&sandbox, Some(&demo_basic()), &exchange(&code)).await;
    assert_eq!(
        (status, &body["token_type"], &body["expires_in"]),
        (200, &json!("Bearer"), &json!(3600))
    );
    assert_eq!(
        body["scope"],
        "playlist-modify-private playlist-modify-public playlist-read-private"
    );
    assert!(
        body["access_token"]
            .as_str()
            .is_some_and(|token| token.starts_with("BQ"))
    );
    assert!(
        body["refresh_token"]
            .as_str()
            .is_some_and(|token| token.starts_with("AQ"))
    );
    let again = token(&sandbox, Some(&demo_basic()), &exchange(&code)).await;
    assert_eq!(again, refused("invalid_grant", "Invalid authorization code"));
}

#[tokio::test]
async fn credentials_in_the_body_work_too() {
    let sandbox = start().await;
    let code = code(&sandbox, "ana", &[]).await;
    let mut form = exchange(&code).to_vec();
    form.extend([("client_id", ID), ("client_secret", SECRET)]);
    assert_eq!(token(&sandbox, None, &form).await.0, 200);
}

#[tokio::test]
async fn a_code_must_come_from_its_app_in_time_with_its_redirect_uri() {
    let sandbox = start().await;
    let fresh = code(&sandbox, "ana", &[]).await;
    let other = sandbox::OWN_APP;
    let stranger = basic(other.client_id, other.client_secret);
    let invalid = refused("invalid_grant", "Invalid authorization code");
    assert_eq!(token(&sandbox, Some(&stranger), &exchange(&fresh)).await, invalid);
    let moved = [
        ("grant_type", "authorization_code"),
        ("code", &fresh),
        ("redirect_uri", "http://127.0.0.1:3001/api/spotify/callback"),
    ];
    assert_eq!(
        token(&sandbox, Some(&demo_basic()), &moved).await,
        refused("invalid_grant", "Invalid redirect URI")
    );
    sandbox.world().advance_ms(600_001);
    let late = token(&sandbox, Some(&demo_basic()), &exchange(&fresh)).await;
    assert_eq!(late, refused("invalid_grant", "Authorization code expired"));
}

#[tokio::test]
async fn pkce_needs_the_right_verifier_and_no_secret() {
    let sandbox = start().await;
    let challenge = challenge(VERIFIER);
    let pkce = [
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let code = code(&sandbox, "ana", &pkce).await;
    let form = |verifier| {
        let mut form = exchange(&code).to_vec();
        form.extend([("client_id", ID), ("code_verifier", verifier)]);
        form
    };
    let wrong = VERIFIER.replace('0', "1");
    assert_eq!(
        token(&sandbox, None, &form(&wrong)).await,
        refused("invalid_grant", "code_verifier was incorrect")
    );
    assert_eq!(
        token(&sandbox, None, &form("short")).await,
        refused("invalid_grant", "code_verifier was incorrect")
    );
    let without = [exchange(&code).as_slice(), &[("client_id", ID)]].concat();
    assert_eq!(
        token(&sandbox, None, &without).await,
        refused("invalid_request", "code_verifier must be supplied")
    );
    let (status, body) = token(&sandbox, None, &form(VERIFIER)).await;
    assert_eq!(status, 200);
    let refresh = body["refresh_token"].as_str().expect("a refresh token");
    let renewed = token(
        &sandbox,
        None,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", ID),
        ],
    )
    .await;
    assert_eq!((renewed.0, renewed.1.get("refresh_token")), (200, None));
}

#[tokio::test]
async fn pkce_and_secret_together_are_accepted() {
    let sandbox = start().await;
    let challenge = challenge(VERIFIER);
    let code = code(
        &sandbox,
        "ana",
        &[("code_challenge", &challenge), ("code_challenge_method", "S256")],
    )
    .await;
    let form = [exchange(&code).as_slice(), &[("code_verifier", VERIFIER)]].concat();
    assert_eq!(token(&sandbox, Some(&demo_basic()), &form).await.0, 200);
}

#[tokio::test]
async fn a_code_without_pkce_needs_the_secret_and_so_does_its_refresh_token() {
    let sandbox = start().await;
    let code = code(&sandbox, "ana", &[]).await;
    let bare = (400, json!({"error": "invalid_client"}));
    let public = [exchange(&code).as_slice(), &[("client_id", ID)]].concat();
    assert_eq!(token(&sandbox, None, &public).await, bare);
    let (_, body) = token(&sandbox, Some(&demo_basic()), &exchange(&code)).await;
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", body["refresh_token"].as_str().expect("one")),
        ("client_id", ID),
    ];
    assert_eq!(token(&sandbox, None, &refresh).await, bare);
}

/// The `Authorization` header, the form, and what they are answered.
type Row<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], (u16, Value));

#[tokio::test]
async fn each_wrong_request_has_its_own_error() {
    let sandbox = start().await;
    let basic_ok = demo_basic();
    let auth = Some(basic_ok.as_str());
    let cc = [("grant_type", "client_credentials")];
    let unknown = basic("00000000000000000000000000000000", "x");
    let wrong_secret = basic(ID, "x");
    let rows: [Row<'_>; 12] = [
        (Some(&unknown), &cc, refused("invalid_client", "Invalid client")),
        (
            Some("Basic !!!"),
            &cc,
            refused("invalid_client", "Invalid client"),
        ),
        (Some("Bearer x"), &cc, refused("invalid_client", "Invalid client")),
        (
            Some(&wrong_secret),
            &cc,
            refused("invalid_client", "Invalid client secret"),
        ),
        (None, &cc, (400, json!({"error": "invalid_client"}))),
        (
            None,
            &[cc[0], ("client_id", ID)],
            (400, json!({"error": "invalid_client"})),
        ),
        (
            auth,
            &[],
            refused("unsupported_grant_type", "grant_type parameter is missing"),
        ),
        (
            auth,
            &[("grant_type", "password")],
            refused("unsupported_grant_type", "grant_type password is not supported"),
        ),
        (
            auth,
            &[("grant_type", "refresh_token ")],
            refused(
                "unsupported_grant_type",
                "grant_type refresh_token  is not supported",
            ),
        ),
        (
            auth,
            &[("grant_type", "authorization_code")],
            refused("invalid_request", "code must be supplied"),
        ),
        (
            auth,
            &[("grant_type", "refresh_token")],
            refused("invalid_request", "refresh_token must be supplied"),
        ),
        (
            auth,
            &[("grant_type", "refresh_token"), ("refresh_token", "AQx")],
            refused("invalid_grant", "Invalid refresh token"),
        ),
    ];
    for (authorization, form, expected) in rows {
        assert_eq!(token(&sandbox, authorization, form).await, expected, "{form:?}");
    }
}

#[tokio::test]
async fn only_forms_are_read() {
    let sandbox = start().await;
    let url = format!("{}/api/token", sandbox.url());
    let request = client().post(&url).header("authorization", demo_basic());
    let json = request
        .try_clone()
        .expect("no body yet")
        .json(&json!({"grant_type": "client_credentials"}));
    let expected = json!({"error": "server_error", "error_description": "Unexpected status: 415"});
    assert_eq!(read(json).await, (415, expected));
    let untyped = request.body("grant_type=client_credentials");
    assert_eq!(
        read(untyped).await,
        refused("unsupported_grant_type", "grant_type parameter is missing")
    );
    assert_eq!(read(client().get(&url)).await.0, 405);
}

#[tokio::test]
async fn an_app_alone_gets_neither_scope_nor_refresh_token() {
    let sandbox = start().await;
    let (status, body) = token(
        &sandbox,
        Some(&demo_basic()),
        &[("grant_type", "client_credentials")],
    )
    .await;
    let keys: Vec<&str> = body
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        (status, keys),
        (200, vec!["access_token", "expires_in", "token_type"])
    );
}

/// A refresh of a grant of ana's; the answer, and the token that was sent.
async fn refresh(sandbox: &sandbox::Sandbox, refresh_token: &str) -> (u16, Value) {
    token(
        sandbox,
        Some(&demo_basic()),
        &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)],
    )
    .await
}

#[tokio::test]
async fn six_months_after_the_consent_a_grant_is_over_whatever_was_refreshed() {
    let sandbox = start().await;
    let tokens = sandbox
        .world()
        .issue_grant(ID, "ana", WRITE)
        .expect("app and user exist");
    sandbox.world().advance_ms(180 * DAY_MS - 1);
    assert_eq!(refresh(&sandbox, &tokens.refresh_token).await.0, 200);
    sandbox.world().advance_ms(1);
    assert_eq!(
        refresh(&sandbox, &tokens.refresh_token).await,
        refused("invalid_grant", "Refresh token revoked")
    );
    sandbox.world().settings.expired_grant_text = None;
    assert_eq!(
        refresh(&sandbox, &tokens.refresh_token).await,
        (400, json!({"error": "invalid_grant"}))
    );
}

#[tokio::test]
async fn rotation_is_a_knob() {
    let sandbox = start().await;
    let old = sandbox
        .world()
        .issue_grant(ID, "ana", WRITE)
        .expect("app and user exist")
        .refresh_token;
    for (rotation, expected) in [
        (Rotation::None, None),
        (Rotation::EmptyString, Some(json!(""))),
        (Rotation::Null, Some(Value::Null)),
    ] {
        sandbox.world().set_rotation(rotation);
        assert_eq!(
            refresh(&sandbox, &old).await.1.get("refresh_token"),
            expected.as_ref(),
            "{rotation:?}"
        );
    }
    sandbox.world().set_rotation(Rotation::RotateSingleUse);
    let (_, body) = refresh(&sandbox, &old).await;
    let new = body["refresh_token"].as_str().expect("a new one");
    assert_ne!(new, old);
    assert_eq!(
        refresh(&sandbox, &old).await,
        refused("invalid_grant", "Refresh token revoked")
    );
    assert_eq!(refresh(&sandbox, new).await.0, 200);
}

#[tokio::test]
async fn what_a_spent_token_is_answered_is_a_knob() {
    let sandbox = start().await;
    sandbox.world().set_rotation(Rotation::RotateSingleUse);
    let spent = sandbox
        .world()
        .issue_grant(ID, "ana", WRITE)
        .expect("app and user exist")
        .refresh_token;
    assert_eq!(refresh(&sandbox, &spent).await.0, 200);
    let in_request = r#"Invalid "refresh_token" in request"#;
    for (knob, expected) in [
        (
            SpentToken::AsRevoked,
            refused("invalid_grant", "Refresh token revoked"),
        ),
        (SpentToken::Discord, refused("invalid_grant", in_request)),
        (SpentToken::DiscordBare, (400, json!({"error": "invalid_grant"}))),
        (
            SpentToken::Discord2020,
            refused("invalid_request", &format!("{in_request}.")),
        ),
    ] {
        sandbox.world().settings.spent_token = knob;
        assert_eq!(refresh(&sandbox, &spent).await, expected, "{knob:?}");
    }
    // Whose app was removed is told so, spent token or not.
    sandbox.world().revoke_user("ana");
    assert_eq!(
        refresh(&sandbox, &spent).await,
        refused("invalid_grant", "Refresh token revoked")
    );
}

#[tokio::test]
async fn the_life_of_a_refresh_token_is_told_as_the_knob_says() {
    let sandbox = start().await;
    for told in [json!(604_799), json!("604799"), json!({"no": "number"})] {
        sandbox.world().settings.refresh_token_expires_in = Some(told.clone());
        let code = code(&sandbox, "ana", &[]).await;
        let (_, exchanged) = token(&sandbox, Some(&demo_basic()), &exchange(&code)).await;
        assert_eq!(exchanged["refresh_token_expires_in"], told);
        let refresh_token = exchanged["refresh_token"].as_str().expect("one");
        let (_, refreshed) = refresh(&sandbox, refresh_token).await;
        assert_eq!(refreshed["refresh_token_expires_in"], told);
    }
    let form = [("grant_type", "client_credentials")];
    let (_, app) = token(&sandbox, Some(&demo_basic()), &form).await;
    assert_eq!(
        app.get("refresh_token_expires_in"),
        None,
        "there is no such token"
    );
}

#[tokio::test]
async fn what_ends_a_grant_and_what_does_not() {
    let sandbox = start().await;
    let ana = sandbox
        .world()
        .issue_grant(ID, "ana", WRITE)
        .expect("app and user exist")
        .refresh_token;
    let ben = sandbox
        .world()
        .issue_grant(ID, "ben", WRITE)
        .expect("app and user exist")
        .refresh_token;
    sandbox.world().revoke_user("ana");
    assert_eq!(
        refresh(&sandbox, &ana).await,
        refused("invalid_grant", "Refresh token revoked")
    );
    assert_eq!(refresh(&sandbox, &ben).await.0, 200);

    sandbox.world().settings.spurious_invalid_grant = true;
    assert_eq!(refresh(&sandbox, &ben).await.0, 400);
    sandbox.world().settings.spurious_invalid_grant = false;
    assert_eq!(refresh(&sandbox, &ben).await.0, 200);

    let secret = sandbox.world().rotate_secret(ID).expect("the app exists");
    assert_eq!(
        refresh(&sandbox, &ben).await,
        refused("invalid_client", "Invalid client secret")
    );
    let form = [("grant_type", "refresh_token"), ("refresh_token", ben.as_str())];
    assert_eq!(token(&sandbox, Some(&basic(ID, &secret)), &form).await.0, 200);

    sandbox.world().delete_app(ID).expect("the app exists");
    assert_eq!(
        refresh(&sandbox, &ben).await,
        refused("invalid_client", "Invalid client")
    );
}

#[tokio::test]
async fn an_app_without_a_secret_refuses_every_secret() {
    let sandbox = start().await;
    let app = App {
        client_secret: None,
        ..App::new("abcdefabcdefabcdefabcdefabcdefab", "ben")
    };
    let id = sandbox.world().add_app(app).expect("a free id");
    let (_, body) = token(
        &sandbox,
        Some(&basic(&id, "")),
        &[("grant_type", "client_credentials")],
    )
    .await;
    assert_eq!(body["error_description"], "Invalid client secret");
}

#[tokio::test]
async fn one_seed_gives_one_history() {
    let (one, two) = (start().await, start().await);
    let issue = |sandbox: &sandbox::Sandbox| {
        sandbox
            .world()
            .issue_grant(ID, "ana", WRITE)
            .expect("app and user exist")
    };
    assert_eq!(issue(&one), issue(&two));
    assert_ne!(issue(&one).access_token, issue(&two).refresh_token);
}

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response, header};

use super::*;
use crate::{
    providers::{
        Transport,
        rules::{DISCORD, GOOGLE, RFC_6749, SPOTIFY},
    },
    system::{Clock, RealEntropy, System, Timestamp},
};

/// Answers every request alike.
#[derive(Clone, Debug)]
struct Always(Response<Vec<u8>>);

#[async_trait]
impl Transport for Always {
    async fn exchange(&self, _: Request<Vec<u8>>, _: usize) -> Result<Response<Vec<u8>>, TransportError> {
        Ok(self.0.clone())
    }
}

/// No time passes.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_795_262_400_000)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// What a renewal brings from a provider of these rules that answers this.
async fn refreshed(rules: &'static GrantRules, status: u16, body: &str) -> Result<Tokens, TokenError> {
    let answer = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.as_bytes().to_vec())
        .expect("an answer");
    let system = System {
        clock: Arc::new(Stopped),
        entropy: Arc::new(RealEntropy),
    };
    let http = HttpClient::new(Arc::new(Always(answer)), system);
    let url = "https://provider.example/token".parse().expect("an address");
    let app = AppCredentials {
        client_id: ClientId::from_plain("app".to_owned()),
        client_secret: None,
    };
    TokenEndpoint::new(http, url, rules)
        .refresh(&app, &RefreshToken::from_plain("old".to_owned()))
        .await
}

/// The kind of an error, as a word.
fn kind(error: &TokenError) -> &'static str {
    match error {
        TokenError::InvalidGrant { .. } => "grant",
        TokenError::InvalidClient { .. } => "app",
        TokenError::Refused { .. } => "request",
        TokenError::Unavailable { .. } => "unavailable",
        TokenError::Unreadable => "unreadable",
        TokenError::Unreachable(_) => "unreachable",
    }
}

/// A status, a body, and whose fault it is.
type Answer = (u16, &'static str, &'static str);

/// Discord's words for a spent token in 2020, as they were first and as they were later.
const BURNT: &str =
    r#"{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request"}"#;
const BURNT_DOT: &str =
    r#"{"error":"invalid_request","error_description":"Invalid \"refresh_token\" in request."}"#;

const SPOTIFYS_WORDS: &[Answer] = &[
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#,
        "grant",
    ),
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#,
        "grant",
    ),
    (
        400,
        r#"{"error":"invalid_client","error_description":"Invalid client secret"}"#,
        "app",
    ),
    (400, BURNT, "request"),
    (
        400,
        r#"{"error":"invalid_request","error_description":"refresh_token must be supplied"}"#,
        "request",
    ),
    (
        400,
        r#"{"error":"unsupported_grant_type","error_description":"grant_type parameter is missing"}"#,
        "request",
    ),
    (
        415,
        r#"{"error":"server_error","error_description":"Unexpected status: 415"}"#,
        "request",
    ),
    (400, r#"{"error":"deleted_client"}"#, "request"),
];

const DISCORDS_WORDS: &[Answer] = &[
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Invalid \"refresh_token\" in request"}"#,
        "grant",
    ),
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Invalid \"refresh_token\" in request."}"#,
        "grant",
    ),
    (400, r#"{"error":"invalid_grant"}"#, "grant"),
    (400, BURNT, "grant"),
    (400, BURNT_DOT, "grant"),
    (
        400,
        r#"{"error":"invalid_request","error_description":"Invalid \"code\" in request."}"#,
        "request",
    ),
    (
        400,
        r#"{"error":"invalid_request","error_description":"refresh_token is required"}"#,
        "request",
    ),
    (400, r#"{"error":"invalid_request"}"#, "request"),
    (
        400,
        r#"{"error":"invalid_scope","error_description":"Invalid \"refresh_token\" in request"}"#,
        "request",
    ),
    (401, r#"{"error":"invalid_client"}"#, "app"),
    (
        400,
        r#"{"error":"unsupported_grant_type","error_description":"…"}"#,
        "request",
    ),
    (401, r#"{"message":"401: Unauthorized","code":0}"#, "unreadable"),
    (
        429,
        r#"{"message":"You are being rate limited.","retry_after":64.57,"global":false}"#,
        "unavailable",
    ),
];

const GOOGLES_WORDS: &[Answer] = &[
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
        "grant",
    ),
    (
        400,
        r#"{"error":"invalid_grant","error_description":"Bad Request"}"#,
        "grant",
    ),
    (
        400,
        r#"{"error":"invalid_grant","error_description":"reauth related error (invalid_rapt)","error_subtype":"invalid_rapt"}"#,
        "grant",
    ),
    (
        401,
        r#"{"error":"invalid_client","error_description":"The OAuth client was not found."}"#,
        "app",
    ),
    (
        401,
        r#"{"error":"invalid_client","error_description":"Unauthorized"}"#,
        "app",
    ),
    (
        401,
        r#"{"error":"unauthorized_client","error_description":"Unauthorized"}"#,
        "app",
    ),
    (
        401,
        r#"{"error":"deleted_client","error_description":"The OAuth client was deleted."}"#,
        "app",
    ),
    (
        400,
        r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#,
        "app",
    ),
    (400, r#"{"error":"admin_policy_enforced"}"#, "app"),
    (400, r#"{"error":"org_internal"}"#, "app"),
    (400, BURNT, "request"),
    (500, r#"{"error":"internal_failure"}"#, "unavailable"),
];

const OTHERS_WORDS: &[Answer] = &[
    (400, r#"{"error":"invalid_grant"}"#, "grant"),
    (400, r#"{"error":"Invalid_Grant"}"#, "request"),
    (400, r#"{"error":"invalid_grant "}"#, "request"),
    (400, BURNT_DOT, "request"),
    (400, r#"{"error":"invalid_grant"}<html>"#, "unreadable"),
    (400, r#"{"error":["invalid_grant"]}"#, "unreadable"),
    (200, r#"{"error":"invalid_grant"}"#, "unreadable"),
    (400, r#"["invalid_grant"]"#, "unreadable"),
];

#[tokio::test]
async fn each_provider_is_understood_in_its_own_words() {
    let rows = [
        (&SPOTIFY, SPOTIFYS_WORDS),
        (&DISCORD, DISCORDS_WORDS),
        (&GOOGLE, GOOGLES_WORDS),
        (&RFC_6749, OTHERS_WORDS),
    ];
    for (rules, answers) in rows {
        for (status, body, expected) in answers {
            let error = refreshed(rules, *status, body).await.expect_err("a refusal");
            assert_eq!(kind(&error), *expected, "{status} {body}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_access_token_is_kept_whatever_stands_beside_it() {
    let sound = r#""access_token":"new""#;
    for beside in [
        "",
        r#","token_type":null"#,
        r#","token_type":7"#,
        r#","expires_in":null"#,
        r#","expires_in":"soon""#,
        r#","expires_in":-1"#,
        r#","expires_in":1e300"#,
        r#","refresh_token":null"#,
        r#","refresh_token":"""#,
        r#","refresh_token":{}"#,
        r#","scope":null"#,
        r#","scope":7"#,
        r#","refresh_token_expires_in":{}"#,
        r#","unknown":[1,2,3]"#,
    ] {
        let tokens = refreshed(&RFC_6749, 200, &format!("{{{sound}{beside}}}"))
            .await
            .unwrap_or_else(|error| panic!("{beside}: {error:?}"));
        assert_eq!(tokens.access_token.expose(), "new", "{beside}");
        assert!(tokens.refresh_token.is_none(), "{beside}: the old one is kept");
        assert_eq!(tokens.expires_in, EXPIRES_IN_UNSAID, "{beside}");
        assert_eq!(
            (tokens.scopes, tokens.refresh_token_expires_in),
            (None, None),
            "{beside}"
        );
    }
    for without in [
        "{}",
        r#"{"access_token":null}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        "[]",
        r#"["token","Bearer"]"#,
    ] {
        let error = refreshed(&RFC_6749, 200, without).await.expect_err("no token");
        assert_eq!(kind(&error), "unreadable", "{without}");
    }
}

#[tokio::test]
async fn spans_and_scopes_are_read_as_numbers_and_as_text() {
    let body = |seconds: &str| {
        format!(
            r#"{{"access_token":"a","refresh_token":"r","scope":" one  two","expires_in":{seconds},"refresh_token_expires_in":{seconds}}}"#
        )
    };
    for (seconds, expected) in [
        ("604799", Some(604_799.0)),
        ("\"604799\"", Some(604_799.0)),
        ("3599.5", Some(3599.5)),
        ("\" 60 \"", Some(60.0)),
        ("true", None),
        ("\"\"", None),
        ("\"NaN\"", None),
    ] {
        let tokens = refreshed(&GOOGLE, 200, &body(seconds)).await.expect("tokens");
        let expected = expected.map(Duration::from_secs_f64);
        assert_eq!(tokens.refresh_token_expires_in, expected, "{seconds}");
        assert_eq!(
            tokens.expires_in,
            expected.unwrap_or(EXPIRES_IN_UNSAID),
            "{seconds}"
        );
        assert_eq!(tokens.scopes, Some(vec!["one".to_owned(), "two".to_owned()]));
        assert!(tokens.refresh_token.is_some_and(|token| token.expose() == "r"));
    }
    let none = refreshed(&GOOGLE, 200, &body("0")).await.expect("tokens");
    assert_eq!(
        (none.expires_in, none.refresh_token_expires_in),
        (Duration::ZERO, None)
    );
}

#[test]
fn a_new_grant_lives_as_long_as_the_stricter_of_rule_and_answer_says() {
    let days = |days: u32| Duration::from_hours(24) * days;
    for (rules, said, life) in [
        (&SPOTIFY, None, Some(days(180))),
        (&SPOTIFY, Some(days(7)), Some(days(7))),
        (&SPOTIFY, Some(days(400)), Some(days(180))),
        (&GOOGLE, None, None),
        (&GOOGLE, Some(days(7)), Some(days(7))),
        (&DISCORD, None, None),
    ] {
        assert_eq!(rules.life_of_new(said), life, "{said:?}");
    }
}

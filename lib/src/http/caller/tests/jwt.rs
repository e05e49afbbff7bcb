//! Bearer tokens.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use serde::Deserialize;

use super::*;

const ISSUER: &str = "https://id.example.com";

/// Public keys, and one token of each algorithm, made by another implementation.
#[derive(Deserialize)]
struct KnownTokens {
    jwks: Value,
    tokens: BTreeMap<String, String>,
}

fn known() -> KnownTokens {
    serde_json::from_str(include_str!("../known_tokens.json")).unwrap()
}

/// Answers with the set it has just now (`None`: fails), and counts.
#[derive(Debug, Default)]
struct Provider(Mutex<(Option<Value>, usize)>);

impl Provider {
    fn publishes(&self, jwks: impl Into<Option<Value>>) {
        self.0.lock().unwrap().0 = jwks.into();
    }

    fn fetches(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl JwksSource for Provider {
    async fn fetch(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        state
            .0
            .as_ref()
            .map(Value::to_string)
            .ok_or_else(|| "down".into())
    }
}

/// Accepts the provider's tokens.
fn with_jwks(provider: &Arc<Provider>) -> Callers {
    let auth = Auth {
        issuer: Some(ISSUER.to_owned()),
        audience: Some("patchbay".to_owned()),
        ..auth()
    };
    callers_at(COOKIE_URL, &auth, Some(provider.clone()))
}

fn invalid(reason: InvalidToken) -> Result<String, CallerError> {
    Err(CallerError::Invalid(reason))
}

#[tokio::test]
async fn claims_decide_as_documented() {
    use InvalidToken as I;
    let callers = with_secret();
    for (claims, outcome) in [
        (json!({"sub": "ann", "exp": at(60)}), Ok("ann".to_owned())),
        (json!({"uid": "ann", "exp": at(60)}), Ok("ann".to_owned())),
        (json!({"userId": "ann", "exp": at(60)}), Ok("ann".to_owned())),
        (
            json!({"sub": "ann", "uid": "bob", "exp": at(60)}),
            Ok("ann".to_owned()),
        ),
        (
            json!({"sub": "ann", "exp": 2_000_000_000.5, "iat": at(-5), "x": [1]}),
            Ok("ann".to_owned()),
        ),
        (
            json!({"sub": "ann", "exp": at(60), "nbf": at(60)}),
            Ok("ann".to_owned()),
        ),
        (
            json!({"sub": "ann", "exp": at(60), "nbf": at(61)}),
            invalid(I::NotYetValid),
        ),
        (json!({"sub": "ann", "exp": at(-59)}), Ok("ann".to_owned())),
        (json!({"sub": "ann", "exp": at(-60)}), Err(CallerError::Expired)),
        (json!({"sub": "ann", "exp": -1e300}), Err(CallerError::Expired)),
        (json!({"sub": "ann"}), invalid(I::NoExpiry)),
        (json!({"sub": "ann", "exp": null}), invalid(I::NoExpiry)),
        (json!({"sub": "ann", "exp": "2000000000"}), invalid(I::Malformed)),
        (json!({"exp": at(60)}), invalid(I::NoUser)),
        (json!({"sub": "", "exp": at(60)}), invalid(I::NoUser)),
        (json!({"sub": "a\nb", "exp": at(60)}), invalid(I::NoUser)),
        (json!({"sub": 7, "exp": at(60)}), invalid(I::Malformed)),
        (
            json!({"sub": "ann", "exp": at(60), "aud": "somebody"}),
            invalid(I::Audience),
        ),
        (
            json!({"sub": "ann", "exp": at(60), "aud": 7}),
            invalid(I::Malformed),
        ),
        (json!(["sub"]), invalid(I::Malformed)),
    ] {
        assert_eq!(user(&callers, &hs256(&claims), NOW).await, outcome, "{claims}");
    }
}

#[tokio::test]
async fn issuer_and_audience_must_be_there_and_right() {
    use InvalidToken as I;
    let auth = Auth {
        jwt_secret: Some(Passphrase::from_plain(SECRET.to_owned())),
        issuer: Some(ISSUER.to_owned()),
        audience: Some("patchbay".to_owned()),
        ..auth()
    };
    let callers = callers_at(COOKIE_URL, &auth, None);
    for (iss, aud, outcome) in [
        (json!(ISSUER), json!("patchbay"), Ok("ann".to_owned())),
        (json!(ISSUER), json!(["other", "patchbay"]), Ok("ann".to_owned())),
        (json!(ISSUER), json!(["other"]), invalid(I::Audience)),
        (json!(ISSUER), json!([]), invalid(I::Audience)),
        (json!(ISSUER), json!("Patchbay"), invalid(I::Audience)),
        (json!(ISSUER), json!(null), invalid(I::Audience)),
        (
            json!("https://evil.example.com"),
            json!("patchbay"),
            invalid(I::Issuer),
        ),
        (json!(null), json!("patchbay"), invalid(I::Issuer)),
        (json!([ISSUER]), json!("patchbay"), invalid(I::Malformed)),
    ] {
        let claims = json!({"sub": "ann", "exp": at(60), "iss": iss, "aud": aud});
        assert_eq!(user(&callers, &hs256(&claims), NOW).await, outcome, "{claims}");
    }
}

#[tokio::test]
async fn forged_and_mangled_tokens_are_refused() {
    use InvalidToken as I;
    let callers = with_secret();
    let claims = json!({"sub": "ann", "exp": at(60)});
    let good = hs256(&claims);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let with_header = |header: &Value| sign(header, &claims, SECRET.as_bytes());
    let (head, rest) = good.split_once('.').unwrap();
    let (_, tag) = rest.split_once('.').unwrap();
    let other_claims = URL_SAFE_NO_PAD.encode(json!({"sub": "bob", "exp": at(60)}).to_string());

    for (token, reason) in [
        (
            sign(&json!({"alg": "HS256"}), &claims, b"another secret"),
            I::Signature,
        ),
        (format!("{head}.{other_claims}.{tag}"), I::Signature),
        (format!("{unsigned}."), I::Signature),
        (format!("{unsigned}.AAAA"), I::Signature),
        (format!("{good}!"), I::Malformed),
        (with_header(&json!({"alg": "none"})), I::Algorithm),
        (with_header(&json!({"alg": "None"})), I::Algorithm),
        (with_header(&json!({"alg": "HS384"})), I::Algorithm),
        (with_header(&json!({"alg": "RS256"})), I::Algorithm),
        (with_header(&json!({"typ": "JWT"})), I::Algorithm),
        (
            with_header(&json!({"alg": "HS256", "crit": ["b64"], "b64": false})),
            I::Algorithm,
        ),
        (unsigned.to_owned(), I::Malformed),
        (format!("{good}.{tag}"), I::Malformed),
        (String::new(), I::Malformed),
        ("..".to_owned(), I::Malformed),
        ("BQDspotify-access-token".to_owned(), I::Malformed),
        (
            hs256(&json!({"sub": "ann", "exp": at(60), "pad": "x".repeat(8192)})),
            I::TooLong,
        ),
        (".".repeat(100_000), I::TooLong),
    ] {
        assert_eq!(user(&callers, &token, NOW).await, invalid(reason), "{token:.80}");
    }
    assert_eq!(user(&callers, &good, NOW).await.unwrap(), "ann");
}

#[tokio::test]
async fn tokens_of_every_accepted_algorithm_are_verified() {
    let provider = Arc::new(Provider::default());
    let KnownTokens { jwks, tokens } = known();
    provider.publishes(jwks);
    let callers = with_jwks(&provider);
    assert_eq!(tokens.len(), 9);
    for (algorithm, token) in &tokens {
        assert_eq!(user(&callers, token, NOW).await.unwrap(), "ann", "{algorithm}");

        let (message, tag) = token.rsplit_once('.').unwrap();
        let mut tag = URL_SAFE_NO_PAD.decode(tag).unwrap();
        tag[0] ^= 1;
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(
            user(&callers, &forged, NOW).await,
            invalid(InvalidToken::Signature),
            "{algorithm}"
        );
    }
    let an_hour_later = NOW + Duration::from_hours(1);
    assert_eq!(
        user(&callers, &tokens["ES256"], an_hour_later).await,
        Err(CallerError::Expired)
    );
    assert_eq!(provider.fetches(), 2, "one, and one more an hour later");
}

/// The classic: the public key, which everybody has, used as an HMAC secret.
#[tokio::test]
async fn a_public_key_never_serves_as_a_secret() {
    let provider = Arc::new(Provider::default());
    let KnownTokens { mut jwks, .. } = known();
    let n = jwks["keys"][0]["n"].as_str().unwrap().to_owned();
    let modulus = URL_SAFE_NO_PAD.decode(&n).unwrap();
    jwks["keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({"kty": "oct", "kid": "oct", "k": n}));
    provider.publishes(jwks);
    let claims = json!({"sub": "eve", "exp": at(60), "iss": ISSUER, "aud": "patchbay"});
    for kid in ["rsa", "oct"] {
        let token = sign(&json!({"alg": "HS256", "kid": kid}), &claims, &modulus);
        assert_eq!(
            user(&with_jwks(&provider), &token, NOW).await,
            invalid(InvalidToken::Algorithm),
            "{kid}"
        );
    }
    let as_rsa = sign(&json!({"alg": "RS256", "kid": "oct"}), &claims, &modulus);
    assert_eq!(
        user(&with_jwks(&provider), &as_rsa, NOW).await,
        invalid(InvalidToken::UnknownKey)
    );
}

#[tokio::test]
async fn a_key_verifies_only_what_its_set_says_it_is_for() {
    let KnownTokens { jwks, tokens } = known();
    let key = |extra: Value| {
        let mut key = jwks["keys"][0].clone();
        key.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        json!({"keys": [{"kty": "new", "kid": 7}, key]})
    };
    for (set, algorithm, accepted) in [
        (key(json!({"alg": "RS256"})), "RS256", true),
        (key(json!({"alg": "RS256"})), "PS256", false),
        (key(json!({"alg": "ES256"})), "RS256", false),
        (key(json!({"use": "enc"})), "RS256", false),
        (key(json!({"kid": "other"})), "RS256", false),
        (key(json!({"kid": null})), "RS256", false),
    ] {
        let provider = Arc::new(Provider::default());
        provider.publishes(set.clone());
        let outcome = user(&with_jwks(&provider), &tokens[algorithm], NOW).await;
        assert_eq!(outcome.is_ok(), accepted, "{algorithm} with {set}");
    }
}

#[tokio::test]
async fn keys_rotate_without_hammering_the_provider() {
    let provider = Arc::new(Provider::default());
    let KnownTokens { jwks, tokens } = known();
    let only = |index: usize| json!({"keys": [jwks["keys"][index]]});
    let callers = with_jwks(&provider);
    let (rsa, es) = (&tokens["RS256"], &tokens["ES256"]);
    let unknown = invalid(InvalidToken::UnknownKey);
    let later = |seconds| NOW + Duration::from_secs(seconds);

    // Down from the start: nobody signs in, and it is not asked at every request.
    for second in 0..6 {
        assert_eq!(
            user(&callers, rsa, later(second)).await,
            Err(CallerError::KeysUnavailable)
        );
    }
    assert_eq!(provider.fetches(), 2);

    provider.publishes(only(0));
    assert!(user(&callers, rsa, later(10)).await.is_ok());
    assert_eq!(provider.fetches(), 3);

    // A key nobody has published yet: asked for at most once a minute.
    for second in 11..70 {
        assert_eq!(user(&callers, es, later(second)).await, unknown);
    }
    assert_eq!(provider.fetches(), 3);
    provider.publishes(only(1));
    assert!(user(&callers, es, later(70)).await.is_ok());
    assert_eq!(user(&callers, rsa, later(71)).await, unknown, "withdrawn");
    assert_eq!(provider.fetches(), 4);

    // Old after ten minutes; a failure, or a set without keys, keeps the last good one.
    provider.publishes(None);
    assert!(user(&callers, es, later(669)).await.is_ok());
    assert_eq!(provider.fetches(), 4);
    assert!(user(&callers, es, later(670)).await.is_ok());
    provider.publishes(json!({"keys": []}));
    assert!(user(&callers, es, later(730)).await.is_ok());
    provider.publishes(json!("not a set"));
    assert!(user(&callers, es, later(790)).await.is_ok());
    assert_eq!(provider.fetches(), 7);
    provider.publishes(only(0));
    assert_eq!(
        user(&callers, es, later(850)).await,
        unknown,
        "a withdrawn key goes away"
    );
}

#[test]
fn spotifys_tokens_do_not_look_like_jwts() {
    assert!(looks_like_jwt(&hs256(&json!({}))));
    for token in ["", "BQDx", "eyJhbGciOi", "a.b.c", "eyJ.b", "eyJ.b.c.d"] {
        assert!(!looks_like_jwt(token), "{token}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let text = format!("{:?}", with_secret());
    assert!(!text.contains(SECRET) && !text.contains("48, 49, 50"), "{text}");
}

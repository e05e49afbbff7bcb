//! Everything a forger would try first, and everything an honest caller does: what both kinds of tests need.

mod jwt;
mod session;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::{
    secret::{Passphrase, Secret},
    system::RealEntropy,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const COOKIE_URL: &str = "http://127.0.0.1:3000";

/// Half an hour into the life of the known tokens, in 2030.
const NOW: Timestamp = Timestamp::from_ms(1_900_001_800_000);

fn vault(kid: &str, key: u8) -> Arc<Vault> {
    let ring = format!("{kid}:{}", URL_SAFE_NO_PAD.encode([key; 32]));
    Arc::new(Vault::new(ring.parse().unwrap(), Arc::new(RealEntropy)))
}

fn auth() -> Auth {
    Auth {
        jwt_secret: None,
        jwks_url: None,
        issuer: None,
        audience: None,
        local_sign_in: LocalSignIn::Off,
    }
}

fn callers_at(app_url: &str, auth: &Auth, jwks: Option<Arc<dyn JwksSource>>) -> Callers {
    let allowed = ["https://front.example.com".parse().unwrap()];
    Callers::new(auth, &app_url.parse().unwrap(), &allowed, vault("k1", 1), jwks)
}

/// Accepts HS256 tokens.
fn with_secret() -> Callers {
    let auth = Auth {
        jwt_secret: Some(Passphrase::from_plain(SECRET.to_owned())),
        ..auth()
    };
    callers_at(COOKIE_URL, &auth, None)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

/// Who `token` speaks for.
async fn user(callers: &Callers, token: &str, now: Timestamp) -> Result<String, CallerError> {
    let headers = headers(&[("authorization", &format!("Bearer {token}"))]);
    let caller = callers.identify(&Method::POST, &headers, now).await?;
    let caller = caller.expect("a bearer token is never nobody");
    assert_eq!(caller.via, Via::Jwt);
    Ok(caller.user.to_string())
}

fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(message.as_bytes());
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn hs256(claims: &Value) -> String {
    sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET.as_bytes())
}

/// `NOW` moved by some seconds, as a claim.
fn at(seconds: i64) -> i64 {
    NOW.as_s() + seconds
}

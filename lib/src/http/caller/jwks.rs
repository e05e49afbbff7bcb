//! The identity provider's public keys (RFC 7517): fetched, kept for a while, fetched again when one is missing.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde::Deserialize;

use super::CallerError;
use crate::system::Timestamp;

/// After this the keys are fetched again, so that a withdrawn one goes away.
const KEYS_LIFE: Duration = Duration::from_mins(10);

/// Tokens with invented key ids must not make us ask the identity provider more often than this.
const REFETCH_PAUSE: Duration = Duration::from_mins(1);

/// The same while there are no keys at all and nobody can sign in.
const FIRST_FETCH_PAUSE: Duration = Duration::from_secs(5);

/// Identity providers have two or three keys; each costs a verification for a token without key id.
const KEYS_MAX: usize = 16;

/// Fetches the key set.
#[async_trait]
pub trait JwksSource: fmt::Debug + Send + Sync {
    /// The JSON text at the configured address.
    async fn fetch(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>>;
}

/// One key, and the algorithms it may verify.
struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// The keys of one fetch.
struct Fetched {
    keys: Vec<Key>,
    at: Timestamp,
}

/// The key set, kept.
pub(super) struct Jwks {
    source: Arc<dyn JwksSource>,
    /// The last good set. Replaced whole, never held across an await.
    fetched: RwLock<Option<Arc<Fetched>>>,
    /// When the last fetch began, good or bad; held while one runs, so that there is one at a time.
    last_attempt: tokio::sync::Mutex<Option<Timestamp>>,
}

impl Jwks {
    pub(super) fn new(source: Arc<dyn JwksSource>) -> Self {
        Self {
            source,
            fetched: RwLock::new(None),
            last_attempt: tokio::sync::Mutex::new(None),
        }
    }

    /// The keys that may have signed a token with this header: those of its key id, or all of its algorithm when it
    /// names none. Empty when there is no such key.
    pub(super) async fn keys_for(
        &self,
        header: &Header,
        now: Timestamp,
    ) -> Result<Vec<DecodingKey>, CallerError> {
        let known = self.fetched();
        let keys = known
            .as_ref()
            .map_or_else(Vec::new, |fetched| fetched.keys_for(header));
        let is_fresh = known.is_some_and(|fetched| now.since(fetched.at) < KEYS_LIFE);
        match (keys.is_empty(), is_fresh) {
            (false, true) => return Ok(keys),
            // Old keys will do while somebody else is asking for new ones.
            (false, false) => {
                if let Ok(last_attempt) = self.last_attempt.try_lock() {
                    self.fetch(last_attempt, now).await;
                }
            }
            (true, _) => self.fetch(self.last_attempt.lock().await, now).await,
        }
        let known = self.fetched().ok_or(CallerError::KeysUnavailable)?;
        Ok(known.keys_for(header))
    }

    fn fetched(&self) -> Option<Arc<Fetched>> {
        self.fetched
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Fetches the set unless that was tried a moment ago. A failure keeps what there is.
    async fn fetch(&self, mut last_attempt: tokio::sync::MutexGuard<'_, Option<Timestamp>>, now: Timestamp) {
        let pause = if self.fetched().is_some() {
            REFETCH_PAUSE
        } else {
            FIRST_FETCH_PAUSE
        };
        if last_attempt.is_some_and(|at| now.since(at) < pause) {
            return;
        }
        *last_attempt = Some(now);
        let keys = match self.source.fetch().await {
            Ok(text) => read(&text),
            Err(error) => {
                tracing::warn!(%error, "the identity provider's keys could not be fetched");
                return;
            }
        };
        if keys.is_empty() {
            tracing::warn!("the identity provider's key set has no usable key");
            return;
        }
        let fetched = Arc::new(Fetched { keys, at: now });
        *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Fetched {
    fn keys_for(&self, header: &Header) -> Vec<DecodingKey> {
        self.keys
            .iter()
            .filter(|key| key.algorithms.contains(&header.alg))
            .filter(|key| header.kid.is_none() || key.kid == header.kid)
            .map(|key| key.decoding.clone())
            .collect()
    }
}

/// The usable keys of a set; one that we cannot use does not spoil the others (RFC 7517 §5).
fn read(text: &str) -> Vec<Key> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<serde_json::Value>,
    }
    let set = serde_json::from_str(text).unwrap_or(KeySet { keys: Vec::new() });
    set.keys
        .into_iter()
        .filter_map(|key| usable(&serde_json::from_value(key).ok()?))
        .take(KEYS_MAX)
        .collect()
}

/// A public key for signatures, with the algorithms that fit it and that it admits. A symmetric key in a public set is
/// nobody's secret, so it is never used.
fn usable(jwk: &Jwk) -> Option<Key> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms().to_vec(),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            vec![Algorithm::EdDSA]
        }
        _ => return None,
    };
    if let Some(only) = jwk.common.key_algorithm {
        algorithms.retain(|&algorithm| only == algorithm.into());
    }
    Some(Key {
        kid: jwk.common.key_id.clone(),
        algorithms,
        decoding: DecodingKey::from_jwk(jwk).ok()?,
    })
}

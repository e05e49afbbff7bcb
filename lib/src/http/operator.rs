//! The operator's passwords: sent as Bearer, compared in constant time, and never set means never right.

use http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use crate::secret::{Passphrase, Secret as _};

/// Whether the request carries this password as `Authorization: Bearer`.
pub(super) fn knows(password: Option<&Passphrase>, headers: &HeaderMap) -> bool {
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let sent = sent
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    password.is_some_and(|password| sent.as_bytes().ct_eq(password.expose().as_bytes()).into())
}

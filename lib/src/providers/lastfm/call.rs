//! One call: its address, its signature, and the way to its answer.

use http::Request;
use md5::{Digest as _, Md5};
use serde_json::Value;
use url::Url;

use super::{
    LastfmError,
    error::{About, body},
};
use crate::{
    providers::{HttpClient, Limits},
    secret::{ApiKey, Secret as _, SharedSecret},
};

/// A page of 200 plays is about 165 kB (recorded traffic), so a list of a thousand rows with pictures is below one
/// megabyte, and this is still several times that.
const LIMITS: Limits = Limits {
    timeout: super::CALL_TIMEOUT,
    body_bytes_max: 4 * 1024 * 1024,
};

/// What is asked, before it is sent. It has no `Debug`: the key and more are among the parameters.
pub(super) struct Call<'a> {
    about: About,
    parameters: Vec<(&'static str, String)>,
    signed_with: Option<&'a SharedSecret>,
}

impl<'a> Call<'a> {
    /// A call of `method`, in Last.fm's spelling: it is part of what is signed, to the letter (reference: `api_sig`).
    pub(super) fn new(about: About, method: &str, key: &ApiKey) -> Self {
        Self {
            about,
            parameters: vec![
                ("method", method.to_owned()),
                ("api_key", key.expose().to_owned()),
            ],
            signed_with: None,
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    pub(super) fn signed(mut self, secret: &'a SharedSecret) -> Self {
        self.signed_with = Some(secret);
        self
    }

    /// The answer's JSON, if it is no refusal.
    pub(super) async fn send(self, http: &HttpClient, api: &Url) -> Result<Value, LastfmError> {
        // The key goes into the address because Last.fm takes it nowhere else; nothing here says the address to anybody.
        let url = self.url(api);
        let request = Request::get(url.as_str()).body(Vec::new());
        // The address begins with a sound one, so it can only be too long.
        let request = request.map_err(|_| self.about.nonsense())?;
        let answer = http
            .send(request, LIMITS)
            .await
            .map_err(LastfmError::Unreachable)?;
        body(&answer, self.about)
    }

    fn url(&self, api: &Url) -> Url {
        let mut url = api.clone();
        let mut query = url.query_pairs_mut();
        query.extend_pairs(&self.parameters);
        if let Some(secret) = self.signed_with {
            query.append_pair("api_sig", &signature(&self.parameters, secret));
        }
        query.append_pair("format", "json");
        drop(query);
        url
    }
}

/// `api_sig` (reference: authspec §8): every parameter but `format`, by name, as its name and its value without anything
/// between, then the secret; MD5, in hexadecimal. MD5 is what Last.fm demands; nothing else rests on it.
fn signature(parameters: &[(&'static str, String)], secret: &SharedSecret) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let mut digest = Md5::new();
    for (name, value) in sorted {
        digest.update(name);
        digest.update(value);
    }
    digest.update(secret.expose());
    digest
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the parameters sorted and run together, the secret behind them, and coreutils' `md5sum`.
    #[test]
    fn a_signature_is_made_as_the_page_says() {
        let secret = SharedSecret::from_plain("ilovecher".to_owned());
        let key = "0123456789abcdef0123456789abcdef";
        // printf '%s' 'api_key0123456789abcdef0123456789abcdefmethodauth.getSessiontokenTöken 1ilovecher' | md5sum
        let call = [
            ("method", "auth.getSession"),
            ("token", "Töken 1"),
            ("api_key", key),
        ];
        let call = call.map(|(name, value)| (name, value.to_owned()));
        assert_eq!(signature(&call, &secret), "b0f5c2a1d109fe5561611096bbbec0ea");
        // The method in small letters is another text, and Last.fm signs what it is sent.
        let mut small = call.clone();
        small[0].1.make_ascii_lowercase();
        assert_ne!(signature(&small, &secret), signature(&call, &secret));
    }
}

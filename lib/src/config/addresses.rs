//! Which addresses are fit for what: ours, the providers', the origins that may call, and the redirect URI.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// Where a provider sends the browser back to, below [`Config::app_url`](super::Config::app_url).
pub const SPOTIFY_CALLBACK_PATH: &str = "/api/spotify/callback";

/// The origin of a page (RFC 6454 §6.2), as browsers write it in the `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin of what lies at `url`.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }

    /// As in the `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an address is refused, and what to write instead; read after the variable's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// It cannot be read as an absolute URL.
    #[error("is not an address; write it in full, as in https://example.com")]
    NotAnAddress,
    /// Neither http nor https.
    #[error("starts with neither https:// nor http://; write one of the two in front")]
    Scheme,
    /// http to another machine.
    #[error(
        "would send secrets over a network in the clear; use https:// (http:// is for 127.0.0.1 and [::1])"
    )]
    InTheClear,
    /// The name `localhost`, where the browser has to come back to the same host.
    #[error("uses the name localhost, which Spotify refuses; write http://127.0.0.1 with the port instead")]
    Localhost,
    /// It carries a user name or password.
    #[error("has a user name or password in it; leave them out")]
    Credentials,
    /// It has a query or a fragment.
    #[error("has a query or a fragment; end it after the path")]
    QueryOrFragment,
    /// An origin with a path.
    #[error("has a path; end it after the host and port")]
    Path,
}

/// A base address that outside calls go to.
pub(super) fn base_url(text: &str) -> Result<Url, AddressFault> {
    let url = web_url(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressFault::QueryOrFragment);
    }
    Ok(url)
}

/// A base address under which paths are joined, or whose last slash counts: it ends with one, whether that was written or
/// not.
pub(super) fn folder_url(text: &str) -> Result<Url, AddressFault> {
    let mut url = base_url(text)?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// An http or https address that does not send anything in the clear to another machine.
pub(super) fn web_url(text: &str) -> Result<Url, AddressFault> {
    let url = Url::parse(text).map_err(|_| AddressFault::NotAnAddress)?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) || is_localhost(&url) => {}
        "http" => return Err(AddressFault::InTheClear),
        _ => return Err(AddressFault::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::Credentials);
    }
    Ok(url)
}

/// Our own public address: an origin, and one that a provider may send the browser back to.
pub(super) fn app_url(text: &str) -> Result<Url, AddressFault> {
    let url = base_url(text)?;
    if is_localhost(&url) {
        return Err(AddressFault::Localhost);
    }
    if url.path() != "/" {
        return Err(AddressFault::Path);
    }
    Ok(url)
}

impl FromStr for Origin {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        let url = base_url(text)?;
        if url.path() != "/" {
            return Err(AddressFault::Path);
        }
        Ok(Self::of(&url))
    }
}

/// Why Spotify would refuse a redirect URI (reference: redirect URIs, in force for every app since 2025-11-27), and
/// what to register instead. Stable: the doctor of BYO apps answers with it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriFault {
    /// It cannot be read.
    #[error("is not an address; use https://<your host>{SPOTIFY_CALLBACK_PATH}")]
    NotAnAddress,
    /// `localhost`, or an alias below it, with any scheme.
    #[error(
        "uses the name localhost, which Spotify refuses; use http://127.0.0.1:<port>{SPOTIFY_CALLBACK_PATH}"
    )]
    Localhost,
    /// Neither https nor http to a loopback IP literal. A LAN address is no loopback.
    #[error(
        "is neither https:// nor http:// with a loopback address, and Spotify refuses the rest; use \
         https://<your host>{SPOTIFY_CALLBACK_PATH}, or http://127.0.0.1:<port>{SPOTIFY_CALLBACK_PATH} on your own machine"
    )]
    Insecure,
    /// Answers come back in the query, and RFC 6749 §3.1.2 forbids a fragment.
    #[error("has a fragment; remove everything from the # on")]
    Fragment,
    /// A user name or password in it would be sent to everybody.
    #[error("has a user name or password in it; leave them out")]
    Credentials,
    /// A browser would write it differently, and Spotify compares byte for byte.
    #[error(
        "is not written the way browsers write it, and Spotify compares letter for letter; use a lower-case host, a path, \
         and no :443 behind https:// or :80 behind http://, here and in the dashboard"
    )]
    NotNormal,
}

/// Reads a redirect URI by Spotify's rules.
///
/// # Errors
/// [`RedirectUriFault`], with the remedy.
pub fn redirect_uri(text: &str) -> Result<Url, RedirectUriFault> {
    let url = Url::parse(text).map_err(|_| RedirectUriFault::NotAnAddress)?;
    if is_localhost(&url) {
        return Err(RedirectUriFault::Localhost);
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(RedirectUriFault::Insecure);
    }
    if url.fragment().is_some() {
        return Err(RedirectUriFault::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RedirectUriFault::Credentials);
    }
    if url.as_str() != text {
        return Err(RedirectUriFault::NotNormal);
    }
    Ok(url)
}

/// An IP literal of this very machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// The name `localhost`, or one below it (RFC 6761 §6.3).
fn is_localhost(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else {
        return false;
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_follow_spotifys_rules() {
        use RedirectUriFault as F;
        for (uri, fault) in [
            ("https://example.com/api/spotify/callback", None),
            ("https://example.com:8443/callback?from=spotify", None),
            ("http://127.0.0.1:8787/api/spotify/callback", None),
            ("http://[::1]:3000/api/spotify/callback", None),
            ("http://localhost:3000/api/spotify/callback", Some(F::Localhost)),
            ("https://localhost/api/spotify/callback", Some(F::Localhost)),
            ("http://app.localhost:3000/callback", Some(F::Localhost)),
            ("http://LOCALHOST./callback", Some(F::Localhost)),
            ("http://example.com/callback", Some(F::Insecure)),
            ("http://192.168.1.2:3000/callback", Some(F::Insecure)),
            ("http://0.0.0.0:3000/callback", Some(F::Insecure)),
            ("patchbay://callback", Some(F::Insecure)),
            ("https://example.com/callback#top", Some(F::Fragment)),
            ("https://u:p@example.com/callback", Some(F::Credentials)),
            ("https://Example.com/callback", Some(F::NotNormal)),
            ("https://example.com:443/callback", Some(F::NotNormal)),
            ("https://example.com", Some(F::NotNormal)),
            ("http://127.1:3000/callback", Some(F::NotNormal)),
            ("example.com/callback", Some(F::NotAnAddress)),
            ("", Some(F::NotAnAddress)),
        ] {
            assert_eq!(redirect_uri(uri).err(), fault, "{uri}");
        }
    }
}

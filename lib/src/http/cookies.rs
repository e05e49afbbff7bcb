//! Cookies, read and written: names that fit the transport, and never readable by a page's script.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use url::Url;

/// The name a cookie has in the browser. On https it carries the `__Host-` prefix, so that no other host of the
/// domain and no plain-text page can set it (RFC 6265bis §4.1.3.2).
pub(super) fn name(base: &str, app_url: &Url) -> String {
    if app_url.scheme() == "https" {
        format!("__Host-{base}")
    } else {
        base.to_owned()
    }
}

/// The value of a cookie that the browser sent; the first, if it sent several.
pub(super) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// A `Set-Cookie` value. `Lax`, because coming back from the provider is a navigation from another site; a
/// `life` of zero makes the browser forget it.
pub(super) fn set(name: &str, value: &str, life: Duration, app_url: &Url) -> HeaderValue {
    let secure = if app_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        life.as_secs()
    );
    let mut cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    cookie.set_sensitive(true);
    cookie
}

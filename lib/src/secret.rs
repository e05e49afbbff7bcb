//! A secret is a type: redacted in `Debug`, no `Display`, no `Serialize`, wiped when dropped.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// What every secret text can do: be made from plain text, and be exposed on the one line that sends or seals it.
pub trait Secret: Sized {
    /// Takes ownership of the plain text.
    fn from_plain(plain: String) -> Self;

    /// The plain text. Call it only where it is sent or sealed.
    fn expose(&self) -> &str;
}

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl Secret for $name {
            fn from_plain(plain: String) -> Self {
                Self(plain)
            }

            fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

secrets! {
    /// Opens the provider's API for an hour or so (RFC 6749 §1.4).
    AccessToken,
    /// Buys new access tokens for as long as the grant lives (RFC 6749 §1.5).
    RefreshToken,
    /// What the browser brings back from the provider, good for one exchange (RFC 6749 §1.3.1).
    AuthorizationCode,
    /// Proves that who exchanges the code is who asked for it (RFC 7636 §4.1).
    CodeVerifier,
    /// The public name of an app. Not secret by itself, but whose own app it is, is: it is sealed when stored.
    ClientId,
    /// The password of an app (RFC 6749 §2.3.1).
    ClientSecret,
    /// What ties an authorization to the browser that started it; lives in a cookie for ten minutes.
    BrowserBinding,
    /// A password of patchbay itself: the cron secret, the admin token, a JWT key.
    Passphrase,
    /// Where the database is, with the name and the password that open it.
    DatabaseAddress,
    /// The operator's key to Last.fm's API. It goes with every call, and whoever has it can have it suspended.
    ApiKey,
    /// What signs calls to Last.fm together with the key (reference: authspec §8).
    SharedSecret,
    /// What Last.fm's own page sends the browser back with: good for one session, within an hour (reference: webauth §3.1).
    LoginToken,
    /// Reads as the Last.fm account that gave it, for as long as its person does not take it back (reference: webauth §6).
    SessionKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_kind_and_nothing_else() {
        assert_eq!(
            format!("{:?}", AccessToken::from_plain("hunter2".into())),
            "AccessToken(…)"
        );
    }
}

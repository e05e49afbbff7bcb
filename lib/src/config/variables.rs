//! Every variable there is: the one list that the parser reads from and `.env.example` is compared with.

/// One variable of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Names that existing deployments use for it; the first that is set counts, `name` before all.
    pub aliases: &'static [&'static str],
    /// Whether its value must never be shown.
    pub secret: bool,
}

impl Variable {
    /// Every name it may go by.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

macro_rules! variables {
    (@secret) => { false };
    (@secret secret) => { true };
    ($($name:ident $(= $alias:ident)* $(, $secret:ident)?;)+) => {
        $(pub(super) const $name: Variable = Variable {
            name: stringify!($name),
            aliases: &[$(stringify!($alias)),*],
            secret: variables!(@secret $($secret)?),
        };)+

        /// Every variable, in the order of `.env.example`.
        pub(super) const ALL: &[Variable] = &[$($name),+];
    };
}

variables! {
    HOST;
    PORT;
    APP_URL;
    DATABASE_URL = MONGODB_URI, secret;
    SPOTIFY_USER_SECRET_KEY, secret;
    SPOTIFY_STATE_SECRET, secret;
    SPOTIFY_CLIENT_ID;
    SPOTIFY_CLIENT_SECRET, secret;
    SPOTIFY_REDIRECT_URI = NEXT_PUBLIC_SPOTIFY_REDIRECT_URI;
    SPOTIFY_SCOPES = NEXT_PUBLIC_SPOTIFY_SCOPES;
    SPOTIFY_PLAYLIST_REFRESH_TOKEN, secret;
    SPOTIFY_PLAYLIST_OWNER_ID;
    SPOTIFY_PLAYLIST_FOR;
    LASTFM_API_KEY, secret;
    LASTFM_SHARED_SECRET, secret;
    LASTFM_STORED_MB_MAX;
    AUTH_JWT_SECRET, secret;
    AUTH_JWKS_URL;
    AUTH_ISSUER;
    AUTH_AUDIENCE;
    LOCAL_SIGN_IN;
    ALLOWED_ORIGINS;
    CRON_SECRET, secret;
    ADMIN_TOKEN, secret;
    REFRESH_MARGIN_S;
    SPOTIFY_ACCOUNTS_URL;
    SPOTIFY_API_URL;
    LASTFM_API_URL;
    LASTFM_SITE_URL;
}

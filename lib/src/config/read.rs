//! Reading the configuration, part by part. A part that is missing has left a problem with the reader.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use url::Url;

use super::{
    AddressFault, Auth, Config, Lastfm, LocalSignIn, Owner, SPOTIFY_CALLBACK_PATH, Spotify, Variable,
    addresses::{app_url, base_url, folder_url, redirect_uri, web_url},
    reader::Reader,
    variables as var,
};
use crate::{
    providers::{AppCredentials, lastfm::Credentials},
    store::DatabaseUrl,
    vault::KeyRing,
};

/// Where the service listens when `PORT` does not say.
pub const PORT_DEFAULT: u16 = 8787;

/// What an export needs, asked for when `SPOTIFY_SCOPES` does not say.
const SCOPES_DEFAULT: [&str; 3] = [
    "playlist-modify-public",
    "playlist-modify-private",
    "playlist-read-private",
];

/// An HS256 key has at least the 256 bits of its hash (RFC 7518 §3.2), and so has the state key.
const KEY_BYTES_MIN: usize = 32;

/// Passwords that are sent over the network to us, where guessing is slow.
const PASSWORD_BYTES_MIN: usize = 16;

/// A token is renewed when it has less than this left, unless `REFRESH_MARGIN_S` says otherwise.
const REFRESH_MARGIN_S_DEFAULT: u64 = 300;

/// Shorter than this, and a token dies on its way; longer, and Spotify's hour is hardly used.
const REFRESH_MARGIN_S: RangeInclusive<u64> = 30..=1800;

/// What Last.fm's terms call reasonable usage without an agreement (reference: Last.fm §9), in megabytes.
const LASTFM_STORED_MB_DEFAULT: u64 = 100;

/// One megabyte is a person or two; a hundred gigabytes are more than any agreement will allow.
const LASTFM_STORED_MB: RangeInclusive<u64> = 1..=100_000;

/// As the terms count.
const BYTES_PER_MB: u64 = 1_000_000;

/// Reads everything before it gives up on anything, so that all problems are noted.
pub(super) fn config(reader: &mut Reader<'_>) -> Option<Config> {
    let deployed = is_deployed(reader);
    let host = reader.parsed_or(
        var::HOST,
        || Ipv4Addr::LOCALHOST.into(),
        |text| {
            text.parse().map_err(
                |_| "is not an IP address; write 127.0.0.1 for this machine only, 0.0.0.0 for every network",
            )
        },
    );
    let port = reader.parsed_or(
        var::PORT,
        || PORT_DEFAULT,
        |text| match text.parse() {
            Ok(0) | Err(_) => Err("is not a port; write a number from 1 to 65535"),
            Ok(port) => Ok(port),
        },
    );
    let app_url = app_address(reader, host, port, deployed);
    let database = database(reader, deployed);
    let key_ring = key_ring(reader);
    let state_secret = reader.strong_secret(var::SPOTIFY_STATE_SECRET, KEY_BYTES_MIN);
    let spotify = spotify(reader, app_url.as_ref());
    let lastfm = lastfm(reader);
    let auth = auth(reader, host, deployed);
    let allowed_origins = reader.parsed_or(var::ALLOWED_ORIGINS, Vec::new, |text| {
        words(text).map(str::parse).collect::<Result<_, AddressFault>>()
    });
    let cron_secret = reader.strong_secret(var::CRON_SECRET, PASSWORD_BYTES_MIN);
    let admin_token = reader.strong_secret(var::ADMIN_TOKEN, PASSWORD_BYTES_MIN);
    let refresh_margin_s = reader.parsed_or(
        var::REFRESH_MARGIN_S,
        || REFRESH_MARGIN_S_DEFAULT,
        |text| {
            text.parse()
                .ok()
                .filter(|seconds| REFRESH_MARGIN_S.contains(seconds))
                .ok_or("is not a number of seconds from 30 to 1800; leave it out for 300")
        },
    );
    Some(Config {
        host: host?,
        port: port?,
        app_url: app_url?,
        database: database?,
        key_ring: key_ring?,
        state_secret,
        spotify: spotify?,
        lastfm: lastfm?,
        auth: auth?,
        allowed_origins: allowed_origins?,
        cron_secret,
        admin_token,
        refresh_margin: Duration::from_secs(refresh_margin_s?),
    })
}

/// Whether this is a deployment on Vercel; `vercel dev` is not (reference: Vercel, "vercel dev").
pub(super) fn is_deployed(reader: &Reader<'_>) -> bool {
    let is_set = |name| reader.ambient(name).is_some();
    (is_set("VERCEL") || is_set("VERCEL_ENV")) && !is_set("VERCEL_DEV")
}

fn app_address(
    reader: &mut Reader<'_>,
    host: Option<IpAddr>,
    port: Option<u16>,
    deployed: bool,
) -> Option<Url> {
    if reader.is_set(var::APP_URL) {
        return reader.parsed(var::APP_URL, app_url);
    }
    if deployed {
        reader.refuse(
            var::APP_URL,
            "is missing; set it to the address people open, as in https://example.com",
        );
        return None;
    }
    // Listening on every network, this machine is still reached by the loopback address.
    let host = host?;
    let host = if host.is_loopback() {
        host
    } else {
        Ipv4Addr::LOCALHOST.into()
    };
    Url::parse(&format!("http://{}", SocketAddr::new(host, port?))).ok()
}

fn database(reader: &mut Reader<'_>, deployed: bool) -> Option<DatabaseUrl> {
    if reader.is_set(var::DATABASE_URL) {
        return reader.parsed(var::DATABASE_URL, str::parse);
    }
    if deployed {
        reader.refuse(
            var::DATABASE_URL,
            "is missing, and the disk of a function does not last; set it to a mongodb+srv://…/<name> address",
        );
        return None;
    }
    // The user's data folder (XDG Base Directory Specification; a relative path in the variable is to be ignored).
    let folder = |name| {
        let folder = PathBuf::from(reader.ambient(name)?);
        folder.is_absolute().then_some(folder)
    };
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    if data.is_none() {
        reader.refuse(
            var::DATABASE_URL,
            "is missing, and there is no home folder; set it to sqlite:///absolute/path.db",
        );
    }
    Some(DatabaseUrl::Sqlite(data?.join("patchbay/patchbay.db")))
}

fn key_ring(reader: &mut Reader<'_>) -> Option<KeyRing> {
    if !reader.is_set(var::SPOTIFY_USER_SECRET_KEY) {
        reader.refuse(
            var::SPOTIFY_USER_SECRET_KEY,
            "is missing; make a key with `openssl rand -base64 32` and set it to k1:<key>",
        );
    }
    reader.parsed(var::SPOTIFY_USER_SECRET_KEY, str::parse)
}

fn spotify(reader: &mut Reader<'_>, home: Option<&Url>) -> Option<Spotify> {
    let app = operator_app(reader);
    let redirect_uri = if reader.is_set(var::SPOTIFY_REDIRECT_URI) {
        reader.parsed(var::SPOTIFY_REDIRECT_URI, redirect_uri)
    } else {
        home.and_then(|url| url.join(SPOTIFY_CALLBACK_PATH).ok())
    };
    let scopes = reader.parsed_or(
        var::SPOTIFY_SCOPES,
        || SCOPES_DEFAULT.map(str::to_owned).to_vec(),
        |text| words(text).map(scope).collect::<Result<_, _>>(),
    );
    let accounts_url = provider_url(reader, var::SPOTIFY_ACCOUNTS_URL, "https://accounts.spotify.com");
    let api_url = provider_url(reader, var::SPOTIFY_API_URL, "https://api.spotify.com/v1");
    let owner = owner(reader);
    Some(Spotify {
        app,
        redirect_uri: redirect_uri?,
        scopes: scopes?,
        accounts_url: accounts_url?,
        api_url: api_url?,
        owner,
    })
}

fn operator_app(reader: &mut Reader<'_>) -> Option<AppCredentials> {
    let client_id = reader.secret(var::SPOTIFY_CLIENT_ID);
    let client_secret = reader.secret(var::SPOTIFY_CLIENT_SECRET);
    if client_id.is_none() && client_secret.is_some() {
        reader.refuse(
            var::SPOTIFY_CLIENT_SECRET,
            "has no app to belong to; set SPOTIFY_CLIENT_ID too, or leave both out",
        );
    }
    Some(AppCredentials {
        client_id: client_id?,
        client_secret,
    })
}

/// The operator's own account: both variables or none, and only with the app that the token was got through.
fn owner(reader: &mut Reader<'_>) -> Option<Owner> {
    let refresh_token = reader.secret(var::SPOTIFY_PLAYLIST_REFRESH_TOKEN);
    let owner_id = reader.text(var::SPOTIFY_PLAYLIST_OWNER_ID);
    match (&refresh_token, &owner_id) {
        (Some(_), None) => reader.refuse(
            var::SPOTIFY_PLAYLIST_OWNER_ID,
            "is missing; set it to the Spotify user id that SPOTIFY_PLAYLIST_REFRESH_TOKEN belongs to",
        ),
        (None, Some(_)) => reader.refuse(
            var::SPOTIFY_PLAYLIST_REFRESH_TOKEN,
            "is missing; set it to a refresh token of SPOTIFY_PLAYLIST_OWNER_ID, or leave both out",
        ),
        (Some(_), Some(_)) if !reader.is_set(var::SPOTIFY_CLIENT_ID) => reader.refuse(
            var::SPOTIFY_PLAYLIST_REFRESH_TOKEN,
            "can only be used by the app it was made for; set SPOTIFY_CLIENT_ID to that app",
        ),
        _ => {}
    }
    let anyone = reader.parsed_or(
        var::SPOTIFY_PLAYLIST_FOR,
        || false,
        |text| match text {
            "signed-in" => Ok(false),
            "anyone" => Ok(true),
            _ => Err(
                "is unknown; write signed-in, or anyone for callers who bring a Spotify token and no sign-in",
            ),
        },
    );
    Some(Owner {
        refresh_token: refresh_token?,
        owner_id: owner_id?,
        anyone: anyone?,
    })
}

fn lastfm(reader: &mut Reader<'_>) -> Option<Lastfm> {
    let api_key = reader.secret(var::LASTFM_API_KEY);
    let shared_secret = reader.secret(var::LASTFM_SHARED_SECRET);
    if api_key.is_none() && shared_secret.is_some() {
        reader.refuse(
            var::LASTFM_SHARED_SECRET,
            "has no key to belong to; set LASTFM_API_KEY too, or leave both out",
        );
    }
    let folder = |reader: &mut Reader<'_>, variable, default| {
        if reader.is_set(variable) {
            reader.parsed(variable, folder_url)
        } else {
            Url::parse(default).ok()
        }
    };
    let api_url = folder(reader, var::LASTFM_API_URL, "https://ws.audioscrobbler.com/2.0/");
    let site_url = folder(reader, var::LASTFM_SITE_URL, "https://www.last.fm/");
    let stored_mb_max = reader.parsed_or(
        var::LASTFM_STORED_MB_MAX,
        || LASTFM_STORED_MB_DEFAULT,
        |text| {
            text.parse()
                .ok()
                .filter(|mb| LASTFM_STORED_MB.contains(mb))
                .ok_or("is not a whole number of megabytes from 1 to 100000; leave it out for 100")
        },
    );
    Some(Lastfm {
        credentials: api_key.map(|api_key| Credentials {
            api_key,
            shared_secret,
        }),
        api_url: api_url?,
        site_url: site_url?,
        stored_bytes_max: stored_mb_max? * BYTES_PER_MB,
    })
}

fn provider_url(reader: &mut Reader<'_>, variable: Variable, default: &str) -> Option<Url> {
    if reader.is_set(variable) {
        reader.parsed(variable, base_url)
    } else {
        Url::parse(default).ok()
    }
}

fn auth(reader: &mut Reader<'_>, host: Option<IpAddr>, deployed: bool) -> Option<Auth> {
    let jwt_secret = reader.strong_secret(var::AUTH_JWT_SECRET, KEY_BYTES_MIN);
    let jwks_url = reader.parsed(var::AUTH_JWKS_URL, web_url);
    let issuer = reader.text(var::AUTH_ISSUER);
    let audience = reader.text(var::AUTH_AUDIENCE);
    if reader.is_set(var::AUTH_JWKS_URL) {
        for (variable, value) in [(var::AUTH_ISSUER, &issuer), (var::AUTH_AUDIENCE, &audience)] {
            if value.is_none() {
                reader.refuse(
                    variable,
                    "is missing; with AUTH_JWKS_URL it is needed, or tokens made for other services would count here",
                );
            }
        }
    }
    let local_sign_in = local_sign_in(reader, host, deployed);
    let any = [var::AUTH_JWT_SECRET, var::AUTH_JWKS_URL]
        .into_iter()
        .any(|variable| reader.is_set(variable))
        || local_sign_in != Some(LocalSignIn::Off);
    if !any {
        reader.refuse(
            var::AUTH_JWT_SECRET,
            "is missing, and so is every other way to sign in; set it, or AUTH_JWKS_URL with AUTH_ISSUER and \
             AUTH_AUDIENCE, or LOCAL_SIGN_IN=on on your own machine",
        );
    }
    Some(Auth {
        jwt_secret,
        jwks_url,
        issuer,
        audience,
        local_sign_in: local_sign_in?,
    })
}

/// Local sign-in lets anybody be anybody, so it is for places that only the operator, or people they trust, can reach.
fn local_sign_in(reader: &mut Reader<'_>, host: Option<IpAddr>, deployed: bool) -> Option<LocalSignIn> {
    let wanted = reader.parsed_or(var::LOCAL_SIGN_IN, LocalSignIn::default, |text| {
        match text.to_ascii_lowercase().as_str() {
            "off" => Ok(LocalSignIn::Off),
            "on" => Ok(LocalSignIn::On),
            "trusted-network" => Ok(LocalSignIn::TrustedNetwork),
            _ => Err("is not one of off, on and trusted-network"),
        }
    })?;
    if deployed && wanted != LocalSignIn::Off {
        reader.refuse(
            var::LOCAL_SIGN_IN,
            "would let anybody on the internet be anybody; leave it out and set AUTH_JWT_SECRET or AUTH_JWKS_URL",
        );
    } else if wanted == LocalSignIn::On && host.is_some_and(|host| !host.is_loopback()) {
        reader.refuse(
            var::LOCAL_SIGN_IN,
            "would let anybody who reaches HOST be anybody; set HOST=127.0.0.1, or LOCAL_SIGN_IN=trusted-network if \
             you trust them all, or leave it out and set AUTH_JWT_SECRET or AUTH_JWKS_URL",
        );
    }
    Some(wanted)
}

/// The parts of a list, between blanks or commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
}

/// One scope (RFC 6749 §3.3).
fn scope(word: &str) -> Result<String, &'static str> {
    let is_scope_char = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if word.bytes().all(is_scope_char) {
        Ok(word.to_owned())
    } else {
        Err(
            "has a scope with a quote, a backslash or a letter beyond ASCII in it; separate plain names with blanks",
        )
    }
}

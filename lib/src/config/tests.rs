//! Table after table of what operators write, and what they are told.

mod lastfm;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::*;
use crate::secret::Secret;

const KEY_RING: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const LONG: &str = "0123456789abcdef0123456789abcdef";

/// What is set, on top of the least that is accepted; an empty value removes one.
fn parse(set: &[(&'static str, &str)]) -> Result<Config, ConfigErrors> {
    let least = [
        ("HOME", "/home/ann"),
        ("SPOTIFY_USER_SECRET_KEY", KEY_RING),
        ("AUTH_JWT_SECRET", LONG),
    ];
    let all: BTreeMap<_, _> = least.iter().chain(set).copied().collect();
    Config::parse(|name| all.get(name).map(ToString::to_string))
}

/// The variables that are complained about.
fn complaints(set: &[(&'static str, &str)]) -> Vec<&'static str> {
    match parse(set) {
        Ok(_) => Vec::new(),
        Err(ConfigErrors(problems)) => problems.iter().map(|problem| problem.variable).collect(),
    }
}

#[test]
fn the_least_configuration_gets_the_documented_defaults() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.host.to_string(), "127.0.0.1");
    assert_eq!(config.port, 8787);
    assert_eq!(config.app_url.as_str(), "http://127.0.0.1:8787/");
    assert_eq!(
        config.database.to_string(),
        "SQLite, /home/ann/.local/share/patchbay/patchbay.db"
    );
    assert!(config.spotify.app.is_none() && config.spotify.owner.is_none());
    assert_eq!(
        config.spotify.redirect_uri.as_str(),
        "http://127.0.0.1:8787/api/spotify/callback"
    );
    assert_eq!(
        config.spotify.scopes,
        [
            "playlist-modify-public",
            "playlist-modify-private",
            "playlist-read-private"
        ]
    );
    assert_eq!(
        config.spotify.accounts_url.as_str(),
        "https://accounts.spotify.com/"
    );
    assert_eq!(config.spotify.api_url.as_str(), "https://api.spotify.com/v1");
    assert_eq!(config.auth.local_sign_in, LocalSignIn::Off);
    assert!(config.allowed_origins.is_empty());
    assert!(config.cron_secret.is_none() && config.admin_token.is_none() && config.state_secret.is_none());
    assert_eq!(config.refresh_margin, Duration::from_mins(5));
}

#[test]
fn every_variable_reaches_its_field() {
    let config = parse(&[
        ("HOST", " 0.0.0.0 "),
        ("PORT", "8080"),
        ("APP_URL", "https://example.com/"),
        ("DATABASE_URL", "mongodb+srv://u:p@db.example.com/app"),
        ("SPOTIFY_STATE_SECRET", LONG),
        ("SPOTIFY_CLIENT_ID", "client-id"),
        ("SPOTIFY_CLIENT_SECRET", "client-secret"),
        ("SPOTIFY_REDIRECT_URI", "https://example.com/api/spotify/callback"),
        ("SPOTIFY_SCOPES", "user-read-private, playlist-modify-public"),
        ("SPOTIFY_PLAYLIST_REFRESH_TOKEN", "AQD"),
        ("SPOTIFY_PLAYLIST_OWNER_ID", "operator"),
        ("AUTH_JWKS_URL", "https://id.example.com/keys?v=1"),
        ("AUTH_ISSUER", "https://id.example.com"),
        ("AUTH_AUDIENCE", "patchbay"),
        ("LOCAL_SIGN_IN", "Trusted-Network"),
        ("ALLOWED_ORIGINS", "https://a.example.com, http://127.0.0.1:5173"),
        ("CRON_SECRET", "0123456789abcdef"),
        ("ADMIN_TOKEN", "fedcba9876543210"),
        ("REFRESH_MARGIN_S", "60"),
        ("SPOTIFY_ACCOUNTS_URL", "http://127.0.0.1:4100"),
        ("SPOTIFY_API_URL", "http://localhost:4100/v1"),
    ])
    .unwrap();
    assert_eq!((config.host.to_string().as_str(), config.port), ("0.0.0.0", 8080));
    assert_eq!(config.app_url.as_str(), "https://example.com/");
    assert_eq!(config.database.to_string(), "MongoDB");
    assert_eq!(config.state_secret.unwrap().expose(), LONG);
    let app = config.spotify.app.unwrap();
    assert_eq!(app.client_id.expose(), "client-id");
    assert_eq!(app.client_secret.unwrap().expose(), "client-secret");
    assert_eq!(
        config.spotify.redirect_uri.as_str(),
        "https://example.com/api/spotify/callback"
    );
    assert_eq!(
        config.spotify.scopes,
        ["user-read-private", "playlist-modify-public"]
    );
    let owner = config.spotify.owner.unwrap();
    assert_eq!(
        (owner.refresh_token.expose(), owner.owner_id.as_str()),
        ("AQD", "operator")
    );
    assert_eq!(config.auth.jwt_secret.unwrap().expose(), LONG);
    assert_eq!(
        config.auth.jwks_url.unwrap().as_str(),
        "https://id.example.com/keys?v=1"
    );
    assert_eq!(config.auth.issuer.unwrap(), "https://id.example.com");
    assert_eq!(config.auth.audience.unwrap(), "patchbay");
    assert_eq!(config.auth.local_sign_in, LocalSignIn::TrustedNetwork);
    assert_eq!(
        config
            .allowed_origins
            .iter()
            .map(Origin::as_str)
            .collect::<Vec<_>>(),
        ["https://a.example.com", "http://127.0.0.1:5173"]
    );
    assert_eq!(config.cron_secret.unwrap().expose(), "0123456789abcdef");
    assert_eq!(config.admin_token.unwrap().expose(), "fedcba9876543210");
    assert_eq!(config.refresh_margin, Duration::from_mins(1));
    assert_eq!(config.spotify.accounts_url.as_str(), "http://127.0.0.1:4100/");
    assert_eq!(config.spotify.api_url.as_str(), "http://localhost:4100/v1");
}

#[test]
fn names_of_existing_deployments_are_read_and_the_first_name_wins() {
    let aliases = [
        ("MONGODB_URI", "mongodb://db.example.com/app"),
        (
            "NEXT_PUBLIC_SPOTIFY_REDIRECT_URI",
            "https://example.com/api/spotify/callback",
        ),
        ("NEXT_PUBLIC_SPOTIFY_SCOPES", "user-read-private"),
    ];
    let config = parse(&aliases).unwrap();
    assert_eq!(config.database.to_string(), "MongoDB");
    assert_eq!(config.spotify.redirect_uri.host_str(), Some("example.com"));
    assert_eq!(config.spotify.scopes, ["user-read-private"]);

    let both = parse(&[aliases[2], ("SPOTIFY_SCOPES", "streaming")]).unwrap();
    assert_eq!(both.spotify.scopes, ["streaming"]);
    let blank = parse(&[aliases[2], ("SPOTIFY_SCOPES", " ")]).unwrap();
    assert_eq!(blank.spotify.scopes, ["user-read-private"]);

    assert_eq!(
        complaints(&[("MONGODB_URI", "postgres://db")]),
        ["MONGODB_URI"],
        "the name that was set"
    );
}

#[test]
fn each_bad_value_is_refused_under_its_name() {
    for (variable, values) in [
        ("HOST", vec!["localhost", "127.0.0.1:80", "::g"]),
        ("PORT", vec!["0", "65536", "-1", "http", "80 80"]),
        (
            "APP_URL",
            vec![
                "example.com",
                "http://example.com",
                "http://192.168.1.2:8787",
                "http://localhost:8787",
                "https://localhost",
                "https://example.com/app",
                "https://example.com/?a=b",
                "https://u:p@example.com",
                "ftp://example.com",
            ],
        ),
        (
            "DATABASE_URL",
            vec!["postgres://db", "sqlite://relative.db", "/a/b.db", "mongodb://"],
        ),
        ("SPOTIFY_USER_SECRET_KEY", vec!["", LONG, "k1:c2hvcnQ="]),
        (
            "SPOTIFY_REDIRECT_URI",
            vec![
                "http://localhost:8787/api/spotify/callback",
                "https://Example.com/callback",
            ],
        ),
        ("SPOTIFY_STATE_SECRET", vec!["short"]),
        ("SPOTIFY_CLIENT_SECRET", vec!["no-app-for-it"]),
        (
            "SPOTIFY_SCOPES",
            vec!["playlist-modify-\u{f6}ffentlich", "\"streaming\""],
        ),
        ("SPOTIFY_PLAYLIST_OWNER_ID", vec![]),
        ("AUTH_JWT_SECRET", vec!["short", ""]),
        ("LOCAL_SIGN_IN", vec!["yes", "true", "1"]),
        (
            "ALLOWED_ORIGINS",
            vec![
                "*",
                "https://a.example.com/path",
                "null",
                "https://*.example.com https://b c",
            ],
        ),
        ("CRON_SECRET", vec!["fifteen-letters"]),
        ("ADMIN_TOKEN", vec!["fifteen-letters"]),
        ("REFRESH_MARGIN_S", vec!["29", "1801", "5m", "-300"]),
        (
            "SPOTIFY_ACCOUNTS_URL",
            vec!["http://accounts.example.com", "accounts", "https://a?b=c"],
        ),
        (
            "SPOTIFY_API_URL",
            vec!["http://10.0.0.1/v1", "file:///v1", "https://a/#b"],
        ),
    ] {
        for value in values {
            assert_eq!(complaints(&[(variable, value)]), [variable], "{variable}={value}");
        }
    }
}

#[test]
fn variables_that_need_each_other_say_so() {
    let jwks = ("AUTH_JWKS_URL", "https://id.example.com/keys");
    let token = ("SPOTIFY_PLAYLIST_REFRESH_TOKEN", "AQD");
    let owner = ("SPOTIFY_PLAYLIST_OWNER_ID", "operator");
    let app = ("SPOTIFY_CLIENT_ID", "client-id");
    for (set, complaint) in [
        (vec![jwks], vec!["AUTH_ISSUER", "AUTH_AUDIENCE"]),
        (vec![jwks, ("AUTH_ISSUER", "i")], vec!["AUTH_AUDIENCE"]),
        (vec![jwks, ("AUTH_ISSUER", "i"), ("AUTH_AUDIENCE", "a")], vec![]),
        (vec![app, token], vec!["SPOTIFY_PLAYLIST_OWNER_ID"]),
        (vec![app, owner], vec!["SPOTIFY_PLAYLIST_REFRESH_TOKEN"]),
        (vec![owner, token], vec!["SPOTIFY_PLAYLIST_REFRESH_TOKEN"]),
        (vec![app, owner, token], vec![]),
        (vec![("HOME", "")], vec!["DATABASE_URL"]),
        (vec![("HOME", ""), ("XDG_DATA_HOME", "/data")], vec![]),
        (
            vec![("HOME", ""), ("XDG_DATA_HOME", "data")],
            vec!["DATABASE_URL"],
        ),
    ] {
        assert_eq!(complaints(&set), complaint, "{set:?}");
    }
}

#[test]
fn somebody_must_be_able_to_sign_in_and_not_everybody_as_anybody() {
    let none = ("AUTH_JWT_SECRET", "");
    let on = ("LOCAL_SIGN_IN", "on");
    let trusted = ("LOCAL_SIGN_IN", "trusted-network");
    let open = ("HOST", "0.0.0.0");
    let on_vercel = [
        ("VERCEL", "1"),
        ("APP_URL", "https://example.com"),
        ("DATABASE_URL", "mongodb://db/app"),
    ];
    for (set, complaint) in [
        (vec![none], vec!["AUTH_JWT_SECRET"]),
        (vec![none, on], vec![]),
        (vec![none, on, ("HOST", "::1")], vec![]),
        (vec![none, on, open], vec!["LOCAL_SIGN_IN"]),
        (vec![on, ("HOST", "192.168.1.2")], vec!["LOCAL_SIGN_IN"]),
        (vec![none, trusted, open], vec![]),
        ([vec![on], on_vercel.to_vec()].concat(), vec!["LOCAL_SIGN_IN"]),
        (
            [vec![trusted], on_vercel.to_vec()].concat(),
            vec!["LOCAL_SIGN_IN"],
        ),
        (on_vercel.to_vec(), vec![]),
    ] {
        assert_eq!(complaints(&set), complaint, "{set:?}");
    }
}

#[test]
fn a_deployment_cannot_live_on_the_defaults_of_a_laptop() {
    assert_eq!(complaints(&[("VERCEL", "1")]), ["APP_URL", "DATABASE_URL"]);
    assert_eq!(
        complaints(&[("VERCEL_ENV", "production")]),
        ["APP_URL", "DATABASE_URL"]
    );
    assert!(
        complaints(&[("VERCEL", "1"), ("VERCEL_DEV", "1")]).is_empty(),
        "vercel dev is a laptop"
    );
}

#[test]
fn the_own_address_follows_host_and_port() {
    for (host, port, app_url) in [
        ("127.0.0.1", "80", "http://127.0.0.1/"),
        ("::1", "3000", "http://[::1]:3000/"),
        ("0.0.0.0", "4000", "http://127.0.0.1:4000/"),
        ("192.168.1.2", "4000", "http://127.0.0.1:4000/"),
    ] {
        let config = parse(&[("HOST", host), ("PORT", port)]).unwrap();
        assert_eq!(config.app_url.as_str(), app_url);
    }
}

#[test]
fn demo_is_for_a_machine_of_ones_own_without_any_spotify() {
    let wants = |name: &'static str| Config::wants_demo(move |asked| (asked == name).then(|| "x".to_owned()));
    assert!(wants("PORT"));
    assert!(wants("SPOTIFY_USER_SECRET_KEY"));
    for name in [
        "SPOTIFY_CLIENT_ID",
        "SPOTIFY_ACCOUNTS_URL",
        "SPOTIFY_API_URL",
        "VERCEL",
        "VERCEL_ENV",
    ] {
        assert!(!wants(name), "{name}");
    }
}

#[test]
fn all_problems_are_told_together_with_their_remedies() {
    let errors = Config::parse(|name| match name {
        "PORT" => Some("http".to_owned()),
        "HOME" => Some("/home/ann".to_owned()),
        "SPOTIFY_REDIRECT_URI" => Some("http://localhost:8787/api/spotify/callback".to_owned()),
        _ => None,
    })
    .unwrap_err();
    let expected = "\
the configuration is not usable:
- PORT: is not a port; write a number from 1 to 65535
- SPOTIFY_USER_SECRET_KEY: is missing; make a key with `openssl rand -base64 32` and set it to k1:<key>
- SPOTIFY_REDIRECT_URI: uses the name localhost, which Spotify refuses; use http://127.0.0.1:<port>/api/spotify/callback
- AUTH_JWT_SECRET: is missing, and so is every other way to sign in; set it, or AUTH_JWKS_URL with AUTH_ISSUER and \
AUTH_AUDIENCE, or LOCAL_SIGN_IN=on on your own machine";
    assert_eq!(errors.to_string(), expected);
}

/// Plants something unmistakable in every variable, good and bad, and looks for it in everything that can be printed.
#[test]
fn no_value_of_a_secret_shows_anywhere() {
    const PLANTED: &str = "hunter2hunter2hunter2hunter2hunter2";
    let planted = |name: &str| match name {
        "SPOTIFY_USER_SECRET_KEY" => format!("k1:{PLANTED}{PLANTED}aa"),
        "DATABASE_URL" => format!("mongodb://u:{PLANTED}@db/app"),
        _ => PLANTED.to_owned(),
    };
    let secret = |name: &str| {
        Config::VARIABLES
            .iter()
            .any(|variable| variable.name == name && variable.secret)
    };
    let config = Config::parse(|name| match name {
        "SPOTIFY_CLIENT_ID" => Some("client-id".to_owned()),
        "SPOTIFY_PLAYLIST_OWNER_ID" => Some("operator".to_owned()),
        name => secret(name).then(|| planted(name)),
    })
    .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");

    // Every variable wrong, secret or not, in turn as a whole and hidden inside what looks right at first.
    for bad in [
        "hunter2",
        "k1:hunter2",
        "http://hunter2/#hunter2",
        "https://hunter2:hunter2@a",
        "\u{1}hunter2",
    ] {
        let errors = Config::parse(|name| (!name.starts_with("VERCEL")).then(|| bad.to_owned())).unwrap_err();
        assert!(errors.0.len() > 10, "{errors}");
        assert!(!format!("{errors} {errors:?}").contains("hunter2"), "{errors}");
    }
}

#[test]
fn the_list_of_variables_is_what_is_read_and_what_the_example_shows() {
    let asked = RefCell::new(BTreeSet::new());
    let _ = Config::parse(|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    });
    let ambient = ["HOME", "XDG_DATA_HOME", "VERCEL", "VERCEL_ENV", "VERCEL_DEV"];
    let listed: BTreeSet<String> = Config::VARIABLES
        .iter()
        .flat_map(|variable| variable.names())
        .map(str::to_owned)
        .collect();
    let read: BTreeSet<String> = asked
        .into_inner()
        .into_iter()
        .filter(|name| !ambient.contains(&name.as_str()))
        .collect();
    assert_eq!(read, listed);

    let example = include_str!("../../../.env.example");
    let shown: Vec<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    let names: Vec<&str> = Config::VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(shown, names);
    for alias in Config::VARIABLES.iter().flat_map(|variable| variable.aliases) {
        assert!(example.contains(alias), "{alias}");
    }
}

//! The scopes that exist, and what the consent page says about each.

/// Name and meaning (source: Spotify's page "Scopes").
const SCOPES: [(&str, &str); 19] = [
    ("ugc-image-upload", "Upload playlist covers"),
    ("user-read-playback-state", "Read what is playing, and where"),
    ("user-modify-playback-state", "Control playback"),
    ("user-read-currently-playing", "Read the song that is playing"),
    ("app-remote-control", "Talk to the Spotify app on this device"),
    ("streaming", "Play music"),
    ("playlist-read-private", "Read your private playlists"),
    (
        "playlist-read-collaborative",
        "Read the collaborative playlists you are in",
    ),
    (
        "playlist-modify-private",
        "Create and change your private playlists",
    ),
    (
        "playlist-modify-public",
        "Create and change your public playlists",
    ),
    ("user-follow-modify", "Change whom you follow"),
    ("user-follow-read", "Read whom you follow"),
    (
        "user-read-playback-position",
        "Read how far you are in an episode",
    ),
    ("user-top-read", "Read your top artists and songs"),
    ("user-read-recently-played", "Read what you played recently"),
    ("user-library-modify", "Change your library"),
    ("user-library-read", "Read your library"),
    ("user-read-email", "Read your e-mail address"),
    ("user-read-private", "Read your subscription and country"),
];

/// What a scope lets an app do; `None` if there is no such scope.
pub(super) fn meaning(scope: &str) -> Option<&'static str> {
    SCOPES
        .iter()
        .find(|(name, _)| *name == scope)
        .map(|(_, meaning)| *meaning)
}

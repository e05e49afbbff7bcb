"""spotipy, unmodified, against the sandbox: only the addresses it talks to are pointed there.

It opens the consent page through $BROWSER and receives the redirect on a server of its own, as on a user's machine.
"""

import logging
import os
import socket
import sys
import traceback
import warnings

import spotipy
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth, SpotifyOauthError, SpotifyPKCE

ACCOUNTS = os.environ["SPOTIFY_ACCOUNTS_URL"]
API = os.environ["SPOTIFY_API_URL"]
CLIENT_ID = os.environ["SPOTIFY_CLIENT_ID"]
CLIENT_SECRET = os.environ["SPOTIFY_CLIENT_SECRET"]
SCOPE = "playlist-modify-public playlist-modify-private playlist-read-private"

for manager in (SpotifyOAuth, SpotifyPKCE):
    manager.OAUTH_AUTHORIZE_URL = f"{ACCOUNTS}/authorize"
for manager in (SpotifyOAuth, SpotifyPKCE, SpotifyClientCredentials):
    manager.OAUTH_TOKEN_URL = f"{ACCOUNTS}/api/token"


def redirect_uri():
    """The registered callback, on a port that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/api/spotify/callback"


def oauth():
    return SpotifyOAuth(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=redirect_uri(),
        scope=SCOPE,
        cache_handler=spotipy.MemoryCacheHandler(),
    )


def pkce():
    return SpotifyPKCE(
        client_id=CLIENT_ID, redirect_uri=redirect_uri(), scope=SCOPE, cache_handler=spotipy.MemoryCacheHandler()
    )


def api(auth_manager):
    client = spotipy.Spotify(auth_manager=auth_manager, retries=0)
    client.prefix = f"{API}/"
    return client


def refreshed(manager):
    """The tokens before and after a refresh that spotipy itself finds due."""
    api(manager).me()
    before = manager.cache_handler.get_cached_token()
    manager.cache_handler.save_token_to_cache({**before, "expires_at": 0})
    api(manager).me()
    return before, manager.cache_handler.get_cached_token()


def test_authorization_code():
    me = api(oauth()).me()
    assert me["id"] == "ana" and me["account_id"], me


def test_pkce():
    assert api(pkce()).me()["display_name"] == "Ana"


def test_refresh_of_an_authorization_code_grant():
    before, after = refreshed(oauth())
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"], "the answer has none, so the old one stays"


def test_refresh_of_a_pkce_grant():
    before, after = refreshed(pkce())
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"], "the answer has none, so the old one stays"


def test_client_credentials():
    client = api(SpotifyClientCredentials(CLIENT_ID, CLIENT_SECRET, cache_handler=spotipy.MemoryCacheHandler()))
    assert client.search("love", limit=1)["tracks"]["total"] > 0
    try:
        client.me()
    except spotipy.SpotifyException as refused:
        assert refused.http_status == 401, refused
    else:
        raise AssertionError("an app alone is nobody")


def test_search_and_its_next_page():
    client = api(oauth())
    first = client.search("love", limit=2)["tracks"]
    assert len(first["items"]) == 2 and first["next"], first
    second = client.next(first)["tracks"]
    assert second["offset"] == 2 and second["items"][0]["id"] != first["items"][0]["id"]
    track = first["items"][0]
    by_isrc = client.search(f"isrc:{track['external_ids']['isrc']}", limit=10)["tracks"]["items"]
    assert track["id"] in [each["id"] for each in by_isrc]
    assert client.track(track["id"])["name"] == track["name"]


def test_search_limit_of_development_mode():
    try:
        api(oauth()).search("love", limit=50)
    except spotipy.SpotifyException as refused:
        assert refused.http_status == 400 and "Invalid limit" in refused.msg, refused
    else:
        raise AssertionError("fifty is too many")


def test_playlist_from_creation_to_reading_back():
    client = api(oauth())
    uris = [track["uri"] for track in client.search("love", limit=3)["tracks"]["items"]]
    playlist = client.current_user_playlist_create("Made by spotipy", public=False, description="a test")
    client.playlist_add_items(playlist["id"], uris)
    client.playlist_add_items(playlist["id"], uris[:1], position=0)
    read = [row["item"]["uri"] for row in client.playlist_items(playlist["id"])["items"]]
    assert read == uris[:1] + uris, read
    client.playlist_replace_items(playlist["id"], uris[1:])
    client.playlist_change_details(playlist["id"], name="Renamed")
    again = client.playlist(playlist["id"])
    assert again["name"] == "Renamed" and again["items"]["total"] == 2, again
    assert playlist["id"] in [each["id"] for each in client.current_user_playlists()["items"]]


def test_wrong_secret():
    wrong = SpotifyClientCredentials(CLIENT_ID, "0" * 32, cache_handler=spotipy.MemoryCacheHandler())
    try:
        api(wrong).search("love")
    except SpotifyOauthError as refused:
        assert refused.error == "invalid_client", refused
    else:
        raise AssertionError("a wrong secret opened")


def main():
    warnings.simplefilter("ignore", DeprecationWarning)
    logging.disable()  # refusals are asked for here; spotipy logs each as an error
    passed = failed = 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test()
            except Exception:
                failed += 1
                print(f"FAILED {name}")
                traceback.print_exc()
            else:
                passed += 1
                print(f"ok {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

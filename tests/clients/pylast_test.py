"""pylast, unmodified, against the sandbox: only the addresses it talks to are pointed there.

It insists on https and on a host name of its own, and takes a transport of one's own where it takes proxies: the one
here sends what is meant for ws.audioscrobbler.com to the sandbox. It reads XML, signs, and posts everything.
"""

import http.server
import json
import logging
import os
import sys
import threading
import time
import traceback
import urllib.parse
import urllib.request

import httpx2 as httpx
import pylast

SITE = os.environ["LASTFM_SITE_URL"]
API = httpx.URL(os.environ["LASTFM_API_URL"])
KEY = os.environ["LASTFM_API_KEY"]
SECRET = os.environ["LASTFM_SHARED_SECRET"]


class ToSandbox(httpx.HTTPTransport):
    """A transport that only changes where a request goes."""

    def handle_request(self, request):
        request.url = request.url.copy_with(scheme=API.scheme, host=API.host, port=API.port)
        request.headers["host"] = API.netloc.decode()
        return super().handle_request(request)


def network(**more):
    there = pylast.LastFMNetwork(
        api_key=KEY, api_secret=SECRET, proxy={"https://ws.audioscrobbler.com": ToSandbox()}, **more
    )
    there.homepage = SITE
    return there


def control(method, path, body):
    request = urllib.request.Request(f"{SITE}/_sandbox{path}", method=method, data=json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def listener(name, **more):
    """A new account, so that no test sees another's plays."""
    control("POST", "/lastfm/users", {"name": name, **more})
    return network().get_user(name)


def played(name, title, **more):
    control("POST", f"/lastfm/users/{name}/plays", {"artist": "Ана & Log", "title": title, "album": "夜", **more})


def refused(status, call):
    try:
        call()
    except pylast.WSError as error:
        assert str(error.status) == str(status), f"{error.status}: {error}"
    else:
        raise AssertionError(f"no error {status}")


def brought_back(open_page):
    """What a browser brings back to an application's own address, which stands in the middle of `open_page`."""
    arrived = []

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            arrived.append(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Callback) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        open_page(f"http://127.0.0.1:{server.server_address[1]}/callback?state=ours")
        thread.join(timeout=20)
    (query,) = arrived
    return query


def test_who_somebody_is():
    user = listener("py_info", country="Norway", subscriber=True, registeredMs=1_561_177_193_000)
    played("py_info", "One")
    assert network().get_user("PY_INFO").get_name(properly_capitalized=True) == "py_info"
    assert user.get_playcount() == 1
    assert user.is_subscriber() and str(user.get_country()) == "Norway"
    assert user.get_unixtime_registered() == 1_561_177_193
    assert user.get_registered() == "2019-06-22 04:19"
    assert user.get_image().endswith(".png")
    assert listener("py_nowhere").get_country() is None


def test_a_window_of_recent_tracks():
    user = listener("py_recent")
    now = int(time.time())
    for title, ago in [("before", 31), ("first", 30), ("second", 20), ("after", 10)]:
        played("py_recent", title, at=(now - ago) * 1000)
    window = user.get_recent_tracks(limit=10, time_from=now - 30, time_to=now - 10)
    assert [play.track.title for play in window] == ["second", "first"], window
    assert str(window[0].track.artist) == "Ана & Log" and window[0].album == "夜"
    assert [play.timestamp for play in window] == [str(now - 20), str(now - 30)]


def test_all_pages_and_what_plays_now():
    user = listener("py_pages")
    played("py_pages", "Many", times=120, since=int(time.time() - 1000) * 1000)
    control("POST", "/lastfm/users/py_pages/now-playing", {"artist": "Mains Hum", "title": "Sixty Hertz"})
    plays = user.get_recent_tracks(limit=None)
    assert len(plays) == 120 and {play.track.title for play in plays} == {"Many"}, len(plays)
    times = [int(play.timestamp) for play in plays]
    assert times == sorted(times, reverse=True)
    assert user.get_now_playing().title == "Sixty Hertz"
    control("POST", "/lastfm/users/py_pages/now-playing", {})
    assert user.get_now_playing() is None


def test_top_lists():
    user = listener("py_top")
    for title, times in [("Often", 3), ("Once", 1)]:
        played("py_top", title, times=times, since=int(time.time() - 100) * 1000)
    played("py_top", "Old", times=9, at=int(time.time() - 10 * 86400) * 1000)
    tops = [(top.item.title, str(top.item.artist), top.weight) for top in user.get_top_tracks(limit=2)]
    assert tops == [("Old", "Ана & Log", 9), ("Often", "Ана & Log", 3)], tops
    week = [top.item.title for top in user.get_top_tracks(period=pylast.PERIOD_7DAYS)]
    assert week == ["Often", "Once"], week
    assert [(str(top.item), top.weight) for top in user.get_top_artists()] == [("Ана & Log", "13")]
    assert [(top.item.title, str(top.item.artist)) for top in user.get_top_albums()] == [("夜", "Ана & Log")]


def test_weekly_charts():
    user = listener("py_weekly")
    weeks = user.get_weekly_chart_dates()
    assert weeks[0] == ("1108296000", "1108900800") and len(weeks) > 1000
    week_from, week_to = weeks[-1]
    played("py_weekly", "That week", times=4, since=int(week_from) * 1000, until=int(week_to) * 1000)
    played("py_weekly", "Later")
    chart = [(top.item.title, top.weight) for top in user.get_weekly_track_charts(week_from, week_to)]
    assert chart == [("That week", 4)], chart


def test_signing_in_through_the_browser():
    control("PATCH", "/settings", {"lastfm": {"autoApproveAs": "ben_listens"}})

    def open_page(callback):
        query = urllib.parse.urlencode({"api_key": KEY, "cb": callback})
        urllib.request.urlopen(f"{SITE}/api/auth/?{query}").close()

    query = brought_back(open_page)
    assert query["state"] == ["ours"], query
    (token,) = query["token"]
    signed_in = network(token=token)
    assert signed_in.username == "ben_listens" and len(signed_in.session_key) == 32
    refused(pylast.STATUS_AUTH_FAILED, lambda: network(token=token))

    ben = signed_in.get_user("ben_listens")
    assert len(ben.get_recent_tracks(limit=5)) == 5, "his own, though hidden"
    refused(17, lambda: network().get_user("ben_listens").get_recent_tracks(limit=5))
    assert signed_in.get_authenticated_user().get_name() == "ben_listens"
    control("POST", "/lastfm/users/ben_listens/revoke", {})
    refused(pylast.STATUS_INVALID_SK, lambda: ben.get_recent_tracks(limit=5))


def test_signing_in_with_a_token_got_beforehand():
    control("PATCH", "/settings", {"lastfm": {"autoApproveAs": "new_ears"}})
    there = network()
    generator = pylast.SessionKeyGenerator(there)
    url = generator.get_web_auth_url()
    refused(pylast.STATUS_TOKEN_UNAUTHORIZED, lambda: generator.get_web_auth_session_key(url))
    urllib.request.urlopen(url).close()
    key, name = generator.get_web_auth_session_key_username(url)
    assert name == "new_ears"
    assert network(session_key=key).get_user("new_ears").get_playcount() == 0


def test_refusals():
    refused(pylast.STATUS_INVALID_PARAMS, lambda: network().get_user("nobody").get_playcount())
    wrong_key = pylast.LastFMNetwork(api_key="x", proxy={"https://ws.audioscrobbler.com": ToSandbox()})
    refused(pylast.STATUS_INVALID_API_KEY, lambda: wrong_key.get_user("ana_listens").get_playcount())
    wrong_secret = network(session_key="x" * 32)
    wrong_secret.api_secret = "0" * 32
    refused(pylast.STATUS_INVALID_SIGNATURE, lambda: wrong_secret.get_user("ana_listens").get_playcount())
    control("PATCH", "/settings", {"lastfm": {"meter": {"calls": 0}}})
    try:
        refused(pylast.STATUS_RATE_LIMIT_EXCEEDED, lambda: network().get_user("ana_listens").get_playcount())
    finally:
        control("PATCH", "/settings", {"lastfm": {"meter": {}}})


def main():
    logging.disable()
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

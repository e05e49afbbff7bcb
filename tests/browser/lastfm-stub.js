// A service whose Last.fm side does what a test says: it stands in for `/api/connections/lastfm` and `/api/lastfm/…`,
// while everything else goes to patchbay.

import { PATCHBAY, test as base } from "./page.js";

const MINUTE_MS = 60_000;

export const card = (page) => page.getByRole("region", { name: "Last.fm", exact: true });
export const quest = (page) => page.getByRole("region", { name: "Quest", exact: true });

function songUrl(title, artist) {
  return `https://www.last.fm/music/${encodeURIComponent(artist)}/_/${encodeURIComponent(title)}`;
}

/** A song that was played so many minutes ago. */
export function play(title, artist, minutesAgo, fields) {
  return { title, artist, url: songUrl(title, artist), playedAt: Date.now() - minutesAgo * MINUTE_MS, ...fields };
}

/** An answer to "what was played". */
export function recent(fields) {
  const plays = [play("Teardrop", "Massive Attack", 3, { album: "Mezzanine" }), play("Jóga", "Björk", 8)];
  return { username: "ana_listens", profileUrl: "https://www.last.fm/user/ana_listens", nowPlaying: null, plays, asOf: Date.now(), ageMs: 0, stale: false, ...fields };
}

/** One song of a quest, `played` so often as `count` asks for or less. */
export function target(title, artist, count, played, fields) {
  const at = Date.now() - 3 * MINUTE_MS;
  const counted = played ? [{ title, artist, url: songUrl(title, artist), plays: played, firstPlayedAt: at - 60 * MINUTE_MS, lastPlayedAt: at }] : [];
  return { title, artist, count, played, done: played >= count, lastPlayedAt: played ? at : null, counted, nearMisses: [], ...fields };
}

/** An answer to "did they play it". */
export function verdict(targets, fields) {
  const since = Date.now() - 7 * 24 * 60 * MINUTE_MS;
  return {
    complete: targets.every(({ done }) => done), targets, playsInWindow: 40, since, until: Date.now(), asOf: Date.now(),
    ageMs: 0, stale: false, partial: false, covered: { since, until: Date.now() }, ...fields,
  };
}

/** A refusal, for `lastfm.answers`. */
export function refusal(status, code, error, fields) {
  return { status, body: { error, code, requestId: "r-1", ...fields } };
}

class LastfmStub {
  constructor() {
    this.asked = [];
    this.link = { available: true, canVerify: false, linked: false };
    this.answers = {
      "GET lastfm": () => this.link,
      "POST lastfm": ({ body }) => this.linked(body.username),
      "DELETE lastfm": () => {
        this.link = { available: true, canVerify: this.link.canVerify, linked: false };
        return { success: true };
      },
      "GET recent": () => recent({ username: this.link.username }),
      "GET arrived": {},
    };
  }

  /** Somebody is linked from the start. */
  linked(username, fields) {
    this.link = { ...this.link, linked: true, username, verified: false, connectedAt: Date.now(), profileUrl: `https://www.last.fm/user/${username}`, sessionKept: false, ...fields };
    return this.link;
  }

  /** How often `"GET recent"` and the like was asked. */
  count(kind) {
    return this.asked.filter((call) => call.kind === kind).length;
  }

  async take(route) {
    const request = route.request();
    const url = new URL(request.url());
    const kind = `${request.method()} ${url.pathname.split("/").pop()}`;
    const call = { kind, body: request.postDataJSON(), query: Object.fromEntries(url.searchParams) };
    this.asked.push(call);
    const answer = this.answers[kind];
    const said = typeof answer === "function" ? await answer(call) : answer;
    const refused = Number.isInteger(said?.status);
    await route.fulfill({ status: refused ? said.status : 200, json: refused ? said.body : said });
  }
}

/** `lastfm` stands in for Last.fm; nobody is linked before a test says so. */
export const test = base.extend({
  lastfm: async ({ page }, use) => {
    const stub = new LastfmStub();
    await page.route(/\/api\/(connections\/lastfm|lastfm\/)/, (route) => stub.take(route));
    await use(stub);
  },
});

/** The page is told of a demo that is so, or of none. */
export async function inDemo(page, demo) {
  await page.route(`${PATCHBAY}/api/session`, async (route) => {
    const response = await route.fetch();
    const state = await response.json();
    await route.fulfill({ response, json: { ...state, setup: { ...state.setup, demo } } });
  });
}

/** Whatever the page has asked before has arrived after this. */
export function arrived(page) {
  return page.evaluate(async () => void (await fetch("/api/lastfm/arrived")));
}

/** The page goes out of sight, or comes back, as when another tab is looked at. */
export async function look(page, seen) {
  await page.evaluate((seen) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => !seen });
    document.dispatchEvent(new Event("visibilitychange"));
  }, seen);
}

// A service whose exports do what a test says: it stands in for `/api/playlist/export` and `…/corrections`, event by
// event, while everything else goes to patchbay.

import { createServer } from "node:http";
import { once } from "node:events";

import { test as base } from "./page.js";

/** `{progress}` and the rest of an answer that is not finished. */
export function job(fields) {
  return { exportId: "AAAAAAAAAAAAAAAAAAAAAA", stage: "resolve", done: 0, total: 40, currentSong: null, remainingMs: null, resumeAt: null, code: "running", message: "The export is running.", ...fields };
}

/** Whatever the page has asked before has arrived after this: an answer that a test can wait for comes behind it. */
export function arrived(page) {
  return page.evaluate(async () => void (await fetch("/api/playlist/corrections")));
}

/** An answer to a list of which the first `added` songs were found. */
export function finished(added, fields) {
  const matched = Array.from({ length: added }, (_, index) => ({ index, uri: trackUri(index), score: 0.98, how: "fielded" }));
  return {
    success: true, exportId: "AAAAAAAAAAAAAAAAAAAAAA", playlistId: "p", playlistUrl: "https://open.spotify.com/playlist/p",
    tracksAdded: added, totalSongs: added, mode: "standard", usedFallback: false, accountId: "ana",
    matched, unmatched: [], duplicates: [], rejected: [], ...fields,
  };
}

export function trackUri(number) {
  return `spotify:track:${String(number).padStart(22, "0")}`;
}

class Stub {
  constructor() {
    this.asked = [];
    this.waiting = [];
    this.answers = {};
    this.server = createServer((request, response) => this.take(request, response));
  }

  async start(page) {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const origin = `http://127.0.0.1:${this.server.address().port}`;
    await page.route(/\/api\/playlist\//, (route) => {
      const { pathname, search } = new URL(route.request().url());
      return route.continue({ url: origin + pathname + search });
    });
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Answers every call like `"GET corrections"` with this JSON, or with what the function makes of the call. */
  always(call, answer) {
    this.answers[call] = answer;
  }

  async take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, "http://stub");
    const call = { method: request.method, path: url.pathname.split("/").pop(), query: Object.fromEntries(url.searchParams), headers: request.headers, response };
    call.body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : null;
    const kind = "forecast" in call.query ? "forecast" : `${call.method} ${call.path}`;
    this.asked.push(call);
    if (kind in this.answers) {
      const answer = this.answers[kind];
      return json(response, 200, typeof answer === "function" ? await answer(call) : answer);
    }
    const taker = this.waiting.shift();
    if (taker) taker(new Talk(call));
    else (this.early ??= []).push(new Talk(call));
  }

  /** The next export call that nothing answers by itself, to be answered by the test. */
  next() {
    const early = this.early?.shift();
    return early ? Promise.resolve(early) : new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** One call, held until the test has said all it wants. */
class Talk {
  constructor(call) {
    Object.assign(this, call);
  }

  /** Sends one event, in two pieces: the network cuts where it likes. */
  async say(event, data) {
    if (!this.response.headersSent) this.response.writeHead(200, { "Content-Type": "text/event-stream" });
    const text = `: a comment\n\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    const middle = Math.floor(text.length / 2);
    this.response.write(text.slice(0, middle));
    await new Promise((resolve) => setImmediate(resolve));
    this.response.write(text.slice(middle));
  }

  end() {
    this.response.end();
  }

  /** Breaks the connection in the middle. */
  cut() {
    this.response.socket.destroy();
  }

  json(status, body) {
    json(this.response, status, body);
  }
}

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

/** `stub` stands in for exports; nothing was chosen before. */
export const test = base.extend({
  stub: async ({ page }, use) => {
    const stub = new Stub();
    stub.always("GET corrections", { corrections: [] });
    await stub.start(page);
    await use(stub);
    stub.stop();
  },
});

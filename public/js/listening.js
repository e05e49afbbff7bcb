// What somebody plays: now, and the last songs before it. Asked again every half minute while the page is looked at.

import { errorNotice, get } from "./api.js";
import { announce, byId, fill, h, setText, settle, show, whileBusy } from "./dom.js";
import { ago, artistOf, cover, staleNotice, titleOf } from "./plays.js";
import { Poll } from "./poll.js";
import { counted } from "./words.js";

const PLAYS_SHOWN = 10;
const EVERY_MS = 30_000;
/** Refusals that the service remembers, for a day even, unless the account is linked again. */
const REMEMBERED = ["listening_hidden", "lastfm_user_not_found"];
/** Refusals that say something new of the link itself. */
const LINK_CHANGED = ["lastfm_not_linked", "lastfm_session_revoked"];

export class Listening {
  /**
   * `onLinkChanged()`: the service says that the link is gone, or no longer what it was. `linkAgain()` links the same
   * account once more.
   */
  constructor({ onLinkChanged, linkAgain }) {
    this.linkAgain = linkAgain;
    this.box = byId("listening");
    this.rows = new Map();
    this.poll = new Poll({
      ask: () => get(`lastfm/recent?limit=${PLAYS_SHOWN}`),
      onAnswer: (answer) => {
        this.render(answer, null);
        return Math.max(EVERY_MS, answer.problem?.retryAfterMs ?? 0);
      },
      onError: (error) => {
        if (error.code !== "lastfm_not_linked") this.render(this.answer, error);
        if (LINK_CHANGED.includes(error.code)) onLinkChanged();
      },
    });
    const refresh = byId("listening-refresh");
    refresh.addEventListener("click", () => whileBusy(refresh, () => this.refresh()));
  }

  start({ username, verified }) {
    const whose = JSON.stringify([username, verified]);
    if (whose === this.whose) return;
    this.stop();
    this.whose = whose;
    show(this.box, true);
    setText(byId("listening-asked"), "Asking Last.fm…");
    this.poll.start();
  }

  stop() {
    this.poll.stop();
    Object.assign(this, { whose: null, answer: null, told: null });
    this.rows.clear();
    for (const id of ["listening-problem", "listening-now", "listening-plays"]) fill(byId(id));
    this.nowShown = null;
    show(byId("listening-none"), false);
    show(this.box, false);
  }

  async refresh() {
    try {
      if (REMEMBERED.includes(this.told)) await this.linkAgain();
      await this.poll.now();
    } catch (error) {
      this.render(this.answer, error);
    }
    if (this.answer && !this.answer.stale && !this.told) announce(`Asked Last.fm just now: ${this.summary()}`);
  }

  /** The songs of the last plays, the newest first. */
  get songs() {
    return (this.answer?.plays ?? []).map(({ title, artist }) => ({ title, artist }));
  }

  // --- how it looks ---

  render(answer, error) {
    this.answer = answer;
    this.renderProblem(answer, error);
    setText(byId("listening-asked"), "");
    if (!answer) return;
    const old = Boolean(answer.stale || error);
    fill(byId("listening-asked"), "As of ", ago(answer.asOf));
    this.renderNow(answer.nowPlaying, old);
    settle(byId("listening-plays"), this.rowsOf(answer.plays));
    show(byId("listening-none"), answer.plays.length === 0);
  }

  /** What stands in the way is said once, however often it is met. */
  renderProblem(answer, error) {
    const place = byId("listening-problem");
    const problem = error ? { error: error.message, code: error.code, remedy: error.remedy } : answer.problem;
    if (!error && !answer.stale) {
      this.told = null;
      return fill(place);
    }
    const told = problem?.code ?? "stale";
    fill(place,
      !answer || (error && !error.passing) ? errorNotice(error) : staleNotice({ ...answer, problem }),
      REMEMBERED.includes(told) && h("p", { class: "hint" }, "Press Refresh when that has changed: until then it is not asked again."));
    if (told !== this.told) announce([problem?.error, problem?.remedy].filter(Boolean).join(" "));
    this.told = told;
  }

  renderNow(track, old) {
    const shown = JSON.stringify([track, old]);
    if (shown === this.nowShown) return;
    this.nowShown = shown;
    fill(byId("listening-now"), track && h("div", { class: "play play-now", "data-old": String(old) },
      cover(track),
      h("div", { class: "play-words" },
        h("p", { class: "play-when" }, h("span", { class: "equaliser", "aria-hidden": "true" }, h("i"), h("i"), h("i")), old ? "Playing when last asked" : "Playing now"),
        h("p", null, titleOf(track)),
        h("p", { class: "hint" }, artistOf(track)))));
  }

  /** One row a play; a play seen before keeps its row, and only its age is said anew. */
  rowsOf(plays) {
    const before = this.rows;
    this.rows = new Map();
    return plays.map((play) => {
      let key = JSON.stringify([play.playedAt, play.title, play.artist]);
      while (this.rows.has(key)) key += " again";
      const row = before.get(key) ?? rowOf(play);
      this.rows.set(key, row);
      fill(row.when, ago(play.playedAt));
      return row;
    }).map(({ element }) => element);
  }

  summary() {
    const { nowPlaying, plays } = this.answer;
    return [nowPlaying && `playing ${nowPlaying.title} by ${nowPlaying.artist}.`, `${counted(plays.length, "play")} shown.`].filter(Boolean).join(" ");
  }
}

function rowOf(play) {
  const when = h("span", { class: "play-when" });
  const element = h("li", { class: "play" },
    cover(play),
    h("div", { class: "play-words" }, h("p", null, titleOf(play)), h("p", { class: "hint" }, artistOf(play))),
    when);
  return { element, when };
}

// A pasted list becomes a playlist: the form, the request with its key, and following a parked export.

import { ApiError, call, errorNotice } from "./api.js";
import { byId, fill, h, setText, show, whileBusy } from "./dom.js";
import { renderResult } from "./result.js";
import { readSongs } from "./songs.js";
import { clockTime } from "./time.js";
import { counted, stageWords } from "./words.js";

const FOLLOW_MIN_MS = 5_000;
const FOLLOW_MAX_MS = 60_000;
/** Bad lines named one by one; the rest are counted. */
const BAD_LINES_SHOWN = 5;
/** After the last key, before the list is counted. */
const TYPING_PAUSE_MS = 250;
/** Kept for this tab only: going to Spotify and back must not cost a typed list. */
const DRAFT_KEY = "patchbay.draft";

export class Export {
  constructor(connections) {
    this.connections = connections;
    this.form = byId("export-form");
    this.submit = this.form.querySelector("[type=submit]");
    this.read = readSongs("");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      whileBusy(this.submit, () => this.send());
    });
    this.typing = null;
    this.form.addEventListener("input", () => this.edited());
    connections.onStatus(() => show(byId("export-needs"), connections.usable === false));
    document.addEventListener("visibilitychange", () => this.followSoon(0));
  }

  start({ userId, setup }) {
    this.stop();
    this.userId = userId;
    this.demo = Boolean(setup.demo);
    byId("export-mode").querySelector("[value=standard]").disabled = !setup.standardAvailable;
    this.restoreDraft();
  }

  stop() {
    this.attempt = null;
    this.parked = null;
    clearTimeout(this.timer);
    clearTimeout(this.typing);
    this.form.reset();
    this.showList();
    fill(this.form.querySelector(".form-error"));
    show(byId("export-progress"), false);
    show(byId("export-result"), false);
  }

  /** Drops what this tab keeps of the person's list. */
  forget() {
    sessionStorage.removeItem(DRAFT_KEY);
    this.userId = null;
  }

  // --- the form ---

  edited() {
    markName(null);
    // A line half typed is not a bad line yet.
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      this.showList();
      this.remember();
    }, TYPING_PAUSE_MS);
  }

  remember() {
    const { text, key, places, id } = this.attempt ?? {};
    keep({ userId: this.userId, fields: Object.fromEntries(new FormData(this.form)), open: key ? { text, key, places, id } : null });
  }

  /** Brings back the form, and an export that was under way: looked at again, or sent again under its old key. */
  restoreDraft() {
    const draft = kept();
    if (!draft || draft.userId !== this.userId) return;
    for (const name of ["name", "description", "mode", "songs"]) {
      if (typeof draft.fields?.[name] === "string") this.form.elements[name].value = draft.fields[name];
    }
    this.form.elements.public.checked = draft.fields?.public === "on";
    this.showList();
    if (!draft.open) return;
    this.attempt = { ...draft.open, songs: JSON.parse(draft.open.text).songs };
    if (!this.attempt.id) return;
    this.parked = { attempt: this.attempt, id: this.attempt.id, resumeAt: null };
    this.ask("GET");
  }

  showList() {
    this.read = readSongs(byId("songs").value);
    const { songs, bad } = this.read;
    const left = bad.length ? `, ${counted(bad.length, "line")} that cannot be read` : "";
    setText(byId("songs-count"), songs.length || bad.length ? `${counted(songs.length, "song")}${left}.` : "No songs yet.");
    const rest = bad.length - BAD_LINES_SHOWN;
    fill(byId("songs-bad"),
      bad.slice(0, BAD_LINES_SHOWN).map(({ place, why }) => h("li", null, h("strong", null, place), `: ${why}`)),
      rest > 0 && h("li", null, `and ${rest} more`));
    show(byId("songs-bad"), bad.length > 0);
  }

  /** The request, or null after pointing at what is missing. */
  request() {
    const name = byId("playlist-name").value.trim();
    if (!name) {
      markName("Give the playlist a name.");
      byId("playlist-name").focus();
      return null;
    }
    if (this.read.songs.length === 0) {
      this.fail(new ApiError(400, { error: "There is no song in the list yet.", code: "no_songs", remedy: "Write one a line, artist - title." }));
      byId("songs").focus();
      return null;
    }
    const description = byId("playlist-description").value.trim();
    const mode = byId("export-mode").value;
    return {
      name,
      ...(description && { description }),
      public: byId("playlist-public").checked,
      songs: this.read.songs,
      ...(mode && { mode }),
    };
  }

  // --- sending ---

  async send() {
    fill(this.form.querySelector(".form-error"));
    clearTimeout(this.typing);
    this.showList();
    const request = this.request();
    if (!request) return;
    const { songs, places } = this.read;
    // The same request sent again carries the same key, so a lost answer cannot make a second playlist.
    const text = JSON.stringify(request);
    if (this.attempt?.text !== text) this.attempt = { text, key: freshKey(), songs, places };
    const attempt = this.attempt;
    this.remember();

    clearTimeout(this.timer);
    this.parked = null;
    show(byId("export-result"), false);
    this.showProgress({ sentence: `Looking up ${counted(songs.length, "song")} and filling the playlist. Long lists take a while; you can leave this page open.` });
    try {
      this.answered(attempt, await call("POST", "playlist/export", { body: request, headers: { "Idempotency-Key": attempt.key } }));
    } catch (error) {
      if (attempt !== this.attempt) return;
      show(byId("export-progress"), false);
      // A refusal is final for this key; only a passing failure may be tried again under it.
      if (!error.passing) this.attempt = null;
      this.remember();
      this.fail(error);
    }
  }

  answered(attempt, { status, body }) {
    if (attempt !== this.attempt) return;
    if (status === 202) return this.park(attempt, body);
    this.attempt = null;
    this.parked = null;
    this.remember();
    show(byId("export-progress"), false);
    fill(this.form.querySelector(".form-error"));
    renderResult(byId("export-result"), body, { ...attempt, demo: this.demo });
  }

  fail(error) {
    fill(this.form.querySelector(".form-error"), errorNotice(error));
  }

  // --- following a parked export ---

  park(attempt, job) {
    const resumeAt = job.resumeAt ? new Date(job.resumeAt).getTime() : null;
    attempt.id = job.exportId;
    this.parked = { attempt, id: job.exportId, resumeAt };
    this.remember();
    const go = h("button", { type: "button", class: "button" }, "Continue now");
    go.addEventListener("click", () => whileBusy(go, () => this.ask("POST")));
    const when = Number.isFinite(resumeAt) && resumeAt !== null ? `It goes on by itself at ${clockTime(resumeAt)}.` : "It goes on by itself.";
    const sentence = [job.message, when].filter(Boolean).join(" ");
    this.showProgress({ sentence, job, go });
    this.followSoon();
  }

  /** Asks again after a while, not while nobody looks. Without `wait`, the time until the job resumes decides. */
  followSoon(wait) {
    clearTimeout(this.timer);
    if (!this.parked || document.hidden) return;
    const until = wait ?? Math.min(Math.max((this.parked.resumeAt ?? 0) - Date.now(), FOLLOW_MIN_MS), FOLLOW_MAX_MS);
    this.timer = setTimeout(() => this.ask("GET"), until);
  }

  /** GET looks, POST continues. A passing failure is looked at again; a refusal (gone, not ours) ends the watch. */
  async ask(method) {
    const { attempt, id } = this.parked;
    try {
      this.answered(attempt, await call(method, `playlist/export?id=${encodeURIComponent(id)}`));
    } catch (error) {
      if (attempt !== this.attempt) return;
      this.fail(error);
      if (error.passing) return this.followSoon(error.retryAfterMs ?? FOLLOW_MAX_MS);
      this.attempt = null;
      this.parked = null;
      this.remember();
      show(byId("export-progress"), false);
    }
  }

  showProgress({ sentence, job, go }) {
    const bar = h("progress", { "aria-label": "Export progress" });
    if (job?.total > 0) Object.assign(bar, { max: job.total, value: job.done ?? 0 });
    fill(byId("export-progress"),
      job && h("p", { class: "progress-stage" }, `${stageWords(job.stage)}: ${job.done ?? 0} of ${job.total ?? "?"}`),
      bar,
      h("p", null, sentence),
      go && h("div", { class: "actions" }, go));
    show(byId("export-progress"), true);
  }
}

function markName(sentence) {
  setText(byId("playlist-name-error"), sentence ?? "");
  if (sentence) byId("playlist-name").setAttribute("aria-invalid", "true");
  else byId("playlist-name").removeAttribute("aria-invalid");
}

/** `crypto.randomUUID` exists only in secure contexts; sixteen random bytes do as well. */
function freshKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Storage may be full or forbidden; a draft is a kindness, not a promise.
function keep(draft) {
  try {
    sessionStorage.setItem(DRAFT_KEY, JSON.stringify(draft));
  } catch {
    // nothing to do
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT_KEY));
  } catch {
    return null;
  }
}

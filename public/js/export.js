// A pasted list becomes a playlist: from the form through the run to the result, and again after a reload.

import { CorrectionList } from "./corrections.js";
import { announce, byId, show, whileBusy } from "./dom.js";
import { Draft } from "./draft.js";
import { Forecast } from "./forecast.js";
import { ExportForm } from "./form.js";
import { ProgressBox } from "./progress.js";
import { renderCancelled, renderResult } from "./result.js";
import { Run } from "./run.js";
import { counted } from "./words.js";

export class Export {
  constructor(connections) {
    this.connections = connections;
    this.draft = new Draft("draft");
    this.form = new ExportForm({ onSend: () => this.send(), onEdited: () => this.edited() });
    this.forecast = new Forecast();
    this.corrections = new CorrectionList();
    this.progress = new ProgressBox(
      (button) => whileBusy(button, () => this.run.goOn()),
      (button) => whileBusy(button, () => this.cancel()));
    this.run = new Run(this.listener());
    connections.onStatus(() => this.showNeeds());
    byId("export-mode").addEventListener("change", () => this.showNeeds());
  }

  start({ userId, setup }) {
    this.stop();
    this.userId = userId;
    this.demo = Boolean(setup.demo);
    this.form.start(setup);
    this.corrections.start({ demo: this.demo });
    this.restore();
    this.showNeeds();
  }

  stop() {
    this.attempt = null;
    this.run.stop();
    this.form.reset();
    this.forecast.stop();
    this.corrections.stop();
    this.progress.hide();
    show(byId("export-result"), false);
  }

  /** Drops what this tab keeps of the person's list. */
  forget() {
    this.draft.forget();
    this.userId = null;
  }

  // --- the form ---

  edited() {
    this.remember();
    this.foresee();
  }

  showNeeds() {
    show(byId("export-needs"), this.connections.usable === false && !this.form.throughOwner);
    this.foresee();
  }

  foresee() {
    const request = this.form.request();
    const possible = this.connections.usable === true || this.form.throughOwner;
    const isSent = this.attempt?.text === JSON.stringify(request);
    // The name comes last for many, and changes nothing of what is foreseen.
    this.forecast.changed(possible && !isSent ? { ...request, name: "Untitled" } : null);
  }

  remember() {
    const { text, key, places, id, done } = this.attempt ?? {};
    this.draft.keep({ userId: this.userId, fields: this.form.draft, open: key ? { text, key, places, id, done } : null });
  }

  /** Brings back the form, and an export that was under way or done: looked at again, or sent again under its old key. */
  restore() {
    const draft = this.draft.kept(this.userId);
    if (!draft) return;
    this.form.draft = draft.fields;
    if (!draft.open) return;
    this.attempt = { ...draft.open, songs: JSON.parse(draft.open.text).songs, restored: true };
    if (!this.attempt.id) return;
    if (!this.attempt.done) this.progress.begun("Looking for the export that was under way…");
    this.run.follow(this.attempt.id);
  }

  // --- the run ---

  async send() {
    const request = this.form.checkedRequest();
    if (!request) return;
    const { songs, places } = this.form.read;
    // The same request sent again carries the same key, so a lost answer cannot make a second playlist.
    const text = JSON.stringify(request);
    const again = this.attempt?.text === text && !this.attempt.done;
    await this.begin(again ? this.attempt : { text, key: freshKey(), songs, places });
  }

  /** The same list once more, as what the person has chosen since decides. */
  async again({ text, songs, places }) {
    // The button goes with the old result; the focus must not go with it.
    byId("export-title").focus();
    await this.begin({ text, key: freshKey(), songs, places });
  }

  async begin(attempt) {
    this.attempt = attempt;
    this.remember();
    this.forecast.stop();
    this.form.clearError();
    show(byId("export-result"), false);
    this.progress.begun(`Looking up ${counted(attempt.songs.length, "song")}…`);
    await this.run.begin(JSON.parse(attempt.text), attempt.key);
  }

  async cancel() {
    try {
      this.cancelled(await this.run.cancel());
    } catch (error) {
      this.form.fail(error);
    }
  }

  cancelled({ playlistUrl, tracksAdded }) {
    this.attempt = null;
    this.remember();
    this.progress.hide();
    this.form.clearError();
    renderCancelled(byId("export-result"), { playlistUrl, tracksAdded });
  }

  listener() {
    return {
      progress: (job) => {
        this.named(job.exportId);
        this.form.clearError();
        this.progress.progress(job);
      },
      parked: (job) => {
        this.named(job.exportId);
        this.progress.parked(job);
      },
      lost: () => this.progress.lost(),
      finished: (answer) => this.finished(answer),
      failed: (error) => this.failed(error),
    };
  }

  /** From here on a reload finds the export again. */
  named(id) {
    if (this.attempt.id === id) return;
    this.attempt.id = id;
    this.remember();
  }

  finished(answer) {
    const attempt = this.attempt;
    Object.assign(attempt, { id: answer.exportId, done: true });
    this.remember();
    this.progress.hide();
    this.form.clearError();
    const section = byId("export-result");
    renderResult(section, answer, {
      ...attempt,
      demo: this.demo,
      onAgain: () => this.again(attempt),
      onChosen: () => this.corrections.load(),
    });
    // Somebody who came back to a page reads it from the top.
    if (attempt.restored) announce("The result of your last export is shown below.");
    else section.focus();
  }

  failed(error) {
    this.progress.hide();
    // What was done is only not shown again; a refusal is final for its key, and only a passing failure may be tried
    // again under it.
    if (!error.passing || this.attempt.done) this.attempt = null;
    this.remember();
    this.form.fail(error);
  }
}

/** `crypto.randomUUID` exists only in secure contexts; sixteen random bytes do as well. */
function freshKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A quest: play these songs so many times. The service counts what Last.fm has; this asks it until all is done.

import { errorNotice, post } from "./api.js";
import { byId, fill, show, whileBusy } from "./dom.js";
import { Draft } from "./draft.js";
import { Poll } from "./poll.js";
import { QuestForm } from "./quest-form.js";
import { QuestResult } from "./quest-result.js";

const EVERY_MS = 60_000;
/** Where the plays are still being read: not sooner than this. */
const READING_MIN_MS = 2_000;
/** Refusals of the quest itself: asked again, they would be the same. */
const REFUSED = [400, 413, 422];

export class Quest {
  /** `lastfm` is the card whose account is looked at. */
  constructor(lastfm) {
    this.lastfm = lastfm;
    this.draft = new Draft("quest");
    this.form = new QuestForm({ onSend: () => this.begin(), onEdited: () => this.remember(), suggestion: () => lastfm.listening.songs[0] });
    this.result = new QuestResult({ onAgain: (button) => whileBusy(button, () => this.poll.now()), onForget: () => this.end() });
    this.poll = new Poll({
      ask: () => post("lastfm/verify", this.quest),
      onAnswer: (answer) => this.answered(answer),
      onError: (error) => this.failed(error),
    });
    lastfm.onLink((link) => this.linked(link));
  }

  start({ userId, setup }) {
    this.stop();
    this.userId = userId;
    const draft = this.draft.kept(userId);
    this.form.start({ demo: Boolean(setup.demo), fields: draft?.fields });
    this.quest = draft?.quest ?? null;
    this.linked(this.lastfm.link);
  }

  stop() {
    this.rest();
    Object.assign(this, { quest: null, account: null, userId: null });
    this.form.reset();
  }

  /** Drops what this tab keeps of the person's quest. */
  forget() {
    this.draft.forget();
    this.userId = null;
  }

  remember() {
    if (this.userId) this.draft.keep({ userId: this.userId, fields: this.form.fields, quest: this.quest });
  }

  /** A quest is about one account: another one, or none, ends what is shown of it. */
  linked(link) {
    const linked = Boolean(link?.linked);
    show(byId("quest"), Boolean(link?.available));
    show(byId("quest-needs"), !linked);
    show(this.form.element, linked);
    byId("quest").dataset.plugged = String(linked);
    const account = linked && this.userId ? link.username : null;
    if (account === this.account) return;
    this.rest();
    this.account = account;
    if (account && this.quest) this.check();
  }

  // --- one quest ---

  async begin() {
    const quest = this.form.checkedQuest();
    if (!quest) return;
    this.rest();
    this.quest = quest;
    this.remember();
    this.awaited = true;
    await this.check();
  }

  check() {
    this.form.clearError();
    this.result.begun(this.quest);
    return this.poll.start();
  }

  answered(answer) {
    this.result.render(answer);
    this.arrived();
    if (answer.complete) return null;
    const asked = answer.retryAfterMs ?? answer.problem?.retryAfterMs;
    if (!answer.partial) return Math.max(asked ?? EVERY_MS, EVERY_MS);
    return Math.max(asked ?? (answer.stale ? EVERY_MS : READING_MIN_MS), READING_MIN_MS);
  }

  failed(error) {
    if (REFUSED.includes(error.status)) {
      this.end();
      return fill(this.form.errors, errorNotice(error));
    }
    if (error.code === "lastfm_not_linked") return this.lastfm.load();
    this.result.failed(error);
    this.arrived();
  }

  /** Whoever pressed the button is taken to what came of it; whoever came back to the page reads it from the top. */
  arrived() {
    if (this.awaited) this.result.focus();
    this.awaited = false;
  }

  /** Is rid of the quest; the form stays as it is. */
  end() {
    this.rest();
    this.quest = null;
    this.remember();
    byId("quest-title").focus();
  }

  /** Asks no more and shows nothing. */
  rest() {
    this.poll.stop();
    this.awaited = false;
    this.result.hide();
    this.form.clearError();
  }
}

// How far a quest is: a bar for every song, and the evidence, which plays counted and which nearly did.

import { errorNotice } from "./api.js";
import { announce, byId, fill, h, setText, settle, show } from "./dom.js";
import { ago, artistOf, staleNotice, titleOf } from "./plays.js";
import { clockTime, instant } from "./time.js";
import { alike, songLabel } from "./tracks.js";
import { counted } from "./words.js";

export class QuestResult {
  /** `onAgain(button)` is pressed to look again at once, `onForget()` to be rid of the quest. */
  constructor({ onAgain, onForget }) {
    this.section = byId("quest-result");
    this.again = byId("quest-again");
    this.again.addEventListener("click", () => onAgain(this.again));
    byId("quest-forget").addEventListener("click", onForget);
    this.hide();
  }

  hide() {
    Object.assign(this, { answer: null, said: null, rows: [] });
    for (const id of ["quest-about", "quest-problem", "quest-rows"]) fill(byId(id));
    show(this.section, false);
  }

  focus() {
    this.section.focus();
  }

  /** Asked, and nothing heard yet. */
  begun({ targets }) {
    this.hide();
    this.rows = targets.map(() => new TargetProgress());
    this.title("Counting the plays…", "neutral");
    show(this.section, true);
    this.speak("Counting the plays…");
  }

  render(answer) {
    this.answer = answer;
    this.title(answer.complete ? "Quest complete" : "Not there yet", answer.complete ? "good" : "neutral");
    fill(byId("quest-about"),
      "Plays since ", clock(answer.since), " count. ",
      Number.isFinite(answer.playsInWindow) && `${counted(answer.playsInWindow, "play")} of any song in that time. `,
      "As of ", ago(answer.asOf), ".");
    fill(byId("quest-problem"), answer.partial && partialNotice(answer), answer.stale && staleNotice(answer));
    answer.targets.forEach((target, place) => (this.rows[place] ??= new TargetProgress()).render(target));
    settle(byId("quest-rows"), this.rows.map(({ element }) => element));
    this.speak(summary(answer));
  }

  /** What is shown stays; why it could not be renewed is said beside it. */
  failed(error) {
    fill(byId("quest-problem"), errorNotice(error));
    if (!this.answer) this.title("Not counted yet", "neutral");
    this.speak([error.message, error.remedy].filter(Boolean).join(" "));
  }

  title(words, tone) {
    setText(byId("quest-result-title"), words);
    this.section.dataset.tone = tone;
  }

  /** Only what changed is said aloud: an unchanged count once a minute is no news. */
  speak(sentence) {
    if (sentence === this.said) return;
    this.said = sentence;
    announce(sentence);
  }
}

/** "Quest complete. Teardrop: 20 of 20. Angel: 3 of 5." */
function summary({ complete, partial, stale, targets }) {
  const counts = targets.map(({ title, played, count }) => `${title}: ${played} of ${count}.`);
  return [complete && "Quest complete.", ...counts, partial && !complete && "Still counting.", stale && "This is not of now."].filter(Boolean).join(" ");
}

/** The window is not read to its beginning: what is counted is true, and may not be all. */
function partialNotice({ covered, since, complete }) {
  if (complete) return null;
  const known = Number.isFinite(covered?.since) && covered.since > since;
  return h("div", { class: "notice notice-warn" },
    h("p", { class: "notice-sentence" }, "Not all plays are read yet, so the numbers can still grow."),
    h("p", null, known && ["Read back to ", clock(covered.since), ". "], "The rest is being read; this page asks again by itself."));
}

/** One song's row. It stays while its numbers change, so that what was opened stays open. */
class TargetProgress {
  constructor() {
    this.song = h("span");
    this.count = h("span", { class: "quest-count" });
    this.done = h("span", { class: "badge", "data-tone": "good", hidden: true }, "Done");
    this.bar = h("progress");
    this.last = h("p", { class: "hint" });
    this.summary = h("summary");
    this.evidence = h("div");
    this.details = h("details", { class: "outcome" }, this.summary, this.evidence);
    this.element = h("li", { class: "quest-row" },
      h("p", { class: "quest-head" }, this.song, h("span", { class: "quest-numbers" }, this.count, " ", this.done)),
      this.bar, this.last, this.details);
  }

  render(target) {
    const { title, artist, count, played, done, lastPlayedAt, counted: spellings = [], nearMisses = [] } = target;
    const label = songLabel({ title, artist });
    fill(this.song, h("span", { class: "song" }, title), artist && h("span", { class: "hint" }, ` ${artist}`));
    setText(this.count, `${played.toLocaleString("en")} of ${count.toLocaleString("en")}`);
    show(this.done, done);
    Object.assign(this.bar, { max: count, value: Math.min(played, count) });
    this.bar.setAttribute("aria-label", label);
    this.element.dataset.done = String(done);
    fill(this.last, Number.isFinite(lastPlayedAt) ? ["Last played ", ago(lastPlayedAt), "."] : "Not played in this time.");
    const misses = nearMisses.length ? `, ${counted(nearMisses.length, "near miss", "near misses")}` : "";
    const found = spellings.length ? counted(spellings.length, "spelling") : "nothing yet";
    setText(this.summary, `What counts: ${found}${misses}`);
    this.renderEvidence(spellings, nearMisses);
  }

  renderEvidence(spellings, nearMisses) {
    const shown = JSON.stringify([spellings, nearMisses]);
    if (shown === this.shown) return;
    this.shown = shown;
    const hadFocus = this.evidence.contains(document.activeElement);
    fill(this.evidence,
      h("h4", null, "Counted"),
      spellings.length === 0 && h("p", { class: "hint" }, "No play of this song was found."),
      list(spellings, (track) => [counted(track.plays, "play"), whenPlayed(track)]),
      nearMisses.length > 0 && h("h4", null, "Near misses, not counted"),
      list(nearMisses, ({ plays, score, reason }) => [counted(plays, "play"), alike(score), reason].join(" · ")));
    if (hadFocus) this.summary.focus();
  }
}

function list(tracks, about) {
  return tracks.length > 0 && h("ul", { class: "outcomes" }, tracks.map((track) => h("li", null, names(track), h("p", { class: "hint" }, about(track)))));
}

function names(track) {
  return h("p", null, titleOf(track), " ", h("span", { class: "hint" }, artistOf(track), track.album && ` · ${track.album}`));
}

/** Of a long time only the number is known. */
function whenPlayed({ firstPlayedAt: first, lastPlayedAt: last }) {
  if (!Number.isFinite(last)) return null;
  return first < last ? [" · first ", clock(first), " · last ", clock(last)] : [" · ", clock(last)];
}

/** "today, 14:05", "Fri 3 Jul, 14:05". */
function clock(ms) {
  const words = clockTime(ms);
  return instant(ms, words.includes(",") ? words : `today, ${words}`);
}

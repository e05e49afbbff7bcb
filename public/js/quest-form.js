// The form of a quest: up to five songs, how often each is to be played, and from when on plays count.

import { announce, byId, fill, h, setText, show, whileBusy } from "./dom.js";

/** The service takes more; a form of more songs is none. */
const TARGETS_MAX = 5;
const COUNT_MAX = 1_000;
const DAY_MS = 86_400_000;
/** A song of the sandbox's catalogue, for an account that has played nothing yet. */
const ANY_SONG = { title: "Teardrop", artist: "Massive Attack" };
const SUGGESTED_COUNT = 3;

/** From when on: each starts where somebody's own calendar says. */
const SINCE = {
  today: (now) => midnight(now),
  week: (now) => midnight(now, (new Date(now).getDay() + 6) % 7),
  "7days": (now) => now - 7 * DAY_MS,
  "30days": (now) => now - 30 * DAY_MS,
};

function midnight(now, daysBefore = 0) {
  const day = new Date(now);
  day.setDate(day.getDate() - daysBefore);
  return day.setHours(0, 0, 0, 0);
}

export class QuestForm {
  /** `onSend()` when it is submitted, `onEdited()` on every change; `suggestion()` gives a song to try it with. */
  constructor({ onSend, onEdited, suggestion }) {
    this.element = byId("quest-form");
    this.errors = this.element.querySelector(".form-error");
    this.submit = this.element.querySelector("[type=submit]");
    this.rows = [];
    this.onEdited = onEdited;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      whileBusy(this.submit, onSend);
    });
    this.element.addEventListener("input", onEdited);
    byId("quest-add").addEventListener("click", () => {
      this.add().fields.title.focus();
      onEdited();
    });
    byId("quest-try").addEventListener("click", () => this.suggest(suggestion() ?? ANY_SONG));
    this.reset();
  }

  start({ demo, fields }) {
    show(byId("quest-try"), demo);
    if (fields) this.fields = fields;
  }

  reset() {
    this.element.reset();
    this.fields = { targets: [] };
    this.clearError();
  }

  clearError() {
    fill(this.errors);
  }

  /** What is typed, as a draft keeps it. */
  get fields() {
    return { since: byId("quest-since").value, targets: this.rows.map((row) => row.typed) };
  }

  set fields({ since, targets }) {
    if (Object.hasOwn(SINCE, since ?? "")) byId("quest-since").value = since;
    this.rows = [];
    const typed = Array.isArray(targets) ? targets.slice(0, TARGETS_MAX) : [];
    for (const target of typed.length ? typed : [{}]) this.add(target);
  }

  /** The quest as the service wants it, or null after pointing at what is missing. */
  checkedQuest() {
    this.clearError();
    const wrong = this.rows.map((row) => row.check()).find(Boolean);
    if (wrong) {
      wrong.focus();
      return null;
    }
    return { since: SINCE[byId("quest-since").value](Date.now()), targets: this.rows.map((row) => row.target) };
  }

  suggest(song) {
    this.fields = { since: "7days", targets: [{ ...song, count: String(SUGGESTED_COUNT) }] };
    this.onEdited();
    announce(`Filled in: ${song.title} by ${song.artist}, ${SUGGESTED_COUNT} times.`);
    this.submit.focus();
  }

  // --- its rows ---

  add(typed = {}) {
    const row = new TargetRow(typed, () => this.remove(row));
    this.rows.push(row);
    this.renderRows();
    return row;
  }

  remove(row) {
    const place = this.rows.indexOf(row);
    this.rows.splice(place, 1);
    this.renderRows();
    // The button goes with its row; the focus must not go with it.
    this.rows[Math.min(place, this.rows.length - 1)].fields.title.focus();
    this.onEdited();
  }

  renderRows() {
    this.rows.forEach((row, place) => row.place(place, this.rows.length));
    fill(byId("quest-targets"), this.rows.map(({ element }) => element));
    show(byId("quest-add"), this.rows.length < TARGETS_MAX);
  }
}

/** One song and its number. */
class TargetRow {
  constructor({ title, artist, count }, onRemove) {
    this.id = `quest-song-${(TargetRow.made = (TargetRow.made ?? 0) + 1)}`;
    this.legend = h("legend");
    this.remove = h("button", { type: "button", class: "button button-small button-quiet", onclick: onRemove });
    this.fields = {
      title: this.input("title", title, { maxlength: 200 }),
      artist: this.input("artist", artist, { maxlength: 200 }),
      count: this.input("count", count, { maxlength: 5, inputmode: "numeric" }),
    };
    this.element = h("fieldset", { class: "quest-target" },
      this.legend,
      this.field("title", "Song title"),
      this.field("artist", "Artist"),
      this.field("count", "How many times"),
      this.remove);
  }

  input(name, value, props) {
    const input = h("input", { id: `${this.id}-${name}`, type: "text", autocomplete: "off", "aria-describedby": `${this.id}-${name}-error`, ...props });
    input.value = typeof value === "string" ? value : "";
    input.addEventListener("input", () => this.mark(name, null));
    return input;
  }

  field(name, label) {
    return h("div", { class: "field" },
      h("label", { for: this.fields[name].id }, label),
      this.fields[name],
      h("p", { class: "field-error", id: `${this.id}-${name}-error` }));
  }

  /** Its number among `all` rows; the only one cannot be taken away. */
  place(place, all) {
    setText(this.legend, `Song ${place + 1}`);
    this.legend.classList.toggle("visually-hidden", all === 1);
    fill(this.remove, "Remove", h("span", { class: "visually-hidden" }, ` song ${place + 1}`));
    show(this.remove, all > 1);
  }

  get typed() {
    return Object.fromEntries(Object.entries(this.fields).map(([name, input]) => [name, input.value]));
  }

  get target() {
    return { title: this.filled("title"), artist: this.filled("artist"), count: this.count };
  }

  get count() {
    const typed = this.filled("count");
    return /^\d+$/.test(typed) ? Number(typed) : NaN;
  }

  /** Says what is wrong; the first field at fault, or nothing. */
  check() {
    const wrong = {
      title: this.filled("title") ? null : "Name the song.",
      artist: this.filled("artist") ? null : "Say whose song it is.",
      count: this.count >= 1 && this.count <= COUNT_MAX ? null : `A whole number from 1 to ${COUNT_MAX.toLocaleString("en")}.`,
    };
    for (const [name, sentence] of Object.entries(wrong)) this.mark(name, sentence);
    return this.fields[Object.keys(wrong).find((name) => wrong[name])];
  }

  filled(name) {
    return this.fields[name].value.trim();
  }

  mark(name, sentence) {
    const input = this.fields[name];
    const place = input.nextElementSibling;
    if (place) setText(place, sentence ?? "");
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

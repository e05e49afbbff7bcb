// The form of an export: what is typed, what is wrong with it, and the request it makes.

import { ApiError, errorNotice } from "./api.js";
import { byId, fill, h, setText, show, whileBusy } from "./dom.js";
import { readSongs } from "./songs.js";
import { counted } from "./words.js";

/** Bad lines named one by one; the rest are counted. */
const BAD_LINES_SHOWN = 5;
/** After the last key, before the list is counted. */
const TYPING_PAUSE_MS = 250;
/** Text fields that a draft keeps, and check boxes. */
const TEXTS = ["name", "description", "mode", "songs"];
const CHECKS = ["public", "fallback"];

export class ExportForm {
  /** `onSend()` when it is submitted, `onEdited()` after a pause in typing. */
  constructor({ onSend, onEdited }) {
    this.form = byId("export-form");
    this.submit = this.form.querySelector("[type=submit]");
    this.errors = this.form.querySelector(".form-error");
    this.typing = null;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      whileBusy(this.submit, onSend);
    });
    this.form.addEventListener("input", () => {
      markName(null);
      this.showOwner();
      // A line half typed is not a bad line yet.
      clearTimeout(this.typing);
      this.typing = setTimeout(() => {
        this.readList();
        onEdited();
      }, TYPING_PAUSE_MS);
    });
    this.readList();
  }

  start({ standardAvailable, ownerAvailable }) {
    byId("export-mode").querySelector("[value=standard]").disabled = !standardAvailable;
    this.ownerAvailable = Boolean(ownerAvailable);
    const owner = byId("export-mode").querySelector("[value=owner]");
    // A hidden option may still be shown by a phone's own list.
    owner.hidden = owner.disabled = !this.ownerAvailable;
    this.showOwner();
  }

  reset() {
    clearTimeout(this.typing);
    this.form.reset();
    markName(null);
    this.showOwner();
    this.readList();
    this.clearError();
  }

  /** Whether the chosen connection is the operator's, which needs none of the person's own. */
  get throughOwner() {
    return byId("export-mode").value === "owner";
  }

  get draft() {
    return Object.fromEntries(new FormData(this.form));
  }

  set draft(fields) {
    for (const name of TEXTS) {
      if (typeof fields?.[name] === "string") this.form.elements[name].value = fields[name];
    }
    for (const name of CHECKS) this.form.elements[name].checked = fields?.[name] === "on";
    this.showOwner();
    this.readList();
  }

  /** Reads the list and says what was read. */
  readList() {
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

  /** The request as the form stands, nothing checked. */
  request() {
    const description = byId("playlist-description").value.trim();
    const mode = byId("export-mode").value;
    const fallback = this.ownerAvailable && !this.throughOwner && byId("export-fallback").checked;
    return {
      name: byId("playlist-name").value.trim(),
      ...(description && { description }),
      public: byId("playlist-public").checked,
      songs: this.read.songs,
      ...(mode && { mode }),
      ...(fallback && { fallbackToOwner: true }),
    };
  }

  /** The request, or null after pointing at what is missing. */
  checkedRequest() {
    clearTimeout(this.typing);
    this.clearError();
    this.readList();
    const request = this.request();
    if (!request.name) {
      markName("Give the playlist a name.");
      byId("playlist-name").focus();
      return null;
    }
    if (request.songs.length === 0) {
      this.fail(new ApiError(400, { error: "There is no song in the list yet.", code: "no_songs", remedy: "Write one a line, artist - title." }));
      byId("songs").focus();
      return null;
    }
    return request;
  }

  /** Shows why nothing came of it; where the operator's account would do instead, it is offered, never just taken. */
  fail(error) {
    const offer = error.canFallback && h("button", { type: "button", class: "button", onclick: () => {
      byId("export-fallback").checked = true;
      this.submit.focus();
      this.form.requestSubmit();
    } }, "Use this site’s account instead");
    fill(this.errors, errorNotice(error), offer && h("div", { class: "actions" }, offer));
  }

  clearError() {
    fill(this.errors);
  }

  showOwner() {
    show(byId("fallback-field"), Boolean(this.ownerAvailable) && !this.throughOwner);
    show(byId("owner-hint"), Boolean(this.ownerAvailable) && this.throughOwner);
  }
}

function markName(sentence) {
  setText(byId("playlist-name-error"), sentence ?? "");
  if (sentence) byId("playlist-name").setAttribute("aria-invalid", "true");
  else byId("playlist-name").removeAttribute("aria-invalid");
}

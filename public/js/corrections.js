// What the person has decided about songs: this track, or never that one. The service heeds it in every later export.

import { del, errorNotice, get, put } from "./api.js";
import { byId, fill, h, setText, show, whileBusy } from "./dom.js";
import { trackLink, trackName } from "./tracks.js";
import { counted } from "./words.js";

/** One song's choice, as a button that is pressed or not; a second press takes the choice back. */
export class Choices {
  /** `onChange(count)`: how many choices are made in this result and hold. */
  constructor(onChange) {
    this.onChange = onChange;
    this.made = new Map();
  }

  /** A button for `{use}` or `{never}` of a track for `song`; `about` tells it from the others of its `name`. */
  button(song, wish, name, about) {
    const button = h("button", { type: "button", class: `button button-small${wish.never ? " button-quiet" : ""}`, "aria-pressed": "false", "aria-label": `${name}: ${about}` }, name);
    const error = h("div", { class: "form-error", role: "alert" });
    const draw = (chosen) => button.setAttribute("aria-pressed", String(chosen));
    button.addEventListener("click", () => whileBusy(button, async () => {
      fill(error);
      try {
        await this.toggle(song, wish, draw, button.getAttribute("aria-pressed") === "true");
      } catch (failure) {
        fill(error, errorNotice(failure));
      }
    }));
    return [button, error];
  }

  async toggle(song, wish, draw, chosen) {
    const key = JSON.stringify([song.artist, song.title]);
    const before = this.made.get(key);
    if (chosen) {
      await del(`playlist/corrections?id=${encodeURIComponent(before.id)}`);
      this.made.delete(key);
    } else {
      const { title, artist } = song;
      const { id } = await put("playlist/corrections", { song: { title, ...(artist && { artist }) }, ...wish });
      this.made.set(key, { id, draw });
    }
    // One choice a song: the button pressed before comes up again.
    before?.draw(false);
    draw(!chosen);
    this.onChange(this.made.size);
  }
}

/** The small place where all choices are listed and taken back. */
export class CorrectionList {
  constructor() {
    this.box = byId("corrections");
  }

  async start({ demo }) {
    this.demo = demo;
    this.stop();
    await this.load();
  }

  stop() {
    show(this.box, false);
    fill(byId("corrections-list"));
  }

  async load() {
    try {
      this.render((await get("playlist/corrections")).corrections);
    } catch {
      // A list of choices that cannot be shown stands in nobody's way.
      this.stop();
    }
  }

  render(corrections) {
    show(this.box, corrections.length > 0);
    setText(byId("corrections-title"), `Your choices for ${counted(corrections.length, "song")}`);
    fill(byId("corrections-list"), corrections.map((correction) => h("li", null, this.row(correction))));
  }

  row({ id, title, artist, use, never }) {
    const song = [artist, title].filter(Boolean).join(" – ");
    const links = (never ?? []).map((uri, index) => [index > 0 && ", ", trackLink({ uri, title: trackName(uri) }, this.demo)]);
    const forget = h("button", { type: "button", class: "button button-small button-quiet" }, "Forget", h("span", { class: "visually-hidden" }, ` the choice for ${song}`));
    forget.addEventListener("click", () => whileBusy(forget, () => this.forget(id)));
    return h("div", { class: "choice-row" },
      h("p", null, h("span", { class: "song" }, song), " ",
        use && h("span", { class: "hint" }, "always ", trackLink({ uri: use, title: trackName(use) }, this.demo), never?.length ? "; " : ""),
        never?.length > 0 && h("span", { class: "hint" }, "never ", links)),
      forget);
  }

  async forget(id) {
    try {
      await del(`playlist/corrections?id=${encodeURIComponent(id)}`);
      fill(byId("corrections-error"));
    } catch (error) {
      fill(byId("corrections-error"), errorNotice(error));
    }
    await this.load();
    (this.box.hidden ? byId("export-title") : byId("corrections-title")).focus();
  }
}

// The card that links Last.fm: by a typed name, or by Last.fm's own page where this site can have it prove who it is.

import { del, errorNotice, get, post } from "./api.js";
import { announce, byId, confirmFirst, fill, h, leaveFor, outsideLink, setText, show, whileBusy } from "./dom.js";
import { Listening } from "./listening.js";
import { calendarDay, instant } from "./time.js";

const RETURN_TO = "/";
/** Refusals that are about the name, and belong to its field. */
const ABOUT_THE_NAME = ["invalid_username", "lastfm_user_not_found"];

export class Lastfm {
  constructor() {
    this.card = byId("lastfm");
    this.form = byId("lastfm-form");
    this.name = byId("lastfm-name");
    this.link = null;
    this.listeners = [];
    this.listening = new Listening({ onLinkChanged: () => this.load(), linkAgain: () => this.linkAgain() });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      whileBusy(this.form.querySelector("[type=submit]"), () => this.linkByName());
    });
    this.name.addEventListener("input", () => this.markName(null));
    byId("lastfm-demo").addEventListener("click", () => this.fillDemo());
    this.press("verify", async () => leaveFor((await get(`lastfm/auth-url?returnTo=${encodeURIComponent(RETURN_TO)}`)).url));
    this.press("unlink", () => this.unlink());
    this.press("again", () => this.load());
  }

  /** Runs `listener(link)` when the link becomes known or changes; `null` while it is not known. */
  onLink(listener) {
    this.listeners.push(listener);
  }

  async start({ demo }) {
    this.stop();
    this.demo = demo;
    show(byId("lastfm-demo"), Boolean(demo?.lastfm?.username));
    await this.load();
  }

  stop() {
    this.turn = null;
    this.form.reset();
    this.markName(null);
    fill(this.form.querySelector(".form-error"));
    fill(this.part("error"));
    this.render(null);
  }

  part(name) {
    return this.card.querySelector(`[data-part=${name}]`);
  }

  /** On press: busy button, errors shown in this card. */
  press(part, work) {
    const button = this.part(part);
    button.addEventListener("click", () => whileBusy(button, async () => {
      fill(this.part("error"));
      try {
        await work();
      } catch (error) {
        fill(this.part("error"), errorNotice(error));
      }
    }));
  }

  /** Asks how it stands. */
  async load() {
    const turn = (this.turn = {});
    try {
      const link = await get("connections/lastfm");
      if (turn === this.turn) this.render(link);
    } catch (error) {
      if (turn !== this.turn) return;
      this.render(null);
      setText(this.part("badge"), "Unknown");
      fill(this.part("error"), errorNotice(error));
      show(this.part("again"), true);
    }
  }

  // --- linking and unlinking ---

  async linkByName() {
    const errors = this.form.querySelector(".form-error");
    fill(errors);
    // A name, or the address of a profile: the service finds the one in the other.
    const username = this.name.value.trim();
    if (!username) {
      this.markName("Type your Last.fm user name.");
      this.name.focus();
      return;
    }
    try {
      this.turn = null;
      this.render(await post("connections/lastfm", { username }));
      this.form.reset();
      byId("lastfm-title").focus();
    } catch (error) {
      if (!ABOUT_THE_NAME.includes(error.code)) return fill(errors, errorNotice(error));
      this.markName([error.message, error.remedy].filter(Boolean).join(" "));
      this.name.focus();
    }
  }

  /** The same account once more: the service then asks at once what it believed to know about it. */
  async linkAgain() {
    this.turn = null;
    this.render(await post("connections/lastfm", { username: this.link.username }));
  }

  async unlink() {
    const agreed = await confirmFirst({
      title: "Unlink Last.fm?",
      text: "patchbay forgets the link and all it has read from Last.fm at once. Your plays stay in your Last.fm account.",
      yes: "Unlink",
    });
    if (!agreed) return;
    await del("connections/lastfm");
    await this.load();
    this.name.focus();
  }

  fillDemo() {
    this.name.value = this.demo.lastfm.username;
    this.markName(null);
    announce("The sandbox’s demo account is filled in.");
    this.form.querySelector("[type=submit]").focus();
  }

  markName(sentence) {
    setText(byId("lastfm-name-error"), sentence ?? "");
    this.name.setAttribute("aria-invalid", String(Boolean(sentence)));
  }

  // --- how it looks ---

  render(link) {
    const { available = true, canVerify = false, linked = false } = link ?? {};
    const offered = Boolean(link) && available;
    this.renderBadge(link);
    this.card.dataset.plugged = String(linked);
    show(this.part("unavailable"), Boolean(link) && !available);
    show(this.part("about"), offered && !linked);
    show(this.form, offered && !linked);
    fill(this.part("panel"), linked && person(link));
    this.renderVerify(offered && canVerify, link);
    show(this.part("unlink"), linked);
    show(this.part("again"), false);
    this.renderSandbox(link);
    show(this.part("credit"), offered);
    // The same account goes on being read; another begins afresh.
    if (linked) this.listening.start(link);
    else this.listening.stop();
    this.link = link;
    for (const listener of this.listeners) listener(link);
  }

  renderBadge(link) {
    const badge = this.part("badge");
    const [word, tone] = badgeOf(link);
    if (badge.textContent !== word && this.link && link) announce(`Last.fm: ${word}.`);
    setText(badge, word);
    badge.dataset.tone = tone;
  }

  renderVerify(offered, link) {
    const keyGone = Boolean(link?.verified) && link.sessionKept === false;
    const wanted = offered && (!link.verified || keyGone);
    show(this.part("verify"), wanted);
    show(this.part("verify-about"), wanted);
    this.part("verify").classList.toggle("button-main", keyGone);
    setText(this.part("verify-about"), keyGone
      ? "Last.fm no longer accepts what your sign-in allowed, so plays that you hide cannot be read. Sign in again to have them read."
      : "Signing in at Last.fm proves that the account is yours, and lets your plays be read even where you hide them from others.");
  }

  renderSandbox(link) {
    const sandbox = this.part("sandbox");
    const { sandboxUrl, lastfm } = this.demo ?? {};
    const wanted = Boolean(link?.available && sandboxUrl && lastfm);
    show(sandbox, wanted);
    if (wanted) sandbox.href = new URL(`/user/${encodeURIComponent(link.username ?? lastfm.username)}`, sandboxUrl).href;
  }
}

/** Badge word and tone. */
function badgeOf(link) {
  if (!link) return ["Checking", "neutral"];
  if (!link.available) return ["Not offered", "neutral"];
  if (!link.linked) return ["Not linked", "neutral"];
  return link.verified ? ["Verified", "good"] : ["Linked, not verified", "neutral"];
}

function person({ username, profileUrl, verified, connectedAt, canVerify }) {
  const doubt = canVerify ? "Not verified: a typed name says nothing about whose account it is." : "Not verified: this site links by name only, and a name says nothing about whose account it is.";
  return h("div", { class: "person" },
    h("span", { class: "avatar", "aria-hidden": "true" }, [...username][0]?.toUpperCase() ?? "?"),
    h("div", { class: "person-words" },
      h("p", { class: "person-name" }, profileUrl ? outsideLink(profileUrl, username) : username),
      Number.isFinite(connectedAt) && h("p", { class: "small-print" }, "Linked since ", instant(connectedAt, calendarDay(connectedAt))),
      h("p", { class: "small-print" }, verified ? "Last.fm has confirmed that this account is yours." : doubt)));
}

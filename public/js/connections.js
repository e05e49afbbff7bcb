// The two cards that connect Spotify: the site's app, and the person's own.

import { errorNotice, get, post } from "./api.js";
import { announce, byId, confirmFirst, fill, h, leaveFor, setText, show, whileBusy } from "./dom.js";
import { StatusPoll, clearStatus, renderStatus } from "./status.js";

const RETURN_TO = "/";
/** Shape of a Spotify client id, as seen in practice. */
const CLIENT_ID = /^[0-9a-f]{32}$/i;

/** One card: its poll, its parts, and an error place of its own. */
class Card {
  constructor(id, mode, name, onStatus) {
    this.element = byId(id);
    this.name = name;
    this.status = null;
    this.poll = new StatusPoll(mode, (status, error) => {
      this.status = status;
      renderStatus(this.element, name, status, error);
      onStatus(status);
    });
  }

  part(name) {
    return this.element.querySelector(`[data-part=${name}]`);
  }

  /** On press: busy button, errors shown in this card. */
  press(part, work) {
    const button = this.part(part);
    button.addEventListener("click", () => whileBusy(button, () => this.attempt(work)));
  }

  async attempt(work) {
    fill(this.part("error"));
    try {
      await work();
    } catch (error) {
      fill(this.part("error"), errorNotice(error));
    }
  }

  stop() {
    this.poll.stop();
    this.status = null;
    fill(this.part("error"));
    clearStatus(this.element);
  }
}

export class Connections {
  constructor() {
    this.listeners = [];
    this.standard = new Card("standard", "standard", "This site’s app", (status) => this.renderStandard(status));
    this.own = new Card("own", "byo", "Your own Spotify app", (status) => this.renderOwn(status));
    this.wireStandard();
    this.wireOwn();
    this.wireForm();
  }

  /** Runs `listener` after every status answer. */
  onStatus(listener) {
    this.listeners.push(listener);
  }

  /** Whether an export can go anywhere: true, false, or null while that is not known. */
  get usable() {
    const cards = this.setup?.standardAvailable ? [this.standard, this.own] : [this.own];
    if (cards.some((card) => card.status?.connected)) return true;
    return cards.every((card) => card.status) ? false : null;
  }

  start(setup) {
    this.stop();
    this.setup = setup;
    byId("redirect-uri").value = setup.redirectUri ?? "";
    show(byId("demo-fill"), Boolean(setup.demo?.ownApp));
    show(this.standard.part("unavailable"), !setup.standardAvailable);
    show(this.standard.part("about"), false);
    if (setup.standardAvailable) {
      this.standard.poll.start();
    } else {
      renderUnavailable(this.standard);
    }
    this.own.poll.start();
  }

  stop() {
    this.standard.stop();
    this.own.stop();
    for (const card of [this.standard, this.own]) {
      for (const part of ["about", "connect", "reconnect", "setup", "disconnect"]) {
        if (card.part(part)) show(card.part(part), false);
      }
    }
    byId("own-form").reset();
    fill(byId("own-form").querySelector(".form-error"));
    fill(byId("findings"));
    markClientId(null);
    this.openSetup(false);
  }

  // --- the site's app ---

  wireStandard() {
    const connect = async () => leaveFor((await get(`spotify/auth-url?returnTo=${encodeURIComponent(RETURN_TO)}`)).url);
    this.standard.press("connect", connect);
    this.standard.press("reconnect", connect);
    this.standard.press("disconnect", () => this.disconnect(this.standard, "spotify/disconnect", "connect"));
  }

  renderStandard(status) {
    const held = isHeld(status);
    show(this.standard.part("connect"), Boolean(status) && !held);
    show(this.standard.part("about"), !held);
    show(this.standard.part("reconnect"), held);
    show(this.standard.part("disconnect"), held);
    markUrgent(this.standard.part("reconnect"), status);
    this.tellListeners();
  }

  // --- the person's own app ---

  wireOwn() {
    this.own.press("reconnect", async () => leaveFor((await post("spotify/reconnect-byo", { returnTo: RETURN_TO })).url));
    this.own.press("disconnect", () => this.disconnect(this.own, "spotify/disconnect-byo", "setup"));
  }

  renderOwn(status) {
    const held = isHeld(status);
    const registered = held || Boolean(status?.hasByoCredentials);
    show(this.own.part("about"), !registered);
    show(this.own.part("reconnect"), registered);
    show(this.own.part("disconnect"), registered);
    markUrgent(this.own.part("reconnect"), status);
    const setup = this.own.part("setup");
    show(setup, Boolean(status));
    setup.classList.toggle("button-main", !registered);
    setText(setup, registered ? "Change app" : "Set up your app");
    this.tellListeners();
  }

  openSetup(open) {
    show(byId("own-setup"), open);
    this.own.part("setup").setAttribute("aria-expanded", String(open));
  }

  wireForm() {
    this.own.part("setup").addEventListener("click", () => {
      this.openSetup(byId("own-setup").hidden);
      if (!byId("own-setup").hidden) byId("own-setup-title").focus();
    });
    byId("own-setup-close").addEventListener("click", () => {
      this.openSetup(false);
      this.own.part("setup").focus();
    });
    const form = byId("own-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      whileBusy(form.querySelector("[type=submit]"), () => this.register(form));
    });
    byId("client-id").addEventListener("input", () => markClientId(null));
    byId("demo-fill").addEventListener("click", () => {
      const { clientId, clientSecret } = this.setup.demo.ownApp;
      byId("client-id").value = clientId;
      byId("client-secret").value = clientSecret ?? "";
      markClientId(null);
      announce("The sandbox’s demo app is filled in.");
      form.querySelector("[type=submit]").focus();
    });
    const copy = byId("copy-redirect");
    copy.addEventListener("click", () => copyRedirect(copy));
  }

  /** Sends the app to the doctor; goes on to Spotify when there is nothing to say first. */
  async register(form) {
    const clientId = byId("client-id").value.trim();
    const clientSecret = byId("client-secret").value.trim();
    fill(form.querySelector(".form-error"));
    fill(byId("findings"));
    if (!CLIENT_ID.test(clientId)) {
      markClientId(clientId ? "That is not a client ID: it should be 32 characters, digits and a to f." : "Paste the client ID of your app.");
      byId("client-id").focus();
      return;
    }
    try {
      const answer = await post("spotify/client-credentials", { clientId, ...(clientSecret && { clientSecret }), returnTo: RETURN_TO });
      if (answer.findings?.length) return showFindings(answer.findings, answer.url);
      leaveFor(answer.url);
    } catch (error) {
      if (error.findings?.length) showFindings(error.findings, null);
      else fill(form.querySelector(".form-error"), errorNotice(error));
    }
  }

  // --- both ---

  async disconnect(card, path, focusPart) {
    const agreed = await confirmFirst({
      title: `Disconnect ${card.name[0].toLowerCase()}${card.name.slice(1)}?`,
      text: "patchbay forgets this connection and its keys at once. Playlists you already made stay in your Spotify account.",
      yes: "Disconnect",
    });
    if (!agreed) return;
    await post(path);
    await card.poll.now();
    card.part(focusPart).focus();
  }

  tellListeners() {
    byId("export").dataset.plugged = String(this.usable === true);
    for (const listener of this.listeners) listener();
  }
}

/** A grant is there, even one that no longer works. */
function isHeld(status) {
  return Boolean(status && (status.connected || status.needsReauth || status.tokenHealth));
}

function markUrgent(button, status) {
  button.classList.toggle("button-main", Boolean(status?.needsReauth) || status?.tokenHealth === "app_error" || status?.missingScopes?.length > 0);
}

function renderUnavailable(card) {
  const badge = card.part("badge");
  setText(badge, "Not offered");
  badge.dataset.tone = "neutral";
}

function markClientId(sentence) {
  setText(byId("client-id-error"), sentence ?? "");
  byId("client-id").setAttribute("aria-invalid", String(Boolean(sentence)));
}

/** The doctor's findings; with `url`, nothing stands in the way and the person may go on. */
function showFindings(findings, url) {
  const title = h("h4", { tabindex: "-1" }, url ? "Before you go on" : "What the check found");
  fill(byId("findings"), title,
    h("ul", { class: "findings", "data-tone": url ? "warn" : "bad" }, findings.map((finding) => h("li", null,
      h("p", { class: "notice-sentence" }, finding.message),
      finding.step && h("p", null, finding.step),
      h("p", { class: "small-print" }, "Code ", h("code", null, finding.code))))),
    url && h("div", { class: "actions" }, h("button", { type: "button", class: "button button-main", onclick: () => leaveFor(url) }, "Continue to Spotify")));
  title.focus();
}

async function copyRedirect(button) {
  const field = byId("redirect-uri");
  try {
    await navigator.clipboard.writeText(field.value);
    setText(button, "Copied");
    announce("The redirect URI is copied.");
    setTimeout(() => setText(button, "Copy"), 2_000);
  } catch {
    // No clipboard (permission, or plain http): leave it selected, one key away.
    field.focus();
    field.select();
    announce("Copying is not allowed here. The redirect URI is selected; press Control C.");
  }
}

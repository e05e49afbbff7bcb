// What a connection looks like from outside: the polite poll, and the panel that shows its answer.

import { call } from "./api.js";
import { announce, fill, h, setText } from "./dom.js";
import { calendarDay, clockTime, fromNow, instant } from "./time.js";
import { HEALTH, counted } from "./words.js";

const POLL_MIN_MS = 5_000;
const POLL_DEFAULT_MS = 60_000;
const POLL_MAX_MS = 3_600_000;
const RETRY_MAX_MS = 300_000;
/** Spotify's grants live about six months; the service counts 180 days. */
const GRANT_DAYS = 180;
/** From here on the panel says how to start afresh; the first of the service's own reminders. */
const RENEW_SOON_DAYS = 30;

/** Polls one slot as often as the service asks for, not while nobody looks, and with an ETag. */
export class StatusPoll {
  /** `onAnswer(status, error)`: the last known status (or null) and why it could not be renewed (or null). */
  constructor(mode, onAnswer) {
    this.path = `spotify/status?mode=${mode}&token=false`;
    this.onAnswer = onAnswer;
    this.visibility = () => (document.hidden ? this.pause() : this.now());
  }

  start() {
    this.stop();
    Object.assign(this, { running: true, status: null, etag: null, failures: 0 });
    document.addEventListener("visibilitychange", this.visibility);
    return this.now();
  }

  stop() {
    this.running = false;
    this.pause();
    document.removeEventListener("visibilitychange", this.visibility);
  }

  pause() {
    clearTimeout(this.timer);
    this.turn = null;
  }

  /** Asks at once; an answer to an older question is dropped. */
  async now() {
    if (!this.running) return;
    clearTimeout(this.timer);
    const turn = (this.turn = {});
    let wait;
    try {
      const headers = this.etag ? { "If-None-Match": this.etag } : {};
      const { body, etag } = await call("GET", this.path, { headers });
      if (turn !== this.turn) return;
      if (body) Object.assign(this, { status: body, etag });
      this.failures = 0;
      wait = clamp(this.status.nextPollAfterMs ?? POLL_DEFAULT_MS, POLL_MIN_MS, POLL_MAX_MS);
      this.onAnswer(this.status, null);
    } catch (error) {
      if (turn !== this.turn) return;
      this.failures += 1;
      wait = clamp(error.retryAfterMs ?? POLL_MIN_MS * 2 ** this.failures, POLL_MIN_MS, RETRY_MAX_MS);
      this.onAnswer(this.status, error);
    }
    if (!document.hidden) this.timer = setTimeout(() => this.now(), wait);
  }
}

function clamp(value, min, max) {
  return Math.min(Math.max(value, min), max);
}

/** Badge word and tone: what the service says of the token comes before whether a grant exists. */
function badgeOf(status) {
  if (Object.hasOwn(HEALTH, status.tokenHealth ?? "")) return HEALTH[status.tokenHealth];
  if (status.needsReauth) return HEALTH.needs_reauth;
  return status.connected ? ["Connected", "neutral"] : ["Not connected", "neutral"];
}

/** Shows `status` in a card's badge, jack and panel; `name` is what the card is called aloud. */
export function renderStatus(card, name, status, error) {
  const badge = card.querySelector("[data-part=badge]");
  const [word, tone] = status ? badgeOf(status) : ["Unknown", "neutral"];
  if (badge.textContent !== word) {
    badge.textContent = word;
    if (badge.dataset.known) announce(`${name}: ${word}.`);
  }
  badge.dataset.known = "yes";
  badge.dataset.tone = tone;
  card.dataset.plugged = String(Boolean(status?.connected) && tone !== "bad");
  renderPanel(card.querySelector("[data-part=panel]"), status, error);
}

/** Back to how the page arrives: nothing known. */
export function clearStatus(card) {
  const badge = card.querySelector("[data-part=badge]");
  setText(badge, "Checking");
  delete badge.dataset.known;
  badge.dataset.tone = "neutral";
  card.dataset.plugged = "false";
  fill(card.querySelector("[data-part=panel]"));
}

function renderPanel(panel, status, error) {
  const stale = error && h("p", { class: "hint" }, `The status could not be renewed: ${error.message} It will be asked again soon.`);
  if (!status) return fill(panel, stale);
  const known = status.connected || status.needsReauth || Boolean(status.tokenHealth);
  fill(panel,
    known && person(status),
    advice(status),
    known && facts(status),
    stale);
}

function person(status) {
  const name = status.displayName || status.spotifyUserId || "Spotify account";
  return h("div", { class: "person" },
    avatar(status.avatarUrl, name),
    h("div", { class: "person-words" },
      h("p", { class: "person-name" }, name),
      h("p", { class: "small-print" }, "Account ", h("code", null, status.accountId ?? status.spotifyUserId ?? "unknown"))));
}

function avatar(address, name) {
  const initial = h("span", { class: "avatar", "aria-hidden": "true" }, [...name][0]?.toUpperCase() ?? "?");
  // Pictures over plain http are refused by the page's policy; do not even ask.
  if (!address?.startsWith("https:") && !address?.startsWith("data:image/")) return initial;
  const image = h("img", { class: "avatar", src: address, alt: "", width: 48, height: 48, referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(initial), { once: true });
  return image;
}

/** What is wrong and what cures it. A healthy connection says nothing. */
function advice(status) {
  if (status.tokenHealth === "healthy" || (!status.message && !status.remedy)) return null;
  if (!status.connected && !status.needsReauth && !status.tokenHealth) return null;
  const tone = status.tokenHealth === "degraded" ? "notice-warn" : "notice-bad";
  return h("div", { class: `notice ${tone}` },
    status.message && h("p", { class: "notice-sentence" }, status.message),
    status.remedy && h("p", null, status.remedy),
    status.errorReason && h("p", { class: "small-print" }, "Code ", h("code", null, status.errorReason)));
}

function facts(status) {
  const missing = status.missingScopes ?? [];
  // What is over has nothing left, whatever its dates say.
  const lives = !status.needsReauth;
  return h("dl", { class: "facts" },
    lives && Number.isFinite(status.daysLeft) && fact("Consent", lifeLeft(status)),
    lives && Number.isFinite(status.lastUpdated) && fact("Last renewed", instant(status.lastUpdated, fromNow(status.lastUpdated))),
    lives && Number.isFinite(status.expiresAt) && fact("Access token", tokenLife(status.expiresAt)),
    missing.length > 0 && fact("Missing permissions", [codes(missing), h("span", { class: "hint" }, " Reconnect to grant them.")]),
    status.scopes?.length > 0 && fact("Permissions", codes(status.scopes)));
}

function fact(term, detail) {
  return h("div", null, h("dt", null, term), h("dd", null, detail));
}

function lifeLeft({ daysLeft, grantExpiresAt }) {
  const days = Math.max(0, Math.floor(daysLeft));
  const until = Number.isFinite(grantExpiresAt) ? `, until ${calendarDay(grantExpiresAt)}` : "";
  return [
    h("span", null, `${counted(days, "day")} left of Spotify’s six months${until}`),
    h("meter", { min: 0, max: GRANT_DAYS, low: 14, high: RENEW_SOON_DAYS, optimum: GRANT_DAYS, value: Math.min(days, GRANT_DAYS), "aria-label": "Days left" }),
    days <= RENEW_SOON_DAYS && h("span", { class: "hint" }, "Reconnecting starts a new six months."),
  ];
}

function tokenLife(expiresAt) {
  return expiresAt > Date.now()
    ? ["good until ", instant(expiresAt, clockTime(expiresAt))]
    : ["ran out ", instant(expiresAt, fromNow(expiresAt)), "; renewed when next needed"];
}

function codes(names) {
  return h("span", { class: "codes" }, names.map((name) => h("code", null, name)));
}

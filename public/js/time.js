// Instants in words. The service speaks in epoch milliseconds.

import { h } from "./dom.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const steps = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]];

/** "4 minutes ago", "in 2 hours", "just now". */
export function fromNow(ms, now = Date.now()) {
  const distance = ms - now;
  for (const [unit, size] of steps) {
    if (Math.abs(distance) >= size) return relative.format(Math.trunc(distance / size), unit);
  }
  return distance > 0 ? "within a minute" : "just now";
}

/** "14:05" today, else "Fri 3 Jul, 14:05". */
export function clockTime(ms, now = Date.now()) {
  const sameDay = new Date(ms).toDateString() === new Date(now).toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat("en-GB", sameDay ? time : { weekday: "short", day: "numeric", month: "short", ...time }).format(ms);
}

/** "20 May 2027". */
export function calendarDay(ms) {
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" }).format(ms);
}

/** "about 40 s left", "about 3 min left"; nothing when it is not known. An estimate has no odd seconds. */
export function aboutLeft(ms) {
  return Number.isFinite(ms) ? `${about(ms)} left` : "";
}

/** "about 40 s", "about 3 min", "about 2 h". */
export function about(ms) {
  const seconds = Math.max(ms / 1000, 0);
  if (seconds <= 5) return "a few seconds";
  if (seconds < 90) return `about ${Math.round(seconds / (seconds < 20 ? 5 : 10)) * (seconds < 20 ? 5 : 10)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min` : `about ${Math.round(minutes / 60)} h`;
}

/** `words` that say an instant, with the instant itself behind them. */
export function instant(ms, words) {
  const iso = new Date(ms).toISOString();
  return h("time", { datetime: iso, title: new Date(ms).toLocaleString() }, words);
}

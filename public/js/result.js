// What became of every song: the counts that add up, and a list for each way it can end.

import { fill, h, outsideLink, show } from "./dom.js";
import { counted, modeWords, reasonWords } from "./words.js";

const TRACK_URI = /^spotify:track:([0-9A-Za-z]{22})$/;

/** Shows `answer` in `section` and moves focus there. `songs` and `places` are what was sent, by index. */
export function renderResult(section, answer, { songs, places, demo }) {
  const { matched = [], unmatched = [], duplicates = [], rejected = [] } = answer;
  const song = ({ index }) => [h("span", { class: "song" }, songLabel(songs[index])), " ", h("span", { class: "small-print" }, places[index] ?? `song ${index + 1}`)];
  const leftOut = new Set([...duplicates, ...rejected].map(({ index }) => index));
  const added = matched.filter(({ index }) => !leftOut.has(index));
  fill(section,
    h("h3", { id: "export-result-title" }, answer.tracksAdded > 0 ? "Your playlist is ready" : "No song could be added"),
    answer.playlistUrl && h("p", null, outsideLink(answer.playlistUrl, "Open the playlist", { class: "button button-main" })),
    counts(answer, { unmatched, duplicates, rejected }),
    h("p", { class: "hint" }, `Made through ${modeWords(answer.mode)}${answer.usedFallback ? ", because your own connection could not be used" : ""}.`,
      answer.accountId && [" Account ", h("code", null, answer.accountId), "."]),
    group("Not found", unmatched, true, (entry) => [song(entry), h("p", { class: "hint" }, reasonWords(entry.reason)), candidates(entry.candidates, demo)]),
    group("Refused by Spotify", rejected, true, (entry) => [song(entry), h("p", { class: "hint" }, reasonWords(entry.reason))]),
    group("Duplicates, added once", duplicates, false, (entry) => [song(entry), h("p", { class: "hint" }, `same track as ${songLabel(songs[entry.of])}`)]),
    group("Added", added, false, (entry) => [song(entry), h("p", { class: "hint" }, `found by ${reasonWords(entry.how)}, ${alike(entry.score)}`)]));
  show(section, true);
  section.focus();
}

/** added + duplicates + not found + refused = total, in that order, so that anybody can add it up. */
function counts(answer, { unmatched, duplicates, rejected }) {
  const cells = [
    ["added", answer.tracksAdded, "good"],
    ["duplicates", duplicates.length, null],
    ["not found", unmatched.length, unmatched.length ? "warn" : null],
    ["refused", rejected.length, rejected.length ? "bad" : null],
  ];
  return h("div", { class: "sum" },
    h("dl", { class: "counts" }, cells.map(([name, count, tone]) => h("div", { "data-tone": tone }, h("dt", null, name), h("dd", null, count)))),
    h("p", { class: "sum-total" }, `= ${counted(answer.totalSongs, "song")}`));
}

function group(title, entries, open, row) {
  if (entries.length === 0) return null;
  const list = h("ol", { class: "outcomes" });
  const build = () => fill(list, entries.map((entry) => h("li", null, row(entry))));
  const details = h("details", { class: "outcome", open }, h("summary", null, `${title} (${entries.length})`), list);
  // Ten thousand rows nobody opens are not built.
  if (open) build();
  else details.addEventListener("toggle", build, { once: true });
  return details;
}

function candidates(list, demo) {
  if (!list?.length) return null;
  return h("ul", { class: "candidates", "aria-label": "Nearest tracks on Spotify" }, list.map((track) => h("li", null,
    trackLink(track, demo), h("span", { class: "hint" }, ` ${artists(track)} · ${alike(track.score)}`))));
}

/** The sandbox's tracks do not exist on Spotify's own site, so in demo mode they are no links. */
function trackLink({ uri, title }, demo) {
  const id = TRACK_URI.exec(uri ?? "")?.[1];
  return id && !demo ? outsideLink(`https://open.spotify.com/track/${id}`, title) : h("span", null, title);
}

function artists({ artists: names }) {
  return Array.isArray(names) ? names.join(", ") : String(names ?? "");
}

function alike(score) {
  return Number.isFinite(score) ? `${Math.round(score * 100)} % alike` : "not scored";
}

function songLabel(song) {
  return song ? `${song.artist} – ${song.title}` : "unknown song";
}

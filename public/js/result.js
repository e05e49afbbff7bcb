// What became of every song: the counts that add up, a list for each way it can end, and what may be done about it.

import { Choices } from "./corrections.js";
import { fill, h, outsideLink, setText, show, whileBusy } from "./dom.js";
import { alike, artistsOf, rememberTrack, songLabel, trackLink } from "./tracks.js";
import { counted, modeWords, reasonWords, wayWords } from "./words.js";

const FORMATS = [["csv", "CSV", "every song and what became of it"], ["jspf", "JSPF", "the playlist, for ListenBrainz and others"], ["m3u8", "M3U8", "the playlist, for players"]];
/** More rows than this are built only when somebody opens them. */
const ROWS_SHOWN = 200;

/**
 * Shows `answer` in `section`. `songs` and `places` are what was sent, by index; `onAgain()` makes the playlist again
 * with the choices made here, `onChosen()` hears of each.
 */
export function renderResult(section, answer, context) {
  const { matched = [], unmatched = [], duplicates = [], rejected = [] } = answer;
  const { songs, places } = context;
  const again = new Again(context);
  const choices = new Choices((count) => again.chosen(count));
  const song = ({ index }) => [h("span", { class: "song" }, songLabel(songs[index])), " ", h("span", { class: "small-print" }, places[index] ?? `song ${index + 1}`)];
  const leftOut = new Set([...duplicates, ...rejected].map(({ index }) => index));
  const added = matched.filter(({ index }) => !leftOut.has(index));
  fill(section,
    h("h3", { id: "export-result-title" }, answer.tracksAdded > 0 ? "Your playlist is ready" : "No song could be added"),
    answer.playlistUrl && h("p", null, outsideLink(answer.playlistUrl, "Open the playlist", { class: "button button-main" })),
    counts(answer, { unmatched, duplicates, rejected }),
    answer.message && h("p", { class: "notice notice-warn" }, answer.message),
    madeThrough(answer),
    downloads(answer),
    group("Not found", unmatched, true, (entry) => [song(entry), h("p", { class: "hint" }, reasonWords(entry.reason)), candidates(entry, choices, context)]),
    group("Refused by Spotify", rejected, true, (entry) => [song(entry), h("p", { class: "hint" }, reasonWords(entry.reason))]),
    group("Duplicates, added once", duplicates, false, (entry) => [song(entry), h("p", { class: "hint" }, `same track as ${songLabel(songs[entry.of])}`)]),
    group("Added", added, false, (entry) => addedRow(song(entry), entry, choices, context)),
    again.element);
  show(section, true);
}

/** Says in `section` what is left of an export that was cancelled, and moves focus there. */
export function renderCancelled(section, { playlistUrl, tracksAdded }) {
  fill(section,
    h("h3", { id: "export-result-title" }, "The export is cancelled"),
    h("p", null, playlistUrl
      ? ["The playlist stays in Spotify, with ", counted(tracksAdded, "song"), " in it: ", outsideLink(playlistUrl, "open it"), "."]
      : "No playlist was made."));
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

/** Whose account holds the playlist. Another one than the person's own is said aloud. */
function madeThrough({ mode, usedFallback, accountId }) {
  const account = accountId && [" Account ", h("code", null, accountId), "."];
  if (mode !== "owner") return h("p", { class: "hint" }, `Made through ${modeWords(mode)}.`, account);
  const why = usedFallback ? "Your own connection could not be used, so the playlist" : "The playlist";
  return h("p", { class: "notice notice-warn" }, h("strong", null, `${why} is in ${modeWords(mode)}, not in yours.`), account);
}

function downloads({ exportId }) {
  if (!exportId) return null;
  const address = (format) => `/api/playlist/export?id=${encodeURIComponent(exportId)}&format=${format}`;
  const links = FORMATS.map(([format, name, about], place) => [place > 0 && " · ", h("a", { href: address(format), download: true, title: about }, name)]);
  return h("p", { class: "downloads" }, "Save the list: ", links);
}

function group(title, entries, wanted, row) {
  if (entries.length === 0) return null;
  const open = wanted && entries.length <= ROWS_SHOWN;
  const list = h("ol", { class: "outcomes" });
  const build = () => fill(list, entries.map((entry) => h("li", null, row(entry))));
  const details = h("details", { class: "outcome", open }, h("summary", null, `${title} (${entries.length.toLocaleString("en")})`), list);
  // Ten thousand rows nobody opens are not built.
  if (open) build();
  else details.addEventListener("toggle", build, { once: true });
  return details;
}

function candidates({ index, candidates: list }, choices, { songs, demo }) {
  if (!list?.length) return null;
  list.forEach(rememberTrack);
  return h("ul", { class: "candidates", "aria-label": "Nearest tracks on Spotify" }, list.map((track) => h("li", { class: "choice-row" },
    h("p", null, trackLink(track, demo), h("span", { class: "hint" }, ` ${[artistsOf(track), alike(track.score), track.reason && reasonWords(track.reason)].filter(Boolean).join(" · ")}`)),
    choices.button(songs[index], { use: track.uri }, "Use this one", `${track.title}, ${artistsOf(track)}`))));
}

function addedRow(song, { index, uri, score, how }, choices, { songs, demo }) {
  const link = !demo && [" · ", trackLink({ uri, title: "look at it" }, demo)];
  return h("div", { class: "choice-row" },
    h("div", null, song, h("p", { class: "hint" }, `${wayWords(how)}, ${alike(score)}`, link)),
    choices.button(songs[index], { never: uri }, "Not this song", songLabel(songs[index])));
}

/** The way on from choices: they change nothing in the playlist that is there. */
class Again {
  constructor({ onAgain, onChosen }) {
    this.onChosen = onChosen;
    this.words = h("p", { role: "status" });
    const button = h("button", { type: "button", class: "button button-main" }, "Make the playlist again with your choices");
    button.addEventListener("click", () => whileBusy(button, onAgain));
    this.way = h("div", { class: "again-row", hidden: true }, button, h("p", { class: "hint" }, "That makes a new playlist. The one above stays as it is."));
    this.element = h("div", { class: "again" }, this.words, this.way);
  }

  chosen(count) {
    show(this.way, count > 0);
    this.element.classList.toggle("is-open", count > 0);
    setText(this.words, count > 0 ? `${counted(count, "choice")} kept for this and later lists.` : "");
    this.onChosen();
  }
}

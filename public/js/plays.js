// Songs and plays of Last.fm as the page shows them: its terms ask that names lead to its own pages.

import { h, outsideLink } from "./dom.js";
import { fromNow, instant } from "./time.js";

/** A track's address at Last.fm, up to its artist's. */
const ARTIST_OF_TRACK = /^(.*\/music\/[^/]+)\/_\//;
/** Last.fm began in 2002. What is older was sent by a device whose clock is wrong. */
const FIRST_PLAY_MS = Date.UTC(2002, 0);

/** "Teardrop", as a link where it has a page. */
export function titleOf({ title, url }) {
  return url ? outsideLink(url, title, { class: "song" }) : h("span", { class: "song" }, title);
}

/** "Massive Attack", as a link where its song has a page. */
export function artistOf({ artist, url }) {
  const page = ARTIST_OF_TRACK.exec(url ?? "")?.[1];
  return page ? outsideLink(page, artist) : h("span", null, artist);
}

/** The album's cover, loaded when it comes into view; a note in its place where there is none. */
export function cover({ album, imageUrl }) {
  const none = h("span", { class: "cover", "aria-hidden": "true" }, "♪");
  // Pictures over plain http are refused by the page's policy; do not even ask.
  if (!imageUrl?.startsWith("https:") && !imageUrl?.startsWith("data:image/")) return none;
  const image = h("img", { class: "cover", src: imageUrl, alt: album ? `Cover of ${album}` : "", width: 48, height: 48, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(none), { once: true });
  return image;
}

/** "3 minutes ago", with the instant itself behind it. */
export function ago(ms) {
  return ms >= FIRST_PLAY_MS ? instant(ms, fromNow(ms)) : "at a time nobody knows";
}

/** Why an answer is not of now: what Last.fm said last, how long ago, and what stands in the way. */
export function staleNotice({ asOf, problem }) {
  return h("div", { class: "notice notice-warn" },
    h("p", { class: "notice-sentence" }, "Last.fm could not be asked just now. This is what it said ", ago(asOf), "."),
    problem && h("p", null, [problem.error, problem.remedy].filter(Boolean).join(" ")),
    h("p", { class: "small-print" }, "It is asked again by itself.", problem?.code && [" Code ", h("code", null, problem.code)]));
}

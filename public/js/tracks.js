// Spotify's tracks as the page shows them.

import { h, outsideLink } from "./dom.js";

const TRACK_URI = /^spotify:track:([0-9A-Za-z]{22})$/;

/** Names of tracks that this page has shown. The service keeps none: Spotify's terms want no copy of its catalogue. */
const names = new Map();

export function rememberTrack(track) {
  names.set(track.uri, [track.title, artistsOf(track)].filter(Boolean).join(", "));
}

export function trackName(uri) {
  return names.get(uri) ?? `track ${uri.slice(-22, -16)}…`;
}

/** The sandbox's tracks do not exist on Spotify's own site, so in demo mode they are no links. */
export function trackLink({ uri, title }, demo) {
  const id = TRACK_URI.exec(uri ?? "")?.[1];
  return id && !demo ? outsideLink(`https://open.spotify.com/track/${id}`, title) : h("span", null, title);
}

export function artistsOf({ artists }) {
  return Array.isArray(artists) ? artists.join(", ") : String(artists ?? "");
}

export function alike(score) {
  return Number.isFinite(score) ? `${Math.round(score * 100)} % alike` : "not scored";
}

export function songLabel(song) {
  return song ? [song.artist, song.title].filter(Boolean).join(" – ") : "unknown song";
}

// Reads the song list a person pasted: lines "artist - title", or a JSON array. Pure; knows nothing of the page.

/** Separators between artist and title: a hyphen or dash with space around it, or a tab. The first one counts. */
const SEPARATOR = /\s+[-–—]\s+|\t+/;

/**
 * @param {string} text
 * @returns {{songs: object[], places: string[], bad: {place: string, why: string}[]}} `places[i]` says where song `i` stood
 */
export function readSongs(text) {
  return text.trimStart().startsWith("[") ? readJson(text) : readLines(text);
}

function readLines(text) {
  const read = { songs: [], places: [], bad: [] };
  text.split(/\r?\n/).forEach((line, number) => {
    if (line.trim() === "") return;
    const place = `line ${number + 1}`;
    const separator = SEPARATOR.exec(line.trim());
    if (!separator) {
      read.bad.push({ place, why: `no “ - ” between artist and title: ${shortened(line)}` });
      return;
    }
    const artist = line.trim().slice(0, separator.index).trim();
    const title = line.trim().slice(separator.index + separator[0].length).trim();
    read.songs.push({ title, artist });
    read.places.push(place);
  });
  return read;
}

function readJson(text) {
  const read = { songs: [], places: [], bad: [] };
  let list;
  try {
    list = JSON.parse(text);
  } catch (error) {
    return { ...read, bad: [{ place: "JSON", why: error.message }] };
  }
  list.forEach((entry, index) => {
    const place = `entry ${index + 1}`;
    const song = songOf(entry);
    if (song) {
      read.songs.push(song);
      read.places.push(place);
    } else {
      read.bad.push({ place, why: "needs a “title” and an “artist”, both text" });
    }
  });
  return read;
}

/** Takes over the fields the service knows, each only in its own type. */
function songOf(entry) {
  const title = filled(entry?.title);
  const artist = filled(entry?.artist);
  if (!title || !artist) return null;
  const song = { title, artist };
  for (const name of ["album", "isrc", "spotifyId"]) {
    if (filled(entry[name])) song[name] = filled(entry[name]);
  }
  if (Number.isInteger(entry.durationMs) && entry.durationMs > 0) song.durationMs = entry.durationMs;
  return song;
}

function filled(value) {
  return typeof value === "string" ? value.trim() : "";
}

function shortened(line) {
  const trimmed = line.trim();
  return trimmed.length > 60 ? `${trimmed.slice(0, 59)}…` : trimmed;
}

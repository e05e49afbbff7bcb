// Server-sent events out of a stream (HTML Standard, "Server-sent events"). `EventSource` cannot POST, so they are read here.

/** Cuts text, which may come in pieces of any kind, into events. */
export class EventParser {
  constructor() {
    this.line = "";
    this.afterReturn = false;
    this.clear();
  }

  /** Takes the next piece; answers the events that are complete with it, `{type, data}` each. */
  push(piece) {
    // A line may end with CR, LF or both, and a piece between the two.
    const text = this.afterReturn && piece.startsWith("\n") ? piece.slice(1) : piece;
    if (piece) this.afterReturn = piece.endsWith("\r");
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.line + lines[0];
    this.line = lines.pop();
    return lines.map((line) => this.take(line)).filter(Boolean);
  }

  /** Takes one line; an empty one ends an event. */
  take(line) {
    if (line === "") {
      const event = this.data.length ? { type: this.type || "message", data: this.data.join("\n") } : null;
      this.clear();
      return event;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.type = value;
    if (name === "data") this.data.push(value);
    return null;
  }

  clear() {
    this.type = "";
    this.data = [];
  }
}

/** The service says something, if only a comment, every 15 seconds. A connection can be gone without a word. */
const SILENCE_MS = 45_000;

/** The events of `stream` (bytes) as they come. Ends with the stream; throws when it breaks or falls silent. */
export async function* readEvents(stream) {
  const parser = new EventParser();
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await within(SILENCE_MS, reader.read());
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("too late")), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// One export under way: sent, listened to, looked for again when the connection is lost, gone on with when its time comes.

import { del } from "./api.js";
import { callLive } from "./live.js";

/** Between two looks at an export that somebody else runs, and before the first look after a lost connection. */
const LOOK_MS = 2_000;
/** The longest pause after failures, and between looks at an export that waits for a person. */
const LOOK_MAX_MS = 60_000;
/** A park that is over by then is no news: it goes on before anybody has read of it. */
const PAUSE_TOLD_MS = 1_500;

export class Run {
  /**
   * `listener` hears `progress(job)`, `parked(job)`, `lost()`, and at last either `finished(answer)` or
   * `failed(error)`. `job` is the service's 202 body; a parked one without `resumeAt` waits for a person.
   */
  constructor(listener) {
    this.listener = listener;
    document.addEventListener("visibilitychange", () => this.seen());
  }

  /** Sends a new export under its key. */
  begin(request, key) {
    this.stop();
    return this.step((options) => callLive("POST", "playlist/export", { body: request, headers: { "Idempotency-Key": key }, ...options }));
  }

  /** Follows the export `id`, which may be at anything. */
  follow(id) {
    this.stop();
    this.id = id;
    return this.look();
  }

  /** Goes on with a parked export now. */
  goOn() {
    return this.step((options) => callLive("POST", this.path(), { body: {}, ...options }));
  }

  /** Is rid of the export. Resolves to what is left of it: `{playlistUrl, tracksAdded}`. Throws ApiError. */
  async cancel() {
    const left = await del(this.path());
    this.stop();
    return left;
  }

  stop() {
    Object.assign(this, { id: null, failures: 0, waiting: null, turn: null });
    clearTimeout(this.timer);
    this.controller?.abort();
  }

  // --- one step: ask, and do what the answer says ---

  look() {
    return this.step((options) => callLive("GET", this.path(), options));
  }

  path() {
    return `playlist/export?id=${encodeURIComponent(this.id)}`;
  }

  async step(ask) {
    clearTimeout(this.timer);
    this.controller?.abort();
    this.controller = new AbortController();
    this.waiting = null;
    // Whatever an older step still hears is nobody's business any more.
    const turn = (this.turn = {});
    const mine = () => turn === this.turn;
    const onProgress = (job) => mine() && this.progressed(job);
    try {
      const { status, body } = await ask({ onProgress, signal: this.controller.signal });
      if (!mine()) return;
      this.turn = null;
      if (status === 200) this.end(() => this.listener.finished(body));
      else this.wait(body);
    } catch (error) {
      if (!mine()) return;
      this.turn = null;
      this.failed(error);
    }
  }

  progressed(job) {
    this.id = job.exportId;
    this.failures = 0;
    this.listener.progress(job);
  }

  wait(job) {
    this.id = job.exportId;
    this.failures = 0;
    if (job.code === "running") {
      this.listener.progress(job);
      this.later(LOOK_MS, () => this.look());
      return;
    }
    this.waiting = job;
    const left = (job.resumeAt ?? Infinity) - Date.now();
    if (left > PAUSE_TOLD_MS) this.listener.parked(job);
    else this.listener.progress(job);
    // A person may come back from mending it at any time; the clock is known.
    if (job.resumeAt) this.later(Math.max(left, PAUSE_TOLD_MS), () => this.goOn());
    else this.later(LOOK_MAX_MS, () => this.look());
  }

  failed(error) {
    // Blocked: the export is there, and waits for a person.
    if (error.exportId) {
      const { exportId, code, message, remedy, canFallback } = error;
      return this.wait({ exportId, code, message, remedy, canFallback, resumeAt: null });
    }
    if (!this.id || !error.passing) return this.end(() => this.listener.failed(error));
    this.listener.lost();
    this.failures += 1;
    this.later(error.retryAfterMs ?? Math.min(LOOK_MS * 2 ** (this.failures - 1), LOOK_MAX_MS), () => this.look());
  }

  end(tell) {
    this.stop();
    tell();
  }

  // --- time ---

  later(ms, work) {
    clearTimeout(this.timer);
    // Not while nobody looks, unless it has to go on then: coming back looks at once.
    this.timer = setTimeout(() => (document.hidden && !this.waiting?.resumeAt ? null : work()), ms);
  }

  /** The page is looked at again; timers may have slept with the machine. */
  seen() {
    if (document.hidden || !this.id || this.turn) return;
    if (this.waiting?.resumeAt > Date.now()) return;
    this.look();
  }
}

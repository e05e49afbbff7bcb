// Asking again and again: gently, not while nobody looks, and slower while the service cannot answer.

/** Never sooner than this after a failure, and never later. */
const RETRY_MIN_MS = 5_000;
const RETRY_MAX_MS = 300_000;
/** Whoever comes back to the page wants to see what happened meanwhile, unless the answer is as young as this. */
const YOUNG_MS = 5_000;

export class Poll {
  /**
   * `ask()` is the call. `onAnswer(answer)` shows it and says after how many milliseconds to ask again, `null` for
   * never. `onError(error)` shows why there is no answer; what may pass is asked again when its time comes.
   */
  constructor({ ask, onAnswer, onError }) {
    Object.assign(this, { ask, onAnswer, onError, running: false });
    this.visibility = () => this.looked();
  }

  start() {
    this.stop();
    Object.assign(this, { running: true, failures: 0, dueAt: Infinity });
    document.addEventListener("visibilitychange", this.visibility);
    return this.now();
  }

  stop() {
    Object.assign(this, { running: false, turn: null });
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.visibility);
  }

  /** Asks at once; an answer to an older question is dropped. */
  async now() {
    if (!this.running) return;
    clearTimeout(this.timer);
    const turn = (this.turn = {});
    const { answer, error } = await this.ask().then((answer) => ({ answer }), (error) => ({ error }));
    if (turn !== this.turn) return;
    this.turn = null;
    this.failures = error ? this.failures + 1 : 0;
    this.askedAt = Date.now();
    const wait = error ? this.failed(error) : this.onAnswer(answer);
    // What was just shown may have ended it.
    if (!this.running || this.turn) return;
    this.dueAt = this.askedAt + (wait ?? Infinity);
    this.later();
  }

  failed(error) {
    this.onError(error);
    if (!error.passing) return RETRY_MAX_MS;
    return Math.min(Math.max(error.retryAfterMs ?? RETRY_MIN_MS * 2 ** this.failures, RETRY_MIN_MS), RETRY_MAX_MS);
  }

  /** The page went out of sight, or came back. */
  looked() {
    if (this.turn) return;
    // A pause that was asked for holds, whoever looks.
    if (!document.hidden && !this.failures && this.dueAt < Infinity) this.dueAt = Math.min(this.dueAt, this.askedAt + YOUNG_MS);
    this.later();
  }

  later() {
    clearTimeout(this.timer);
    if (document.hidden || this.dueAt === Infinity) return;
    this.timer = setTimeout(() => this.now(), Math.max(this.dueAt - Date.now(), 0));
  }
}

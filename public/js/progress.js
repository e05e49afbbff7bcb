// The box that shows how far an export is: one bar across all stages, the song in hand, the time left, or the wait.

import { announce, byId, setText, show } from "./dom.js";
import { aboutLeft, clockTime } from "./time.js";
import { stageWords } from "./words.js";

/** What of the bar each stage takes: looking songs up is a call each, filling one for a hundred. */
const SHARES = { resolve: [0, 0.9], create: [0.9, 0.93], fill: [0.93, 1], done: [1, 1] };
/** Said aloud when the stage changes and at each of these parts of the way, not for each song. */
const SPOKEN_PARTS = 4;

/** How much of the whole way `job` has behind it, 0 to 1. */
export function shareDone({ stage, done, total }) {
  const [from, to] = SHARES[stage] ?? [0, 0];
  return from + (to - from) * (total > 0 ? Math.min((done ?? 0) / total, 1) : 0);
}

export class ProgressBox {
  /** `onGo` is pressed to go on with a parked export at once, `onCancel` to be rid of it. */
  constructor(onGo, onCancel) {
    this.box = byId("export-progress");
    this.bar = byId("progress-bar");
    this.go = byId("progress-go");
    this.go.addEventListener("click", () => {
      // The button goes when the export does; the focus must not go with it.
      this.box.focus();
      onGo(this.go);
    });
    this.cancel = byId("progress-cancel");
    this.cancel.addEventListener("click", () => onCancel(this.cancel));
    this.spoken = null;
  }

  hide() {
    this.spoken = null;
    show(this.box, false);
    show(this.cancel, false);
  }

  /** Sent, and nothing heard yet. */
  begun(sentence) {
    this.bar.removeAttribute("value");
    this.draw({ stage: sentence });
    announce(sentence);
  }

  progress(job) {
    const share = shareDone(job);
    this.bar.value = share;
    show(this.cancel, true);
    const title = stageTitle(job);
    const left = aboutLeft(job.remainingMs);
    this.draw({ stage: title, left, song: job.currentSong });
    this.speak(`${job.stage} ${Math.floor(share * SPOKEN_PARTS)}`, [title, left].filter(Boolean).join(", "));
  }

  /** Waits for its time, or, without one, for a person. */
  parked(job) {
    if (job.stage) this.bar.value = shareDone(job);
    show(this.cancel, true);
    const when = job.resumeAt ? `It goes on by itself at ${clockTime(job.resumeAt)}.` : "It goes on when that is done.";
    const note = [job.message, job.remedy, when].filter(Boolean).join(" ");
    this.draw({ stage: job.stage ? `Waiting. ${stageTitle(job)}` : "Waiting", note, go: job.resumeAt ? "Try now" : "Continue" });
    this.speak(`parked ${job.code} ${job.resumeAt}`, note);
  }

  /** The connection is gone, the export is not. */
  lost() {
    const note = "The connection was lost. The export goes on without it; looking for it again…";
    setText(byId("progress-note"), note);
    this.speak("lost", note);
  }

  draw({ stage, left = "", song = null, note = "", go = null }) {
    setText(byId("progress-stage"), stage);
    setText(byId("progress-left"), left);
    setText(byId("progress-song"), song ? [song.artist, song.title].filter(Boolean).join(" – ") : "");
    setText(byId("progress-note"), note);
    setText(this.go, go ?? "");
    show(this.go, Boolean(go));
    show(this.box, true);
  }

  speak(about, sentence) {
    if (about === this.spoken) return;
    this.spoken = about;
    announce(sentence);
  }
}

function stageTitle({ stage, done, total }) {
  const words = stageWords(stage);
  return total > 1 ? `${words}: ${(done ?? 0).toLocaleString("en")} of ${total.toLocaleString("en")}` : words;
}

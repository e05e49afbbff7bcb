// What a long list will cost, told before it is sent. Only ever a hint: whatever goes wrong here, the button works.

import { post } from "./api.js";
import { byId, fill, h, show } from "./dom.js";
import { about } from "./time.js";
import { counted } from "./words.js";

/** Shorter lists are done before a forecast is read. */
const SONGS_MIN = 20;
/** After the last change; a forecast for every key would be waste. */
const PAUSE_MS = 1_200;

export class Forecast {
  constructor() {
    this.box = byId("export-forecast");
  }

  /** The list or the connection changed; `request` is what would be sent, null while nothing could be. */
  changed(request) {
    const asked = request && request.songs.length >= SONGS_MIN ? JSON.stringify(request) : null;
    if (asked === this.asked) return;
    this.stop();
    this.asked = asked;
    if (asked) this.timer = setTimeout(() => this.ask(request, asked), PAUSE_MS);
  }

  stop() {
    this.asked = null;
    clearTimeout(this.timer);
    show(this.box, false);
    fill(this.box);
  }

  async ask(request, asked) {
    try {
      const forecast = await post("playlist/export?forecast=true", request);
      if (asked === this.asked) this.render(forecast);
    } catch {
      // A service without forecasts, or one that is busy: nothing is said.
    }
  }

  render(forecast) {
    const fits = ["yes", "no"].includes(forecast.fits) ? forecast.fits : "unknown";
    this.box.dataset.fits = fits;
    fill(this.box, h("p", null, h("strong", null, HEADS[fits]), " ", forecast.sentence ?? inWords(forecast)));
    show(this.box, true);
  }
}

const HEADS = { yes: "Forecast:", unknown: "Forecast:", no: "Expect a wait." };

function inWords({ calls, takesMs, remembered }) {
  const searches = counted(Math.round(calls?.search?.likely ?? 0), "search", "searches");
  const known = remembered ? `${counted(remembered, "song")} known already, ` : "";
  return `${known}about ${searches}, ${about(takesMs)}.`;
}

// Says how the trip to a consent page ended: `?auth=success` or `?error=<code>` in the address, and whose page it was.

import { byId, fill, h } from "./dom.js";
import { consentSentence } from "./words.js";

/** Shows the outcome, then takes it out of the address, so that a reload or a shared link does not say it again. */
export function tellHowConsentEnded() {
  const address = new URL(location.href);
  const code = address.searchParams.get("error");
  const service = address.searchParams.get("service");
  const success = address.searchParams.get("auth") === "success";
  if (!code && !success) return;

  const good = success && !code;
  const notice = h("div", { class: `notice ${good ? "notice-good" : "notice-bad"}`, role: good ? "status" : "alert" });
  const close = h("button", { type: "button", class: "notice-close", "aria-label": "Dismiss this message", onclick: () => {
    notice.remove();
    byId("main").focus();
  } }, "×");
  byId("notices").append(notice);
  // Filled after it stands in the page: a live region born with its text is not read out everywhere.
  requestAnimationFrame(() => fill(notice,
    h("p", { class: "notice-sentence" }, consentSentence(service, good ? null : code)),
    !good && h("p", { class: "small-print" }, "Code ", h("code", null, code.slice(0, 64))),
    close));

  for (const name of ["auth", "error", "error_description", "service"]) address.searchParams.delete(name);
  history.replaceState(null, "", address.pathname + address.search + address.hash);
}

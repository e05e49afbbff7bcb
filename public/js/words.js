// What the service's codes mean in a sentence. An unknown code is never hidden: it is shown with a general sentence.

/** Health of a connection: [badge word, tone]. */
export const HEALTH = {
  healthy: ["Healthy", "good"],
  degraded: ["Degraded", "warn"],
  needs_reauth: ["Needs reconnecting", "bad"],
  app_error: ["App problem", "bad"],
};

/** What `?error=<code>` on the way back from Spotify means. */
const CONSENT = {
  access_denied: "You pressed Cancel on Spotify’s page. Nothing was connected and nothing was stored.",
  missing_state: "The answer did not belong to a connection started here. Start again from this page.",
  invalid_state: "The answer did not belong to a connection started here. Start again from this page.",
  state_expired: "That took longer than ten minutes, so the attempt ran out. Start again.",
  state_used: "This answer was used already, or a later attempt took its place. If the connection below is not there, start again.",
  wrong_browser: "The connection was started in another browser. Start it in the one you want to finish it in.",
  other_person: "Somebody else is signed in here than when the connection was started. Start again.",
  different_account: "That is a different Spotify account from the one connected before. Disconnect first if you mean to change accounts.",
  not_on_allow_list: "Spotify does not know you as a user of this app. Its owner must add you under Settings → Users Management, with the e-mail address of your Spotify account.",
  owner_needs_premium: "Spotify refuses this app because its owner has no active Premium. It works again a few hours after Premium is back.",
  client_refused: "Spotify did not accept the app’s client ID or secret. Copy both again from the dashboard.",
  code_refused: "Spotify did not accept the code it had just given. Start again.",
  missing_code: "Spotify’s answer was incomplete. Start again.",
  provider_error: "Spotify reported an error of its own. Start again.",
  provider_unavailable: "Spotify did not answer properly. Try again in a moment.",
  quota_exceeded: "The app has used up its Spotify quota for now. Try again later.",
  rate_limited: "Spotify asked to slow down. Try again in a moment.",
};

/** The same on the way back from Last.fm, where it is not what Spotify's codes mean. */
const CONSENT_LASTFM = {
  access_denied: "You came back from Last.fm’s page without having allowed it. Nothing was changed.",
  token_refused: "Last.fm did not accept its own token any more: it works once, and for an hour. Start again.",
  missing_state: CONSENT.missing_state,
  invalid_state: CONSENT.invalid_state,
  state_expired: CONSENT.state_expired,
  state_used: "This answer was used already, or a later attempt took its place. If Last.fm is not linked below, start again.",
  wrong_browser: CONSENT.wrong_browser,
  other_person: CONSENT.other_person,
  lastfm_key_refused: "Last.fm does not accept this site’s key at the moment. Its operator has to see to it.",
  provider_unavailable: "Last.fm did not answer properly. Try again in a moment.",
  rate_limited: "Last.fm asked to slow down. Try again in a moment.",
  throttled_here: "Too many are asking Last.fm through this site just now. Try again in a moment.",
};

/** Who was asked, by the `service` in the address; Spotify needs no naming. */
const SERVICES = { lastfm: ["Last.fm is linked.", CONSENT_LASTFM] };
const SPOTIFY = ["Spotify is connected.", CONSENT];

/** How the trip to `service` ended: `code` says why it failed, `null` that it did not. */
export function consentSentence(service, code) {
  const [success, failures] = Object.hasOwn(SERVICES, service ?? "") ? SERVICES[service] : SPOTIFY;
  if (code === null) return success;
  return Object.hasOwn(failures, code) ? failures[code] : "The connection could not be finished. Start again; if it happens twice, quote the code.";
}

/** Why a song was not added, where the service sends a code in place of a sentence. */
const REASONS = {
  no_candidates: "Spotify’s search found nothing",
  not_found: "Spotify’s search found nothing",
  below_threshold: "nothing found was alike enough",
  low_score: "nothing found was alike enough",
  ambiguous: "several were equally alike",
  invalid_uri: "Spotify does not know this track any more",
  unavailable: "not available on Spotify",
};

/** How a song was found. */
const WAYS = {
  given: "by the id you gave",
  isrc: "by its ISRC",
  fielded: "by artist and title",
  plain: "by its words",
  remembered: "found before",
  corrected: "your choice",
};

export function wayWords(how) {
  return Object.hasOwn(WAYS, how) ? WAYS[how] : String(how ?? "found");
}

export function reasonWords(code) {
  if (!code) return "no reason given";
  return Object.hasOwn(REASONS, code) ? REASONS[code] : String(code).replaceAll("_", " ");
}

const STAGES = { resolve: "Looking up the songs", create: "Creating the playlist", fill: "Filling the playlist" };

export function stageWords(stage) {
  return Object.hasOwn(STAGES, stage) ? STAGES[stage] : "Working";
}

/** Name of the connection an export went through. */
const MODES = { byo: "your own Spotify app", standard: "this site’s app", bearer: "your Spotify account", owner: "the account of this site’s owner" };

export function modeWords(mode) {
  return Object.hasOwn(MODES, mode) ? MODES[mode] : String(mode);
}

/** "1 song", "2 songs". */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

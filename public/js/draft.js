// What this tab keeps, and only for the session: going to Spotify and back, or a reload, must not cost a typed list or
// lose sight of an export.

const KEY = "patchbay.draft";

// Storage may be full or forbidden; a draft is a kindness, not a promise.
export function keepDraft(draft) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft));
  } catch {
    // nothing to do
  }
}

export function keptDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function forgetDraft() {
  sessionStorage.removeItem(KEY);
}

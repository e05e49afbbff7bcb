// What this tab keeps, and only for the session: going to Spotify and back, or a reload, must not cost a typed list or
// lose sight of an export or a quest.

/** Storage may be full or forbidden; a draft is a kindness, not a promise. */
export class Draft {
  constructor(subject) {
    this.key = `patchbay.${subject}`;
  }

  keep(draft) {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(draft));
    } catch {
      // nothing to do
    }
  }

  /** What was kept for this person, else null. */
  kept(userId) {
    try {
      const draft = JSON.parse(sessionStorage.getItem(this.key));
      return draft?.userId === userId ? draft : null;
    } catch {
      return null;
    }
  }

  forget() {
    sessionStorage.removeItem(this.key);
  }
}

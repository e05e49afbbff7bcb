// Who is signed in: the strip under the header, and the sign-in form.

import { del, errorNotice, get, post } from "./api.js";
import { byId, fill, setText, show, whileBusy } from "./dom.js";

export class Session {
  /** `onChange(state, {movedByUser})` runs at first and whenever who is signed in changes. */
  constructor(onChange) {
    this.onChange = onChange;
    this.form = byId("sign-in-form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.signIn();
    });
    const out = byId("sign-out");
    out.addEventListener("click", () => whileBusy(out, () => this.signOut()));
  }

  async load({ movedByUser }) {
    // One load answers all who ask meanwhile: several calls may learn at once that the session is over.
    this.loading ??= get("session").finally(() => { this.loading = null; });
    try {
      this.render(await this.loading, { movedByUser });
    } catch (error) {
      show(byId("loading"), false);
      fill(byId("notices"), errorNotice(error));
    }
  }

  async signIn() {
    const errors = this.form.querySelector(".form-error");
    fill(errors);
    await whileBusy(this.form.querySelector("[type=submit]"), async () => {
      const name = byId("sign-in-name").value.trim();
      try {
        this.render(await post("session", name ? { name } : {}), { movedByUser: true });
      } catch (error) {
        fill(errors, errorNotice(error));
      }
    });
  }

  async signOut() {
    try {
      await del("session");
      fill(byId("notices"));
      await this.load({ movedByUser: true });
    } catch (error) {
      fill(byId("notices"), errorNotice(error));
    }
  }

  render(state, options) {
    setText(byId("session-user"), state.userId ?? "");
    show(byId("session-strip"), state.signedIn);
    show(byId("sign-in"), !state.signedIn);
    show(this.form, state.localSignIn);
    show(byId("sign-in-elsewhere"), !state.localSignIn);
    // Only a session this page opened can be closed from here; a host application's JWT is not ours to end.
    show(byId("sign-out"), state.localSignIn);
    // Told only of real changes: a call refused with 401 asks here again, and must not restart itself for ever.
    const who = JSON.stringify([state.signedIn, state.userId]);
    if (who === this.who && !options.movedByUser) return;
    this.who = who;
    this.onChange(state, options);
    if (!state.signedIn && options.movedByUser) (state.localSignIn ? byId("sign-in-name") : byId("main")).focus();
  }
}

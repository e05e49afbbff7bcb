// What is held about the person, and erasing it.

import { del, errorNotice, get } from "./api.js";
import { byId, confirmFirst, fill, setText, whileBusy } from "./dom.js";

export function startStored({ onErased }) {
  const look = byId("show-stored");
  look.addEventListener("click", () => whileBusy(look, () => attempt(async () => {
    setText(byId("stored-text"), JSON.stringify(await get("me"), null, 2));
    byId("stored").showModal();
  })));

  // What was shown does not stay in the page behind the closed dialog.
  byId("stored").addEventListener("close", () => setText(byId("stored-text"), ""));

  const erase = byId("erase");
  erase.addEventListener("click", () => whileBusy(erase, () => attempt(async () => {
    const agreed = await confirmFirst({
      title: "Erase everything?",
      text: "All connections, keys and export records held under your account are deleted now. This cannot be undone. Playlists stay in your Spotify account.",
      yes: "Erase everything",
    });
    if (!agreed) return;
    await del("me");
    onErased();
  })));
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    fill(byId("notices"), errorNotice(error));
    byId("main").focus();
  }
}

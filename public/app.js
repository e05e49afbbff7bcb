// The page's edge: who is signed in decides what is shown, and every room below is started from here.

import { onSignedOut } from "./js/api.js";
import { byId, show } from "./js/dom.js";
import { Connections } from "./js/connections.js";
import { Export } from "./js/export.js";
import { tellHowConsentEnded } from "./js/consent.js";
import { Lastfm } from "./js/lastfm.js";
import { Quest } from "./js/quest.js";
import { Session } from "./js/session.js";
import { startStored } from "./js/stored.js";

tellHowConsentEnded();

const connections = new Connections();
const exporter = new Export(connections);
const lastfm = new Lastfm();
const quest = new Quest(lastfm);
const session = new Session(render);

/** Shows what fits the session. `movedByUser`: the person just signed in or out, so focus follows. */
function render(state, { movedByUser }) {
  show(byId("loading"), false);
  show(byId("workbench"), state.signedIn);
  show(byId("footer-actions"), state.signedIn);
  renderDemo(state.setup?.demo);
  if (state.signedIn) {
    connections.start(state.setup);
    exporter.start(state);
    lastfm.start(state.setup);
    quest.start(state);
    if (movedByUser) byId("connections-title").focus();
  } else {
    connections.stop();
    exporter.stop();
    lastfm.stop();
    quest.stop();
  }
}

/** Drops what this tab keeps of somebody who goes. */
function forget() {
  exporter.forget();
  quest.forget();
}

function renderDemo(demo) {
  show(byId("demo-strip"), Boolean(demo));
  const link = byId("demo-link");
  show(link, Boolean(demo?.sandboxUrl));
  if (demo?.sandboxUrl) link.href = demo.sandboxUrl;
}

startStored({
  onErased: () => {
    forget();
    session.load({ movedByUser: true });
  },
});
byId("sign-out").addEventListener("click", forget);

// A session that ended elsewhere (expired, erased in another tab) shows as the sign-in form, not as errors.
onSignedOut(() => session.load({ movedByUser: false }));

// Back from the consent page by the Back button: a page revived from memory would show what was true before.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

session.load({ movedByUser: false });

// Building and showing elements. Data reaches the page as text nodes and attributes only, never as markup.

/**
 * Makes an element. A prop named `onclick`, `onsubmit`, … is a listener, any other an attribute; `null` and
 * `false` leave it out. Children are nodes or text; `null` and `false` are skipped.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...present(children));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

export function show(element, visible) {
  element.hidden = !visible;
}

export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}

/**
 * Makes `elements` the children of `parent`. Those that stay are not taken out on the way, so that the focus inside
 * them and pictures half loaded stay too.
 */
export function settle(parent, elements) {
  const staying = new Set(elements);
  for (const child of [...parent.children]) {
    if (!staying.has(child)) child.remove();
  }
  elements.forEach((element, place) => {
    if (parent.children[place] !== element) parent.insertBefore(element, parent.children[place] ?? null);
  });
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Sets text only when it differs, so that a live region speaks of changes alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says a sentence to screen readers without showing it. */
export function announce(sentence) {
  setText(byId("announcer"), sentence);
}

/** The address if it is one a browser may be sent to, else null: an answer must not smuggle in `javascript:`. */
export function webAddress(address) {
  try {
    const url = new URL(address, location.href);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A link that opens in a new tab, or plain text when the address is not a web address. */
export function outsideLink(address, text, props) {
  const href = webAddress(address);
  if (!href) return h("span", null, text);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, text);
}

/** Leaves for `address`, e.g. Spotify's consent page. */
export function leaveFor(address) {
  const href = webAddress(address);
  if (!href) throw new TypeError("The service answered with something that is not a web address.");
  location.assign(href);
}

/**
 * Runs `work` while the button counts as busy; a second press meanwhile does nothing. The button keeps its focus,
 * which `disabled` would take away.
 */
export async function whileBusy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("is-busy");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("is-busy");
  }
}

/** Asks before something is forgotten. Resolves to whether the person agreed; Escape means no. */
export function confirmFirst({ title, text, yes }) {
  const dialog = byId("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

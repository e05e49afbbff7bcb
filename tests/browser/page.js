// The page as the tests use it: a console that stays silent, the cards by name, and the ways to connect.
// PATCHBAY_URL names a running instance. Every test signs in as somebody new, so the order does not matter.

import { expect, test as base } from "@playwright/test";

export const PATCHBAY = process.env.PATCHBAY_URL ?? "http://127.0.0.1:8787";

/** A page whose own console must stay silent. `allowed` takes patterns a test expects, such as a refused request. */
export const test = base.extend({
  allowed: async ({}, use) => use([]),
  page: async ({ page, allowed }, use) => {
    const complaints = [];
    const ours = () => page.url().startsWith(PATCHBAY);
    page.on("pageerror", (error) => ours() && complaints.push(String(error)));
    page.on("console", (message) => {
      if (ours() && ["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    await use(page);
    expect(complaints.filter((text) => !allowed.some((pattern) => pattern.test(text)))).toEqual([]);
  },
});

export const standard = (page) => page.getByRole("region", { name: "This site’s app" });
export const own = (page) => page.getByRole("region", { name: "Your own Spotify app", exact: true });
export const setup = (page) => page.getByRole("region", { name: "Set up your own Spotify app" });
export const exporter = (page) => page.getByRole("region", { name: "Make a playlist" });

export async function signIn(page) {
  await page.goto(PATCHBAY);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Connections" })).toBeFocused();
}

/** On the sandbox's consent page. */
export async function agreeAsAna(page) {
  await page.getByLabel("Ana", { exact: true }).check();
  await page.getByRole("button", { name: "Agree" }).click();
}

export async function connectStandard(page) {
  await standard(page).getByRole("button", { name: "Connect Spotify" }).click();
  await agreeAsAna(page);
  await expect(page.getByText("Spotify is connected.")).toBeVisible();
}

export async function openSetup(page) {
  await own(page).getByRole("button", { name: "Set up your app" }).click();
  await expect(setup(page).getByRole("heading", { name: "Set up your own Spotify app" })).toBeFocused();
}

export async function connectOwn(page) {
  await openSetup(page);
  await setup(page).getByRole("button", { name: "Fill in the sandbox’s demo app" }).click();
  await setup(page).getByRole("button", { name: "Check and connect" }).click();
  // The check may have something to say first; then there is one more button.
  const further = setup(page).getByRole("button", { name: "Continue to Spotify" });
  await further.or(page.getByRole("button", { name: "Agree" })).waitFor();
  if (await further.isVisible()) await further.click();
  await agreeAsAna(page);
  await expect(page.getByText("Spotify is connected.")).toBeVisible();
}

export async function disconnect(page, card) {
  await card.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(card.getByText("Not connected")).toBeVisible();
}

/** Signed in, connected, and back on the page. */
export async function connected(page) {
  await signIn(page);
  await connectStandard(page);
}

/** Fills in the form and sends it. */
export async function exportList(page, name, list) {
  await page.getByLabel("Playlist name").fill(name);
  await page.getByLabel("Songs").fill(list);
  await page.getByRole("button", { name: "Export to Spotify" }).click();
}

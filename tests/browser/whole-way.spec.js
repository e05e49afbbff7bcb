// The whole way in a real browser, against patchbay in demo mode: sign in, connect both ways, export, disconnect.

import { expect } from "@playwright/test";

import { PATCHBAY, agreeAsAna, connectOwn, connectStandard, disconnect, exporter, openSetup, own, setup, signIn, standard, test } from "./page.js";

/** Songs of the sandbox's catalogue, a repeat, a song nobody wrote, and a line that is no song. */
const LIST = [
  "Massive Attack - Teardrop",
  "Björk – Jóga",
  "Massive Attack - Teardrop",
  "Zzyzx Quorble - Flimwaddle of the Ninth Grommet",
  "this line has no separator",
].join("\n");

/** The number under `name` in the result's sum. */
async function countOf(page, name) {
  const cell = exporter(page).locator(".counts > div", { has: page.getByText(name, { exact: true }) });
  return Number(await cell.locator("dd").textContent());
}

test("sign in, connect both ways, export, follow the link, disconnect", async ({ page }) => {
  await signIn(page);

  await connectStandard(page);
  expect(new URL(page.url()).search).toBe("");
  await expect(standard(page).getByText("Healthy")).toBeVisible();
  await expect(standard(page).getByText("Ana", { exact: true })).toBeVisible();
  await expect(standard(page).getByText(/\d+ days left of Spotify’s six months/)).toBeVisible();

  await connectOwn(page);
  await expect(own(page).getByText("Healthy")).toBeVisible();

  await page.getByLabel("Playlist name").fill("A quiet evening");
  await page.getByLabel("Songs").fill(LIST);
  await expect(exporter(page).getByText("4 songs, 1 line that cannot be read.")).toBeVisible();
  await page.getByRole("button", { name: "Export to Spotify" }).click();
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();

  const counts = await Promise.all(["added", "duplicates", "not found", "refused"].map((name) => countOf(page, name)));
  expect(counts).toEqual([2, 1, 1, 0]);
  await expect(exporter(page).getByText("= 4 songs")).toBeVisible();
  await expect(exporter(page).getByText("Zzyzx Quorble – Flimwaddle of the Ninth Grommet")).toBeVisible();
  await expect(exporter(page).getByText("Made through your own Spotify app.")).toBeVisible();

  const opened = page.waitForEvent("popup");
  await page.getByRole("link", { name: "Open the playlist" }).click();
  const playlist = await opened;
  await expect(playlist.getByText("Teardrop").first()).toBeVisible();
  await expect(playlist.getByText("Jóga").first()).toBeVisible();
  await playlist.close();

  await disconnect(page, own(page));
  await disconnect(page, standard(page));
  await expect(standard(page).getByRole("button", { name: "Connect Spotify" })).toBeFocused();
  await expect(exporter(page).getByText("Connect Spotify above first.")).toBeVisible();
});

test("cancelling on the consent page says so and leaves nothing behind", async ({ page }) => {
  await signIn(page);
  await standard(page).getByRole("button", { name: "Connect Spotify" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("alert").getByText("You pressed Cancel on Spotify’s page.")).toBeVisible();
  await expect(standard(page).getByText("Not connected")).toBeVisible();
  expect(new URL(page.url()).search).toBe("");
});

test.describe("refusals", () => {
  test.use({ allowed: [/Failed to load resource: the server responded with a status of 4\d\d/] });

  test("a wrong client secret shows what the doctor found and the step that cures it", async ({ page }) => {
    await signIn(page);
    await openSetup(page);
    await setup(page).getByRole("button", { name: "Fill in the sandbox’s demo app" }).click();
    await setup(page).getByLabel("Client secret").fill("0".repeat(32));
    await setup(page).getByRole("button", { name: "Check and connect" }).click();
    await expect(setup(page).getByRole("heading", { name: "What the check found" })).toBeFocused();
    await expect(setup(page).getByRole("listitem").getByText(/client secret/i).first()).toBeVisible();
    await expect(own(page).getByText("Not connected")).toBeVisible();
  });
});

test("a client id that cannot be one never leaves the page", async ({ page }) => {
  await signIn(page);
  await openSetup(page);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await setup(page).getByLabel("Client ID").fill("not a client id");
  await setup(page).getByRole("button", { name: "Check and connect" }).click();
  await expect(setup(page).getByLabel("Client ID")).toBeFocused();
  await expect(setup(page).getByLabel("Client ID")).toHaveAttribute("aria-invalid", "true");
  expect(asked.filter((url) => url.includes("client-credentials"))).toEqual([]);
});

test("a typed list survives the trip to Spotify, and goes with the session", async ({ page }) => {
  await signIn(page);
  await page.getByLabel("Songs").fill(LIST);
  await expect(exporter(page).getByText("4 songs, 1 line that cannot be read.")).toBeVisible();
  await connectStandard(page);
  await expect(page.getByLabel("Songs")).toHaveValue(LIST);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Your name")).toBeFocused();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});

test("the keyboard alone is enough", async ({ page }) => {
  /** Tabs until `target` has the focus; fails when it cannot be reached. */
  async function tabTo(target) {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard cannot reach ${target}`);
  }

  await page.goto(PATCHBAY);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page.getByLabel("Your name"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Connections" })).toBeFocused();

  await tabTo(standard(page).getByRole("button", { name: "Connect Spotify" }));
  await page.keyboard.press("Enter");
  await agreeAsAna(page);
  await expect(standard(page).getByText("Healthy")).toBeVisible();

  await tabTo(page.getByLabel("Playlist name"));
  await page.keyboard.type("By keyboard");
  await tabTo(page.getByLabel("Songs"));
  await page.keyboard.insertText("Massive Attack - Teardrop");
  await tabTo(page.getByRole("button", { name: "Export to Spotify" }));
  await page.keyboard.press("Space");
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
  await expect(page.locator("#export-result")).toBeFocused();

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Open the playlist" })).toBeFocused();

  // Escape in the dialog keeps the connection and gives the focus back.
  const leave = standard(page).getByRole("button", { name: "Disconnect" });
  await leave.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Keep it" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(leave).toBeFocused();
  await expect(standard(page).getByText("Healthy")).toBeVisible();
});

test.describe("on a small phone", () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test("nothing scrolls sideways, whatever is open", async ({ page }) => {
    const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await page.goto(PATCHBAY);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    expect(await sideways()).toBeLessThanOrEqual(0);
    await signIn(page);
    await connectStandard(page);
    await openSetup(page);
    await page.getByText("What “development mode” means").click();
    await page.getByLabel("Playlist name").fill("Small");
    await page.getByLabel("Songs").fill(`${LIST}\n${"x".repeat(400)}`);
    await page.getByRole("button", { name: "Export to Spotify" }).click();
    await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
    expect(await sideways()).toBeLessThanOrEqual(0);
  });
});

test("everything held can be looked at and erased", async ({ page }) => {
  await signIn(page);
  await connectStandard(page);
  await page.getByRole("button", { name: "What is stored about you" }).click();
  await expect(page.getByRole("region", { name: "Stored data" })).toContainText("spotify");
  await page.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "Erase everything" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Erase everything" }).click();
  await expect(page.getByText("Healthy")).toHaveCount(0);
  await expect(standard(page).getByText("Not connected").or(page.getByRole("heading", { name: "Sign in" }))).toBeVisible();
});

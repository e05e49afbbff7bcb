// The whole way with Last.fm, against the sandbox's: link, play songs there, and see them counted here.

import { expect } from "@playwright/test";

import { card, quest } from "./lastfm-stub.js";
import { signIn, test } from "./page.js";

/** The service believes what it has read for half a minute. */
const READ_AGAIN_MS = 75_000;

async function linkByName(page, name) {
  await card(page).getByLabel("Last.fm user name").fill(name);
  await card(page).getByRole("button", { name: "Link", exact: true }).click();
  await expect(card(page).getByText("Linked, not verified")).toBeVisible();
}

/** To the sandbox's login page, to choose `name` there and press `button`. */
async function atLastfm(page, name, button) {
  await card(page).getByRole("button", { name: "Sign in at Last.fm" }).click();
  await page.getByRole("radio", { name }).check();
  await page.getByRole("button", { name: button }).click();
}

/** On somebody's page in the sandbox. */
async function playThere(sandbox, artist, title, when = "now") {
  await sandbox.getByLabel("Artist").fill(artist);
  await sandbox.getByLabel("Title").fill(title);
  await sandbox.getByLabel("When").selectOption({ label: when });
  await sandbox.getByRole("button", { name: "Play", exact: true }).click();
  await expect(sandbox.getByRole("link", { name: title, exact: true }).first()).toBeVisible();
}

test("a newcomer links the demo account, plays songs in the sandbox, and completes a quest", async ({ page }) => {
  test.setTimeout(180_000);
  // The sandbox is shared by all tests: a song of this one alone.
  const artist = "The Browser Tests";
  const title = `The Whole Way ${Date.now()}`;
  await signIn(page);
  await card(page).getByRole("button", { name: "Fill in the sandbox’s demo account" }).click();
  await page.keyboard.press("Enter");
  await expect(card(page).getByText("Linked, not verified")).toBeVisible();
  await expect(card(page).locator("#listening-plays").getByRole("listitem")).toHaveCount(10);

  const opened = page.waitForEvent("popup");
  await card(page).getByRole("link", { name: "Play songs in the sandbox" }).click();
  const sandbox = await opened;
  await expect(sandbox.getByRole("heading", { name: "ana_listens" })).toBeVisible();
  await playThere(sandbox, artist, title, "spread over today (UTC)");
  await playThere(sandbox, artist, title);

  await quest(page).getByLabel("Song title").fill(title.toLowerCase());
  await quest(page).getByLabel("Artist").fill(artist);
  await quest(page).getByLabel("How many times").fill("3");
  await quest(page).getByLabel("Count plays since").selectOption({ label: "7 days ago" });
  await quest(page).getByRole("button", { name: "Check", exact: true }).click();
  await expect(quest(page).getByText("2 of 3")).toBeVisible({ timeout: 30_000 });
  await expect(quest(page).getByRole("heading", { name: "Not there yet" })).toBeVisible();

  await playThere(sandbox, artist, `${title} (Live)`);
  await playThere(sandbox, artist, title);
  await sandbox.close();
  await expect(async () => {
    await quest(page).getByRole("button", { name: "Check again" }).click();
    await expect(quest(page).getByRole("heading", { name: "Quest complete" })).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: READ_AGAIN_MS, intervals: [5_000] });
  await expect(quest(page).getByText("3 of 3")).toBeVisible();
  await quest(page).getByText(/^What counts: 1 spelling, \d near miss/).click();
  const live = quest(page).getByRole("listitem").filter({ has: page.getByText(`${title} (Live)`, { exact: true }) }).last();
  await expect(live).toContainText(/1 play · \d+ % alike · a live version/);

  await card(page).getByRole("button", { name: "Refresh" }).click();
  await expect(card(page).locator("#listening-plays").getByText(title, { exact: true }).first()).toBeVisible({ timeout: READ_AGAIN_MS });

  await card(page).getByRole("button", { name: "Unlink" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(card(page).getByText("Not linked")).toBeVisible();
  await page.getByRole("button", { name: "What is stored about you" }).click();
  await expect(page.getByRole("region", { name: "Stored data" })).not.toContainText("ana_listens");
});

test.describe("refusals", () => {
  test.use({ allowed: [/status of 4\d\d/] });

  test("a name that nobody has", async ({ page }) => {
    await signIn(page);
    const name = card(page).getByLabel("Last.fm user name");
    await name.fill("nobody_at_all");
    await name.press("Enter");
    await expect(name).toHaveAccessibleDescription(/Last.fm knows nobody of this name/);
    await expect(name).toBeFocused();
    await expect(card(page).getByText("Not linked")).toBeVisible();
  });

  test("hidden plays are read once their person signs in at Last.fm", async ({ page }) => {
    await signIn(page);
    await linkByName(page, "ben_listens");
    await expect(card(page).getByText("This Last.fm account hides what it listens to.")).toBeVisible();
    await atLastfm(page, /^ben_listens/, "Agree");
    await expect(page.getByText("Last.fm is linked.")).toBeVisible();
    expect(new URL(page.url()).search).toBe("");
    await expect(card(page).getByText("Verified", { exact: true })).toBeVisible();
    await expect(card(page).locator("#listening-plays").getByRole("listitem")).toHaveCount(10);
  });
});

test("coming back from Last.fm without having agreed changes nothing", async ({ page }) => {
  await signIn(page);
  await linkByName(page, "new_ears");
  await expect(card(page).getByText("Nothing was played yet.")).toBeVisible();
  await atLastfm(page, "new_ears", "Cancel");
  await page.getByRole("link", { name: "Back, without a token" }).click();
  await expect(page.getByRole("alert").getByText("You came back from Last.fm’s page without having allowed it.")).toBeVisible();
  await expect(card(page).getByText("Linked, not verified")).toBeVisible();
  await expect(card(page).getByRole("link", { name: "new_ears" })).toBeVisible();
});

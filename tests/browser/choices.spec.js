// What may be done about a result: choosing tracks, making the playlist again, saving the list; and whose account it is.

import { expect } from "@playwright/test";

import { PATCHBAY, connected, exportList, exporter, signIn } from "./page.js";
import { finished, test, trackUri } from "./stub.js";

const LIST = "Massive Attack - Teardrop\nBjörk - Jóga";
const NEAREST = { uri: trackUri(7), title: "Jóga (Live)", artists: ["Björk"], score: 0.71, reason: "a live version" };

/** Of the two songs the first was found, the second nearly. */
function result(fields) {
  return finished(1, { totalSongs: 2, unmatched: [{ index: 1, reason: "the nearest track is a live version", candidates: [NEAREST] }], ...fields });
}

/** Keeps corrections as the service does: one a song. */
function keepCorrections(stub) {
  const kept = new Map();
  stub.always("GET corrections", () => ({ corrections: [...kept.values()] }));
  stub.always("PUT corrections", ({ body }) => {
    const { song, use = null, never } = body;
    const correction = { id: `c-${song.title}`, title: song.title, artist: song.artist ?? null, use, never: never ? [never] : [], updatedAt: 0 };
    kept.set(correction.id, correction);
    return correction;
  });
  stub.always("DELETE corrections", ({ query }) => {
    kept.delete(query.id);
    return { success: true };
  });
  return kept;
}

async function show(page, stub, answer) {
  await exportList(page, "Choices", LIST);
  const call = await stub.next();
  call.json(200, answer);
  return call;
}

test("a nearest track can be chosen, a wrong one refused, and the playlist made again", async ({ page, stub }) => {
  const kept = keepCorrections(stub);
  await connected(page);
  const first = await show(page, stub, result());
  await expect(exporter(page).getByText("Björk · 71 % alike · a live version")).toBeVisible();
  const again = exporter(page).getByRole("button", { name: "Make the playlist again with your choices" });
  await expect(again).toBeHidden();

  const use = exporter(page).getByRole("button", { name: "Use this one: Jóga (Live), Björk" });
  await use.click();
  await expect(use).toHaveAttribute("aria-pressed", "true");
  expect(kept.get("c-Jóga")).toMatchObject({ artist: "Björk", use: NEAREST.uri });
  await exporter(page).getByText("Added (1)").click();
  await exporter(page).getByRole("button", { name: "Not this song: Massive Attack – Teardrop" }).click();
  await expect(exporter(page).getByText("2 choices kept for this and later lists.")).toBeVisible();
  expect(kept.get("c-Teardrop").never).toEqual([trackUri(0)]);

  // By keyboard: the focus survives the old result.
  await again.focus();
  await page.keyboard.press("Enter");
  await expect(exporter(page).getByRole("heading", { name: "Make a playlist" })).toBeFocused();
  const second = await stub.next();
  expect(second.body).toEqual(first.body);
  expect(second.headers["idempotency-key"]).not.toBe(first.headers["idempotency-key"]);
  second.json(200, finished(2, { matched: [{ index: 1, uri: NEAREST.uri, score: 1, how: "corrected" }, { index: 0, uri: trackUri(3), score: 0.9, how: "remembered" }] }));
  await exporter(page).getByText("Added (2)").click();
  await expect(exporter(page).getByText("your choice, 100 % alike")).toBeVisible();
  await expect(exporter(page).getByText("found before, 90 % alike")).toBeVisible();
});

test("a choice is taken back where it was made, or in the list of all", async ({ page, stub }) => {
  const kept = keepCorrections(stub);
  await connected(page);
  await show(page, stub, result());
  const use = exporter(page).getByRole("button", { name: /Jóga \(Live\), Björk/ });
  await use.click();
  await expect(exporter(page).getByText("Your choices for 1 song")).toBeVisible();
  await expect(exporter(page).locator("#corrections-list")).toContainText("always Jóga (Live), Björk");
  await use.click();
  await expect(use).toHaveAttribute("aria-pressed", "false");
  await expect(exporter(page).getByRole("button", { name: /^Make the playlist again/ })).toBeHidden();
  await expect(exporter(page).getByText("Your choices for 1 song")).toBeHidden();
  expect(kept.size).toBe(0);

  await use.click();
  await exporter(page).getByText("Your choices for 1 song").click();
  await exporter(page).getByRole("button", { name: "Forget the choice for Björk – Jóga" }).click();
  await expect(exporter(page).getByText("Your choices for 1 song")).toBeHidden();
  expect(kept.size).toBe(0);
});

test("a choice that cannot be kept is told beside its button", async ({ page, stub, allowed }) => {
  allowed.push(/status of 409/);
  await connected(page);
  await show(page, stub, result());
  await exporter(page).getByRole("button", { name: /^Use this one/ }).click();
  (await stub.next()).json(409, { error: "There are too many corrections.", code: "too_many_corrections" });
  await expect(exporter(page).getByRole("alert").getByText("There are too many corrections.")).toBeVisible();
  await expect(exporter(page).getByRole("button", { name: /^Use this one/ })).toHaveAttribute("aria-pressed", "false");
});

test("the list can be saved in three formats", async ({ page, stub }) => {
  await connected(page);
  await show(page, stub, result());
  for (const [name, format] of [["CSV", "csv"], ["JSPF", "jspf"], ["M3U8", "m3u8"]]) {
    const link = exporter(page).getByRole("link", { name, exact: true });
    await expect(link).toHaveAttribute("href", `/api/playlist/export?id=${finished(1).exportId}&format=${format}`);
  }
});

test("what was saved is the list, from the service itself", async ({ page }) => {
  await connected(page);
  await exportList(page, "Späte Lieder", LIST);
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
  const started = page.waitForEvent("download");
  await exporter(page).getByRole("link", { name: "CSV" }).click();
  const download = await started;
  expect(download.suggestedFilename()).toBe("Späte Lieder.csv");
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const rows = Buffer.concat(chunks).toString().split("\r\n");
  expect(rows).toHaveLength(4);
  expect(rows[1]).toContain("Teardrop,Massive Attack,");
});

test.describe("where the site has an account of its own", () => {
  test.beforeEach(async ({ page }) => {
    await page.route(`${PATCHBAY}/api/session`, async (route) => {
      const response = await route.fetch();
      const state = await response.json();
      await route.fulfill({ response, json: { ...state, setup: { ...state.setup, ownerAvailable: true } } });
    });
  });

  test("it can be chosen without a connection, and the result says whose account it is", async ({ page, stub }) => {
    await signIn(page);
    await expect(exporter(page).getByText("Connect Spotify above first.")).toBeVisible();
    await page.getByLabel("Use this site’s account when mine cannot be used").check();
    await page.getByLabel("Connection", { exact: true }).selectOption({ label: "This site’s account" });
    await expect(exporter(page).getByText("Connect Spotify above first.")).toBeHidden();
    await expect(exporter(page).getByText("in the account of this site’s owner, not in yours.")).toBeVisible();
    const call = await show(page, stub, finished(2, { mode: "owner", accountId: "the-owner", message: "Only so much fits into a playlist." }));
    await expect(exporter(page).getByText("Only so much fits into a playlist.")).toBeVisible();
    expect(call.body).toMatchObject({ mode: "owner" });
    expect(call.body).not.toHaveProperty("fallbackToOwner");
    await expect(exporter(page).getByText("The playlist is in the account of this site’s owner, not in yours. Account the-owner.")).toBeVisible();
  });

  test("it stands in only where that was allowed", async ({ page, stub, allowed }) => {
    allowed.push(/status of 409/);
    await signIn(page);
    await exportList(page, "Fallback", LIST);
    const refused = await stub.next();
    expect(refused.body).not.toHaveProperty("fallbackToOwner");
    refused.json(409, { error: "No Spotify account is connected.", code: "not_connected", canFallback: true });
    await exporter(page).getByRole("button", { name: "Use this site’s account instead" }).click();
    await expect(page.getByLabel("Use this site’s account when mine cannot be used")).toBeChecked();
    await expect(exporter(page).getByRole("button", { name: "Export to Spotify" })).toBeFocused();
    const call = await stub.next();
    expect(call.body.fallbackToOwner).toBe(true);
    call.json(200, finished(2, { mode: "owner", usedFallback: true, accountId: "the-owner" }));
    await expect(exporter(page).getByText("Your own connection could not be used, so the playlist is in the account of this site’s owner, not in yours.")).toBeVisible();
  });
});

test("where the site has no account of its own, none is offered", async ({ page }) => {
  await connected(page);
  await expect(page.getByLabel("Use this site’s account when mine cannot be used")).toBeHidden();
  await expect(page.getByLabel("Connection", { exact: true }).getByRole("option", { name: "This site’s account" })).toHaveCount(0);
});

test("the service keeps to what was chosen", async ({ page }) => {
  await connected(page);
  await exportList(page, "Kept", "Massive Attack - Teardrop (Live at the Moon)");
  await expect(page.getByRole("heading", { name: "No song could be added" })).toBeVisible();
  await exporter(page).getByRole("button", { name: /^Use this one: Teardrop, Massive Attack/ }).click();
  await exporter(page).getByRole("button", { name: "Make the playlist again with your choices" }).click();
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
  await exporter(page).getByText("Added (1)").click();
  await expect(exporter(page).getByText("your choice, 100 % alike")).toBeVisible();
});

test.describe("on a small phone", () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test("nothing scrolls sideways, however long the names are", async ({ page, stub }) => {
    const kept = keepCorrections(stub);
    kept.set("c", { id: "c", title: "x".repeat(200), artist: "An Artist", use: NEAREST.uri, never: [trackUri(1)], updatedAt: 0 });
    await connected(page);
    const long = { ...NEAREST, title: "x".repeat(200), reason: "y".repeat(200) };
    await show(page, stub, result({ unmatched: [{ index: 1, reason: "z".repeat(200), candidates: [NEAREST, long] }] }));
    await exporter(page).getByRole("button", { name: /^Use this one: Jóga/ }).click();
    await exporter(page).getByText("Added (1)").click();
    await exporter(page).getByText("Your choices for 2 songs").click();
    await expect(exporter(page).getByRole("button", { name: /^Make the playlist again/ })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  });
});

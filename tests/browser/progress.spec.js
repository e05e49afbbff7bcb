// How an export is followed: live, over a lost connection, after a reload, and past a wait.

import { expect } from "@playwright/test";

import { connected, exportList, exporter } from "./page.js";
import { arrived, finished, job, test } from "./stub.js";

const LIST = Array.from({ length: 40 }, (_, number) => `Artist ${number} - Song ${number}`).join("\n");
const HOUR_MS = 3_600_000;
const bar = (page) => exporter(page).getByRole("progressbar");
const share = (page) => bar(page).evaluate((element) => element.value);
const ready = (page) => page.getByRole("heading", { name: "Your playlist is ready" });

test("progress is shown as it happens, on one bar from the first song to the last track", async ({ page, stub }) => {
  await connected(page);
  await exportList(page, "Live", LIST);
  const call = await stub.next();
  expect(call.headers.accept).toContain("text/event-stream");
  expect(call.body.songs).toHaveLength(40);

  const steps = [
    [{ done: 10, currentSong: { index: 10, title: "Jóga", artist: "Björk" }, remainingMs: 41_000 }, "Looking up the songs: 10 of 40", "about 40 s left"],
    [{ done: 40, remainingMs: 4_000 }, "Looking up the songs: 40 of 40", "a few seconds left"],
    [{ stage: "create", total: 1 }, "Creating the playlist", ""],
    [{ stage: "fill", done: 20, total: 40 }, "Filling the playlist: 20 of 40", ""],
  ];
  let before = 0;
  for (const [fields, title, left] of steps) {
    await call.say("progress", job(fields));
    await expect(exporter(page).locator("#progress-stage")).toHaveText(title);
    await expect(exporter(page).locator("#progress-left")).toHaveText(left);
    await expect(exporter(page).locator("#progress-song")).toHaveText(fields.currentSong ? "Björk – Jóga" : "");
    const now = await share(page);
    expect(now).toBeGreaterThanOrEqual(before);
    before = now;
  }
  expect(before).toBeGreaterThan(0.93);
  expect(before).toBeLessThan(1);

  await call.say("finished", finished(40));
  call.end();
  await expect(ready(page)).toBeVisible();
  await expect(page.locator("#export-result")).toBeFocused();
  await expect(bar(page)).toBeHidden();
  expect(stub.asked.filter(({ path, method }) => path === "export" && method === "POST")).toHaveLength(1);
});

test("screen readers hear of stages and quarters, not of every song", async ({ page, stub }) => {
  await connected(page);
  await page.evaluate(() => {
    window.said = [];
    const announcer = document.getElementById("announcer");
    new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true, subtree: true, characterData: true });
  });
  await expect(page.locator("#export-progress")).not.toHaveAttribute("role", "status");
  await exportList(page, "Aloud", LIST);
  const call = await stub.next();
  for (let done = 1; done <= 40; done += 1) await call.say("progress", job({ done }));
  await call.say("progress", job({ stage: "fill", done: 40, total: 40 }));
  await expect(page.locator("#progress-stage")).toHaveText(/^Filling/);
  const said = await page.evaluate(() => window.said);
  expect(said.length).toBeGreaterThanOrEqual(4);
  expect(said.length).toBeLessThanOrEqual(8);
  await call.say("finished", finished(40));
  call.end();
});

test("a lost connection costs nothing: the export is found again by its id", async ({ page, stub, allowed }) => {
  allowed.push(/Failed to load resource|ERR_/);
  await connected(page);
  await exportList(page, "Cut", LIST);
  const first = await stub.next();
  await first.say("progress", job({ done: 10 }));
  await expect(exporter(page).getByText("10 of 40")).toBeVisible();
  first.cut();
  await expect(exporter(page).getByText(/connection was lost/)).toBeVisible();

  // The first look meets a service that is busy; the second finds the export where it is.
  (await stub.next()).json(503, { error: "The service is busy.", code: "busy", retryAfterMs: 100 });
  const again = await stub.next();
  expect([again.method, again.query.id]).toEqual(["GET", job().exportId]);
  await again.say("progress", job({ done: 30 }));
  await expect(exporter(page).getByText("30 of 40")).toBeVisible();
  await expect(exporter(page).getByText(/connection was lost/)).toHaveCount(0);
  await again.say("finished", finished(40));
  again.end();
  await expect(ready(page)).toBeVisible();
});

test("a connection that falls silent is not waited for", async ({ page, stub }) => {
  await page.clock.install();
  await connected(page);
  await exportList(page, "Silent", LIST);
  await (await stub.next()).say("progress", job({ done: 10 }));
  await expect(exporter(page).getByText("10 of 40")).toBeVisible();
  await page.clock.runFor(60_000);
  const look = await stub.next();
  expect([look.method, look.query.id]).toEqual(["GET", job().exportId]);
  look.json(200, finished(40));
  await expect(ready(page)).toBeVisible();
});

test("a service that does not stream is asked again and again, with the same numbers", async ({ page, stub }) => {
  await connected(page);
  await exportList(page, "Plain", LIST);
  (await stub.next()).json(202, job({ done: 10, remainingMs: 30_000 }));
  await expect(exporter(page).getByText("Looking up the songs: 10 of 40")).toBeVisible();
  await expect(exporter(page).getByText("about 30 s left")).toBeVisible();
  const look = await stub.next();
  expect(look.method).toBe("GET");
  look.json(200, finished(40));
  await expect(ready(page)).toBeVisible();
});

test("a reload in the middle picks the export up again, and one after the end shows the result", async ({ page, stub }) => {
  await connected(page);
  await exportList(page, "Reloaded", LIST);
  const call = await stub.next();
  await call.say("progress", job({ done: 10 }));
  await expect(exporter(page).getByText("10 of 40")).toBeVisible();
  await page.reload();
  const look = await stub.next();
  expect([look.method, look.query.id]).toEqual(["GET", job().exportId]);
  await look.say("progress", job({ done: 30 }));
  await expect(exporter(page).getByText("30 of 40")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Songs" })).toHaveValue(LIST);
  await look.say("finished", finished(40));
  look.end();
  await expect(ready(page)).toBeVisible();

  await page.reload();
  (await stub.next()).json(200, finished(40));
  await expect(ready(page)).toBeVisible();
  await expect(page.locator("#export-result")).not.toBeFocused();
  // What is done is done: the same list sent again is a new export.
  await page.getByRole("button", { name: "Export to Spotify" }).click();
  const other = await stub.next();
  expect(other.headers["idempotency-key"]).not.toBe(call.headers["idempotency-key"]);
  other.json(200, finished(40));
});

test("a parked export says when and why, and goes on by itself at that time", async ({ page, stub }) => {
  await page.clock.install();
  await connected(page);
  await exportList(page, "Parked", LIST);
  const call = await stub.next();
  const resumeAt = (await page.evaluate(() => Date.now())) + HOUR_MS;
  const message = "The Spotify app has used up its quota; the export goes on when it has some again.";
  await call.say("progress", job({ done: 10 }));
  await call.say("waiting", job({ done: 10, code: "quota_exceeded", message, resumeAt }));
  call.end();
  await expect(exporter(page).getByText(message)).toBeVisible();
  await expect(exporter(page).getByText(/It goes on by itself at .*\d\d:\d\d\./)).toBeVisible();
  await expect(exporter(page).getByRole("button", { name: "Try now" })).toBeVisible();
  expect(await share(page)).toBeGreaterThan(0);

  const asked = stub.asked.length;
  await page.clock.fastForward(HOUR_MS - 60_000);
  await arrived(page);
  expect(stub.asked.slice(asked).map(({ path }) => path), "nothing before its time").toEqual(["corrections"]);
  await page.clock.fastForward(60_000);
  const on = await stub.next();
  expect([on.method, on.query.id]).toEqual(["POST", job().exportId]);
  await on.say("progress", job({ done: 20 }));
  await expect(exporter(page).getByText("20 of 40")).toBeVisible();
  await expect(exporter(page).getByText(message)).toHaveCount(0);
  await on.say("finished", finished(40));
  on.end();
  await expect(ready(page)).toBeVisible();
});

test("an export that waits for a person is kept, and goes on when they say so", async ({ page, stub, allowed }) => {
  allowed.push(/status of 409/);
  await connected(page);
  await exportList(page, "Blocked", LIST);
  const call = await stub.next();
  await call.say("progress", job({ done: 10 }));
  await call.say("problem", { status: 409, code: "needs_reauth", error: "The connection to Spotify has to be renewed.", remedy: "Connect again, then continue the export: what was done is kept.", exportId: job().exportId });
  call.end();
  await expect(exporter(page).getByText("The connection to Spotify has to be renewed.")).toBeVisible();
  await exporter(page).getByRole("button", { name: "Continue" }).click();
  await expect(page.locator("#export-progress")).toBeFocused();
  const on = await stub.next();
  expect([on.method, on.query.id]).toEqual(["POST", job().exportId]);
  on.json(200, finished(40));
  await expect(ready(page)).toBeVisible();
});

test("a refusal ends it and is told", async ({ page, stub, allowed }) => {
  allowed.push(/status of 422/);
  await connected(page);
  await exportList(page, "Refused", LIST);
  const call = await stub.next();
  await call.say("problem", { status: 422, code: "playlist_refused", error: "Spotify refuses this name.", remedy: "Start a new export with a plainer name." });
  call.end();
  await expect(exporter(page).getByRole("alert").getByText("Spotify refuses this name.")).toBeVisible();
  await expect(bar(page)).toBeHidden();
});

test("the service itself tells how far it is, and goes on while the page is reloaded", async ({ page }) => {
  await connected(page);
  // Nobody wrote these: three searches each, so that there is a middle to reload in.
  const list = Array.from({ length: 16 }, (_, number) => `Zzyzx Quorble ${number} - Flimwaddle of the Ninth Grommet ${number}`).join("\n");
  await exportList(page, "Streamed", list);
  await expect(exporter(page).getByText(/^Looking up the songs: [1-9]\d* of 16$/)).toBeVisible();
  await page.reload();
  await expect(exporter(page).getByText(/^Looking up the songs: \d+ of 16$/)).toBeVisible();
  await expect(page.getByRole("heading", { name: "No song could be added" })).toBeVisible({ timeout: 30_000 });
  await expect(exporter(page).getByText("Not found (16)")).toBeVisible();
});

test("an export can be cancelled while it runs and while it waits, and what is left is said", async ({ page, stub }) => {
  const cancel = exporter(page).getByRole("button", { name: "Cancel" });
  const over = page.getByRole("heading", { name: "The export is cancelled" });
  await connected(page);
  await exportList(page, "Cancelled", LIST);
  const call = await stub.next();
  await expect(cancel).toBeHidden();
  await call.say("progress", job({ stage: "fill", done: 10 }));
  await cancel.click();
  const first = await stub.next();
  expect([first.method, first.query.id]).toEqual(["DELETE", job().exportId]);
  first.json(200, { success: true, playlistUrl: "https://open.spotify.com/playlist/p", tracksAdded: 10 });
  await expect(over).toBeVisible();
  await expect(page.locator("#export-result")).toBeFocused();
  await expect(exporter(page).getByText("10 songs in it")).toBeVisible();
  await expect(bar(page)).toBeHidden();
  // What the old connection still says is nobody's business any more.
  await call.say("finished", finished(40));
  call.end();
  await arrived(page);
  await expect(ready(page)).toHaveCount(0);

  // The same list again is a new export.
  await exporter(page).getByRole("button", { name: "Export to Spotify" }).click();
  const again = await stub.next();
  expect(again.headers["idempotency-key"]).not.toBe(call.headers["idempotency-key"]);
  again.json(202, job({ code: "quota_exceeded", message: "The quota is used up.", resumeAt: Date.now() + HOUR_MS }));
  await cancel.click();
  (await stub.next()).json(200, { success: true, playlistUrl: null, tracksAdded: 0 });
  await expect(exporter(page).getByText("No playlist was made.")).toBeVisible();
});

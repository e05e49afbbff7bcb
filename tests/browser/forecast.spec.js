// What a long list will cost, told before it is sent.

import { expect } from "@playwright/test";

import { connected, exportList, exporter, signIn } from "./page.js";
import { arrived, finished, test } from "./stub.js";

const songs = (count) => Array.from({ length: count }, (_, number) => `Artist ${number} - Song ${number}`).join("\n");
const forecasts = (stub) => stub.asked.filter(({ query }) => "forecast" in query);

function forecast(fields) {
  const calls = { search: { least: 20, likely: 26, most: 60 }, playlist: { least: 2, likely: 2, most: 3 } };
  return { totalSongs: 20, remembered: 0, calls, takesMs: 7_000, mode: "standard", budget: {}, fits: "yes", sentence: "About 26 searches, 7 seconds; that fits.", ...fields };
}

test("twenty songs are foreseen, nineteen are not worth it", async ({ page, stub }) => {
  stub.always("forecast", forecast());
  await page.clock.install();
  await connected(page);
  await page.getByLabel("Songs").fill(songs(19));
  await expect(exporter(page).getByText("19 songs.")).toBeVisible();
  await page.clock.runFor(60_000);
  await arrived(page);
  expect(forecasts(stub)).toEqual([]);
  await page.getByLabel("Songs").fill(songs(20));
  await expect(exporter(page).getByText("About 26 searches, 7 seconds; that fits.")).toBeVisible();
  expect(forecasts(stub)).toHaveLength(1);
  expect(forecasts(stub)[0].body.songs).toHaveLength(20);
  // A list that is too short again takes the forecast with it.
  await page.getByLabel("Songs").fill(songs(3));
  await expect(exporter(page).getByText("About 26 searches")).toBeHidden();
});

test("what does not fit is said before it is begun, and can be begun all the same", async ({ page, stub }) => {
  stub.always("forecast", forecast({ fits: "no", sentence: "Spotify refuses this app for another 5 hours; the export would wait until then." }));
  await connected(page);
  await page.getByLabel("Songs").fill(songs(30));
  await expect(exporter(page).getByText("Expect a wait. Spotify refuses this app for another 5 hours")).toBeVisible();
  await exportList(page, "All the same", songs(30));
  (await stub.next()).json(200, finished(30));
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
});

test("a forecast that fails or is slow stands in nobody’s way", async ({ page, stub, allowed }) => {
  allowed.push(/status of 503/);
  let answer;
  const asked = new Promise((resolve) => stub.always("forecast", (call) => new Promise((done) => { answer = done; resolve(call); })));
  await connected(page);
  await page.getByLabel("Songs").fill(songs(30));
  await asked;
  await exportList(page, "Now", songs(30));
  const call = await stub.next();
  answer(forecast());
  call.json(200, finished(30));
  await expect(page.getByRole("heading", { name: "Your playlist is ready" })).toBeVisible();
  await expect(exporter(page).getByText("About 26 searches")).toBeHidden();
});

test("without a connection nothing is foreseen", async ({ page, stub }) => {
  stub.always("forecast", forecast());
  await page.clock.install();
  await signIn(page);
  await page.getByLabel("Songs").fill(songs(30));
  await expect(exporter(page).getByText("30 songs.")).toBeVisible();
  await expect(exporter(page).getByText("Connect Spotify above first.")).toBeVisible();
  await page.clock.runFor(60_000);
  await arrived(page);
  expect(forecasts(stub)).toEqual([]);
});

test("the service itself foresees, and begins nothing by it", async ({ page }) => {
  const sent = [];
  page.on("request", (request) => request.url().includes("/api/playlist/export") && sent.push(new URL(request.url()).search));
  await connected(page);
  await page.getByLabel("Songs").fill(songs(30));
  await expect(exporter(page).getByText(/About \d+ searches, \d+ seconds?\./)).toBeVisible();
  expect(sent).toEqual(["?forecast=true"]);
  await expect(exporter(page).getByRole("progressbar")).toBeHidden();
});

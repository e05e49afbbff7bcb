// A quest: how far the plays of some songs have come, and the evidence.

import { expect } from "@playwright/test";

import { arrived, card, look, quest, recent, refusal, target, test, verdict } from "./lastfm-stub.js";
import { PATCHBAY, signIn } from "./page.js";

const MINUTE_MS = 60_000;
const result = (page) => page.locator("#quest-result");
const bar = (page, name) => quest(page).getByRole("progressbar", { name });
const check = (page) => quest(page).getByRole("button", { name: "Check", exact: true });

async function linked(page, lastfm) {
  lastfm.linked("ana_listens");
  await signIn(page);
  await expect(quest(page).getByLabel("Song title")).toBeVisible();
}

/** Twenty times Teardrop, since Monday. */
async function begin(page) {
  await quest(page).getByLabel("Song title").fill("Teardrop");
  await quest(page).getByLabel("Artist").fill("Massive Attack");
  await quest(page).getByLabel("How many times").fill("20");
  await quest(page).getByLabel("Count plays since").selectOption({ label: "Monday this week" });
  await check(page).click();
}

test("a quest is counted, counted again every minute, and done when it is done", async ({ page, lastfm }) => {
  await page.clock.install();
  let played = 12;
  lastfm.answers["POST verify"] = () => verdict([target("Teardrop", "Massive Attack", 20, played)]);
  await linked(page, lastfm);
  await begin(page);
  await expect(result(page)).toBeFocused();
  await expect(quest(page).getByRole("heading", { name: "Not there yet" })).toBeVisible();
  await expect(quest(page).getByText("12 of 20")).toBeVisible();
  await expect(bar(page, "Massive Attack – Teardrop")).toHaveAttribute("value", "12");
  await expect(bar(page, "Massive Attack – Teardrop")).toHaveAttribute("max", "20");
  await expect(quest(page).getByText(/^Last played 3 minutes ago/)).toBeVisible();
  await expect(quest(page).getByText("Done", { exact: true })).toBeHidden();
  await expect(page.locator("#announcer")).toHaveText("Teardrop: 12 of 20.");
  const asked = lastfm.asked.find(({ kind }) => kind === "POST verify").body;
  expect(asked.targets).toEqual([{ title: "Teardrop", artist: "Massive Attack", count: 20 }]);
  const monday = await page.evaluate((since) => [new Date(since).getDay(), new Date(since).getHours(), new Date(since).getMinutes()], asked.since);
  expect(monday).toEqual([1, 0, 0]);

  // Nobody looks: nothing is asked.
  await look(page, false);
  await page.clock.runFor(10 * MINUTE_MS);
  await arrived(page);
  expect(lastfm.count("POST verify")).toBe(1);
  await look(page, true);
  await page.clock.runFor(100);
  await expect.poll(() => lastfm.count("POST verify")).toBe(2);

  played = 20;
  await page.clock.runFor(MINUTE_MS + 100);
  await expect(quest(page).getByRole("heading", { name: "Quest complete" })).toBeVisible();
  await expect(quest(page).getByText("20 of 20")).toBeVisible();
  await expect(quest(page).getByText("Done", { exact: true })).toBeVisible();
  await expect(page.locator("#announcer")).toHaveText("Quest complete. Teardrop: 20 of 20.");
  // The same quest all along, from the same instant; and what is done is not asked for again.
  expect(lastfm.asked.filter(({ kind }) => kind === "POST verify").map(({ body }) => body)).toEqual([asked, asked, asked]);
  await page.clock.runFor(10 * MINUTE_MS);
  await arrived(page);
  expect(lastfm.count("POST verify")).toBe(3);
});

test("the evidence names what counted and what nearly did, and stays open", async ({ page, lastfm }) => {
  await page.clock.install();
  const at = Date.now();
  const counted = [
    { title: "Teardrop", artist: "Massive Attack", album: "Mezzanine", url: "https://www.last.fm/music/Massive+Attack/_/Teardrop", plays: 2, firstPlayedAt: at - 90 * MINUTE_MS, lastPlayedAt: at },
    { title: "Teardrop - Remastered 2019", artist: "Massive Attack", plays: 1, firstPlayedAt: at, lastPlayedAt: at },
  ];
  const nearMisses = [{ title: "Teardrop (Live)", artist: "Massive Attack", plays: 4, score: 0.71, reason: "a live version" }];
  lastfm.answers["POST verify"] = () => verdict([target("Teardrop", "Massive Attack", 20, 3, { counted, nearMisses })]);
  await linked(page, lastfm);
  await begin(page);
  await quest(page).getByText("What counts: 2 spellings, 1 near miss").click();
  await expect(quest(page).getByText("Teardrop - Remastered 2019")).toBeVisible();
  await expect(quest(page).getByRole("link", { name: "Massive Attack" })).toHaveAttribute("href", "https://www.last.fm/music/Massive+Attack");
  await expect(quest(page).getByText("4 plays · 71 % alike · a live version")).toBeVisible();
  // Counted again with the same outcome, nothing moves under whoever reads it.
  await quest(page).getByRole("link", { name: "Massive Attack" }).focus();
  await page.clock.runFor(MINUTE_MS + 100);
  await arrived(page);
  expect(lastfm.count("POST verify")).toBe(2);
  await expect(quest(page).getByRole("link", { name: "Massive Attack" })).toBeFocused();
  counted[0].plays += 1;
  await quest(page).getByRole("button", { name: "Check again" }).click();
  await expect(quest(page).getByText(/^3 plays · first .* · last /)).toBeVisible();
  await expect(quest(page).getByRole("button", { name: "Check again" })).toBeFocused();
});

test("up to five songs, each with its own number", async ({ page, lastfm }) => {
  lastfm.answers["POST verify"] = ({ body }) => verdict(body.targets.map(({ title, artist, count }) => target(title, artist, count, 1)));
  await linked(page, lastfm);
  const add = quest(page).getByRole("button", { name: "Add a song" });
  for (let songs = 1; songs < 5; songs += 1) await add.click();
  await expect(add).toBeHidden();
  await expect(quest(page).getByRole("group", { name: "Song 5" }).getByLabel("Song title")).toBeFocused();
  for (let song = 1; song <= 5; song += 1) {
    const row = quest(page).getByRole("group", { name: `Song ${song}` });
    await row.getByLabel("Song title").fill(`Song number ${song}`);
    await row.getByLabel("Artist").fill("Somebody");
    await row.getByLabel("How many times").fill(String(song));
  }
  await quest(page).getByRole("button", { name: "Remove song 2" }).click();
  await expect(quest(page).getByRole("group", { name: "Song 2" }).getByLabel("Song title")).toBeFocused();
  await check(page).click();
  await expect(quest(page).getByRole("progressbar")).toHaveCount(4);
  expect(lastfm.asked.find(({ kind }) => kind === "POST verify").body.targets).toEqual([1, 3, 4, 5].map((song) => ({ title: `Song number ${song}`, artist: "Somebody", count: song })));
});

test("what is missing is said at its field, and nothing is asked", async ({ page, lastfm }) => {
  await linked(page, lastfm);
  const title = quest(page).getByLabel("Song title");
  const count = quest(page).getByLabel("How many times");
  await check(page).click();
  await expect(title).toBeFocused();
  await expect(title).toHaveAccessibleDescription("Name the song.");
  await title.fill("Teardrop");
  await check(page).click();
  await expect(quest(page).getByLabel("Artist")).toBeFocused();
  await expect(quest(page).getByLabel("Artist")).toHaveAccessibleDescription("Say whose song it is.");
  await quest(page).getByLabel("Artist").fill("Massive Attack");
  for (const wrong of ["", "0", "1001", "many", "1.5", "-1"]) {
    await count.fill(wrong);
    await check(page).click();
    await expect(count).toBeFocused();
    await expect(count).toHaveAccessibleDescription("A whole number from 1 to 1,000.");
  }
  expect(lastfm.count("POST verify")).toBe(0);
});

test("plays that are still being read are said to be, and asked for again", async ({ page, lastfm }) => {
  await page.clock.install();
  const answers = [
    verdict([target("Teardrop", "Massive Attack", 20, 4)], { partial: true, retryAfterMs: 3_000, covered: { since: Date.now() - 60 * MINUTE_MS, until: Date.now() } }),
    verdict([target("Teardrop", "Massive Attack", 20, 9)]),
  ];
  lastfm.answers["POST verify"] = () => (answers.length > 1 ? answers.shift() : answers[0]);
  await linked(page, lastfm);
  await begin(page);
  await expect(quest(page).getByText("Not all plays are read yet, so the numbers can still grow.")).toBeVisible();
  await expect(quest(page).getByText(/^Read back to today|^Read back to \w{3} \d/)).toBeVisible();
  await expect(page.locator("#announcer")).toHaveText("Teardrop: 4 of 20. Still counting.");
  await page.clock.runFor(3_100);
  await expect(quest(page).getByText("9 of 20")).toBeVisible();
  await expect(quest(page).getByText("Not all plays are read yet")).toHaveCount(0);
});

test("a count that is not of now says so", async ({ page, lastfm }) => {
  const problem = { error: "Last.fm asked to slow down.", code: "rate_limited", retryAfterMs: 60_000 };
  lastfm.answers["POST verify"] = () => verdict([target("Teardrop", "Massive Attack", 20, 4)], { stale: true, asOf: Date.now() - 5 * MINUTE_MS, problem });
  await linked(page, lastfm);
  await begin(page);
  await expect(quest(page).getByText("This is what it said 5 minutes ago.")).toBeVisible();
  await expect(quest(page).getByText("Last.fm asked to slow down.")).toBeVisible();
  await expect(quest(page).getByText("4 of 20")).toBeVisible();
});

test("a quest survives a reload, and goes with the session", async ({ page, lastfm }) => {
  lastfm.answers["POST verify"] = () => verdict([target("Teardrop", "Massive Attack", 20, 12)]);
  await linked(page, lastfm);
  await begin(page);
  await expect(quest(page).getByText("12 of 20")).toBeVisible();
  await page.reload();
  await expect(quest(page).getByText("12 of 20")).toBeVisible();
  await expect(quest(page).getByLabel("Song title")).toHaveValue("Teardrop");
  await expect(quest(page).getByLabel("Count plays since")).toHaveValue("week");
  await expect(result(page)).not.toBeFocused();
  const [first, second] = lastfm.asked.filter(({ kind }) => kind === "POST verify");
  expect(second.body).toEqual(first.body);

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Your name")).toBeFocused();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(quest(page).getByLabel("Song title")).toHaveValue("");
  await expect(result(page)).toBeHidden();
});

test("a quest can be dropped, and ends with the link", async ({ page, lastfm }) => {
  lastfm.answers["POST verify"] = () => verdict([target("Teardrop", "Massive Attack", 20, 12)]);
  await linked(page, lastfm);
  await begin(page);
  await quest(page).getByRole("button", { name: "Drop this quest" }).click();
  await expect(quest(page).getByRole("heading", { name: "Quest", exact: true })).toBeFocused();
  await expect(result(page)).toBeHidden();
  await page.reload();
  await expect(quest(page).getByLabel("Song title")).toHaveValue("Teardrop");
  await expect(result(page)).toBeHidden();

  await check(page).click();
  await expect(quest(page).getByText("12 of 20")).toBeVisible();
  await card(page).getByRole("button", { name: "Unlink" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(quest(page).getByText("Link your Last.fm account above first.")).toBeVisible();
  await expect(page.getByText("12 of 20")).toHaveCount(0);
});

test.describe("refusals", () => {
  test.use({ allowed: [/status of (4|5)\d\d/] });

  test("a quest that the service refuses is told at the form and not kept", async ({ page, lastfm }) => {
    lastfm.answers["POST verify"] = refusal(400, "window_too_long", "Plays are counted over at most 31 days.");
    await linked(page, lastfm);
    await begin(page);
    await expect(quest(page).getByRole("alert").getByText("Plays are counted over at most 31 days.")).toBeVisible();
    await expect(result(page)).toBeHidden();
    await page.reload();
    await expect(quest(page).getByLabel("Song title")).toHaveValue("Teardrop");
    expect(lastfm.count("POST verify")).toBe(1);
  });

  test("hidden listening is explained here too", async ({ page, lastfm }) => {
    const hidden = refusal(409, "listening_hidden", "This account hides what it plays.", { remedy: "Switch that off on Last.fm, under Settings → Privacy." });
    Object.assign(lastfm.answers, { "POST verify": hidden, "GET recent": hidden });
    await linked(page, lastfm);
    await begin(page);
    await expect(result(page)).toBeFocused();
    await expect(quest(page).getByRole("heading", { name: "Not counted yet" })).toBeVisible();
    await expect(quest(page).getByText("Switch that off on Last.fm, under Settings → Privacy.")).toBeVisible();
  });

  test("a throttled quest is asked again when its time comes, and keeps what it knows", async ({ page, lastfm }) => {
    await page.clock.install();
    const known = verdict([target("Teardrop", "Massive Attack", 20, 12)]);
    const busy = refusal(503, "throttled_here", "Too many are asking.", { retryAfterMs: 40_000 });
    const answers = [busy, known, busy, known];
    lastfm.answers["POST verify"] = () => answers.shift();
    await linked(page, lastfm);
    await begin(page);
    await expect(quest(page).getByText("Too many are asking.")).toBeVisible();
    await page.clock.runFor(39_000);
    await arrived(page);
    expect(lastfm.count("POST verify")).toBe(1);
    await page.clock.runFor(1_500);
    await expect(quest(page).getByText("12 of 20")).toBeVisible();
    await expect(quest(page).getByText("Too many are asking.")).toHaveCount(0);
    await page.clock.runFor(MINUTE_MS + 100);
    await expect(quest(page).getByText("Too many are asking.")).toBeVisible();
    await expect(quest(page).getByText("12 of 20")).toBeVisible();
  });
});

test("in demo mode there is a song to try it with: the one played last", async ({ page, lastfm }) => {
  lastfm.answers["POST verify"] = ({ body }) => verdict(body.targets.map(({ title, artist, count }) => target(title, artist, count, 1)));
  await linked(page, lastfm);
  await expect(card(page).getByText("Jóga")).toBeVisible();
  await quest(page).getByRole("button", { name: "Try it" }).click();
  await expect(check(page)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(quest(page).getByText("1 of 3")).toBeVisible();
  expect(lastfm.asked.find(({ kind }) => kind === "POST verify").body.targets).toEqual([{ title: "Teardrop", artist: "Massive Attack", count: 3 }]);
});

test("the keyboard alone is enough", async ({ page, lastfm }) => {
  /** Tabs until `locator` has the focus; fails when it cannot be reached. */
  async function tabTo(locator) {
    for (let presses = 0; presses < 40; presses += 1) {
      if (await locator.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard cannot reach ${locator}`);
  }

  lastfm.answers["POST verify"] = ({ body }) => verdict(body.targets.map(({ title, artist, count }) => target(title, artist, count, 1)));
  await signIn(page);
  await tabTo(card(page).getByLabel("Last.fm user name"));
  await page.keyboard.type("ana_listens");
  await page.keyboard.press("Enter");
  await expect(card(page).getByRole("heading", { name: "Last.fm" })).toBeFocused();
  await tabTo(card(page).getByRole("button", { name: "Refresh" }));
  await page.keyboard.press("Space");
  await expect.poll(() => lastfm.count("GET recent")).toBeGreaterThan(1);
  await tabTo(quest(page).getByLabel("Song title"));
  await page.keyboard.type("Teardrop");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Massive Attack");
  await page.keyboard.press("Tab");
  await page.keyboard.type("20");
  await page.keyboard.press("Enter");
  await expect(result(page)).toBeFocused();
  await tabTo(quest(page).locator("summary"));
  await page.keyboard.press("Enter");
  await expect(quest(page).getByRole("heading", { name: "Counted" })).toBeVisible();
  await tabTo(quest(page).getByRole("button", { name: "Check again" }));
  await page.keyboard.press("Enter");
  await expect.poll(() => lastfm.count("POST verify")).toBe(2);
  await tabTo(quest(page).getByRole("button", { name: "Drop this quest" }));
  await page.keyboard.press("Enter");
  await expect(result(page)).toBeHidden();
});

test.describe("on a small phone", () => {
  test.use({ viewport: { width: 320, height: 640 } });

  test("nothing scrolls sideways, however long the names are", async ({ page, lastfm }) => {
    const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    const long = "x".repeat(200);
    const at = Date.now();
    lastfm.linked("a".repeat(64));
    const played = { title: long, artist: long, album: long, url: `https://www.last.fm/music/${long}/_/${long}`, playedAt: at };
    lastfm.answers["GET recent"] = () => recent({ plays: [played], nowPlaying: played });
    const counted = [{ title: long, artist: long, album: long, plays: 1, firstPlayedAt: at, lastPlayedAt: at }];
    const nearMisses = [{ title: long, artist: long, album: long, plays: 1, score: 0.5, reason: long }];
    lastfm.answers["POST verify"] = () => verdict([target(long, long, 1_000, 999, { counted, nearMisses })], { partial: true, stale: true });
    await signIn(page);
    await quest(page).getByRole("button", { name: "Add a song" }).click();
    await quest(page).getByRole("button", { name: "Remove song 2" }).click();
    await begin(page);
    await quest(page).locator("summary").click();
    await expect(quest(page).getByText("Near misses, not counted")).toBeVisible();
    expect(await sideways()).toBeLessThanOrEqual(0);
    await page.goto(PATCHBAY);
    lastfm.link = { available: true, canVerify: true, linked: false };
    await page.reload();
    await card(page).getByLabel("Last.fm user name").fill(long.replace("x", " "));
    await card(page).getByRole("button", { name: "Link", exact: true }).click();
    expect(await sideways()).toBeLessThanOrEqual(0);
  });
});

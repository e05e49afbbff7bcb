// The card of Last.fm: linking an account, and what it plays.

import { expect } from "@playwright/test";

import { arrived, card, inDemo, look, play, quest, recent, refusal, test } from "./lastfm-stub.js";
import { PATCHBAY, signIn } from "./page.js";

const HIDDEN = refusal(409, "listening_hidden", "This account hides what it plays.", { remedy: "Switch that off on Last.fm, under Settings → Privacy." });
const rows = (page) => card(page).getByRole("listitem");

async function linked(page, lastfm, fields) {
  lastfm.linked("ana_listens", fields);
  await signIn(page);
  await expect(card(page).getByRole("link", { name: "ana_listens" })).toBeVisible();
}

test("an account is linked by its name, and its last plays are shown", async ({ page, lastfm }) => {
  await signIn(page);
  await expect(card(page).getByText("Not linked")).toBeVisible();
  await expect(quest(page).getByText("Link your Last.fm account above first.")).toBeVisible();
  await card(page).getByLabel("Last.fm user name").fill(" ana_listens ");
  await card(page).getByRole("button", { name: "Link", exact: true }).click();
  await expect(card(page).getByRole("heading", { name: "Last.fm" })).toBeFocused();
  await expect(page.locator("#announcer")).toHaveText("Last.fm: Linked, not verified.");
  await expect(card(page).getByRole("link", { name: "ana_listens" })).toHaveAttribute("href", "https://www.last.fm/user/ana_listens");
  await expect(card(page).getByText("a name says nothing about whose account it is")).toBeVisible();
  expect(lastfm.asked.find(({ kind }) => kind === "POST lastfm").body).toEqual({ username: "ana_listens" });

  // As Last.fm's terms ask: names lead to its pages, and the credit is there.
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).first().getByRole("link", { name: "Teardrop" })).toHaveAttribute("href", "https://www.last.fm/music/Massive%20Attack/_/Teardrop");
  await expect(rows(page).first().getByRole("link", { name: "Massive Attack" })).toHaveAttribute("href", "https://www.last.fm/music/Massive%20Attack");
  await expect(rows(page).first().getByText("3 minutes ago")).toBeVisible();
  await expect(card(page).getByRole("link", { name: "AudioScrobbler" })).toHaveAttribute("href", "https://www.last.fm/");
  await expect(quest(page).getByText("Link your Last.fm account above first.")).toBeHidden();
  // Nothing of it is in the way of Spotify, nor needs it.
  await expect(page.getByRole("button", { name: "Connect Spotify" })).toBeVisible();
});

test("a pasted profile is the service's to read", async ({ page, lastfm }) => {
  await signIn(page);
  await card(page).getByLabel("Last.fm user name").fill(" https://www.last.fm/de/user/ana_listens ");
  await page.keyboard.press("Enter");
  await expect(card(page).getByText("Linked, not verified")).toBeVisible();
  expect(lastfm.asked.find(({ kind }) => kind === "POST lastfm").body).toEqual({ username: "https://www.last.fm/de/user/ana_listens" });
});

test.describe("refusals", () => {
  test.use({ allowed: [/status of (4|5)\d\d/] });

  test("a name that nobody has is told at its field", async ({ page, lastfm }) => {
    lastfm.answers["POST lastfm"] = refusal(404, "lastfm_user_not_found", "Last.fm knows nobody of this name.", { remedy: "Check the spelling." });
    await signIn(page);
    const name = card(page).getByLabel("Last.fm user name");
    await name.fill("nobody_at_all");
    await name.press("Enter");
    await expect(name).toBeFocused();
    await expect(name).toHaveAttribute("aria-invalid", "true");
    await expect(name).toHaveAccessibleDescription(/Last.fm knows nobody of this name. Check the spelling.$/);
    await name.fill("nobody");
    await expect(name).toHaveAttribute("aria-invalid", "false");
    await expect(card(page).getByText("Not linked")).toBeVisible();
  });

  test("what cannot be a name is told there too, and an empty field is not sent", async ({ page, lastfm }) => {
    lastfm.answers["POST lastfm"] = refusal(400, "invalid_username", "This cannot be the name of a Last.fm account.");
    await signIn(page);
    const name = card(page).getByLabel("Last.fm user name");
    await name.press("Enter");
    await expect(name).toHaveAccessibleDescription(/Type your Last.fm user name.$/);
    expect(lastfm.count("POST lastfm")).toBe(0);
    await name.fill("two words");
    await name.press("Enter");
    await expect(name).toHaveAccessibleDescription(/This cannot be the name of a Last.fm account.$/);
    await expect(name).toBeFocused();
  });

  test("a service that is busy says so and when to try again", async ({ page, lastfm }) => {
    lastfm.answers["POST lastfm"] = refusal(503, "throttled_here", "Too many are asking Last.fm through this site.", { retryAfterMs: 12_000 });
    await signIn(page);
    await card(page).getByLabel("Last.fm user name").fill("ana_listens");
    await card(page).getByRole("button", { name: "Link", exact: true }).click();
    const alert = card(page).getByRole("alert").filter({ hasText: "Too many are asking" });
    await expect(alert).toContainText("Try again in 12 seconds.");
    await expect(alert).toContainText("throttled_here");
    await expect(card(page).getByLabel("Last.fm user name")).toHaveValue("ana_listens");
  });

  test("a link that cannot be looked up can be asked for again", async ({ page, lastfm }) => {
    const look = lastfm.answers["GET lastfm"];
    lastfm.answers["GET lastfm"] = refusal(503, "store_unavailable", "The database does not answer.");
    await signIn(page);
    await expect(card(page).getByRole("alert").getByText("The database does not answer.")).toBeVisible();
    lastfm.answers["GET lastfm"] = look;
    await card(page).getByRole("button", { name: "Try again" }).click();
    await expect(card(page).getByText("Not linked")).toBeVisible();
    await expect(card(page).getByText("The database does not answer.")).toHaveCount(0);
  });

  test("hidden listening is explained, and not asked for again and again", async ({ page, lastfm }) => {
    await page.clock.install();
    lastfm.answers["GET recent"] = HIDDEN;
    await linked(page, lastfm);
    await expect(card(page).getByText("This account hides what it plays.")).toBeVisible();
    await expect(card(page).getByText("Switch that off on Last.fm, under Settings → Privacy.")).toBeVisible();
    await expect(page.locator("#announcer")).toHaveText(/hides what it plays/);
    await page.clock.runFor(240_000);
    await arrived(page);
    expect(lastfm.count("GET recent")).toBe(1);
    // Who has switched it presses the button; the service remembers for a day, and asks at once when the account is linked again.
    await expect(card(page).getByText("Press Refresh when that has changed")).toBeVisible();
    lastfm.answers["GET recent"] = () => (lastfm.count("POST lastfm") ? recent() : HIDDEN);
    await card(page).getByRole("button", { name: "Refresh" }).click();
    await expect(rows(page)).toHaveCount(2);
    await expect(card(page).getByText("This account hides what it plays.")).toHaveCount(0);
    await expect(page.locator("#announcer")).toHaveText("Asked Last.fm just now: 2 plays shown.");
    expect(lastfm.asked.find(({ kind }) => kind === "POST lastfm").body).toEqual({ username: "ana_listens" });
  });

  test("a pause that the service asks for is kept, whoever comes and goes", async ({ page, lastfm }) => {
    await page.clock.install();
    lastfm.answers["GET recent"] = refusal(503, "throttled_here", "Too many are asking.", { retryAfterMs: 90_000 });
    await linked(page, lastfm);
    await expect(card(page).getByText("Too many are asking.")).toBeVisible();
    await page.clock.runFor(80_000);
    await look(page, false);
    await look(page, true);
    await page.clock.runFor(5_000);
    await arrived(page);
    expect(lastfm.count("GET recent")).toBe(1);
    lastfm.answers["GET recent"] = recent();
    await page.clock.runFor(6_000);
    await expect(rows(page)).toHaveCount(2);
  });

  test("a sign-in that was taken back is said, and can be renewed", async ({ page, lastfm }) => {
    await page.clock.install();
    lastfm.link.canVerify = true;
    await linked(page, lastfm, { verified: true, sessionKept: true });
    await expect(rows(page)).toHaveCount(2);
    await expect(card(page).getByRole("button", { name: "Sign in at Last.fm" })).toBeHidden();
    lastfm.link.sessionKept = false;
    lastfm.answers["GET recent"] = refusal(409, "lastfm_session_revoked", "Access was taken back.");
    await page.clock.runFor(31_000);
    await expect(card(page).getByText("Access was taken back.")).toBeVisible();
    await expect(card(page).getByText("no longer accepts what your sign-in allowed")).toBeVisible();
    await expect(card(page).getByRole("button", { name: "Sign in at Last.fm" })).toBeVisible();
  });

  test("a link that is gone shows as none", async ({ page, lastfm }) => {
    await page.clock.install();
    await linked(page, lastfm);
    await expect(rows(page)).toHaveCount(2);
    // Unlinked in another tab.
    lastfm.link = { available: true, canVerify: false, linked: false };
    lastfm.answers["GET recent"] = refusal(409, "lastfm_not_linked", "No Last.fm account is linked.");
    await page.clock.runFor(31_000);
    await expect(card(page).getByText("Not linked")).toBeVisible();
    await expect(rows(page).filter({ hasText: "Teardrop" })).toHaveCount(0);
  });
});

test("unlinking asks first, and takes away what was read", async ({ page, lastfm }) => {
  await linked(page, lastfm);
  await expect(rows(page)).toHaveCount(2);
  const button = card(page).getByRole("button", { name: "Unlink" });
  await button.click();
  await expect(page.getByRole("dialog").getByText("forgets the link and all it has read")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(button).toBeFocused();
  expect(lastfm.count("DELETE lastfm")).toBe(0);

  await button.click();
  await page.getByRole("dialog").getByRole("button", { name: "Unlink" }).click();
  await expect(card(page).getByText("Not linked")).toBeVisible();
  await expect(card(page).getByLabel("Last.fm user name")).toBeFocused();
  await expect(page.getByText("Teardrop")).toHaveCount(0);
  expect(lastfm.count("DELETE lastfm")).toBe(1);
});

test("signing in at Last.fm proves whose account it is", async ({ page, lastfm }) => {
  lastfm.link.canVerify = true;
  await linked(page, lastfm);
  await expect(card(page).getByText("lets your plays be read even where you hide them")).toBeVisible();
  lastfm.answers["GET auth-url"] = ({ query }) => {
    expect(query).toEqual({ returnTo: "/" });
    lastfm.linked("ana_listens", { verified: true, sessionKept: true });
    return { url: `${PATCHBAY}/?auth=success&service=lastfm` };
  };
  await card(page).getByRole("button", { name: "Sign in at Last.fm" }).click();
  await expect(page.getByRole("status").getByText("Last.fm is linked.")).toBeVisible();
  expect(new URL(page.url()).search).toBe("");
  await expect(card(page).getByText("Verified", { exact: true })).toBeVisible();
  await expect(card(page).getByText("Last.fm has confirmed that this account is yours.")).toBeVisible();
  await expect(card(page).getByRole("button", { name: "Sign in at Last.fm" })).toBeHidden();
});

test("the way back says whose page was left, and never blames the other", async ({ page }) => {
  for (const [query, sentence] of [
    ["error=access_denied&service=lastfm", "You came back from Last.fm’s page without having allowed it."],
    ["error=token_refused&service=lastfm", "Last.fm did not accept its own token any more"],
    ["error=something_new&service=lastfm", "The connection could not be finished."],
    ["error=access_denied", "You pressed Cancel on Spotify’s page."],
  ]) {
    await page.goto(`${PATCHBAY}/?${query}`);
    await expect(page.getByRole("alert").filter({ hasText: sentence })).toContainText(`Code ${/error=(\w+)/.exec(query)[1]}`);
    expect(new URL(page.url()).search).toBe("");
  }
});

test("a site without a key says so, and offers nothing", async ({ page, lastfm }) => {
  lastfm.link = { available: false, canVerify: false, linked: false };
  await signIn(page);
  await expect(card(page).getByText("This site has no Last.fm key set up")).toBeVisible();
  await expect(card(page).getByRole("button")).toHaveCount(0);
  await expect(card(page).getByRole("textbox")).toHaveCount(0);
  await expect(quest(page)).toBeHidden();
  expect(lastfm.count("GET recent")).toBe(0);
});

test("what is playing now is marked, without motion where none is wanted", async ({ page, lastfm }) => {
  lastfm.answers["GET recent"] = () => recent({ nowPlaying: play("Angel", "Massive Attack", 0) });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await linked(page, lastfm);
  const now = card(page).locator("#listening-now");
  await expect(now).toContainText("Playing now");
  await expect(now.getByRole("link", { name: "Angel" })).toBeVisible();
  const motion = () => now.locator(".equaliser i").first().evaluate((bar) => getComputedStyle(bar).animationName);
  expect(await motion()).toBe("none");
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await motion()).toBe("equaliser");
});

test("covers are loaded when they come into view, and a missing one leaves a note", async ({ page, lastfm, allowed }) => {
  allowed.push(/ERR_FAILED/);
  await inDemo(page, null);
  const picture = "https://lastfm.example/cover.png";
  await page.route("https://lastfm.example/**", (route) => (route.request().url() === picture
    ? route.fulfill({ contentType: "image/svg+xml", body: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>' })
    : route.abort()));
  lastfm.answers["GET recent"] = () => recent({ plays: [
    play("Teardrop", "Massive Attack", 1, { album: "Mezzanine", imageUrl: picture }),
    play("Broken", "Nobody", 2, { album: "Lost", imageUrl: "https://lastfm.example/broken.png" }),
    play("Unsafe", "Nobody", 3, { album: "Plain", imageUrl: "http://lastfm.example/cover.png" }),
  ] });
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await linked(page, lastfm);
  const cover = card(page).getByRole("img", { name: "Cover of Mezzanine" });
  await expect(cover).toHaveAttribute("loading", "lazy");
  await cover.scrollIntoViewIfNeeded();
  await expect(rows(page).locator("span.cover")).toHaveCount(2);
  expect(asked.filter((url) => url.startsWith("http://lastfm.example"))).toEqual([]);
});

test("an answer that is not of now says how old it is and why", async ({ page, lastfm }) => {
  lastfm.answers["GET recent"] = () => recent({
    nowPlaying: play("Angel", "Massive Attack", 0), stale: true, asOf: Date.now() - 240_000, ageMs: 240_000,
    problem: { error: "Last.fm does not answer.", code: "provider_unavailable", remedy: "Nothing to do here." },
  });
  await linked(page, lastfm);
  await expect(card(page).getByText("This is what it said 4 minutes ago.")).toBeVisible();
  await expect(card(page).getByText("Last.fm does not answer. Nothing to do here.")).toBeVisible();
  await expect(card(page).getByText("provider_unavailable")).toBeVisible();
  await expect(card(page).getByText("Playing when last asked")).toBeVisible();
  await expect(rows(page)).toHaveCount(2);
  await expect(page.locator("#announcer")).toHaveText(/Last.fm does not answer/);
});

test("it is asked twice a minute while somebody looks, and not while nobody does", async ({ page, lastfm }) => {
  await page.clock.install();
  await linked(page, lastfm);
  await expect(rows(page)).toHaveCount(2);
  expect(lastfm.count("GET recent")).toBe(1);
  await page.clock.runFor(29_000);
  await arrived(page);
  expect(lastfm.count("GET recent")).toBe(1);
  await page.clock.runFor(2_000);
  await expect.poll(() => lastfm.count("GET recent")).toBe(2);

  // Whoever comes back sees what happened meanwhile, but not for every glance.
  const glance = async () => {
    await look(page, false);
    await look(page, true);
    await page.clock.runFor(100);
    await arrived(page);
  };
  await glance();
  expect(lastfm.count("GET recent")).toBe(2);
  await page.clock.runFor(6_000);
  await glance();
  expect(lastfm.count("GET recent")).toBe(3);

  await look(page, false);
  await page.clock.runFor(600_000);
  await arrived(page);
  expect(lastfm.count("GET recent")).toBe(3);
  await look(page, true);
  await page.clock.runFor(100);
  await expect.poll(() => lastfm.count("GET recent")).toBe(4);
});

test("new plays come on top, and the focus stays where it is", async ({ page, lastfm }) => {
  await page.clock.install();
  const plays = [play("Teardrop", "Massive Attack", 3), play("Jóga", "Björk", 8)];
  lastfm.answers["GET recent"] = () => recent({ plays: [...plays] });
  await linked(page, lastfm);
  const link = rows(page).getByRole("link", { name: "Jóga" });
  await link.focus();
  plays.unshift(play("Angel", "Massive Attack", 0));
  await page.clock.runFor(31_000);
  await expect(rows(page)).toHaveCount(3);
  await expect(rows(page).first()).toContainText("Angel");
  await expect(link).toBeFocused();
  // An hour later the same rows say so.
  await page.clock.runFor(3_600_000);
  await expect(rows(page).first()).toContainText("1 hour ago");
});

test("what comes from Last.fm is text, whatever it looks like", async ({ page, lastfm }) => {
  lastfm.answers["GET recent"] = () => recent({ plays: [play("<img src=x onerror=alert(1)>", "<b>Nobody</b>", 1, { url: "javascript:alert(1)" })] });
  await linked(page, lastfm);
  await expect(rows(page).getByText("<img src=x onerror=alert(1)>")).toBeVisible();
  await expect(rows(page).getByRole("link")).toHaveCount(0);
});

test("in demo mode the sandbox's account is at hand", async ({ page, lastfm }) => {
  await inDemo(page, { sandboxUrl: "http://127.0.0.1:9", lastfm: { username: "ana_listens" } });
  lastfm.answers["GET recent"] = () => recent({ plays: [play("Teardrop", "Massive Attack", 1)] });
  await signIn(page);
  await expect(card(page).getByRole("link", { name: "Play songs in the sandbox" })).toHaveAttribute("href", "http://127.0.0.1:9/user/ana_listens");
  await card(page).getByRole("button", { name: "Fill in the sandbox’s demo account" }).click();
  await expect(card(page).getByRole("button", { name: "Link", exact: true })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(card(page).getByText("Linked, not verified")).toBeVisible();
  expect(lastfm.link.username).toBe("ana_listens");
  await expect(rows(page)).toHaveCount(1);
  await expect(card(page).getByRole("img")).toHaveCount(0);
});

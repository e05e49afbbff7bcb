// What `vercel build` puts out is what gets deployed: the functions, their limits, the routes, and no sources.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** Every function with its time limit in seconds. Six of them: the free plan allows twelve. */
const MAX_DURATION_S = {
  "api/app": 30,
  "api/cron/refresh": 300,
  "api/playlist/export": 300,
  "api/spotify/callback": 30,
  "api/spotify/client-credentials": 30,
  "api/spotify/status": 30,
};
const BUILD_TIMEOUT_MS = 30 * 60_000;

export async function build(tree, check) {
  await mkdir(path.join(tree, ".vercel"), { recursive: true });
  await writeFile(path.join(tree, ".vercel/project.json"), '{"settings":{}}');
  const built = spawnSync(process.env.VERCEL, ["build", "--yes", "--standalone"], {
    cwd: tree,
    // Build here and for this machine, as the platform's own build image does: no cross compiler asked for.
    env: { ...process.env, VERCEL_BUILD_IMAGE: "1" },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: BUILD_TIMEOUT_MS,
  });
  assert.equal(built.status, 0, `vercel build: ${built.error ?? `exit code ${built.status}`}`);

  const output = path.join(tree, ".vercel/output");
  const config = JSON.parse(await readFile(path.join(output, "config.json"), "utf8"));
  const route = (source) => config.routes.find(({ src }) => src && new RegExp(src).test(source) && !src.includes("?!"));

  await check("the functions are these six, with their time limits", async () => {
    const functions = path.join(output, "functions");
    const found = {};
    for (const name of await readdir(functions, { recursive: true })) {
      if (!name.endsWith(".func")) continue;
      const settings = JSON.parse(await readFile(path.join(functions, name, ".vc-config.json"), "utf8"));
      assert.equal(settings.supportsResponseStreaming, true, name);
      found[name.slice(0, -".func".length)] = settings.maxDuration;
    }
    assert.deepEqual(sorted(found), MAX_DURATION_S);
  });

  await check("files come first, then everything under /api and /health goes to the shared function", () => {
    const files = config.routes.findIndex(({ handle }) => handle === "filesystem");
    for (const source of ["/api/spotify/auth-url", "/api/connections/discord/callback", "/health", "/health/live"]) {
      assert.equal(route(source)?.dest, "/api/app", source);
      assert.ok(config.routes.indexOf(route(source)) > files, `${source} is taken before the files are looked at`);
    }
  });

  await check("the sweep runs daily", () => {
    assert.deepEqual(config.crons, [{ path: "/api/cron/refresh", schedule: "0 5 * * *" }]);
  });

  await check("pages carry the security headers, answers of functions keep their own", () => {
    const [{ src, headers }] = config.routes;
    const pages = new RegExp(src);
    for (const page of ["/", "/index.html", "/app.js", "/healthy.html"]) assert.match(page, pages);
    for (const answer of ["/api/spotify/status", "/health", "/health/live"]) assert.doesNotMatch(answer, pages);
    const policy = headers["Content-Security-Policy"];
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
      assert.ok(policy.split("; ").includes(rule), `${rule} is missing in ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe-|\*/);
    assert.equal(headers["X-Content-Type-Options"], "nosniff");
    assert.equal(headers["Referrer-Policy"], "no-referrer");
    assert.match(headers["Strict-Transport-Security"], /^max-age=\d{8,}/);
  });

  await check("the public files are published, and nothing else", async () => {
    const published = await readdir(path.join(output, "static"), { recursive: true });
    const meant = await readdir(path.join(tree, "public"), { recursive: true });
    assert.deepEqual(published.sort(), meant.sort());
    assert.ok(published.includes("index.html"));
    const sources = published.filter((name) => /\.rs$|(^|\/)(Cargo\.|\.env|\.git)/.test(name));
    assert.deepEqual(sources, []);
  });
}

function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => a.localeCompare(b)));
}

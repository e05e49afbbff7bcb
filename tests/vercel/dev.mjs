// A short walk through `vercel dev --local`: the page, a function of its own, one behind the rewrite. The CLI starts the
// function's process anew for every request (0.3 to 0.7 s), so this is a smoke test; the routes are tested elsewhere.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

const READY_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 10_000;

export async function dev(tree, check) {
  // Else the first request waits for the whole build.
  const built = spawnSync("cargo", ["build", "--locked", "--quiet", "--bins"], { cwd: tree, stdio: "inherit" });
  assert.equal(built.status, 0, "cargo build --bins");

  const port = await freePort();
  const data = path.join(tree, ".vercel/data");
  await mkdir(data, { recursive: true });
  await writeFile(path.join(tree, ".vercel/project.json"), '{"settings":{}}');
  await writeFile(path.join(tree, ".env"), settings(port, data));
  const server = await start(tree, port);
  try {
    const get = (where, options) =>
      fetch(new URL(where, server.address), { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), redirect: "manual", ...options });

    await check("/ is the front page, with its headers", async () => {
      const answer = await get("/");
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("content-type"), /^text\/html/);
      assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
      assert.match(await answer.text(), /<html/i);
    });

    await check("/api/spotify/status is a function of its own", async () => {
      await ours(await get("/api/spotify/status"), 401);
    });

    await check("/api/session and /health are answered behind the rewrites", async () => {
      await ours(await get("/api/session"), 200);
      await ours(await get("/health"), 200);
    });

    await check("/api/cron/refresh does nothing for a stranger", async () => {
      await ours(await get("/api/cron/refresh"), 401);
    });

    await check("the start of a flow names the configured address, not the CLI's internal one", async () => {
      const answer = await get("/api/spotify/auth-url", { headers: { origin: server.address } });
      const text = await answer.text();
      for (const [, internal] of text.matchAll(/(?:127\.0\.0\.1|localhost)(?::|%3A)(\d+)/g)) {
        assert.equal(Number(internal), port, text);
      }
    });
  } finally {
    await server.stop();
    await rm(path.join(tree, ".env"));
  }
}

/** Fails unless an answer is patchbay's and has this status: JSON, never cached under /api, and with a code where it is an error. */
async function ours(answer, status) {
  const text = await answer.text();
  const told = `${answer.url} answered ${answer.status}: ${text.slice(0, 400)}`;
  assert.equal(answer.status, status, told);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/, told);
  if (new URL(answer.url).pathname.startsWith("/api/")) {
    assert.match(answer.headers.get("cache-control") ?? "", /no-store/, told);
  }
  const body = JSON.parse(text);
  if (answer.status >= 400) assert.ok(typeof body.code === "string" && typeof body.error === "string", told);
}

/** A complete configuration, with secrets made for this run. */
function settings(port, data) {
  const address = `http://127.0.0.1:${port}`;
  const variables = {
    APP_URL: address,
    DATABASE_URL: `sqlite://${data}/patchbay.db`,
    SPOTIFY_CLIENT_ID: randomBytes(16).toString("hex"),
    SPOTIFY_CLIENT_SECRET: randomBytes(16).toString("hex"),
    SPOTIFY_REDIRECT_URI: `${address}/api/spotify/callback`,
    SPOTIFY_USER_SECRET_KEY: `k1:${randomBytes(32).toString("base64")}`,
    LOCAL_SIGN_IN: "on",
    CRON_SECRET: randomBytes(32).toString("hex"),
    ADMIN_TOKEN: randomBytes(32).toString("hex"),
  };
  return Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join("");
}

async function start(tree, port) {
  // In a process group of its own: the CLI's children are stopped with it.
  const cli = spawn(process.env.VERCEL, ["dev", "--local", "--listen", `127.0.0.1:${port}`], {
    cwd: tree,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(cli, "exit");
  const stop = async () => {
    if (cli.exitCode !== null || cli.signalCode !== null) return;
    process.kill(-cli.pid, "SIGTERM");
    const timer = setTimeout(() => process.kill(-cli.pid, "SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  const ready = new Promise((resolve, reject) => {
    const log = [];
    const timer = setTimeout(() => reject(new Error(`vercel dev is not ready:\n${log.join("\n")}`)), READY_TIMEOUT_MS);
    ended.then(() => reject(new Error(`vercel dev ended:\n${log.join("\n")}`)));
    for (const stream of [cli.stdout, cli.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        log.push(line);
        const address = /Ready! Available at (http:\S+)/.exec(line)?.[1];
        if (!address) return;
        clearTimeout(timer);
        resolve(address);
      });
    }
  });
  try {
    const address = await ready;
    // A port taken in the meantime is silently replaced by the next one, and then the settings would not fit.
    assert.equal(Number(new URL(address).port), port);
    return { address, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

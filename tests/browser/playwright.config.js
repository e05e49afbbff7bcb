// The browser tests against `patchbay` in demo mode: its own sandbox, a database that goes away with the run.
// ./run sets the variables; to use the tests on a server of your own, set BASE_URL and call `npx playwright test`.

import { defineConfig } from "@playwright/test";

const { BASE_URL, CHROMIUM, CI, DATABASE_URL, OUTPUT, PATCHBAY, PORT } = process.env;
const baseURL = BASE_URL ?? `http://127.0.0.1:${PORT}`;

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.js",
  outputDir: OUTPUT ?? "../../target/browser",
  forbidOnly: CI === "true",
  reporter: "list",
  // One server and its one sandbox are shared by all, and what a test finds there must not depend on its neighbours' pace.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--headless",
        "--no-sandbox", // CI runs as root
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        // No calls home: nothing but the server under test is to be reached.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: BASE_URL
    ? undefined
    : {
        command: PATCHBAY,
        url: `${baseURL}/health`,
        env: { HOST: "127.0.0.1", PORT, DATABASE_URL },
        timeout: 60_000,
        reuseExistingServer: false,
        stdout: "pipe",
        stderr: "pipe",
        gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
      },
});

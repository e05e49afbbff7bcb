// The browser tests against `patchbay` in demo mode: its own sandbox, a database that goes away with the run.
// ./run builds that, picks a port and sets the variables. Without PATCHBAY the server named by PATCHBAY_URL is tested.

import { defineConfig } from "@playwright/test";

const { CHROMIUM, CI, DATABASE_URL, OUTPUT, PATCHBAY, PATCHBAY_URL, PORT } = process.env;

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
    baseURL: PATCHBAY_URL,
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
  webServer: PATCHBAY
    ? {
        command: PATCHBAY,
        url: `${PATCHBAY_URL}/health`,
        env: { HOST: "127.0.0.1", PORT, DATABASE_URL },
        timeout: 60_000,
        reuseExistingServer: false,
        stdout: "pipe",
        stderr: "pipe",
        gracefulShutdown: { signal: "SIGTERM", timeout: 5_000 },
      }
    : undefined,
});

// Starts the browsers that the test run found.

import { chromium } from "playwright-core";

/** The server of the test run, which serves the demo page too. */
export const server = process.env.SERVER ?? "http://127.0.0.1:8787";

/** Part of every key of the tests; the test run looks for it in all that was printed. */
export const canary = "canary7d1f93";

export function startChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      "--no-first-run",
    ],
  });
}

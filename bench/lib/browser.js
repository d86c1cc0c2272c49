// Starts browsers without a debugger: one that observes the network copies the bodies, which slows
// some methods down more than others.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import puppeteer from "puppeteer-core";

/** @typedef {"Chromium" | "Firefox"} BrowserName */

/**
 * Starts a browser that opens the harness page with these files in its file input.
 *
 * @param {BrowserName} name
 * @param {import("./harness.js").Harness} harness serves the page
 * @param {string[]} files
 */
export async function openBrowser(name, harness, files) {
  const profile = mkdtempSync(join(tmpdir(), "csm-image-to-3d-"));
  const chromium = name === "Chromium";
  const browser = await puppeteer.launch({
    browser: chromium ? "chrome" : "firefox",
    executablePath: chromium ? process.env.CHROMIUM : process.env.FIREFOX,
    headless: true,
    userDataDir: profile,
    args: chromium
      ? [
          "--no-sandbox",
          "--disable-sync",
          "--disable-quic",
          "--disable-3d-apis",
          "--js-flags=--expose-gc",
        ]
      : [],
  });
  const main = browser.process()?.pid;
  if (main === undefined) throw new Error(`${name} did not start`);
  const version = await browser.version();
  const page = await browser.newPage();
  await page.goto(harness.origin);
  const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (
    await page.$("input")
  );
  if (files.length > 0) await input.uploadFile(...files);
  await browser.disconnect();
  return {
    version,
    /** The ID of the main process. */
    main,
    async close() {
      // Puppeteer starts it in a process group of its own.
      process.kill(-main, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 300));
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

// Browsers with a page that takes tasks, and no debugger: one that listens to a page's network has
// the bodies copied, and so slows some ways down more than others.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import puppeteer from "puppeteer-core";

/** @typedef {"Chromium" | "Firefox"} BrowserName */

/**
 * Starts a browser whose page has these files in its file input.
 *
 * @param {BrowserName} name
 * @param {import("./stand.js").Stand} stand where the page comes from
 * @param {string[]} files
 */
export async function openBrowser(name, stand, files) {
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
  await page.goto(stand.origin);
  const input = /** @type {import("puppeteer-core").ElementHandle<HTMLInputElement>} */ (
    await page.$("input")
  );
  if (files.length > 0) await input.uploadFile(...files);
  await browser.disconnect();
  return {
    version,
    /** The process that started all others. */
    main,
    async close() {
      // It was started with a group of its own.
      process.kill(-main, "SIGKILL");
      await new Promise((resolve) => setTimeout(resolve, 300));
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

// Starts the browsers that the environment names.

import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

/** The origin of the test run's server, which also serves the demo page. */
export const server = process.env.SERVER ?? "http://127.0.0.1:8787";

/** The same server under another origin than that of its pages. */
export const otherOrigin = server.replace("127.0.0.1", "localhost");

/** @param {{ draws?: boolean }} [settings] `draws` enables WebGL, which is slow without a GPU */
export function startChromium({ draws = false } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      "--no-first-run",
      ...(draws
        ? ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        : ["--disable-3d-apis"]),
      "--js-flags=--expose-gc",
    ],
  });
}

/** Uses Puppeteer, because Playwright supports only its own build of Firefox. */
export function startFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX,
    headless: true,
  });
}

// Starts the browsers that the test run found.

import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

/** The server of the test run, which serves the demo page too. */
export const server = process.env.SERVER ?? "http://127.0.0.1:8787";

/** The same server under its other name: another origin for the pages that it serves. */
export const elsewhere = server.replace("127.0.0.1", "localhost");

/** Part of every key of the tests; the test run looks for it in all that was printed. */
export const canary = "canary7d1f93";

/** @param {{ draws?: boolean }} [settings] whether it draws models: slow without a graphics card */
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

/** Playwright drives Debian's Chromium, but not its Firefox: Puppeteer does. */
export function startFirefox() {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX,
    headless: true,
  });
}

/**
 * A page with the library as the global `library`, and what the tests need beside it as `help`.
 *
 * @typedef {object} LibraryPage
 * @property {<T, A>(run: (argument: A) => T | Promise<T>, argument: A) => Promise<T>} evaluate
 * @property {() => Promise<unknown>} close
 */

/** @type {Record<string, () => Promise<LibraryPage>>} */
export const openLibraryPage = {
  Chromium: async () => withLibrary(await startChromium()),
  Firefox: async () => withLibrary(await startFirefox()),
};

/**
 * @param {import("playwright-core").Browser | import("puppeteer-core").Browser} browser
 * @returns {Promise<LibraryPage>}
 */
async function withLibrary(browser) {
  // The two drivers agree in all that is called here, but not in their types.
  const page = /** @type {import("playwright-core").Page} */ (await browser.newPage());
  await page.goto(server);
  await page.addScriptTag({ type: "module", content: library });
  await page.waitForFunction("globalThis.library");
  return {
    // @ts-expect-error the drivers' types take the argument apart
    evaluate: (run, argument) => page.evaluate(run, argument),
    close: () => browser.close(),
  };
}

const library = `
  import * as library from "/pkg/index.js";

  const image = await (await fetch("/samples/turtle.webp")).blob();

  /** A key that makes the server fail. */
  const fault = (name) => "fault_" + name + "_${canary}" + Math.random().toString(36).slice(2);

  /** A fetch that notes what went through it, and when. */
  function noting() {
    const requests = [];
    const noted = (request) => {
      requests.push({ at: performance.now(), method: request.method, url: request.url, key: request.headers.get("x-api-key") });
      return fetch(request);
    };
    return { requests, fetch: noted };
  }

  /** What a promise comes to, as plain data. */
  async function outcome(promise) {
    try {
      const session = await promise;
      return { status: session.status, session };
    } catch (error) {
      if (!(error instanceof library.ImageTo3dError)) {
        return { threw: error };
      }
      const { kind, sent, message, session } = error;
      return { kind, sent, message, session, status: session?.status };
    }
  }

  Object.assign(globalThis, { library, help: { image, fault, noting, outcome } });
`;

// Tests of the library in pages of Chromium and Firefox.

import { after, before, describe } from "node:test";

import { server, startChromium, startFirefox } from "./browsers.js";
import { bundleForPage } from "./bundle.js";

/** @import { Browser, Page } from "playwright-core" */

/**
 * A page with the globals of `library-page.js`.
 *
 * @typedef {object} LibraryPage
 * @property {<T, A>(run: (argument: A) => T | Promise<T>, argument: A) => Promise<T>} evaluate
 */

const starters = { Chromium: startChromium, Firefox: startFirefox };

/**
 * Defines tests once for each browser.
 *
 * @param {string} topic
 * @param {(page: () => LibraryPage) => void} defineTests `page` returns the page once a test runs
 */
export function describeInBrowsers(topic, defineTests) {
  for (const [name, start] of Object.entries(starters)) {
    describe(`${topic} in ${name}`, () => {
      /** @type {Browser} */
      let browser;
      /** @type {LibraryPage} */
      let page;
      before(async () => {
        // The drivers share all methods that are used here, but not their types.
        browser = /** @type {Browser} */ (/** @type {unknown} */ (await start()));
        page = await openLibraryPage(browser);
      });
      after(() => browser.close());

      defineTests(() => page);
    });
  }
}

/**
 * @param {Browser} browser
 * @returns {Promise<LibraryPage>}
 */
async function openLibraryPage(browser) {
  const page = await browser.newPage();
  await page.goto(server);
  await page.addScriptTag({ type: "module", content: await bundleForPage("library-page.js") });
  await page.waitForFunction("globalThis.library");
  return {
    // @ts-expect-error the driver's type wraps the argument
    evaluate: (run, argument) => page.evaluate(run, argument),
  };
}

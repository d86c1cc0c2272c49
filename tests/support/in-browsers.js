// Tests in Chromium and Firefox.

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
 * Defines tests once for each browser. The browsers run at the same time, because most tests wait for
 * timers or the server.
 *
 * @param {string} topic
 * @param {(browser: () => Browser) => void} defineTests `browser` returns the browser once a test runs
 */
export function describeInBrowsers(topic, defineTests) {
  describe(topic, { concurrency: true }, () => {
    for (const [name, start] of Object.entries(starters)) {
      describe(`${topic} in ${name}`, { concurrency: 1 }, () => {
        /** @type {Browser} */
        let browser;
        before(async () => {
          // The drivers share all methods that are used here, but not their types.
          browser = /** @type {Browser} */ (/** @type {unknown} */ (await start()));
        });
        after(() => browser.close());

        defineTests(() => browser);
      });
    }
  });
}

/**
 * Defines tests of the library once for each browser.
 *
 * @param {string} topic
 * @param {(page: () => LibraryPage) => void} defineTests `page` returns the page once a test runs
 */
export function describeInPages(topic, defineTests) {
  describeInBrowsers(topic, (browser) => {
    /** @type {LibraryPage} */
    let page;
    before(async () => {
      page = await openLibraryPage(browser());
    });

    defineTests(() => page);
  });
}

/**
 * Opens a page with the globals of `library-page.js`.
 *
 * @param {Browser} browser
 * @returns {Promise<LibraryPage>}
 */
export async function openLibraryPage(browser) {
  const page = await browser.newPage();
  await page.goto(server);
  // Evaluated, because the content security policy of the page allows no inline script.
  const script = (await bundleForPage("library-page.js"))
    .replace(/^import \* as (\w+) from ("\/pkg\/.*");$/gm, "const $1 = await import($2);")
    .replace(/^export \{[^}]*\};$/m, "");
  await page.evaluate(`(async () => { ${script} })()`);
  return {
    // @ts-expect-error the driver's type wraps the argument
    evaluate: (run, argument) => page.evaluate(run, argument),
  };
}

// Measures the first call in a page that has not loaded the library yet.

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { createImage } from "./lib/images.js";
import { formatNumber, formatSummary, ratio, shuffle, summarize } from "./lib/statistics.js";
import { methodNames, selectMethods } from "./methods.js";

/** @import { Series } from "./lib/comparison.js" */
/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ browser: string, method: string, first: Summary }} Row */

export const title = "First call";

export const note =
  "Milliseconds from the `import` to the first byte of the request at the server, for an image of " +
  "0.1 MB in a new page with an empty cache. The server is on the same machine, so the time to load " +
  "the code over a network is not included.";

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const rounds = settings.quick ? 5 : 25;
  const methods = selectMethods(settings);
  const image = createImage(0.1);
  /** @type {Row[]} */
  const rows = [];
  for (const browserName of /** @type {const} */ (["Chromium", "Firefox"])) {
    const harness = await startHarness(settings.baseline);
    const browser = await openBrowser(browserName, harness, [image.path]);
    try {
      const times = Object.fromEntries(
        methods.map((method) => [method, /** @type {number[]} */ ([])]),
      );
      for (let round = 0; round < 1 + rounds; round++) {
        for (const method of shuffle(methods)) {
          const { result, upload } = await harness.captureUpload("discard", () =>
            harness.runTask("send", { method, file: 0, cold: true }),
          );
          // The first round warms up the browser.
          if (round > 0) times[method].push(upload.arrived - result.started);
        }
      }
      for (const method of methods)
        rows.push({ browser: browserName, method, first: summarize(times[method]) });
      settings.log(browserName);
    } finally {
      await browser.close();
      harness.close();
    }
  }
  return rows;
}

/**
 * @param {Row[]} rows
 * @returns {Series[]}
 */
export const series = (rows) =>
  rows.map(({ browser, method, first }) => ({
    measurement: `first call in ${browser}`,
    unit: "ms",
    method,
    summary: first,
  }));

/** @param {Row[]} rows */
export function tables(rows) {
  const plain = (/** @type {string} */ browser) =>
    rows.find((row) => row.browser === browser && row.method === "FileReader")?.first;
  return [
    {
      head: ["browser", "method", "milliseconds", "× plain `fetch`"],
      rows: rows.map(({ browser, method, first }) => [
        browser,
        methodNames[method],
        formatSummary(first),
        formatNumber(ratio(first, plain(browser))),
      ]),
    },
  ];
}

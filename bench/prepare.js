// Measures what the preparation of a photo saves and costs.

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { drawPhotos } from "./lib/photos.js";
import { formatNumber, formatSummary, shuffle, summarize } from "./lib/statistics.js";
import { measureGrowth } from "./memory.js";

/** @import { BrowserName } from "./lib/browser.js" */
/** @import { Photo } from "./lib/photos.js" */
/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Row
 * @property {BrowserName} browser
 * @property {number} megapixels
 * @property {string} method
 * @property {number} bytes of the request
 * @property {Summary} time in milliseconds
 * @property {number} [longest] the longest main-thread task in milliseconds
 * @property {Summary} [page] memory growth of the page's process in megabytes
 * @property {Summary} [all] memory growth of all processes of the browser in megabytes
 */

export const title = "Preparation of photos";

export const note =
  "`createSession` with a JPEG of 12 and of 48 megapixels, with and without `prepare: true`: the bytes " +
  "of the request; the milliseconds until the response, from a server on the same machine, warm; the " +
  "longest main-thread task (Chromium only; 0 if below 50); the peak memory growth in MB, as in " +
  "*Memory* (Chromium only). Median (25th – 75th percentile). On a connection of 10 Mbit/s each MB of " +
  "the request takes 0.8 seconds more.";

/** The methods of `page/methods.js`. @type {Record<string, string>} */
const methods = { library: "without", prepared: "with `prepare`" };

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const [small, ...photos] = await drawPhotos(settings.quick ? [1, 12] : [1, 12, 48]);
  const rounds = settings.quick ? 2 : 7;
  /** @type {Row[]} */
  const rows = [];
  for (const browser of /** @type {BrowserName[]} */ (["Chromium", "Firefox"])) {
    for (const photo of photos) {
      rows.push(...(await measureUploads(browser, photo, rounds)));
      settings.log(`${browser}, ${photo.megapixels} megapixels`);
    }
  }
  for (const row of rows.filter(({ browser }) => browser === "Chromium")) {
    const photo = photos.find(({ megapixels }) => megapixels === row.megapixels);
    const files = [small.path, /** @type {Photo} */ (photo).path];
    const growths = [];
    for (let round = 0; round < (settings.quick ? 1 : 3); round++) {
      growths.push(await measureGrowth(row.method, files));
    }
    row.page = summarize(growths.map(({ page }) => page));
    row.all = summarize(growths.map(({ all }) => all));
    settings.log(`memory, ${row.megapixels} megapixels, ${row.method}`);
  }
  return rows;
}

/**
 * @param {BrowserName} name
 * @param {Photo} photo
 * @param {number} rounds
 * @returns {Promise<Row[]>}
 */
async function measureUploads(name, { megapixels, path }, rounds) {
  const harness = await startHarness();
  const browser = await openBrowser(name, harness, [path]);
  const names = Object.keys(methods);
  /** @type {Record<string, { bytes: number, times: number[], tasks: number[] }>} */
  const results = Object.fromEntries(
    names.map((method) => [method, { bytes: 0, times: [], tasks: [] }]),
  );
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const method of shuffle(names)) {
        const task = { method, file: 0, cold: false };
        const { result, upload } = await harness.captureUpload("discard", () =>
          harness.runTask("send", task),
        );
        const longest = await harness.runTask("longest", {});
        // The first round loads the code.
        if (round === 0) continue;
        results[method].bytes = upload.bytes;
        results[method].times.push(result.milliseconds);
        results[method].tasks.push(longest);
      }
    }
  } finally {
    await browser.close();
    harness.close();
  }
  return names.map((method) => ({
    browser: name,
    megapixels,
    method,
    bytes: results[method].bytes,
    time: summarize(results[method].times),
    ...(name === "Chromium" && { longest: Math.max(...results[method].tasks) }),
  }));
}

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: [
        "browser",
        "megapixels",
        "",
        "request, MB",
        "ms",
        "longest task, ms",
        "page's process, MB",
        "all processes, MB",
      ],
      rows: rows.map(({ browser, megapixels, method, bytes, time, longest, page, all }) => [
        browser,
        megapixels,
        methods[method],
        formatNumber(bytes / 1e6),
        formatSummary(time),
        longest === undefined ? "–" : formatNumber(longest),
        page === undefined ? "–" : formatSummary(page),
        all === undefined ? "–" : formatSummary(all),
      ]),
    },
  ];
}

// Measures how long sending an image blocks the main thread.

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { createImage } from "./lib/images.js";
import { formatNumber, formatSummary, shuffle, summarize } from "./lib/statistics.js";
import { methodNames, selectMethods } from "./methods.js";

/** @import { Series } from "./lib/comparison.js" */
/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ megabytes: number, method: string, longest: Summary, worst: number }} Row */

export const title = "Main thread";

export const note =
  "Milliseconds of the longest main-thread task while an image is sent, in Chromium, warm: median " +
  "(25th – 75th percentile) of `longtask` entries; 0 if no task took more than 50 ms.";

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const sizes = settings.quick ? [32] : [32, 100];
  const rounds = settings.quick ? 2 : settings.baseline === undefined ? 3 : 9;
  const methods = selectMethods(settings, ["library", "FileReader"]);
  const harness = await startHarness(settings.baseline);
  const files = sizes.map((megabytes) => createImage(megabytes).path);
  const browser = await openBrowser("Chromium", harness, files);
  /** @type {Row[]} */
  const rows = [];
  try {
    for (const [file, megabytes] of sizes.entries()) {
      const longest = Object.fromEntries(
        methods.map((method) => [method, /** @type {number[]} */ ([])]),
      );
      for (let round = 0; round < rounds; round++) {
        for (const method of shuffle(methods)) {
          await harness.runTask("send", { method, file, cold: false });
          longest[method].push(await harness.runTask("longest", {}));
        }
      }
      for (const [method, tasks] of Object.entries(longest)) {
        rows.push({ megabytes, method, longest: summarize(tasks), worst: Math.max(...tasks) });
      }
      settings.log(`${megabytes} MB`);
    }
  } finally {
    await browser.close();
    harness.close();
  }
  return rows;
}

/**
 * @param {Row[]} rows
 * @returns {Series[]}
 */
export const series = (rows) =>
  rows.map(({ megabytes, method, longest }) => ({
    measurement: `longest main-thread task, ${megabytes} MB`,
    unit: "ms",
    method,
    summary: longest,
  }));

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: ["MB", "method", "longest task", "longest of all runs"],
      rows: rows.map(({ megabytes, method, longest, worst }) => [
        megabytes,
        methodNames[method],
        formatSummary(longest),
        formatNumber(worst),
      ]),
    },
  ];
}

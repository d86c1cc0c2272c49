// Measures the memory that sending a large image takes.

import { openBrowser } from "./lib/browser.js";
import { sleep } from "./lib/clock.js";
import { startHarness } from "./lib/harness.js";
import { createImage } from "./lib/images.js";
import {
  cpuTicks,
  memoryOf,
  pageProcesses,
  resetPeak,
  watchMemoryGrowth,
} from "./lib/processes.js";
import { formatNumber, formatSummary, shuffle, summarize } from "./lib/statistics.js";
import { methodNames, selectMethods } from "./methods.js";

/** @import { Series } from "./lib/comparison.js" */
/** @import { Summary } from "./lib/statistics.js" */
/** @typedef {{ megabytes: number, method: string, page: Summary, all: Summary, heap: number }} Row */

export const title = "Memory";

export const note =
  "Peak memory growth in MB, in a new Chromium for each run, after three images of 1 MB were sent: of " +
  "the page's process (`VmHWM`), and of all processes of the browser (sum of `Pss`, sampled " +
  "continuously). Median (25th – 75th percentile) of three runs. *Minus the body*: without the body, " +
  "which takes four thirds of the image. *Wasm memory*: the size of the WebAssembly memory " +
  "afterwards, in KiB; it never shrinks.";

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  /** @type {Row[]} */
  const rows = [];
  const { quick, baseline } = settings;
  const methods = selectMethods(settings, ["library", "FileReader"]);
  const rounds = baseline === undefined ? (quick ? 1 : 3) : quick ? 4 : 9;
  for (const megabytes of quick ? [32] : [32, 100]) {
    const files = [createImage(1).path, createImage(megabytes).path];
    /** @type {Record<string, Awaited<ReturnType<typeof measureGrowth>>[]>} */
    const growths = Object.fromEntries(methods.map((method) => [method, []]));
    for (let round = 0; round < rounds; round++) {
      for (const method of shuffle(methods))
        growths[method].push(await measureGrowth(method, files, baseline));
      settings.log(`${megabytes} MB, ${round + 1} of ${rounds}`);
    }
    for (const [method, own] of Object.entries(growths)) {
      rows.push({
        megabytes,
        method,
        page: summarize(own.map(({ page }) => page)),
        all: summarize(own.map(({ all }) => all)),
        heap: own[0].heap,
      });
    }
  }
  return rows;
}

/**
 * Measures the memory growth while the second file is sent, in a new browser that has sent the first
 * file three times.
 *
 * @param {string} method
 * @param {string[]} files
 * @param {string} [baseline]
 */
export async function measureGrowth(method, files, baseline) {
  const harness = await startHarness(baseline);
  const browser = await openBrowser("Chromium", harness, files);
  try {
    for (let round = 0; round < 3; round++) {
      await harness.runTask("send", { method, file: 0, cold: false });
    }
    await sleep(500);
    const pages = pageProcesses(browser.main).map((id) => {
      resetPeak(id);
      return { id, before: memoryOf(id, "VmRSS"), ticks: cpuTicks(id) };
    });
    const stop = await watchMemoryGrowth(browser.main);
    await harness.runTask("send", { method, file: 1, cold: false });
    const all = await stop();
    // Chromium keeps a spare process for pages; the page's own is the one that has worked.
    const growths = pages.map(({ id, before, ticks }) => ({
      growth: memoryOf(id, "VmHWM") - before,
      ticks: cpuTicks(id) - ticks,
    }));
    const page = growths.sort((a, b) => b.ticks - a.ticks)[0].growth;
    /** @type {number} */
    const heap = await harness.runTask("heap", { method });
    return { page, all, heap };
  } finally {
    await browser.close();
    harness.close();
  }
}

/**
 * @param {Row[]} rows
 * @returns {Series[]}
 */
export const series = (rows) =>
  rows.flatMap(({ megabytes, method, page, all }) => [
    {
      measurement: `memory growth of the page's process, ${megabytes} MB`,
      unit: "MB",
      method,
      summary: page,
    },
    {
      measurement: `memory growth of all processes, ${megabytes} MB`,
      unit: "MB",
      method,
      summary: all,
    },
  ]);

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: ["MB", "method", "page's process", "all processes", "minus the body", "wasm memory"],
      rows: rows.map(({ megabytes, method, page, all, heap }) => [
        megabytes,
        methodNames[method],
        formatSummary(page),
        formatSummary(all),
        formatNumber(all.median - (megabytes * 4) / 3),
        heap ? heap / 1024 : "–",
      ]),
    },
  ];
}

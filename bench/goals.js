// The goals of the library, relative to other results of the same run.

import { limit, reach } from "./methods.js";
import { ratios } from "./upload.js";

/**
 * @typedef {object} Goal
 * @property {string} name
 * @property {string} unit
 * @property {number} maximum
 * @property {number | undefined} measured
 */

/**
 * @param {import("./measurements.js").Results} results
 * @returns {Goal[]} the goals that were measured
 */
export function goals({ upload = [], memory = [], "main-thread": mainThread = [] }) {
  const libraryTime = (
    /** @type {string} */ browser,
    /** @type {number} */ megabytes,
    /** @type {string} */ reference,
  ) => ratios(upload, browser, megabytes, reference).library;
  const memoryAt = (/** @type {number} */ megabytes) =>
    memory.find((row) => row.method === "library" && row.megabytes === megabytes);
  const tasksAt = (/** @type {number} */ megabytes) =>
    mainThread.find((row) => row.method === "library" && row.megabytes === megabytes);
  const growthMinusBody = (/** @type {number} */ megabytes) => {
    const row = memoryAt(megabytes);
    return row && row.all.median - (megabytes * 4) / 3;
  };
  /** @type {Goal[]} */
  const all = [
    ...[
      { browser: "Chromium", megabytes: 8, maximum: 1.1 },
      { browser: "Chromium", megabytes: 32, maximum: 1.2 },
      { browser: "Chromium", megabytes: 100, maximum: 1.2 },
      { browser: "Firefox", megabytes: 8, maximum: 1.1 },
      { browser: "Firefox", megabytes: 32, maximum: 1.1 },
    ].map(({ browser, megabytes, maximum }) => ({
      name: `upload in ${browser}, ${megabytes} MB, compared with the limit`,
      unit: "×",
      maximum,
      measured: libraryTime(browser, megabytes, limit),
    })),
    ...["Chromium", "Firefox"].flatMap((browser) =>
      [8, 32, 100].map((megabytes) => ({
        name: `upload in ${browser}, ${megabytes} MB, compared with what a page can reach`,
        unit: "×",
        maximum: 1.15,
        measured: libraryTime(browser, megabytes, reach),
      })),
    ),
    ...["Chromium", "Firefox"].map((browser) => ({
      name: `warm upload in ${browser}, 0.1 MB, compared with \`FileReader\``,
      unit: "×",
      maximum: 1,
      measured: libraryTime(browser, 0.1, "FileReader"),
    })),
    ...[32, 100].flatMap((megabytes) => [
      {
        name: `memory growth of the page's process, ${megabytes} MB`,
        unit: "MB",
        maximum: 4,
        measured: memoryAt(megabytes)?.page.median,
      },
      {
        name: `memory growth of all processes minus the body, ${megabytes} MB`,
        unit: "MB",
        maximum: 8,
        measured: growthMinusBody(megabytes),
      },
      {
        name: `longest main-thread task, ${megabytes} MB`,
        unit: "ms",
        maximum: 50,
        measured: tasksAt(megabytes)?.worst,
      },
    ]),
  ];
  return all.filter(({ measured }) => measured !== undefined && !Number.isNaN(measured));
}

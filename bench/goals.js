// What the library is to reach, as ratios within one run.

import { ratios } from "./upload.js";

/**
 * @typedef {object} Goal
 * @property {string} work
 * @property {string} unit
 * @property {number} most what is allowed
 * @property {number | undefined} measured
 */

/**
 * @param {import("./run.js").Results} results
 * @returns {Goal[]} those that something was measured of
 */
export function goals({ upload = [], memory = [], "main-thread": mainThread = [] }) {
  const times = (/** @type {string} */ browser, /** @type {number} */ megabytes) =>
    ratios(upload, browser, megabytes);
  const memoryAt = (/** @type {number} */ megabytes) =>
    memory.find((row) => row.way === "library" && row.megabytes === megabytes);
  const tasksAt = (/** @type {number} */ megabytes) =>
    mainThread.find((row) => row.way === "library" && row.megabytes === megabytes);
  const beyond = (/** @type {number} */ megabytes) => {
    const row = memoryAt(megabytes);
    return row && row.all.median - (megabytes * 4) / 3;
  };
  /** @type {Goal[]} */
  const all = [
    ...[
      { browser: "Chromium", megabytes: 8, most: 1.1 },
      { browser: "Chromium", megabytes: 32, most: 1.2 },
      { browser: "Chromium", megabytes: 100, most: 1.2 },
      { browser: "Firefox", megabytes: 8, most: 1.1 },
      { browser: "Firefox", megabytes: 32, most: 1.1 },
    ].map(({ browser, megabytes, most }) => ({
      work: `${browser}, ${megabytes} MB, against the limit`,
      unit: "×",
      most,
      measured: times(browser, megabytes).library,
    })),
    ...["Chromium", "Firefox"].map((browser) => ({
      work: `${browser}, 0.1 MB warm, against \`FileReader\``,
      unit: "×",
      most: 1,
      measured: times(browser, 0.1).library / times(browser, 0.1).FileReader,
    })),
    ...[32, 100].flatMap((megabytes) => [
      {
        work: `growth of the page's process, ${megabytes} MB`,
        unit: "MB",
        most: 4,
        measured: memoryAt(megabytes)?.page.median,
      },
      {
        work: `growth of all processes beyond the body, ${megabytes} MB`,
        unit: "MB",
        most: 8,
        measured: beyond(megabytes),
      },
      {
        work: `longest task, ${megabytes} MB`,
        unit: "ms",
        most: 50,
        measured: tasksAt(megabytes)?.worst,
      },
    ]),
  ];
  return all.filter(({ measured }) => measured !== undefined && !Number.isNaN(measured));
}

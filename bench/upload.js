// Measures the time from a file in the page to its complete body at the server.

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { checkBody, createImage } from "./lib/images.js";
import { formatNumber, formatSummary, ratio, shuffle, summarize } from "./lib/statistics.js";
import { sumOfCounters } from "./lib/tcp.js";
import { limit, methodNames, reach, referenceNames, selectMethods } from "./methods.js";

/** @import { Summary } from "./lib/statistics.js" */
/** @import { Series } from "./lib/comparison.js" */
/** @import { TcpCounters } from "./lib/tcp.js" */
/**
 * @typedef {object} Row
 * @property {string} browser
 * @property {number} megabytes
 * @property {string} method
 * @property {Summary} cold
 * @property {Summary} warm
 * @property {TcpCounters} [tcp] the events during all warm uploads
 */

export const title = "Upload";

export const note =
  "Milliseconds from the file in the page to the server's response, which follows the complete body: " +
  "median (25th – 75th percentile). *Cold*: the first upload of a page, including the time to load " +
  "the code. The content of each cold body and the length of each warm body was checked. The last " +
  "methods of each size are references: they encode nothing, and send a prepared body of the same " +
  "size. *Reach*: what a page can reach, which is the time to pass that body to the browser and to " +
  "upload it, without reading a file.";

const allNames = { ...methodNames, ...referenceNames };

/**
 * Megabytes, and how often each method runs cold and warm.
 *
 * @type {Record<"full" | "quick", [number, number, number][]>}
 */
const methodRuns = {
  full: [
    [0.1, 5, 61],
    [1, 5, 15],
    [8, 3, 11],
    [32, 3, 9],
    [100, 1, 5],
  ],
  quick: [
    [0.1, 1, 3],
    [8, 1, 2],
  ],
};

/** The same for two builds: they differ less than methods, and need more runs. */
const buildRuns = {
  full: [
    [0.1, 1, 61],
    [1, 1, 31],
    [8, 1, 31],
    [32, 1, 21],
    [100, 1, 13],
  ],
  quick: [
    [0.1, 1, 15],
    [8, 1, 15],
  ],
};

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  /** @type {Row[]} */
  const rows = [];
  const { quick, baseline } = settings;
  const sizes = (baseline === undefined ? methodRuns : buildRuns)[quick ? "quick" : "full"];
  const references = baseline === undefined ? Object.keys(referenceNames) : [];
  const methods = [...selectMethods(settings), ...references];
  const images = sizes.map(([megabytes]) => createImage(megabytes));
  for (const browserName of /** @type {const} */ (["Chromium", "Firefox"])) {
    const harness = await startHarness(baseline);
    const browser = await openBrowser(
      browserName,
      harness,
      images.map(({ path }) => path),
    );
    settings.versions[browserName] = browser.version;
    try {
      for (const [file, [megabytes, cold, warm]] of sizes.entries()) {
        const times = Object.fromEntries(
          methods.map((method) => [
            method,
            {
              cold: /** @type {number[]} */ ([]),
              warm: /** @type {number[]} */ ([]),
              tcp: /** @type {TcpCounters[]} */ ([]),
            },
          ]),
        );
        // The references keep prepared bodies of one size.
        await harness.runTask("reset", {});
        const length = bodyLength(images[file].bytes);
        for (let round = 0; round < cold + 1 + warm; round++) {
          for (const method of shuffle(methods)) {
            const isCold = round < cold;
            const isReference = method in referenceNames;
            const { result, upload } = await harness.captureUpload(
              isCold ? "keep" : "discard",
              () => harness.runTask("send", { method, file, cold: isCold, isReference }),
            );
            if (upload.bytes !== length) {
              throw new Error(`${method}: received ${upload.bytes} bytes, expected ${length}`);
            }
            if (upload.body && !isReference) checkBody(method, upload.body, images[file]);
            // The first warm round warms up the page.
            if (isCold) times[method].cold.push(result.milliseconds);
            else if (round > cold) {
              times[method].warm.push(result.milliseconds);
              if (upload.tcp) times[method].tcp.push(upload.tcp);
            }
          }
        }
        for (const [method, { cold, warm, tcp }] of Object.entries(times)) {
          const row = {
            cold: summarize(cold),
            warm: summarize(warm),
            ...(tcp.length > 0 ? { tcp: sumOfCounters(tcp) } : {}),
          };
          rows.push({ browser: browserName, megabytes, method, ...row });
        }
        settings.log(`${browserName}, ${megabytes} MB`);
      }
    } finally {
      await browser.close();
      harness.close();
    }
  }
  return rows;
}

/** @param {number} bytes of the image */
function bodyLength(bytes) {
  const rest = JSON.stringify({ creativity: "lowest", image_url: "data:image/png;base64," });
  return rest.length + Math.ceil(bytes / 3) * 4;
}

/**
 * Returns the warm time of each method as a multiple of that of a reference: compares lower quartiles.
 *
 * @param {Row[]} rows
 * @param {string} browser
 * @param {number} megabytes
 * @param {string} reference
 */
export function ratios(rows, browser, megabytes, reference) {
  const same = rows.filter((row) => row.browser === browser && row.megabytes === megabytes);
  const whole = same.find(({ method }) => method === reference)?.warm;
  return Object.fromEntries(same.map(({ method, warm }) => [method, ratio(warm, whole)]));
}

/**
 * Returns the warm times. The first call is measured separately.
 *
 * @param {Row[]} rows
 * @returns {Series[]}
 */
export const series = (rows) =>
  rows.map(({ browser, megabytes, method, warm }) => ({
    measurement: `upload in ${browser}, ${megabytes} MB`,
    unit: "ms",
    method,
    summary: warm,
  }));

/** @param {Row[]} rows */
export function tables(rows) {
  const browsers = [...new Set(rows.map(({ browser }) => browser))];
  const timeTables = browsers.map((browser) => {
    const own = rows.filter((row) => row.browser === browser);
    const sizes = [...new Set(own.map(({ megabytes }) => megabytes))];
    return {
      caption: browser,
      head: ["MB", "method", "cold", "warm", "× the limit", "× reach", "× this library"],
      rows: sizes.flatMap((megabytes) => {
        const ofLimit = ratios(rows, browser, megabytes, limit);
        const ofReach = ratios(rows, browser, megabytes, reach);
        const ofLibrary = ratios(rows, browser, megabytes, "library");
        return own
          .filter((row) => row.megabytes === megabytes)
          .map(({ method, cold, warm }) => [
            megabytes,
            allNames[method],
            formatSummary(cold),
            formatSummary(warm),
            formatNumber(ofLimit[method]),
            formatNumber(ofReach[method]),
            formatNumber(ofLibrary[method]),
          ]);
      }),
    };
  });
  return [...timeTables, ...tcpTables(rows)];
}

/**
 * Returns a table that shows how often the receiver or the kernel delayed the uploads.
 *
 * @param {Row[]} rows
 */
function tcpTables(rows) {
  const counted = rows.flatMap(({ browser, megabytes, warm, tcp }) =>
    tcp ? [{ key: `${browser}, ${megabytes} MB`, runs: warm.runs, tcp }] : [],
  );
  if (counted.length === 0) return [];
  return [
    {
      caption: "TCP during the warm uploads",
      head: ["", "uploads", "segments sent again", "zero windows"],
      rows: [...new Set(counted.map(({ key }) => key))].map((key) => {
        const same = counted.filter((row) => row.key === key);
        const { retransmissions, zeroWindows } = sumOfCounters(same.map(({ tcp }) => tcp));
        const uploads = same.reduce((sum, { runs }) => sum + runs, 0);
        return [key, uploads, retransmissions, zeroWindows];
      }),
    },
  ];
}

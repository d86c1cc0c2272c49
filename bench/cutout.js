// Measures what it takes to cut the object out of a photo: native, and in the page.

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { watchMemoryGrowth } from "./lib/processes.js";
import { formatNumber, formatSummary, ratio, summarize } from "./lib/statistics.js";

/** @import { BrowserName } from "./lib/browser.js" */
/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Native
 * @property {Summary} load milliseconds to load the network
 * @property {Summary} cutOut milliseconds to cut the object out
 * @property {number} growth peak memory growth of the process in megabytes
 */
/**
 * @typedef {object} Page
 * @property {BrowserName} browser
 * @property {Summary} first milliseconds from the photo to the model, with the network's files loaded
 * @property {Summary} next the same, with the files in the browser's cache
 * @property {Summary} background the same without the network
 * @property {number} growth peak memory growth of all processes of the browser in megabytes
 */

export const title = "Cut-out";

export const note =
  "A photo of 600 × 400 pixels. *Native*: `cargo run --example measure-cutout`, one process " +
  "per run. *Page*: from the creation of a session in the sandbox to its preview, in milliseconds, in a " +
  "new browser for each round: *first* loads the network from a local server, *next* has it in the " +
  "browser's cache, *background* finds the object by the colors of the border. Memory is the sum of " +
  "`Pss` over all processes, in MB. Median (25th – 75th percentile). *Bytes* are those of the files, " +
  "uncompressed.";

const program = "target/server/examples/measure-cutout";
const photo = "tests/fixtures/photos/coffee.jpg";
const cutoutFolder = "dist/pkg/wasm/cutout";

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const rounds = settings.quick ? 1 : 5;
  const runs = Array.from({ length: rounds }, () =>
    JSON.parse(execFileSync(program, [photo], { encoding: "utf8" })),
  );
  /** @type {Native} */
  const native = {
    load: summarize(runs.map(({ load }) => load)),
    cutOut: summarize(runs.map(({ cutOut }) => cutOut)),
    growth: Math.max(...runs.map(({ before, peak }) => peak - before)) / 1e6,
  };
  /** @type {Page[]} */
  const pages = [];
  for (const browser of /** @type {const} */ (["Chromium", "Firefox"])) {
    const own = [];
    for (let round = 0; round < rounds; round++) {
      own.push(await measurePage(browser));
      settings.log(`${browser}, ${round + 1} of ${rounds}`);
    }
    pages.push({
      browser,
      first: summarize(own.map(({ first }) => first)),
      next: summarize(own.map(({ next }) => next)),
      background: summarize(own.map(({ background }) => background)),
      growth: Math.max(...own.map(({ growth }) => growth)),
    });
  }
  return { native, pages, bytes: { sandbox: sandboxBytes(), cutout: cutoutBytes() } };
}

/** @param {BrowserName} name */
async function measurePage(name) {
  const harness = await startHarness();
  const browser = await openBrowser(name, harness, [photo]);
  try {
    /** @param {object} [extra] */
    const run = async (extra) =>
      (await harness.runTask("imageTo3d", { file: 0, extra })).milliseconds;
    // Loads the sandbox.
    await run({ cutout: "keep" });
    const background = await run({ cutout: "background" });
    const first = await run();
    const stop = await watchMemoryGrowth(browser.main);
    const next = await run();
    return { first, next, background, growth: await stop() };
  } finally {
    await browser.close();
    harness.close();
  }
}

const sandboxBytes = () => statSync("dist/pkg/wasm/sandbox_inlined.js").size;

const cutoutBytes = () =>
  readdirSync(cutoutFolder)
    .filter((name) => /\.(wasm|onnx)$/.test(name))
    .reduce((sum, name) => sum + statSync(join(cutoutFolder, name)).size, 0);

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ native, pages, bytes }) {
  return [
    {
      head: ["native: loading, ms", "cutting out, ms", "memory, MB"],
      rows: [
        [formatSummary(native.load), formatSummary(native.cutOut), formatNumber(native.growth)],
      ],
    },
    {
      head: ["page", "first", "next", "background", "× native", "memory, MB"],
      rows: pages.map(({ browser, first, next, background, growth }) => [
        browser,
        formatSummary(first),
        formatSummary(next),
        formatSummary(background),
        formatNumber(ratio(next, native.cutOut)),
        formatNumber(growth),
      ]),
    },
    {
      head: ["the page loads", "kB"],
      rows: [
        ["before: the sandbox", formatNumber(bytes.sandbox / 1000)],
        ["for the first photo: the network", formatNumber(bytes.cutout / 1000)],
      ],
    },
  ];
}

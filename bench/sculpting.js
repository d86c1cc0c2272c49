// Measures the time and memory to build a model from an image: native and in the page.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

import { openBrowser } from "./lib/browser.js";
import { startHarness } from "./lib/harness.js";
import { formatNumber, formatSummary, ratio, summarize } from "./lib/statistics.js";

/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Row
 * @property {number} megapixels
 * @property {Summary} native milliseconds
 * @property {number} decode milliseconds of `native` for decoding the file
 * @property {number} nativePeak peak memory growth of the process in megabytes
 * @property {Summary} page milliseconds
 * @property {number} pagePeak megabytes of WebAssembly memory afterwards, which is its peak because it
 *   never shrinks
 * @property {number} received megabytes of WebAssembly memory after the request was received and its
 *   image checked
 */

export const title = "Sculpting";

export const note =
  "Milliseconds to decode a square PNG and build the preview GLB (`high_poly`, texture of 1024): " +
  "median (25th – 75th percentile). *Native*: `cargo run --example measure`, one process per run, and " +
  "its memory growth. *Page*: the sandbox's WebAssembly in a worker of Chromium, and its total memory, " +
  "which includes the request's body, the image file and the model. MB / MP is the growth since the " +
  "row above.";

const program = "target/server/examples/measure";
const folder = "target/bench/images";

/** The widths of the square images: 0.25 to 16 megapixels. */
const fullWidths = [512, 1024, 2048, 4096];
const quickWidths = [512, 1024];

/** @param {import("./lib/settings.js").Settings} settings */
export async function measure(settings) {
  const widths = settings.quick ? quickWidths : fullWidths;
  const rounds = settings.quick ? 1 : 5;
  const harness = await startHarness();
  // All files are written first: a page cannot read a file that changed after it was chosen.
  const files = widths.map(drawImage);
  const browser = await openBrowser("Chromium", harness, [files[widths.indexOf(1024)]]);
  try {
    /** @type {Row[]} */
    const rows = [];
    for (const [at, width] of widths.entries()) {
      const native = [];
      const page = [];
      for (let round = 0; round < rounds; round++) {
        native.push(JSON.parse(execFileSync(program, ["sculpt", files[at]], { encoding: "utf8" })));
        page.push(
          await harness.runTask("sculpt", { image: `/images/${width}-drawn.png`, parameters }),
        );
      }
      rows.push({
        megapixels: width ** 2 / 1024 ** 2,
        native: summarize(native.map(({ decode, sculpt }) => decode + sculpt)),
        decode: summarize(native.map(({ decode }) => decode)).median,
        nativePeak: Math.max(...native.map(({ before, peak }) => peak - before)) / 1e6,
        page: summarize(page.map(({ milliseconds }) => milliseconds)),
        pagePeak: Math.max(...page.map(({ after }) => after)) / 1e6,
        received: Math.max(...page.map(({ before }) => before)) / 1e6,
      });
      settings.log(`${width} × ${width}`);
    }
    const times = [];
    const longest = [];
    let bytes = 0;
    for (let round = 0; round < 1 + rounds; round++) {
      const { milliseconds, result } = await harness.runTask("imageTo3d", { file: 0 });
      const task = await harness.runTask("longest", {});
      // The first round loads the code.
      if (round > 0) {
        times.push(milliseconds);
        longest.push(task);
      }
      bytes = result;
    }
    return {
      rows,
      whole: { milliseconds: summarize(times), longest: Math.max(...longest), bytes },
    };
  } finally {
    await browser.close();
    harness.close();
  }
}

export const parameters = {
  generate_texture: true,
  texture_resolution: 1024,
  resolution: "high_poly",
};

/**
 * Draws a square PNG, and returns its path.
 *
 * @param {number} width
 */
export function drawImage(width) {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${width}-drawn.png`;
  execFileSync(program, ["draw", String(width), file]);
  return file;
}

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ rows, whole }) {
  const growthPerMegapixel = (
    /** @type {number} */ at,
    /** @type {"nativePeak" | "pagePeak"} */ peak,
  ) => {
    if (at === 0) return "–";
    const [row, above] = [rows[at], rows[at - 1]];
    return formatNumber((row[peak] - above[peak]) / (row.megapixels - above.megapixels));
  };
  return [
    {
      head: [
        "MP",
        "native, ms",
        "decoding, ms",
        "ms / MP",
        "growth, MB",
        "MB / MP",
        "page, ms",
        "ms / MP",
        "× native",
        "memory, MB",
        "MB / MP",
      ],
      rows: rows.map(({ megapixels, native, decode, nativePeak, page, pagePeak }, at) => [
        megapixels,
        formatSummary(native),
        formatNumber(decode),
        formatNumber(native.median / megapixels),
        formatNumber(nativePeak),
        growthPerMegapixel(at, "nativePeak"),
        formatSummary(page),
        formatNumber(page.median / megapixels),
        formatNumber(ratio(page, native)),
        formatNumber(pagePeak),
        growthPerMegapixel(at, "pagePeak"),
      ]),
    },
    {
      caption:
        "`imageTo3d` with the in-page sandbox, 1024 × 1024 pixels, including the download of the GLB",
      head: ["milliseconds", "longest main-thread task, ms", "GLB, KB"],
      rows: [
        [
          formatSummary(whole.milliseconds),
          formatNumber(whole.longest),
          formatNumber(whole.bytes / 1000),
        ],
      ],
    },
  ];
}

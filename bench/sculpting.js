// How long a picture takes to become a model, and how much memory: native and in the page.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

import { openBrowser } from "./lib/browser.js";
import { openStand } from "./lib/stand.js";
import { shown, spread, summary } from "./lib/statistics.js";

/** @import { Summary } from "./lib/statistics.js" */
/**
 * @typedef {object} Row
 * @property {number} megapixels
 * @property {Summary} native milliseconds
 * @property {number} decode the part of them in which the file is decoded
 * @property {number} nativePeak megabytes of the process at its peak, less those before
 * @property {Summary} page milliseconds
 * @property {number} pagePeak megabytes of WebAssembly memory afterwards: its peak, since it never
 *   shrinks
 * @property {number} received megabytes of it before, with the request and the decoding that it is
 *   checked by
 */

export const title = "Sculpting";

export const note =
  "A square PNG, decoded and made into a preview's GLB (`high_poly`, texture of 1024): milliseconds, " +
  "median (25th – 75th percentile). *Native*: `cargo run --example measure`, a process for each run, " +
  "its memory's growth. *Page*: the sandbox's WebAssembly in a worker of Chromium, its whole memory, in " +
  "which the request's body, the picture's file and the model lie too. MB per megapixel is the " +
  "growth from the row above.";

const program = "target/server/examples/measure";
const folder = "target/bench/pictures";

/** Square pictures: 0.25 to 16 megapixels. */
const full = [512, 1024, 2048, 4096];
const quick = [512, 1024];

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  const widths = settings.quick ? quick : full;
  const rounds = settings.quick ? 1 : 5;
  const stand = await openStand();
  // A file that is written after it was chosen cannot be read any more.
  const files = widths.map(draw);
  const browser = await openBrowser("Chromium", stand, [files[widths.indexOf(1024)]]);
  try {
    /** @type {Row[]} */
    const rows = [];
    for (const [at, width] of widths.entries()) {
      const native = [];
      const page = [];
      for (let round = 0; round < rounds; round++) {
        native.push(JSON.parse(execFileSync(program, ["sculpt", files[at]], { encoding: "utf8" })));
        page.push(
          await stand.ask("sculpt", { picture: `/pictures/${width}-drawn.png`, parameters }),
        );
      }
      rows.push({
        megapixels: width ** 2 / 1024 ** 2,
        native: summary(native.map(({ decode, sculpt }) => decode + sculpt)),
        decode: summary(native.map(({ decode }) => decode)).median,
        nativePeak: Math.max(...native.map(({ before, peak }) => peak - before)) / 1e6,
        page: summary(page.map(({ milliseconds }) => milliseconds)),
        pagePeak: Math.max(...page.map(({ after }) => after)) / 1e6,
        received: Math.max(...page.map(({ before }) => before)) / 1e6,
      });
      settings.say(`${width} × ${width}`);
    }
    const times = [];
    const longest = [];
    let bytes = 0;
    for (let round = 0; round < 1 + rounds; round++) {
      const { milliseconds, result } = await stand.ask("imageTo3d", { file: 0 });
      const task = await stand.ask("longest", {});
      // The first loads the code.
      if (round > 0) {
        times.push(milliseconds);
        longest.push(task);
      }
      bytes = result;
    }
    return {
      rows,
      whole: { milliseconds: summary(times), longest: Math.max(...longest), bytes },
    };
  } finally {
    await browser.close();
    stand.close();
  }
}

export const parameters = {
  generate_texture: true,
  texture_resolution: 1024,
  resolution: "high_poly",
};

/**
 * Draws a square PNG, and answers where it is.
 *
 * @param {number} width
 */
export function draw(width) {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${width}-drawn.png`;
  execFileSync(program, ["draw", String(width), file]);
  return file;
}

/** @param {Awaited<ReturnType<typeof measure>>} data */
export function tables({ rows, whole }) {
  const each = (/** @type {number} */ at, /** @type {"nativePeak" | "pagePeak"} */ peak) => {
    if (at === 0) return "–";
    const [here, above] = [rows[at], rows[at - 1]];
    return shown((here[peak] - above[peak]) / (here.megapixels - above.megapixels));
  };
  return [
    {
      head: [
        "MP",
        "native, ms",
        "of it decoding",
        "ms / MP",
        "peak, MB",
        "MB / MP",
        "page, ms",
        "ms / MP",
        "× native",
        "memory, MB",
        "MB / MP",
      ],
      rows: rows.map(({ megapixels, native, decode, nativePeak, page, pagePeak }, at) => [
        megapixels,
        spread(native),
        shown(decode),
        shown(native.median / megapixels),
        shown(nativePeak),
        each(at, "nativePeak"),
        spread(page),
        shown(page.median / megapixels),
        shown(page.median / native.median),
        shown(pagePeak),
        each(at, "pagePeak"),
      ]),
    },
    {
      caption: "`imageTo3d` with the in-page sandbox, 1024 × 1024 to a GLB that is loaded",
      head: ["milliseconds", "the page's longest task, ms", "GLB, KB"],
      rows: [[spread(whole.milliseconds), shown(whole.longest), shown(whole.bytes / 1000)]],
    },
  ];
}

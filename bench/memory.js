// How much memory it takes to send a large picture.

import { openBrowser } from "./lib/browser.js";
import { picture } from "./lib/pictures.js";
import {
  forgetPeak,
  megabytes as memoryOf,
  pageProcesses,
  watchGrowth,
  worked,
} from "./lib/processes.js";
import { openStand } from "./lib/stand.js";
import { shown } from "./lib/statistics.js";
import { sleep } from "./lib/clock.js";
import { limit, names } from "./ways.js";

/** @typedef {{ megabytes: number, way: string, page: number, all: number, heap: number }} Row */

export const title = "Memory";

export const note =
  "Chromium, a fresh one for each row, after three small pictures in the same way: growth of the " +
  "peak of the page's process (`VmHWM`), and of all the browser's processes together (`Pss`, " +
  "looked at as often as possible), in MB; the body alone is four thirds of the picture. *Wasm " +
  "heap*: the WebAssembly's memory afterwards, in KiB; it never shrinks.";

/** @param {import("./run.js").Settings} settings */
export async function measure(settings) {
  /** @type {Row[]} */
  const rows = [];
  const ways = settings.quick
    ? ["library", "FileReader"]
    : Object.keys(names).filter((way) => way !== limit);
  const small = picture(0.1);
  for (const megabytes of settings.quick ? [32] : [32, 100]) {
    const large = picture(megabytes);
    for (const way of ways) {
      const stand = await openStand();
      const browser = await openBrowser("Chromium", stand, [small.path, large.path]);
      try {
        for (let round = 0; round < 3; round++) {
          await stand.ask("send", { way, file: 0, cold: false });
        }
        await sleep(500);
        const pages = pageProcesses(browser.main).map((id) => {
          forgetPeak(id);
          return { id, before: memoryOf(id, "VmRSS"), worked: worked(id) };
        });
        const end = await watchGrowth(browser.main);
        await stand.ask("send", { way, file: 1, cold: false });
        const all = await end();
        // The page's is the one that has worked.
        const busy = pages.map(({ id, before, worked: then }) => ({
          growth: memoryOf(id, "VmHWM") - before,
          worked: worked(id) - then,
        }));
        const page = busy.sort((a, b) => b.worked - a.worked)[0].growth;
        const heap = await stand.ask("heap", { way });
        rows.push({ megabytes, way, page, all, heap });
      } finally {
        await browser.close();
        stand.close();
      }
      settings.say(`${megabytes} MB, ${way}`);
    }
  }
  return rows;
}

/** @param {Row[]} rows */
export function tables(rows) {
  return [
    {
      head: ["MB", "way", "the page's process", "all processes", "beyond the body", "wasm heap"],
      rows: rows.map(({ megabytes, way, page, all, heap }) => [
        megabytes,
        names[way],
        `+${shown(page)}`,
        `+${shown(all)}`,
        shown(all - (megabytes * 4) / 3),
        heap ? heap / 1024 : "–",
      ]),
    },
  ];
}

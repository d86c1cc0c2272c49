// A picture of 100 MB goes through the page without the page noticing.

import assert from "node:assert/strict";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crc32 } from "node:zlib";

import { server, startChromium } from "../support/browsers.js";

const folder = mkdtempSync(join(tmpdir(), "csm-image-to-3d-"));
const small = "www/samples/chelsea.png";
const large = join(folder, "large.png");

before(() => {
  // The sample with a chunk of 100 MB that every reader passes over.
  const png = readFileSync(small);
  const chunk = Buffer.alloc(100_000_000, "padding");
  const name = Buffer.from("paDd");
  const file = openSync(large, "w");
  const number = (/** @type {number} */ n) => Buffer.of(n >>> 24, n >>> 16, n >>> 8, n);
  const end = 8 + 25;
  const sum = crc32(chunk, crc32(name));
  for (const part of [png.subarray(0, end), number(chunk.length), name, chunk, number(sum)]) {
    writeSync(file, part);
  }
  writeSync(file, png.subarray(end));
  closeSync(file);
});
after(() => rmSync(folder, { recursive: true }));

test("neither the wasm heap nor the page grows, and no task takes the picture in one go", async () => {
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    await page.goto(server);
    // Without the demo page's thumbnail, whose decoding is no work of the library's.
    await page.setContent('<input type="file" id="image">');
    await page.evaluate(`
      new PerformanceObserver((list) => {
        globalThis.tasks = [...(globalThis.tasks ?? []), ...list.getEntries().map((e) => e.duration)];
      }).observe({ type: "longtask" });
    `);
    const send = async (/** @type {string} */ path) => {
      await page.setInputFiles("#image", path);
      await page.evaluate("globalThis.tasks = []");
      const session = page.evaluate(`(async () => {
        const { createSession } = await import("/pkg/index.js");
        const image = document.getElementById("image").files[0];
        const session = await createSession({ image, baseUrl: location.origin });
        const wasm = await import("/pkg/wasm/csm_image_to_3d.js");
        const { memory } = await wasm.default();
        await new Promise((resolve) => setTimeout(resolve, 200));
        return { code: session.session_code, heap: memory.buffer.byteLength, tasks };
      })()`);
      return /** @type {Promise<{ code: string, heap: number, tasks: number[] }>} */ (session);
    };
    for (let round = 0; round < 3; round++) await send(small);
    const before = await send(small);

    const processes = await renderers(browser);
    for (const process of processes) writeFileSync(`/proc/${process}/clear_refs`, "5");
    const resident = processes.map((process) => kilobytes(process, "VmRSS"));
    const after = await send(large);
    const grown = processes.map((process, at) => kilobytes(process, "VmHWM") - resident[at]);
    const growth = Math.max(...grown) / 1024;

    console.log(
      `page's process: +${growth.toFixed(1)} MiB at its peak, wasm heap ${after.heap} bytes, long tasks: ${after.tasks}`,
    );
    assert.match(after.code, /^SESSION_/);
    assert.equal(after.heap, before.heap);
    // Kept whole, the picture takes 95 MiB, and as text 127. On a busy machine some pieces wait for the
    // browser's own process.
    assert.ok(growth < 64, `the page's process grew by ${growth} MiB`);
    // In one go the picture takes most of a second. A busy machine makes a short task longer.
    const longest = Math.max(0, ...after.tasks);
    assert.ok(longest < 600, `a task of ${longest} ms`);
  } finally {
    await browser.close();
  }
});

/**
 * The page's process and those kept in reserve, which do nothing: which of them is the page's does
 * not show.
 *
 * @param {import("playwright-core").Browser} browser
 */
async function renderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/**
 * @param {number} process
 * @param {string} field
 */
function kilobytes(process, field) {
  const status = readFileSync(`/proc/${process}/status`, "utf8");
  return Number(status.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1]);
}
